"""Every sentence exists in French; every key has an id of its own and is free of surprises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.content import Content

import workshop.tui
from workshop.texts import catalogue_files, read_catalogue
from workshop.tui import words
from workshop.tui.app import WorkshopApp
from workshop.tui.screens.exercise import ExerciseScreen
from workshop.tui.screens.map import MapScreen
from workshop.verdicts import Verdict

SOURCES = sorted(Path(workshop.tui.__file__).parent.rglob("*.py"))


def _calls(name: str, argument: int) -> Iterator[str]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                value = node.args[argument] if len(node.args) > argument else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def test_every_sentence_is_translated_and_none_is_left_over() -> None:
    used = {*_calls("Text", 0), *_calls("Binding", 2)}
    assert len(used) > 100
    known = {sentence for path in catalogue_files("fr") for sentence in read_catalogue(path)}
    assert used - known == set()
    own = read_catalogue(Path(workshop.__file__).parent / "locale/fr/tui.yaml")
    assert set(own) - used - {str(word) for word in words.VERDICT_WORDS.values()} == set()


def test_every_key_has_an_id_of_its_own() -> None:
    ids = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Binding"
            ):
                continue
            if source.name == "help.py" and node.args[1:2] and ast.unparse(node.args[1]) == "''":
                continue  # a line of the help page
            given = [word.value for word in node.keywords if word.arg == "id"]
            assert given, f"{source.name}: {ast.unparse(node)} has no id"
            assert isinstance(given[0], ast.Constant)
            ids.append((source.stem, given[0].value))
    shared = {"list.down", "list.up"}
    own = [id_ for _, id_ in ids if id_ not in shared]
    assert len(own) == len(set(own))


def test_no_key_means_two_things_on_a_screen() -> None:
    everywhere = [
        key
        for binding in WorkshopApp.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    ]
    for screen in (MapScreen, ExerciseScreen):
        keys = [
            key
            for binding in screen.BINDINGS
            if isinstance(binding, Binding)
            for key in binding.key.split(",")
        ]
        assert len(keys) == len(set(keys))
        assert not set(keys) & set(everywhere)


def test_every_verdict_has_a_sign_of_one_cell() -> None:
    signs = [words.symbol(verdict) for verdict in (None, *Verdict)]
    assert len(signs) == len(set(signs))
    assert all(Content(sign).cell_length == 1 for sign in signs)


@pytest.mark.parametrize(
    ("done", "total", "filled"),
    [(0, 4, 0), (1, 4, 2), (3, 4, 7), (4, 4, 10), (0, 0, 0), (99, 100, 9), (9, 4, 10)],
)
def test_a_bar_is_full_only_when_all_is_done(done: int, total: int, filled: int) -> None:
    bar = words.gauge(done, total, 10)
    assert bar.plain.count("━") == filled
    assert bar.cell_length == 10


def test_long_text_hangs_below_its_first_line() -> None:
    block = words.hanging(Content(" ✗ "), Content("one two three four five six"), 14)
    assert [line.rstrip() for line in block.plain.splitlines()] == [
        " ✗ one two",
        "   three four",
        "   five six",
    ]


def test_code_stands_out_and_markup_is_text() -> None:
    content = words.prose("put `[red]x[/red]` in `y")
    assert content.plain == "put [red]x[/red] in y"
    assert [content.plain[span.start : span.end] for span in content.spans] == ["[red]x[/red]", "y"]


def test_control_characters_are_shown() -> None:
    assert words.printable("a\x1b[31mb\x07\nc\u202ed") == "a\\x1b[31mb\\x07\nc\\x202ed"
