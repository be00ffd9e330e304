"""What template expressions refer to, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.backstage import flaws, references
from workshop.backstage.expressions import expressions, intended_references


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${{ parameters.name }}", [("parameters", ("name",))]),
        ("${{parameters.name}}", [("parameters", ("name",))]),
        ("${{- parameters.name -}}", [("parameters", ("name",))]),
        ("${{ parameters['my-name'] | lower }}", [("parameters", ("my-name",))]),
        ("${{ parameters[\"name\"] or 'none' }}", [("parameters", ("name",))]),
        ("${{ steps.publish.output.remoteUrl }}", [("steps", ("publish", "output", "remoteUrl"))]),
        ("${{ steps['create-repo']['output'].url }}", [("steps", ("create-repo", "output", "url"))]),
        ("${{ (parameters.repoUrl | parseRepoUrl).owner }}", [("parameters", ("repoUrl",))]),
        ("${{ parameters.a if parameters.b else 'x' }}", [("parameters", ("a",)), ("parameters", ("b",))]),
        ("x-${{ parameters.a }}-${{ values.b }}", [("parameters", ("a",)), ("values", ("b",))]),
        ("${{ parameters }}", [("parameters", ())]),
        ("${{ parameters[ 'a' ] . b [0] }}", [("parameters", ("a", "b", "0"))]),
        ("${{ user.entity.metadata.name }}", []),
        ("${{ secrets.parameters }}", []),
        ("${{ 'parameters.name' }}", []),
        ("${{ myparameters.name }}", []),
        ("parameters.name", []),
        ("{{ parameters.name }}", []),
    ],
)
def test_references(text: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(each.root, each.path) for each in references(text)] == found


def test_a_hyphen_behind_a_dot_is_a_subtraction() -> None:
    (reference,) = references("${{ steps.create-repo.output.remoteUrl }}")
    assert (reference.path, reference.hyphen) == (("create",), True)
    assert reference.text == "steps.create-repo"
    assert not references("${{ parameters.count - 1 }}")[0].hyphen


def test_what_was_meant_is_understood() -> None:
    assert [each.path for each in intended_references("{{ parameters.a }} ${{ steps.b.output }}")] == [
        ("b", "output"),
        ("a",),
    ]
    assert intended_references("plain") == []


def test_a_part_known_only_when_it_runs_is_left_open() -> None:
    (reference, key) = references("${{ parameters.map[parameters.key] }}")
    assert (reference.path, reference.whole) == (("map",), False)
    assert (key.path, key.whole) == (("key",), True)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("${{ parameters.name }}", []),
        ("{{ parameters.name }}", ["no-dollar"]),
        ("{{parameters.name}}", ["no-dollar"]),
        ("x {{ 'a' + steps.a.output.b }}", ["no-dollar"]),
        ("${ parameters.name }", ["braces"]),
        ("$(params.name)", ["braces"]),
        ("$ {{ parameters.name }}", ["no-dollar", "braces"]),
        ("{ parameters.name }", ["braces"]),
        ("${{ parameters.name }", ["unclosed"]),
        ("${{ parameters.a }} and ${{ parameters.b", ["unclosed"]),
        ("write {{ name }} in the file", []),
        ("the parameters. Then steps.", []),
        ("$100 (values [a])", []),
    ],
)
def test_flaws(text: str, kinds: list[str]) -> None:
    assert [flaw.kind for flaw in flaws(text)] == kinds


@pytest.mark.parametrize(
    "piece",
    ["${{", "{{", "}}", "{{ ", "${{ 'parameters.", "$ ", "{ parameters.", "\\'", "'\"", "${{ parameters.a"],
)
def test_much_of_the_same_is_read_in_reasonable_time(piece: str) -> None:
    """Two hundred thousand characters: a reader that is quadratic would not come back during the test."""
    text = piece * (200_000 // len(piece))
    assert isinstance(references(text), list)
    assert isinstance(flaws(text), list)
    assert isinstance(flaws("{{" + " " * 200_000), list)


@given(st.text(alphabet="${}{}'\"[].|- \nparmetsvluo0", max_size=80))
def test_any_text_is_read(text: str) -> None:
    inside = expressions(text)
    for reference in references(text):
        assert any(reference.text in expression for expression in inside)
    for flaw in flaws(text):
        assert flaw.text
