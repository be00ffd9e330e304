"""YAML that is wrong or hostile: the right kind of problem, in the right place, in words that help."""

from __future__ import annotations

import contextlib

import pytest
import yaml

from workshop.texts import translate
from workshop.workspace import Dialect, Document, Problem, Unreadable, composing, parse_documents
from workshop.workspace.composing import MAX_DEPTH, MAX_NODES

DIALECTS: tuple[Dialect, ...] = ("kubernetes", "core", "prometheus")


def parse(text: str, dialect: Dialect = "kubernetes") -> list[Document]:
    return parse_documents(text, file="td/x.yaml", dialect=dialect)


def problem(text: str, dialect: Dialect = "kubernetes") -> Problem:
    with pytest.raises(Unreadable) as caught:
        parse(text, dialect)
    found = caught.value.problem
    for message in (found.text, found.remedy):
        assert translate(message, "fr") != str(message), "not translated"
    return found


def where(found: Problem) -> tuple[int, int]:
    assert found.position is not None
    assert found.position.file == "td/x.yaml"
    return found.position.line, found.position.column


# --- beginners' mistakes: text, place, a word of the message -------------------------------------------

MISTAKES = {
    "tab": ("a:\n\tb: 1\n", (2, 1), "tab"),
    "tab after spaces": ("a:\n  b: 1\n  \tc: 2\n", (3, 3), "tab"),
    "tab noticed late": ("spec:\n  rules:\n\t- name: x\n\t  match: y\n", (3, 1), "tab"),
    "no space after colon": ("kind:Pod\nname: x\n", (1, 6), "space is missing after the colon"),
    "no space after colon, below": ("a: 1\nb:2\nc: 3\n", (2, 3), "space is missing after the colon"),
    "no space after colon, in a list": ("- name:x\n  image: y\n", (1, 8), "space is missing after the colon"),
    "no space after dash": ("- a: 1\n-b: 2\n", (2, 2), "space is missing after the dash"),
    "template": ("image: {{ `app` }}\nb: 1\n", (1, 8), "{{"),
    "template in a list": ("- a\n- {{ @ }}\n", (2, 3), "{{"),
    "star": ("path: *.yaml\n", (1, 7), "“*”"),
    "star in a list": ("kinds:\n- */*\n", (2, 3), "“*”"),
    "percent": ("a: %d\n", (1, 4), "“%”"),
    "at": ("owner: @lea\n", (1, 8), "“@”"),
    "backtick": ("a: `date`\n", (1, 4), "“`”"),
    "text after a quote": ('a: "b" c\n', (1, 8), "after the closing quote"),
    "text after a quote, single": ("a: 'b' c\nd: e\n", (1, 8), "after the closing quote"),
    "text after a quote, in a list": ('args:\n- "--x" y\n', (2, 9), "after the closing quote"),
    "comment without blank": ('a: "b"# c\nd: e\n', None, ""),
    "quote within a quote": ("a: 'l'image'\n", (1, 7), "after the closing quote"),
    "quote closed by the next one": ('a: "b\nc: "d"\ne: f\n', (1, 4), "not closed on this line"),
    "alias is not to blame": ("b: &x 1\na: *x\n   c: d\n", (3, 4), "indentation"),
    "good alias on the line": ("b: &x 1\na: 2\n   c: *x\n", (3, 5), "indentation"),
    "tab in a script above is not to blame": (
        "a: |\n  x\n  \ty\nb: 'c' d\n",
        (4, 8),
        "after the closing quote",
    ),
    "URL is not to blame": ("a: http://x:80/y\n  b: 1\n", (2, 4), "indentation"),
    "key with blanks": ("my key: a: b\n", (1, 10), "second"),
    "script that lost its indentation": ("a: |\n  x\n y: z\n", (3, 2), "indentation"),
    "two colons": ("description: Note: this\n", (1, 18), "second"),
    "indented too far": ("a: 1\n  b: 2\n", (2, 4), "indentation"),
    "indented between": ("a:\n    b: 1\n  c: 2\n", (3, 3), "indentation"),
    "list item at the wrong level": ("a:\n  - b: 1\n - b: 2\n", (3, 2), "indentation"),
    "key and list mixed": ("a: 1\n- b\n", (2, 1), "indentation"),
    "list on the line of its key": ("a: - b\n", (1, 4), "list item"),
    "word among keys": ("a: 1\nword\nb: 2\n", (2, 1), "no colon"),
    "open double quote": ('a: "b\nc: d\n', (1, 4), "not closed"),
    "open single quote": ("a: 'b\nc: d\n", (1, 4), "not closed"),
    "open bracket": ("a: [b, c\nd: e\n", (1, 4), "bracket"),
    "open brace": ("a: {b: c\n", (1, 4), "bracket"),
    "backslash": ('a: "\\d+"\n', (1, 5), "backslash"),
    "no-break space": ("a: 1\nb:\xa02\nc: 3\n", (2, 3), "no-break space"),
    "invisible character": ("a: b\x07\n", (1, 5), "U+0007"),
    "unknown anchor": ("a: *nowhere\n", (1, 4), "&nowhere"),
    "YAML 1.2 header": ("%YAML 1.2\n---\na: 1\n", (1, 1), "%YAML"),
}


