"""Bonus 2 – a PostgreSQL that is asked for through Crossplane."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Document, Exam, Text, check, kind_of, must, should
from workshop.workspace import Unreadable

from ._objects import taken_by_the_api
from ._sre_crossplane import (
    KINDS_OF_PROVIDERS,
    Role,
    defined_kinds,
    group_of,
    is_of_version_two,
    mentions,
    passwords_in_clear,
    role_of,
    versions_defined,
    why_nothing_is_made,
    words_of,
)

PATH: Final = "td/bonus/crossplane-postgres.yaml"
_SIZE: Final = re.compile(
    r"size|storage\w*|instance(?:Class|Type)|allocatedStorage|tier|sku\w*|resources|diskSize\w*|machineType|nodeType"
    r"|\w*(?:Size|StorageGB|StorageMb|Gb|GB)",
)
_VERSION: Final = re.compile(
    r"version|engineVersion|databaseVersion|postgres\w*Version|majorVersion|imageName|tag"
)
_HELM_RELEASE: Final = re.compile(r"Release\.helm\.(?:m\.)?crossplane\.io")
_CONNECTION: Final = re.compile(
    r"writeConnectionSecretTo\w*|publishConnectionDetailsTo|connectionDetails|connectionSecret\w*|secretName|secretRef"
    r"|existingSecret|passwordSecretRef|connectionSecretKeys"
)


def _documents(exam: Exam) -> list[Document]:
    return exam.documents(PATH)


def orders_of(exam: Exam) -> tuple[list[Document], list[Document]]:
    """Return all documents, and those that ask for a PostgreSQL; without one the check ends."""
    documents = _documents(exam)
    roles = _roles(documents)
    if "asks" not in roles:
        documents = [*documents, *_beside(exam, documents[0].file)]
        roles = _roles(documents)
    asking = [document for document, role in zip(documents, roles, strict=True) if role == "asks"]
    if not asking:
        identity, advice = _mistake(roles)
        exam.fail(
            identity,
            Text("Something asks Crossplane for a PostgreSQL"),
            expected=Text("a claim, a composite resource, or a managed resource of a provider"),
            observed=Text("found {kinds}", kinds=", ".join(map(kind_of, documents))),
            next=advice,
            where=documents[0],
        )
    return documents, asking


def _roles(documents: list[Document]) -> list[Role]:
    defined = defined_kinds(documents)
    return [role_of(document, defined) for document in documents]


def _beside(exam: Exam, path: str) -> list[Document]:
    """Return the Crossplane objects in the other files of the folder: the order may stand there."""
    found: list[Document] = []
    for other in exam.workspace.files("td/bonus", (".yaml", ".yml")):
        try:
            documents = exam.workspace.documents(other) if other != path else []
        except Unreadable:
            continue
        roles = zip(documents, _roles(documents), strict=True)
        found.extend(each for each, role in roles if role != "plain")
    return found


def _mistake(roles: list[Role]) -> tuple[str, Text]:
    if "other-database" in roles:
        return "not-postgresql", Text("The payment-service speaks PostgreSQL: choose that engine.")
    if "definition" in roles:
        return "nothing-asks", Text(
            "Definitions say what could be ordered. Add the order itself: a claim or a resource."
        )
    return "no-crossplane", Text(
        "Kubernetes runs this by itself. Let Crossplane create it, through one of its kinds."
    )


@check(level=must)
def a_database_is_asked_for(exam: Exam) -> None:
    """Something in the file asks Crossplane for a PostgreSQL.

    A definition is a form. Nobody gets a database before somebody fills it in.
    """
    documents, asking = orders_of(exam)
    exam.fact("asked", Text("Something asks Crossplane for a PostgreSQL"), met=True, where=asking[0])
    specs = [(each, ("spec", *deeper)) for each in asking for deeper in ((), ("forProvider",))]
    odd = next(
        (
            (each, path)
            for each, path in specs
            if each.get(*path) is not None and not isinstance(each.get(*path), dict)
        ),
        None,
    )
    exam.fact(
        "spec-not-a-mapping",
        Text("The order has fields"),
        odd is None,
        expected=Text("fields below `spec`"),
        observed=str(odd[0].get(*odd[1]))[:60] if odd else Text("fields"),
        next=Text("Look up which fields the kind has, and write them below `spec`, each on its own line."),
        where=odd[0].at(*odd[1]) if odd else asking[0],
    )
    for release in (each for each in asking if _HELM_RELEASE.fullmatch(kind_of(each))):
        chart = release.get("spec", "forProvider", "chart")
        fields = chart if isinstance(chart, dict) else {}
        exam.fact(
            "release-without-chart",
            Text("The Release says which chart it installs"),
            bool(fields.get("url") or (fields.get("name") and fields.get("repository"))),
            expected=Text("the chart's name and repository, or its url"),
            observed=", ".join(fields) or Text("no chart"),
            next=Text("Write name, repository and version of the chart below spec.forProvider.chart."),
            where=release.at("spec", "forProvider", "chart"),
        )
    definitions = [each for each in documents if each.get("kind") == "CompositeResourceDefinition"]
    for document in asking:
        taken_by_the_api(exam, document)
        group = group_of(document)
        served = KINDS_OF_PROVIDERS.get(group.replace(".m.crossplane.io", ".crossplane.io"), ())
        exam.fact(
            "kind-not-served",
            Text("The provider has the kind that is asked for"),
            not served or document.get("kind") in served,
            expected=", ".join(served),
            observed=f"kind: {document.get('kind')}",
            next=Text("Compare the kind with the provider's documentation, letter by letter."),
            where=document.at("kind"),
        )
        same = [each for each in definitions if each.get("spec", "group") == group]
        known = (group, str(document.get("kind"))) in defined_kinds(documents)
        exam.fact(
            "kind-not-defined",
            Text("The kind that is asked for is the kind that is defined"),
            known or not same,
            expected=", ".join(sorted(f"{kind}.{of}" for of, kind in defined_kinds(documents)))
            or kind_of(document),
            observed=kind_of(document),
            next=Text("Compare with `spec.names.kind` and `spec.claimNames.kind` of your definition."),
            where=document.at("kind"),
        )
        versions = versions_defined(documents, group, str(document.get("kind")))
        version = str(document.get("apiVersion")).rpartition("/")[2]
        exam.fact(
            "version-not-defined",
            Text("The version that is asked for is one that is defined"),
            not versions or version in versions,
            expected=", ".join(f"{group}/{each}" for each in versions) or kind_of(document),
            observed=f"apiVersion: {document.get('apiVersion')}",
            next=Text("Compare with the names in `spec.versions` of your definition."),
            where=document.at("apiVersion"),
        )
    for document in asking:
        reason = why_nothing_is_made(document)
        exam.fact(
            "only-observed",
            Text("Crossplane may create what is asked for"),
            reason is None,
            expected=Text("the management policies “*”, or “Create” among them, and no pause"),
            observed=reason[0] if reason else Text("it may"),
            next=Text("An object that is only observed, or paused, orders nothing."),
            where=document.at(*reason[1]) if reason else document,
        )


@check(level=must)
def for_the_payment_service(exam: Exam) -> None:
    """It is the payment-service's database.

    In a year somebody will ask whose database this is, and what may be deleted.
    """
    _, asking = orders_of(exam)
    tied = False
    for document in asking:
        tied = tied or any(re.search(r"pay|paie", word, re.IGNORECASE) for word in words_of(document))
    exam.fact(
        "whose-database",
        Text("Name, label or namespace tie it to the payment-service"),
        tied,
        expected="payment-service",
        observed=f"metadata.name: {asking[0].get('metadata', 'name')}",
        next=Text("Name it after the service, or label it with app: payment-service."),
        where=asking[0].at("metadata", "name"),
    )


@check(level=must)
def no_password_in_clear(exam: Exam) -> None:
    """No password stands in the file.

    What is in Git is read by everybody who can read the repository, for ever. Base64 hides nothing.
    """
    for document in _documents(exam):
        for path in passwords_in_clear(document):
            exam.fact(
                "password-in-clear",
                Text("No password is written down"),
                met=False,
                expected=Text("a reference to a Secret, or a generated password"),
                observed=".".join(str(part) for part in path),
                next=Text("Let the provider generate it, or refer to a Secret that is created elsewhere."),
                where=document.at(*path),
            )
    if not exam.facts:
        exam.fact("no-password", Text("No password is written down"), met=True)


@check(level=should)
def described_well_enough(exam: Exam) -> None:
    """Size, version and connection are said.

    Without them the provider chooses, and the service does not learn where its database is.
    """
    documents, asking = orders_of(exam)
    compositions = [each for each in documents if each.get("kind") == "Composition"]
    described = [*asking, *compositions]
    for identity, claim, keys, hint in (
        ("no-size", Text("The size is said"), _SIZE, Text("storage, an instance class, resources …")),
        (
            "no-version",
            Text("The version is said"),
            _VERSION,
            Text("the version of PostgreSQL, or of the chart"),
        ),
        (
            "no-connection",
            Text("The connection goes into a Secret"),
            _CONNECTION,
            Text("writeConnectionSecretToRef, or a Secret the composition writes"),
        ),
    ):
        exam.fact(
            identity,
            claim,
            mentions(described, keys),
            expected=hint,
            observed=Text("nothing of the kind in the object that asks"),
            next=Text("Look the field up in the provider's reference."),
            where=asking[0].at("spec"),
        )


@check(level=must)
def definitions_are_taken(exam: Exam) -> None:
    """Crossplane 2 takes the definitions and compositions that come with the order.

    What the API server refuses composes nothing, however good the order is.
    """
    documents = _documents(exam)
    modern = [each for each in documents if is_of_version_two(each)]
    for document in modern:
        exam.fact(
            "claim-in-v2",
            Text("A definition of version 2 offers no claim"),
            not document.has("spec", "claimNames"),
            expected=Text("a namespaced composite resource, no claimNames"),
            observed="spec.claimNames",
            next=Text("Remove claimNames: in version 2 the composite itself lives in a namespace."),
            where=document.at("spec", "claimNames"),
        )
    _compositions(exam, documents if modern else [])
    if not exam.facts:
        exam.fact("no-definition", Text("The file has no definition of version 2"), met=True)


def _compositions(exam: Exam, documents: list[Document]) -> None:
    for document in documents:
        if document.get("kind") == "Composition":
            exam.fact(
                "patch-and-transform",
                Text("The composition is a pipeline of functions"),
                document.get("spec", "mode", default="Pipeline") == "Pipeline"
                and document.get("spec", "resources") is None,
                expected="spec.mode: Pipeline",
                observed=f"spec.mode: {document.get('spec', 'mode', default='Resources')}",
                next=Text("Crossplane 2 removed `resources`: move them into function-patch-and-transform."),
                where=document.at("spec", "mode"),
            )


@check(level=should)
def fits_crossplane_two(exam: Exam) -> None:
    """Compositions of version 1 would survive the step to Crossplane 2.

    Version 2 runs compositions as pipelines of functions, and in no other way.
    """
    documents = _documents(exam)
    _compositions(exam, [] if any(map(is_of_version_two, documents)) else documents)
    if not exam.facts:
        exam.fact("no-composition", Text("The file composes nothing the way of version 1"), met=True)
