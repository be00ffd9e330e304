"""Why Backstage's catalogue would refuse an entity.

Source: npm `@backstage/catalog-model` 1.10 (entity policies and the schemas of its kinds) and
`@backstage/plugin-scaffolder-common` 2.3 (Template). Held against them in tests/backstage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from workshop.backstage.formats import (
    is_api_version,
    is_key,
    is_kind,
    is_label_value,
    is_namespace,
    is_object_name,
    is_tag,
    is_url,
)
from workshop.backstage.shapes import (
    ANY_MAP,
    TEXT,
    TEXTS,
    EitherShape,
    ListShape,
    MapShape,
    Path,
    Shape,
    TextShape,
    mismatches,
)
from workshop.texts import Text

Rule = Literal[
    "shape",
    "root",
    "api-version",
    "kind",
    "name",
    "namespace",
    "label",
    "annotation",
    "tag",
    "link",
    "required",
]


class Refusal(NamedTuple):
    """One reason to refuse an entity: which rule, at which path of the document, what was expected."""

    rule: Rule
    path: Path
    expected: Text


# What the catalogue puts in place of itself before it looks at an entity, and is a text.
_TEXT_PLACEHOLDERS: Final = frozenset({"$text", "$openapi", "$asyncapi"})
_CATALOG: Final = ("backstage.io/v1alpha1", "backstage.io/v1beta1")
_SCAFFOLDER: Final = ("scaffolder.backstage.io/v1beta3",)

_PROFILE: Final = MapShape({"displayName": TEXT, "email": TEXT, "picture": TEXT})
_PERMISSIONS: Final = MapShape({"tags": ListShape(TextShape(empty=True))})
_ANY_TEXT: Final = TextShape(empty=True)
_TEXT_OR_FLAG: Final = TextShape(empty=True, flag=True)
_DECORATORS: Final = ListShape(MapShape({"id": _ANY_TEXT, "input": ANY_MAP}))
_STEP: Final = MapShape(
    {
        "id": _ANY_TEXT,
        "name": _ANY_TEXT,
        "action": _ANY_TEXT,
        "input": ANY_MAP,
        "if": _TEXT_OR_FLAG,
        "backstage:permissions": _PERMISSIONS,
    },
    required=("action",),
)
_OUTPUT: Final = MapShape(
    {
        "links": ListShape(
            MapShape({"if": _TEXT_OR_FLAG, "url": TEXT, "entityRef": TEXT, "title": TEXT, "icon": TEXT})
        ),
        "text": ListShape(MapShape({"if": _TEXT_OR_FLAG, "title": TEXT, "icon": TEXT, "content": _ANY_TEXT})),
    },
    others=_ANY_TEXT,
)
_BUTTONS: Final = dict.fromkeys(("backButtonText", "createButtonText", "reviewButtonText"), _ANY_TEXT)

_SPECS: Final[Mapping[str, MapShape]] = {
    "Component": MapShape(
        {
            **dict.fromkeys(("type", "lifecycle", "owner", "system", "subcomponentOf"), TEXT),
            **dict.fromkeys(("providesApis", "consumesApis", "dependsOn"), TEXTS),
        },
        required=("type", "lifecycle", "owner"),
    ),
    "API": MapShape(
        dict.fromkeys(("type", "lifecycle", "owner", "system", "definition"), TEXT),
        required=("type", "lifecycle", "owner", "definition"),
    ),
    "System": MapShape(dict.fromkeys(("owner", "domain", "type"), TEXT), required=("owner",)),
    "Domain": MapShape(dict.fromkeys(("owner", "subdomainOf", "type"), TEXT), required=("owner",)),
    "Resource": MapShape(
        {**dict.fromkeys(("type", "owner", "system"), TEXT), "dependsOn": TEXTS}, required=("type", "owner")
    ),
    "Group": MapShape(
        {"type": TEXT, "profile": _PROFILE, "parent": TEXT, "children": TEXTS, "members": TEXTS},
        required=("type", "children"),
    ),
    "User": MapShape({"profile": _PROFILE, "memberOf": TEXTS}, required=("memberOf",)),
    "Location": MapShape({"type": TEXT, "target": TEXT, "targets": TEXTS, "presence": TEXT}),
    "Template": MapShape(
        {
            **dict.fromkeys(("type", "owner", "lifecycle"), TEXT),
            "parameters": EitherShape(MapShape({"backstage:permissions": _PERMISSIONS})),
            "secrets": MapShape({"schema": ANY_MAP}),
            "presentation": MapShape({"buttonLabels": MapShape(_BUTTONS)}),
            "EXPERIMENTAL_recovery": MapShape({"EXPERIMENTAL_strategy": _ANY_TEXT}),
            "formDecorators": _DECORATORS,
            "EXPERIMENTAL_formDecorators": _DECORATORS,
            "steps": ListShape(_STEP),
            "output": _OUTPUT,
        },
        required=("type", "steps"),
    ),
}
KINDS: Final = frozenset(_SPECS)
_VERSIONS: Final = {kind: _SCAFFOLDER if kind == "Template" else _CATALOG for kind in _SPECS}

_METADATA: Final = MapShape(
    {
        **dict.fromkeys(("uid", "etag", "title"), TEXT),
        "description": _ANY_TEXT,
        "tags": TEXTS,
        "labels": ANY_MAP,
        "annotations": ANY_MAP,
        "links": ListShape(ANY_MAP),
    }
)


def refusals(entity: Any) -> list[Refusal]:
    """Return every reason for which Backstage's catalogue would refuse this document; empty: it takes it.

    A kind that is none of Backstage's own is refused: without further plugins nothing processes it.
    """
    if not isinstance(entity, dict):
        return [Refusal("shape", (), Text("keys and values"))]
    entity = _filled_in(entity)
    found = [*_root(entity), *_identity(entity)]
    metadata = entity.get("metadata")
    if isinstance(metadata, dict):
        found += _metadata(metadata)
    else:
        found.append(Refusal("shape", ("metadata",), Text("keys and values")))
    found += _spec(entity)
    return found


def _filled_in(value: Any) -> Any:
    """Return an entity as the catalogue sees it once `{$text: ./file}` has become the file's text."""
    if isinstance(value, dict):
        if len(value) == 1:
            key, target = next(iter(value.items()))
            if key in _TEXT_PLACEHOLDERS and isinstance(target, str) and target:
                return target
        return {key: _filled_in(inner) for key, inner in value.items()}
    return [_filled_in(inner) for inner in value] if isinstance(value, list) else value