@pytest.mark.parametrize(("text", "place", "word"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_explained(text: str, place: tuple[int, int] | None, word: str) -> None:
    if place is None:
        assert parse(text), "YAML libraries take this"
        return
    found = problem(text)
    assert found.kind == "yaml-syntax"
    assert word in str(found.text)
    assert where(found) == place


def test_mistake_far_down_is_placed_in_the_whole_file() -> None:
    found = problem("a: 1\n---\n# é\nb: é\n---\nc: 'd' e\n")
    assert where(found) == (6, 8)


# --- the other kinds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_duplicate_key_names_both_lines(dialect: Dialect) -> None:
    found = problem("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", dialect)
    assert found.kind == "duplicate-key"
    assert where(found) == (5, 3)
    assert "“c”" in str(found.text)
    assert "line 3" in str(found.text)


def test_keys_that_become_the_same_text_are_duplicates() -> None:
    assert problem("on: 1\ntrue: 2\n").kind == "duplicate-key"
    assert problem("1: a\n'1': b\n").kind == "duplicate-key"
    assert parse("on: 1\ntrue: 2\n", "prometheus")[0].data == {"on": 1, "true": 2}


def test_same_key_in_another_mapping_is_fine() -> None:
    assert parse("a: {b: 1}\nc: {b: 1}\n")[0].data == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [x]\n",
        "a: !custom b\n",
        "!!set {a, b}\n",
        "a: !!binary aGk=\n",
        "a: !x\n",
    ],
)
def test_unsupported_tag(text: str) -> None:
    assert problem(text).kind == "unsupported-tag"


@pytest.mark.parametrize("text", ["a: !!int x\n", "a: !!bool 1\n", "a: !!null x\n"])
def test_tag_that_the_value_does_not_fit(text: str) -> None:
    assert problem(text).kind == "unsupported-tag"


def test_standard_tags() -> None:
    text = "a: !!str 1\nb: !!int '1'\nc: !!map {}\nd: !!seq []\ne: !!bool 'on'\nf: !!float 1\ng: !!null ''\n"
    expected = {"a": "1", "b": 1, "c": {}, "d": [], "e": True, "f": 1, "g": None}
    assert parse(text)[0].data == expected


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n", "{a: b}: c\n", "x: {{ a }}\n", "~: a\n"])
def test_key_that_is_no_text(text: str) -> None:
    assert problem(text).kind == "key-not-text"


@pytest.mark.parametrize("value", ["{{ element.image }}", "{{ element.image }}:latest", "{{a}}/{{b}}"])
def test_unquoted_template_says_what_to_quote(value: str) -> None:
    found = problem(f"spec:\n  image: {value}\n")
    assert found.kind == "key-not-text"
    assert where(found) == (2, 10)
    assert "{{" in str(found.text)
    assert "quotes" in str(found.remedy)


