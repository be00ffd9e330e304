"""Which objects of a file ask Crossplane for a PostgreSQL, and which only make it possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from workshop.checking import Document

Role = Literal["asks", "definition", "plain", "other-database"]
_POSTGRES: Final = re.compile(r"postgres|pgsql|\bpg\b|cnpg|cloudnative-?pg", re.IGNORECASE)
_DATABASE: Final = re.compile(r"sql|database|\bdb|rds|postgres|storage|cluster|instance", re.IGNORECASE)
_OTHERS: Final = re.compile(
    r"mysql|mariadb|mongo|redis|sqlserver|oracle|mssql|dynamodb|cosmos", re.IGNORECASE
)
# Definitions and everything that installs or configures: nothing is provisioned by them.
_DEFINING_GROUPS: Final = re.compile(r"(?:^|\.)(?:apiextensions|pkg|meta\.pkg|secrets|ops)\.crossplane\.io$")
_DEFINING_KINDS: Final = re.compile(r"ProviderConfig(?:Usage)?$|^StoreConfig$|^EnvironmentConfig$|^Usage$")
_BUILT_IN: Final = re.compile(
    r"^(?:|apps|batch|policy|autoscaling|.*\.k8s\.io|.*\.coreos\.com|argoproj\.io|helm\.toolkit\.fluxcd\.io"
    r"|postgresql\.cnpg\.io|acid\.zalan\.do|postgres-operator\.crunchydata\.com)$"
)
_PROVIDERS: Final = re.compile(r"(?:^|\.)(?:crossplane\.io|upbound\.io)$")
_ENGINE_KEYS: Final = frozenset(
    {
        "apiVersion", "chart", "databaseVersion", "engine", "engineVersion", "image", "kind", "module",
        "name", "repository", "type", "url",
    }
)  # fmt: skip
#: What the providers that cost nothing have; `.m.` groups are the same in a namespace.
KINDS_OF_PROVIDERS: Final = {
    "helm.crossplane.io": ("Release",),
    "kubernetes.crossplane.io": ("Object", "ObservedObjectCollection"),
    "postgresql.sql.crossplane.io": (
        *("Database", "Role", "Grant", "DefaultPrivileges", "DefaultGrant", "Extension", "Schema"),
    ),
}
# What an Object of provider-kubernetes may create beside the database.
_ACCESSORIES: Final = frozenset({"Secret", "ConfigMap", "Namespace", "Service", "Role", "RoleBinding"})
# Charts that install who runs databases, and no database.
_OPERATOR_CHART: Final = re.compile(r"cloudnative-pg|pgo|.*operator.*", re.IGNORECASE)
_IN_A_URL: Final = re.compile(r"\bpostgres(?:ql)?://[^\s:/@]{1,80}:[^\s/@${(]{1,80}@", re.IGNORECASE)
_SECRET_KEY: Final = re.compile(r"(?:password|passwd|pwd|passphrase)$", re.IGNORECASE)


def group_of(document: Document) -> str:
    """Return the API group of a document, empty for the core group."""
    version = document.get("apiVersion")
    return version.rpartition("/")[0] if isinstance(version, str) else ""


def role_of(document: Document, defined: Iterable[tuple[str, str]]) -> Role:
    """Return what an object is to Crossplane. `defined` are group and kind of the file's own definitions."""
    group, kind = group_of(document), str(document.get("kind", default=""))
    if _DEFINING_GROUPS.search(group) or _DEFINING_KINDS.search(kind):
        return "definition"
    if _BUILT_IN.fullmatch(group):
        return "plain"
    texts = [text for key, text in _scalars(document.get("spec")) if key in _ENGINE_KEYS]
    if str(document.get("spec", "forProvider", "manifest", "kind")) in _ACCESSORIES:
        return "definition"
    if _OPERATOR_CHART.fullmatch(str(document.get("spec", "forProvider", "chart", "name", default=""))):
        return "definition"
    if _PROVIDERS.search(group):
        # A managed resource: what it is shows in its group, kind, engine or chart.
        if _POSTGRES.search(group) or _POSTGRES.search(kind) or any(map(_POSTGRES.search, texts)):
            return "asks"
        return "other-database" if any(map(_OTHERS.search, [*texts, kind, group])) else "definition"
    if _OTHERS.search(kind):
        return "other-database"
    own = (group, kind) in set(defined)
    everything = [kind, group, *texts, *(text for _, text in _scalars(document.get("spec")))]
    if any(map(_POSTGRES.search, everything)):
        return "asks"
    if any(map(_OTHERS.search, everything)):
        return "other-database"
    return "asks" if own or _DATABASE.search(kind) else "plain"