def _root(entity: dict[str, Any]) -> Iterator[Refusal]:
    for key in entity:
        if key not in ("apiVersion", "kind", "metadata", "spec"):
            yield Refusal("root", (key,), Text("only apiVersion, kind, metadata and spec at the top level"))


def _identity(entity: dict[str, Any]) -> Iterator[Refusal]:
    kind, version = entity.get("kind"), entity.get("apiVersion")
    known = isinstance(kind, str) and kind in KINDS
    if not known or not is_kind(kind):
        yield Refusal("kind", ("kind",), Text("a kind of the catalogue, such as Component"))
    wanted = _VERSIONS[kind] if known and isinstance(kind, str) else (*_CATALOG, *_SCAFFOLDER)
    if version not in wanted or not is_api_version(version):
        yield Refusal("api-version", ("apiVersion",), Text("apiVersion: {version}", version=wanted[0]))


def _metadata(metadata: dict[str, Any]) -> Iterator[Refusal]:
    at: Path = ("metadata",)
    for mismatch in mismatches(metadata, _METADATA, at):
        rule = _METADATA_RULES.get(str(mismatch.path[1])) if len(mismatch.path) > 1 else None
        yield Refusal(rule or "shape", mismatch.path, mismatch.expected)
    if not is_object_name(metadata.get("name")):
        expected = Text("1 to 63 letters and digits without accents, with “-”, “_” or “.” in between")
        yield Refusal("name", (*at, "name"), expected)
    if "namespace" in metadata and not is_namespace(metadata["namespace"]):
        expected = Text("1 to 63 lower-case letters and digits, with “-” in between")
        yield Refusal("namespace", (*at, "namespace"), expected)
    yield from _keyed(metadata, "labels", "label", is_label_value)
    yield from _keyed(metadata, "annotations", "annotation", lambda value: isinstance(value, str))
    for index, tag in enumerate(_list(metadata.get("tags"))):
        if isinstance(tag, str) and tag and not is_tag(tag):
            yield Refusal(
                "tag", (*at, "tags", index), Text("lower-case letters and digits, with “-” in between")
            )
    for index, link in enumerate(_list(metadata.get("links"))):
        if isinstance(link, dict):
            yield from _link(link, (*at, "links", index))


_METADATA_RULES: Final[Mapping[str, Rule]] = {
    "labels": "label",
    "annotations": "annotation",
    "tags": "tag",
    "links": "link",
}


def _keyed(
    metadata: dict[str, Any], field: str, rule: Rule, valid: Callable[[object], bool]
) -> Iterator[Refusal]:
    entries = metadata.get(field)
    for key, value in entries.items() if isinstance(entries, dict) else ():
        if not is_key(key):
            yield Refusal(
                rule, ("metadata", field, key), Text("a key of the form name or prefix.example/name")
            )
        if not isinstance(value, str):
            yield Refusal(rule, ("metadata", field, key), Text("a text (in quotation marks)"))
        elif not valid(value):
            expected = Text("1 to 63 letters and digits without accents, with “-”, “_” or “.” in between")
            yield Refusal(rule, ("metadata", field, key), expected)


def _link(link: dict[str, Any], at: Path) -> Iterator[Refusal]:
    if not is_url(link.get("url")):
        yield Refusal(
            "link", (*at, "url"), Text("a whole address, such as https://github.com/ACCOUNT/REPOSITORY")
        )
    for key in ("title", "icon", "type"):
        value = link.get(key)
        if key in link and not (isinstance(value, str) and (value.strip() if key != "type" else value)):
            yield Refusal("link", (*at, key), Text("a text that is not empty"))


def _spec(entity: dict[str, Any]) -> Iterator[Refusal]:
    kind = entity.get("kind")
    shape: Shape = _SPECS.get(kind, ANY_MAP) if isinstance(kind, str) else ANY_MAP
    if "spec" not in entity:
        if shape is not ANY_MAP:
            yield Refusal("required", ("spec",), Text("the key {key}", key="spec"))
        return
    for mismatch in mismatches(entity["spec"], shape, ("spec",)):
        yield Refusal("required" if mismatch.missing else "shape", mismatch.path, mismatch.expected)
    presence = entity["spec"].get("presence") if isinstance(entity["spec"], dict) else None
    if kind == "Location" and isinstance(presence, str) and presence not in ("required", "optional"):
        yield Refusal("shape", ("spec", "presence"), Text("required or optional"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