@pytest.mark.parametrize("text", ["", "# x\n", "---\n---\n", "~\n", "--- # x\n...\n"])
def test_empty(text: str) -> None:
    assert problem(text).kind == "empty"


def test_number_without_a_form_in_json() -> None:
    found = problem("a: 1\nb: .inf\n")
    assert (found.kind, where(found)) == ("yaml-syntax", (2, 4))
    assert parse("b: .inf\n", "core")[0].data == {"b": float("inf")}


# --- hostile files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "[" * 1_000_000,
        "{a: [" * 20_000,
        "- " * 20_000,
        "? " * 20_000,
        "a:\n" + " " * 9,
        "- - " * 250_000,
    ],
    ids=["[", "[ 1 MB", "{[", "-", "?", "fine", "- -"],
)
def test_deep_nesting(text: str, dialect: Dialect) -> None:
    if text.startswith("a"):
        assert parse(text, dialect)[0].data == {"a": None}
        return
    assert problem(text, dialect).kind in ("too-deep", "key-not-text")


def test_deep_block_nesting() -> None:
    text = "".join(" " * level + "a:\n" for level in range(1_400))
    assert problem(text).kind == "too-deep"


def test_limit_of_depth_is_exact() -> None:
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert problem("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).kind == "too-deep"


def test_depth_counts_through_aliases() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{number}: &a{number} [*a{number - 1}]" for number in range(1, 150)]
    assert problem("\n".join(lines)).kind == "too-deep"
    assert parse("\n".join(lines[:90]))[0].get("a0") == ["x"]


def test_alias_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    found = problem("\n".join(lines))
    assert found.kind == "alias-bomb"
    assert where(found)[0] == 5


def test_alias_bomb_of_merges() -> None:
    big = ", ".join(f"k{number}: 1" for number in range(1_000))
    text = f"a: &a {{{big}}}\n" + "".join(f"b{number}: {{<<: *a}}\n" for number in range(100))
    assert problem(text).kind == "alias-bomb"


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "&a {b: *a}\n", "a: &a\n  b: &b [*a]\n"])
def test_anchor_that_contains_itself(text: str) -> None:
    assert problem(text).kind == "alias-bomb"


def test_anchors_end_with_their_document() -> None:
    assert problem("a: &x 1\n---\nb: *x\n").kind == "yaml-syntax"


def test_anchor_may_be_given_again() -> None:
    assert parse("a: &x 1\nb: &x 2\nc: *x\n")[0].data == {"a": 1, "b": 2, "c": 2}
    assert parse("a: &x [&x 1, *x]\nb: *x\n")[0].data == {"a": [1, 1], "b": 1}


@pytest.mark.parametrize(
    "text",
    ["[" + "1," * 400_000 + "]", "- a\n" * 260_000, "---\n" * 260_000, "a: 1\n---\n" * 50_000],
    ids=["flow", "block", "empty documents", "documents"],
)
def test_too_many_nodes(text: str) -> None:
    assert problem(text).kind == "too-many-nodes"


def test_limit_of_nodes() -> None:
    assert len(parse("- a\n" * (MAX_NODES - 2))[0].data) == MAX_NODES - 2
    assert problem("- a\n" * MAX_NODES).kind == "too-many-nodes"


def test_many_tag_lines_do_not_take_quadratic_time() -> None:
    text = "".join(f"%TAG !a{number}! b\n" for number in range(60_000)) + "--- x\n"
    assert problem(text).kind == "too-many-nodes"


def test_values_that_trip_naive_readers() -> None:
    text = f"a: 2024-13-45\nb: {'9' * 5000}\nc: 0x{'f' * 5000}\nd: 1:30\ne: 1e999999\nf: '\\x00'\n"
    data = parse(text)[0].data
    assert data["a"] == "2024-13-45"
    assert data["b"] == "9" * 5000
    assert data["c"] == "0x" + "f" * 5000
    assert (data["d"], data["e"]) == ("1:30", "1e999999")


