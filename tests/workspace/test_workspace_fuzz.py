"""Whatever is in a file: documents or a problem, with positions inside the file, never anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workshop.workspace import Dialect, Document, Position, Problem, Unreadable, Workspace, parse_documents
from workshop.workspace.placeholders import placeholders

Result = TypeVar("Result")

DIALECTS: tuple[Dialect, ...] = ("kubernetes", "prometheus", "core")
# Pieces that YAML's grammar and our helpers care about.
_GRAMMAR = (
    "a|b: |- |\n|\n  |\n    |\t|{|}|[|]|, |: |'|\"|&n |*n|# c|---\n|...\n|? |!!str |!t |<<: |%YAML 1.1\n"
)
_OURS = "TODO|<user>|VOTRE_USER|{{ |`|@|kind: List\n|items:\n|0x|1e9|.inf|~|yes|1"
_CHARACTERS = "\\|é|😀|\r\n|\r|\x85|\u2028|\xa0|\ufeff|\0|\x07"
_BLOCKS = ("|\n  x\n", ">\n  y\n", "x.yaml: |\n  a: TODO\n")
PIECES = st.sampled_from([*_GRAMMAR.split("|"), *_OURS.split("|"), *_CHARACTERS.split("|"), *_BLOCKS])
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


def attempt(read: Callable[[], Result]) -> tuple[Result | None, Problem | None]:
    try:
        return read(), None
    except Unreadable as unreadable:
        return None, unreadable.problem


def values(root: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), root)]
    while pending:
        path, value = pending.pop()
        yield path, value
        if isinstance(value, dict):
            pending.extend(((*path, key), child) for key, child in value.items())
        elif isinstance(value, list):
            pending.extend(((*path, index), child) for index, child in enumerate(value))


def in_range(position: Position, text: str) -> bool:
    lines = text.split("\n")
    return 1 <= position.line <= len(lines) and 1 <= position.column <= len(lines[position.line - 1]) + 1


def check(documents: list[Document], text: str) -> None:
    assert documents
    for document in documents:
        for path, value in values(document.data):
            assert all(isinstance(key, str) for key in value) if isinstance(value, dict) else True
            assert isinstance(value, str | int | float | bool | dict | list | None)
            assert document.get(*path, default=None) is value
            assert document.has(*path)
            assert in_range(document.at(*path), text)
            assert in_range(document.key_at(*path), text)
            assert document.at(*path, "no such key") == document.at(*path, 10_000) == document.key_at(*path)
            for number in (0, 1, 1000):
                assert in_range(document.line_at(*path, number=number), text)
            inner, problem = attempt(partial(document.nested, *path))
            assert all(in_range(each.at(), text) for each in inner or [])
            assert problem is None or problem.position is None or in_range(problem.position, text)
        for found in placeholders(document):
            assert in_range(found.position, text)


@given(TEXTS, st.sampled_from(DIALECTS))
@settings(max_examples=200)
def test_any_text(text: str, dialect: Dialect) -> None:
    documents, problem = attempt(lambda: parse_documents(text, file="td/x.yaml", dialect=dialect))
    if documents is not None:
        check(documents, text)
    if problem is not None:
        assert str(problem.text)
        assert str(problem.remedy)
        assert problem.position is None or in_range(problem.position, text)
        assert problem.kind not in ("missing", "not-a-file", "outside", "permission", "changed")


@given(st.binary(max_size=80) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "td/x.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    workspace = Workspace(tmp_path)
    text, problem = attempt(lambda: workspace.text("td/x.yaml"))
    documents, yaml_problem = attempt(lambda: workspace.documents("td/x.yaml"))
    if text is None:
        assert problem is not None
        assert problem.kind in ("empty", "binary", "encoding")
        assert problem == yaml_problem
        return
    assert "\r" not in text.text
    assert all(in_range(found.position, text.text) for found in placeholders(text))
    if documents is not None:
        check(documents, text.text)
    if yaml_problem is not None:
        assert yaml_problem.kind not in ("missing", "binary", "encoding", "changed")


@given(st.text(st.sampled_from("/.~\0\\ab\n") | st.characters(), max_size=40))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path(tmp_path: Path, path: str) -> None:
    (tmp_path / "td").mkdir(exist_ok=True)
    (tmp_path / "td/a").write_text("a: 1\n")
    workspace = Workspace(tmp_path)
    assert workspace.exists(path) in (True, False)
    assert isinstance(workspace.files(path), list)
    text, problem = attempt(lambda: workspace.text(path))
    assert text is None or text.text == "a: 1\n"
    assert problem is None or problem.kind in ("missing", "outside", "not-a-file", "permission")