def defined_kinds(documents: Iterable[Document]) -> dict[tuple[str, str], Document]:
    """Return group and kind of composites and claims that the file itself defines, with their definition."""
    found: dict[tuple[str, str], Document] = {}
    for document in documents:
        if document.get("kind") != "CompositeResourceDefinition":
            continue
        group = document.get("spec", "group")
        for names in ("names", "claimNames"):
            kind = document.get("spec", names, "kind")
            if isinstance(group, str) and isinstance(kind, str):
                found[group, kind] = document
    return found


def versions_defined(documents: Iterable[Document], group: str, kind: str) -> list[str]:
    """Return the versions in which the file's own definition serves a kind; empty where it says none."""
    definition = defined_kinds(documents).get((group, kind))
    entries = definition.get("spec", "versions") if definition is not None else None
    return [
        str(each.get("name"))
        for each in (entries if isinstance(entries, list) else [])
        if isinstance(each, dict) and each.get("name") and each.get("served") is not False
    ]


def is_of_version_two(document: Document) -> bool:
    """Whether a document is a definition that only Crossplane 2 knows; legacy ones are like version 1."""
    return bool(
        document.get("kind") == "CompositeResourceDefinition"
        and document.get("apiVersion") == "apiextensions.crossplane.io/v2"
        and document.get("spec", "scope") != "LegacyCluster"
    )


def why_nothing_is_made(document: Document) -> tuple[str, tuple[str, ...]] | None:
    """Return what keeps Crossplane from creating the object, and where it stands; None when nothing does."""
    policies = document.get("spec", "managementPolicies")
    if isinstance(policies, list) and not {"*", "Create"} & {str(each) for each in policies}:
        shown = ", ".join(str(each) for each in policies)
        return f"managementPolicies: [{shown}]", ("spec", "managementPolicies")
    paused = ("metadata", "annotations", "crossplane.io/paused")
    return ("crossplane.io/paused: true", paused) if document.get(*paused) == "true" else None


def words_of(document: Document) -> Iterator[str]:
    """Yield what may say whose an order is: names, labels and namespaces, of what it wraps as well."""
    for path in (("metadata",), ("spec", "forProvider", "manifest", "metadata")):
        labels = document.get(*path, "labels")
        own = [document.get(*path, key) for key in ("name", "generateName", "namespace")]
        for word in (*own, *(labels.values() if isinstance(labels, dict) else ())):
            if isinstance(word, str):
                yield word
    namespace = document.get("spec", "forProvider", "namespace")
    if isinstance(namespace, str):
        yield namespace


def mentions(documents: Iterable[Document], keys: re.Pattern[str]) -> bool:
    """Whether a key of some spec is of that kind (a size, a version, a secret for the connection)."""
    return any(keys.fullmatch(key) for document in documents for key in _keys(document.get("spec")))


def passwords_in_clear(document: Document) -> list[tuple[str | int, ...]]:
    """Return the paths of passwords that are written into a document, encoded or not."""
    found: list[tuple[str | int, ...]] = []
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), document.data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(((*path, key), child) for key, child in value.items())
        elif isinstance(value, list):
            pending.extend(((*path, index), child) for index, child in enumerate(value))
            found.extend(_set_values(path, value))
        elif path and _is_secret(path[-1], value):
            found.append(path)
    return sorted(found, key=str)


def _set_values(path: tuple[str | int, ...], entries: list[Any]) -> Iterator[tuple[str | int, ...]]:
    """Yield values of lists of names and values (`set:` of a Helm release, environment variables)."""
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and _is_secret(entry.get("name"), entry.get("value")):
            yield (*path, index, "value")


def _is_secret(key: object, value: object) -> bool:
    """Whether a key that speaks of a password holds one; a template's `{{ }}` does not."""
    if isinstance(value, str) and _IN_A_URL.search(value):
        return True
    # `password: 123456` is a number to YAML, and a password all the same.
    if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return value != "" and "{{" not in str(value) and _SECRET_KEY.search(key) is not None


def _scalars(data: object) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, object]] = [("", data)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((name, child) for name, child in value.items())
        elif isinstance(value, list):
            pending.extend((key, child) for child in value)
        elif isinstance(value, str):
            yield key, value


def _keys(data: object) -> Iterator[str]:
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