@pytest.mark.parametrize("text", ["a: b\0c\n", "a: \ud800\n", "\x00", "a: \x1b[31m\n", 'a: "\\ud800"\n'])
def test_characters_that_are_none(text: str) -> None:
    assert problem(text).kind == "yaml-syntax"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000 + ": x",
        '"' + "a" * 1_000_000,
        "&a " * 300_000,
        "!" * 1_000_000,
        "a: |\n" + "\n" * 1_000_000,
        "{a" * 300_000,
        "#" * 1_000_000,
        " " * 1_000_000 + "a: b",
        "a: >\n" + "  x\n" * 250_000,
        "'a' 'b' " * 100_000,
        'a: "b" ' * 100_000,
        "- - : " * 100_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_large_nonsense_ends(text: str) -> None:
    # Nothing is timed here: what is quadratic makes this test never end.
    for dialect in DIALECTS:
        with contextlib.suppress(Unreadable):
            assert [document.data for document in parse(text, dialect)]


def test_data_of_two_aliases_is_not_shared() -> None:
    data = parse("a: &x {b: [1]}\nc: *x\n")[0].data
    data["a"]["b"].append(2)
    assert data["c"] == {"b": [1]}


# --- where libyaml is missing ---------------------------------------------------------------------------


@pytest.fixture
def without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_LOADER", yaml.SafeLoader)


@pytest.mark.usefixtures("without_libyaml")
@pytest.mark.parametrize("name", MISTAKES)
def test_pure_python_reader_refuses_the_same(name: str) -> None:
    text, place, _ = MISTAKES[name]
    if place is None:
        return
    found = problem(text)
    assert found.kind == "yaml-syntax"
    assert found.position is not None


@pytest.mark.usefixtures("without_libyaml")
def test_pure_python_reader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "é: &x [1, 'b', {c: on}]\nd: *x\n? e\n: |\n  f\n---\n!!str 1\n"
    slow = [
        (document.data, document.at(), document.at("d", 2, "c"), document.at("e")) for document in parse(text)
    ]
    monkeypatch.undo()
    fast = [
        (document.data, document.at(), document.at("d", 2, "c"), document.at("e")) for document in parse(text)
    ]
    assert slow == fast


@pytest.mark.usefixtures("without_libyaml")
@pytest.mark.parametrize("text", ["[" * 20_000, "- " * 20_000, "{a: [" * 5_000, "[" * 3_000 + "]" * 3_000])
def test_pure_python_reader_withstands_depth(text: str) -> None:
    assert problem(text).kind in ("too-deep", "key-not-text")


# --- Lists ---------------------------------------------------------------------------------------------


def test_list_counts_as_its_items() -> None:
    text = "kind: List\nitems:\n- kind: Pod\n- kind: List\n  items: [{kind: Job}, null]\n---\nkind: Task\n"
    documents = parse(text)
    assert [document.get("kind") for document in documents] == ["Pod", "Job", "Task"]
    assert [(d.at().line, d.at("kind").line) for d in documents] == [(3, 3), (5, 5), (7, 7)]


def test_typed_list_counts_as_its_items() -> None:
    assert [d.get("metadata", "name") for d in parse("kind: PodList\nitems: [{metadata: {name: a}}]\n")] == [
        "a"
    ]


def test_list_without_items_is_empty() -> None:
    assert problem("kind: List\nitems: []\n").kind == "empty"


@pytest.mark.parametrize(
    "text", ["kind: List\n", "kind: List\nitems: 1\n", "kind: Pod\nitems: [1]\n", "items: [1]\n"]
)
def test_what_is_no_list(text: str) -> None:
    assert len(parse(text)) == 1


def test_other_dialects_have_no_lists() -> None:
    assert parse("kind: List\nitems: [1]\n", "core")[0].data == {"kind": "List", "items": [1]}
