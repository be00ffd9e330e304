"""The data variables are looked up in: the request, images, foreach elements and a rule's `context` entries.

Source: pkg/engine/context. Entries are evaluated when a query first names them, so an unused one cannot fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workshop.kyverno.images import images_of
from workshop.kyverno.jmes import Partial, search
from workshop.kyverno.outcome import Beyond, KyvernoError
from workshop.kyverno.values import go_text

_IDENTITY = dict.fromkeys(
    ("userInfo", "roles", "clusterRoles", "uid", "options", "dryRun", "resource", "requestResource"),
    "needs-user",
)
_ACCOUNT = dict.fromkeys(("serviceAccountName", "serviceAccountNamespace"), "needs-user")
_CLUSTER_ENTRIES = {"apiCall", "configMap", "globalReference", "imageRegistry"}


@lru_cache(maxsize=512)
def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\A|\s|[^.0-9A-Za-z]){re.escape(name)}\b")


@dataclass(frozen=True)
class _Images:
    """Stands among the entries for `images`, which Kyverno reads off the object it was asked about."""

    resource: dict[str, Any]


class Context:
    """One scope of variables. `child` opens an inner one that sees this one and never changes it."""

    def __init__(self, data: Partial, loaders: list[tuple[str, Any]]) -> None:
        self.data = data
        self.loaders = loaders

    @classmethod
    def of_request(
        cls,
        resource: dict[str, Any] | None,
        old: dict[str, Any] | None,
        operation: str,
        extra: dict[str, Any],
        pictured: dict[str, Any] | None = None,
    ) -> Context:
        """The context of an admission request; `extra` are values given from outside, as the CLI allows.

        `images` are those of `pictured`, which rules before this one may have changed, else of `resource`.
        """
        request = Partial({"operation": operation}, _IDENTITY)
        known = resource if resource is not None else old or {}
        metadata = found if isinstance(found := known.get("metadata"), dict) else {}
        group, _, version = go_text(known.get("apiVersion") or "").rpartition("/")
        request["kind"] = {"group": group, "version": version, "kind": known.get("kind")}
        request.update({key: metadata[key] for key in ("name", "namespace") if key in metadata})
        # A request always has both, null when there is none.
        request |= {"object": resource, "oldObject": old}
        images = _Images(pictured or resource or {})
        context = cls(Partial({"request": request}, _ACCOUNT), [("images", images)])
        for name, value in extra.items():
            context.put(name, value)
        return context

    def child(self) -> Context:
        """An inner scope."""
        return Context(self.data.clone(), list(self.loaders))

    def as_created(self, resource: dict[str, Any]) -> Context:
        """This scope as if the resource were just being created; what was looked up already stays."""
        scope = self.child()
        for key, value in (("object", resource), ("oldObject", None), ("operation", "CREATE")):
            scope.put(f"request.{key}", value)
        return scope

    def put(self, dotted: str, value: object) -> None:
        """Set a variable; dots separate the levels of nested ones."""
        *outer, last = dotted.split(".")
        target: dict[str, Any] = self.data
        for key in outer:
            inner = target.get(key)
            copy = (
                inner.clone()
                if isinstance(inner, Partial)
                else dict(inner)
                if isinstance(inner, dict)
                else {}
            )
            target[key] = copy
            target = copy
        target[last] = value

    def add_element(self, element: object, index: int, nesting: int) -> None:
        """The variables of a foreach iteration."""
        self.data.update({"element": element, f"element{nesting}": element})
        self.data.update({"elementIndex": index, f"elementIndex{nesting}": index})

    def add_entries(self, entries: object) -> None:
        """Declare the `context` entries of a rule or foreach."""
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict):
                self.loaders.append((str(entry.get("name")), entry))

    @property
    def operation(self) -> str:
        """CREATE, UPDATE, DELETE or CONNECT."""
        return str(self.data["request"].get("operation"))

    def query(self, expression: str) -> Any:
        """The value of a JMESPath expression in this scope."""
        index = 0
        while index < len(self.loaders):
            name, entry = self.loaders[index]
            if _named(name).search(expression):
                earlier = Context(self.data, self.loaders[:index])
                del self.loaders[index]
                self._load(name, entry, earlier)
            else:
                index += 1
        if not expression.strip():
            raise KyvernoError("invalid query (nil)")
        return search(expression.strip(), self.data)

    def _load(self, name: str, entry: Any, scope: Context) -> None:
        if isinstance(entry, _Images):
            images = images_of(entry.resource)
            if images:
                self.data["images"] = {
                    kind: {key: image.variables() for key, image in by_name.items()}
                    for kind, by_name in images.items()
                }
            return
        if _CLUSTER_ENTRIES & entry.keys():
            kind = next(iter(_CLUSTER_ENTRIES & entry.keys()))
            if name in self.data:
                return
            raise Beyond(
                "needs-registry" if kind == "imageRegistry" else "needs-cluster", f"context {name}: {kind}"
            )
        variable = entry.get("variable")
        if not isinstance(variable, dict):
            raise KyvernoError(
                f"missing ConfigMap, APICall, GlobalReference or Variable in context entry {name}"
            )
        self.data[name] = _variable(name, variable, scope)


def _variable(name: str, variable: dict[str, Any], scope: Context) -> Any:
    from workshop.kyverno.variables import substitute

    path = substitute(variable["jmesPath"], scope) if variable.get("jmesPath") else ""
    if not isinstance(path, str):
        raise KyvernoError(f"jmespath value must be a string {name}")
    default = substitute(variable.get("default"), scope)
    # A default stands in for a path that leads nowhere, not for a value that cannot be resolved.
    value = substitute(variable.get("value"), scope)
    output = default
    try:
        if value is not None:
            output = search(path, value) if path else value
        elif path and (found := scope.query(path)) is not None:
            output = found
    except KyvernoError as error:
        if default is None:
            raise KyvernoError(f"failed to apply jmespath {path} to variable {name}: {error}") from error
    if output is None:
        raise KyvernoError(f"failed to add context entry for variable {name} since it evaluated to nil")
    return output
