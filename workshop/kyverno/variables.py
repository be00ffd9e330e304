"""Substitution of ``{{ variables }}`` and ``$(references)`` in what a policy writes.

Source: pkg/engine/variables. A text that is one variable takes its value whole; inside a longer text values
are written as JSON. Substituted text is searched for variables again, except after ``{{-``.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from workshop.kyverno.anchors import parse_anchor
from workshop.kyverno.context import Context
from workshop.kyverno.outcome import Beyond, KyvernoError, NotFoundError, spend
from workshop.kyverno.pattern import operator_of
from workshop.kyverno.values import go_json

VARIABLE = re.compile(r"(?:^|[^\\])\{\{(?:\{[^{}]*\}|[^{}])*\}\}")
_WHOLE = re.compile(r"\{\{(?:\{[^{}]*\}|[^{}])*\}\}")
_REFERENCE = re.compile(r"^\$\(.[^ ]*\)|[^\\]\$\(.[^ ]*\)")
_ESCAPED_REFERENCE = re.compile(r"\\\$\(.[^ )]*\)")
_LONGEST = 1_000_000


def substitute(document: object, context: Context) -> Any:
    """A copy of `document` with every reference and variable replaced; raises KyvernoError or Beyond."""
    if "$(" in str(document):
        document = _walk(document, "", lambda text, path: _resolve_references(text, path, document))
    return _walk(document, "", lambda text, path: _substitute_text(text, path, context))


def _walk(node: object, path: str, action: Any) -> Any:
    if isinstance(node, dict):
        result: dict[str, Any] = {}
        for key, value in node.items():
            new_key = action(key, path)
            if new_key is None:
                new_key = key
            elif not isinstance(new_key, str):
                raise KyvernoError(f'expected string after substituting variables in key "{key}"')
            result[new_key] = _walk(value, f"{path}/" + key.replace("/", "\\/"), action)
        return result
    if isinstance(node, list):
        return [_walk(item, f"{path}/{index}", action) for index, item in enumerate(node)]
    return action(node, path) if isinstance(node, str) else node


def _substitute_text(text: str, path: str, context: Context) -> Any:
    if "{{" not in text:
        return text
    for _ in range(64):
        found = VARIABLE.findall(text)
        if not found:
            return text.replace("\\{{", "{{")
        original, shallow = text, False
        for match in found:
            start = match.index("{{") if not _WHOLE.match(match) else 0
            prefix, whole = match[:start], match[start:]
            name = whole.replace("{{", "").replace("}}", "").strip()
            if shallow := name.startswith("-"):
                name = name[1:].strip()
            if name == "@":
                name = _this_value(path, context)
            if context.operation == "DELETE":
                name = name.replace("request.object", "request.oldObject")
            try:
                value = context.query(name)
            except NotFoundError:
                raise
            except KyvernoError as error:
                raise KyvernoError(f"failed to resolve {name} at path {path}: {error}") from error
            if whole == original:
                return value
            written = value if isinstance(value, str) else go_json(value)
            if shallow:
                written = written.replace("{{", "\\{{")
            text = text.replace(match, prefix + written, 1)
            spend(len(text))
            if len(text) > _LONGEST:
                raise Beyond("too-much-work", "a text grows without end")
        if shallow:
            return text.replace("\\{{", "{{")
    raise Beyond("too-much-work", "variables that hold variables without end")


def _this_value(path: str, context: Context) -> str:
    """``{{@}}``: the value of the resource at the place where the variable stands in the pattern."""
    parts = re.split(r"(?<!\\)/", path)[1:]
    if "foreach" in parts:
        parts = parts[parts.index("foreach") + 1 :]
    root = ["target"] if "target" in context.data else ["request", "object"]
    expression = ""
    for part in [*root, *parts[2:]]:
        part = part.replace("\\/", "/")
        if part.isdigit():
            expression += f"[{part}]"
        else:
            dot = "." if expression else ""
            expression += dot + (part if re.fullmatch(r"[A-Za-z_(][A-Za-z0-9_)]*", part) else go_json(part))
    return expression


def _resolve_references(text: str, path: str, document: object) -> str:
    for match in _REFERENCE.findall(text):
        initial = match.startswith("$(")
        reference = (match if initial else match[1:]).strip("$()")
        operator = operator_of(reference)
        target = reference[len(operator) :]
        if not target:
            raise KyvernoError("expected path, found empty reference")
        absolute = (
            target if target.startswith("/") else posixpath.normpath(posixpath.join(path or "/", target))
        )
        value = _value_at(document, absolute)
        if value is None:
            raise KyvernoError(f"got nil resolved variable {reference} at path {path}")
        if operator and isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:f}" if isinstance(value, float) else str(value)
        if not isinstance(value, str):
            raise KyvernoError(f"reference {reference} not resolved at path {path}")
        text = text.replace(match, ("" if initial else match[0]) + operator + value, 1)
    return _ESCAPED_REFERENCE.sub(lambda found: found[0][1:], text)


def _value_at(document: object, absolute: str) -> object:
    found: list[object] = []

    def visit(node: object, path: list[str]) -> None:
        spend()
        if isinstance(node, dict):
            for key, value in node.items():
                anchor = parse_anchor(key)
                visit(value, [*path, anchor[1] if anchor else key])
        elif isinstance(node, list):
            for index, value in enumerate(node):
                visit(value, [*path, str(index)])
        elif "/" + "/".join(path) == absolute:
            found.append(node)

    visit(document, [])
    return found[-1] if found else None
