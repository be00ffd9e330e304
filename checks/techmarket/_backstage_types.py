"""The types in a template: what its questions may be, and what its actions take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from workshop.backstage import Template
from workshop.backstage.actions import INPUT_TYPES
from workshop.checking import Exam, Text
from workshop.texts import Message

from ._backstage import listed

_SCHEMA_TYPES: Final = ("string", "number", "integer", "boolean", "array", "object", "null")
#: What tells the form how to ask a question: without any of these it shows none.
_ASKED_BY: Final = frozenset(
    {"type", "ui:field", "ui:widget", "enum", "const", "properties", "additionalProperties", "items"}
    | {"anyOf", "oneOf", "allOf", "$ref"}
)
_WORDS: Final = {
    "text": Text("text"),
    "flag": Text("true or false"),
    "map": Text("names with values"),
}


def judge_types(exam: Exam, read: Template) -> None:
    """Record every question and every input of a type that the scaffolder does not take."""
    found = [*_questions(read), *_required(read), *_inputs(read)]
    for fact, path, expected, observed in found:
        exam.fact(
            fact,
            Text("Every value has a type that the scaffolder takes"),
            met=False,
            expected=expected,
            observed=observed,
            next=Text("Compare with the page on writing templates: each of these has one type."),
            where=read.at(*path),
        )
    if not found:
        exam.fact("types", Text("Every value has a type that the scaffolder takes"), met=True)


_Found = tuple[str, tuple[str | int, ...], Message, str]


def _questions(read: Template) -> Iterator[_Found]:
    for question in read.properties:
        schema = read.document.get(*question.path)
        if not isinstance(schema, dict | bool):
            yield "question-without-schema", question.path, Text("title, type …"), _shown(schema)
            continue
        if question.required and isinstance(schema, dict) and not _ASKED_BY.intersection(schema):
            yield "question-without-type", question.path, "type: string", _shown(list(schema))
        kind = schema.get("type") if isinstance(schema, dict) else None
        kinds = kind if isinstance(kind, list) else [] if kind is None else [kind]
        if not all(isinstance(each, str) and each in _SCHEMA_TYPES for each in kinds):
            yield (
                "type-unknown",
                (*question.path, "type"),
                Text("one of: {names}", names=listed(_SCHEMA_TYPES)),
                _shown(kind),
            )


def _required(read: Template) -> Iterator[_Found]:
    for path in {question.path[:-2] for question in read.properties}:
        required = read.document.get(*path, "required")
        if required is not None and not (
            isinstance(required, list) and all(isinstance(each, str) for each in required)
        ):
            yield "required-not-names", (*path, "required"), Text("a list of names"), _shown(required)
            continue
        for index, name in enumerate(required or ()):
            if not read.declared(name):
                names = listed(question.id for question in read.properties)
                yield (
                    "required-not-asked",
                    (*path, "required", index),
                    Text("one of: {names}", names=names),
                    _shown(name),
                )


def _inputs(read: Template) -> Iterator[_Found]:
    for step in read.steps:
        for key, expected in INPUT_TYPES.get(step.meant, {}).items():
            value = step.input.get(key)
            if value is None or (isinstance(value, str) and "${{" in value) or _fits(value, expected):
                continue
            words = _WORDS[expected] if isinstance(expected, str) else _choice(expected)
            yield "input-type", (*step.path, "input", key), words, f"{key}: {_shown(value)}"


def _fits(value: Any, expected: str | tuple[str, ...]) -> bool:
    if isinstance(expected, tuple):
        return value in expected if isinstance(value, str) else False
    return isinstance(value, {"text": str, "flag": bool, "map": dict}[expected])


def _choice(words: tuple[str, ...]) -> Message:
    return Text("one of: {names}", names=listed(words))


def _shown(value: object) -> str:
    return str(value).lower()[:60] if isinstance(value, bool) or value is None else str(value)[:60]
