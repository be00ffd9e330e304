"""What we say Tekton refuses is what Tekton refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.tekton import refusals
from workshop.workspace import Document, parse_documents

from .recorded import Recorded, recorded

RECORDED = recorded()


def document(data: object) -> Document:
    # JSON is YAML whose types nobody can mistake.
    return parse_documents(json.dumps(data), file="td/tekton/x.yaml")[0]


@pytest.mark.parametrize("entry", RECORDED, ids=str)
def test_agrees_with_the_webhook(entry: Recorded) -> None:
    found = refusals(document(entry.object))
    assert bool(found) is entry.refused, [(refusal.id, str(refusal.message)) for refusal in found]


def test_the_record_has_both_answers_of_every_kind() -> None:
    answers = {(entry.kind, entry.refused) for entry in RECORDED}
    assert answers == {(kind, answer) for kind in ("tasks", "pipelines", "runs") for answer in (True, False)}
    assert len(RECORDED) >= 60


@pytest.mark.parametrize("entry", [entry for entry in RECORDED if entry.refused], ids=str)
def test_a_refusal_points_into_the_document(entry: Recorded) -> None:
    doc = document(entry.object)
    for refusal in refusals(doc):
        assert doc.at(*refusal.path).file == "td/tekton/x.yaml"
        assert str(refusal.message)
        assert "{" not in str(refusal.message).replace("{}", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab$(){}.params ", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "args", "x"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(entry=st.sampled_from(RECORDED), value=json_values, data=st.data())
def test_never_raises_on_odd_shapes(entry: Recorded, value: object, data: st.DataObject) -> None:
    mutated = json.loads(json.dumps(entry.object))
    place = data.draw(st.sampled_from(_places(mutated)))
    _put(mutated, place, value)
    for refusal in refusals(document(mutated)):
        assert str(refusal.message)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        found += _places(child, (*path, key))
    return found


def _put(value: Any, path: tuple[Any, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new
