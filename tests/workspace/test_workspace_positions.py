"""Every value has the place a reader looks at."""

from __future__ import annotations

import pytest

from workshop.workspace import Document, Position, Unreadable, parse_documents

FILE = "td/x.yaml"

TWO = """\
# a comment
apiVersion: v1
kind: ConfigMap
metadata:
  name: first
---
kind: Pod
spec:
  containers:
  - name: app   # é
    image: "nginx:1.27.5"
    args: [--a, {b: c}]
  -   name: side
    # between
      image:
  "quoted key" : 'v'
  ? explicit
  : value
"""


def parse(text: str) -> list[Document]:
    return parse_documents(text, file=FILE)


@pytest.fixture
def pod() -> Document:
    return parse(TWO)[1]


def spot(position: Position) -> tuple[int, int]:
    assert position.file == FILE
    return position.line, position.column


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (7, 1), (7, 1)),
        (("kind",), (7, 7), (7, 1)),
        (("spec",), (9, 3), (8, 1)),
        (("spec", "containers"), (10, 3), (9, 3)),
        (("spec", "containers", 0), (10, 5), (10, 5)),
        (("spec", "containers", 0, "name"), (10, 11), (10, 5)),
        (("spec", "containers", 0, "image"), (11, 12), (11, 5)),
        (("spec", "containers", 0, "args", 1, "b"), (12, 21), (12, 18)),
        (("spec", "containers", 1), (13, 7), (13, 7)),
        (("spec", "containers", 1, "name"), (13, 13), (13, 7)),
        (("spec", "containers", 1, "image"), (15, 13), (15, 7)),
        (("spec", "quoted key"), (16, 18), (16, 3)),
        (("spec", "explicit"), (18, 5), (17, 5)),
    ],
)
def test_value_and_key(
    pod: Document, path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]
) -> None:
    assert spot(pod.at(*path)) == value
    assert spot(pod.key_at(*path)) == key


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("nothing",), (7, 1)),
        (("nothing", "at", "all"), (7, 1)),
        (("spec", "rules", 0), (8, 1)),
        (("spec", "containers", 2, "name"), (9, 3)),
        (("spec", "containers", -1), (9, 3)),
        (("spec", "containers", "name"), (9, 3)),
        (("spec", "containers", 0, "resources", "limits"), (10, 5)),
        (("kind", "x"), (7, 1)),
        (("kind", 0), (7, 1)),
        (("spec", 0), (8, 1)),
        (("spec", True), (8, 1)),
    ],
)
def test_what_is_absent_is_looked_for_at_its_deepest_ancestor(
    pod: Document, path: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    assert spot(pod.at(*path)) == place
    assert spot(pod.key_at(*path)) == place
    assert pod.get(*path) is None
    assert pod.get(*path, default=3) == 3
    assert not pod.has(*path)
    assert pod.written(*path) is None
    assert pod.body_of(*path) is None


def test_get() -> None:
    document = parse("a: {b: [1, null]}\nc: null\nd: false\n")[0]
    assert document.get() == document.data
    assert document.get("a", "b", 0) == 1
    assert document.get("a", "b", 1, default="x") == "x", "null is as good as absent"
    assert document.get("c", default=[]) == []
    assert document.get("d", default=True) is False
    assert document.has("c")
    assert document.written("d") == "false"


@pytest.mark.parametrize("text", ["a word", "- 1\n", "3", "[]", "'x'"])
def test_get_of_what_is_no_mapping(text: str) -> None:
    document = parse(text)[0]
    assert document.get("a", 0, "b") is None
    assert spot(document.at("a", 0, "b")) == (1, 1)


def test_alias_is_where_it_is_used_and_its_content_where_it_is_written() -> None:
    document = parse("a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n")[0]
    assert spot(document.at("c")) == (3, 4)
    assert spot(document.at("c", "b")) == (2, 6)
    assert spot(document.at("d", "b")) == (2, 6)
    assert spot(document.at("d", "e")) == (6, 6)


def test_flow_style_over_several_lines() -> None:
    document = parse('{"a": [1,\n  {"b": 2}],\n "c": 3}\n')[0]
    assert spot(document.at("a", 1, "b")) == (2, 9)
    assert spot(document.at("c")) == (3, 7)


def test_characters_count_not_bytes_and_only_line_feeds_end_a_line() -> None:
    document = parse('é: "ü\u2028x"\n😀: [é, b]\nz: 1\n')[0]
    assert spot(document.at("😀", 1)) == (2, 8)
    assert spot(document.at("z")) == (3, 4)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: |\n  one\n  two\n", (2, 3)),
        ("a: |-\n\n\n    one\n  # no\n", (2, 5)),
        ("a: |2\n    one\n   two\n", (2, 3)),
        ("a: | # comment\n  one\n", (2, 3)),
        ("a: >-\n  one\n  two\n", (2, 3)),
        ("a: one\n", (1, 4)),
        ("a: 'one'\n", (1, 5)),
        ('a: "one"\n', (1, 5)),
        ("a: &x |\n   one\n", (2, 4)),
        ("- a\n- a:\n    |\n      one\n", (4, 7)),
        ("a: |\nb: 1\n", (1, 4)),
    ],
)
def test_body(text: str, place: tuple[int, int]) -> None:
    document = parse(text)[0]
    path: tuple[str | int, ...] = ("a",) if document.has("a") else (1, "a")
    body = document.body_of(*path)
    assert body is not None
    assert body[0] == document.get(*path)
    assert spot(body[1]) == place


def test_only_text_has_a_body() -> None:
    document = parse("a: 1\nb: [x]\nc: true\n")[0]
    assert [document.body_of(key) for key in "abc"] == [None] * 3
    assert [document.nested(key) for key in "abc"] == [[]] * 3


CONFIG_MAP = """\
kind: ConfigMap
data:
  rules.yml: |

    groups:
    - name: slo
      rules:
      - record: a:b
        expr: |
          sum(x)
            / sum(y)
  folded.yml: >-
    a:
      [1,
      2]

    b: 3
  quoted.yml: "a: 1\\nb: 2\\n"
"""


def test_nested_document_has_the_places_of_the_file() -> None:
    rules = parse(CONFIG_MAP)[0].nested("data", "rules.yml", dialect="prometheus")[0]
    assert rules.data == {
        "groups": [{"name": "slo", "rules": [{"record": "a:b", "expr": "sum(x)\n  / sum(y)\n"}]}]
    }
    assert spot(rules.at("groups", 0, "rules", 0, "record")) == (8, 17)
    assert spot(rules.at("groups", 0, "rules", 0, "expr")) == (9, 15)
    assert spot(rules.line_at("groups", 0, "rules", 0, "expr", number=0)) == (10, 11)
    assert spot(rules.line_at("groups", 0, "rules", 0, "expr", number=1)) == (11, 11)


def test_offsets_do_the_same_as_nested_for_literal_blocks() -> None:
    document = parse(CONFIG_MAP)[0]
    body = document.body_of("data", "rules.yml")
    assert body is not None
    text, place = body
    assert spot(place) == (4, 5), "the line is empty, the column is that of the first written line"
    shifted = parse_documents(text, file=FILE, line_offset=place.line - 1, column_offset=place.column - 1)[0]
    assert spot(shifted.at("groups", 0, "name")) == (6, 13)
    assert shifted.at("groups", 0, "name") == document.nested("data", "rules.yml")[0].at("groups", 0, "name")


def test_nested_documents_in_other_styles_stay_near() -> None:
    document = parse(CONFIG_MAP)[0]
    folded = document.nested("data", "folded.yml")[0]
    assert folded.data == {"a": [1, 2], "b": 3}
    assert folded.at("b").line == 17
    quoted = document.nested("data", "quoted.yml")[0]
    assert quoted.at("b").line == 18


def test_problem_in_a_nested_document_has_the_place_of_the_file() -> None:
    document = parse("data:\n  x.yml: |\n    a: 1\n    b: 'c' d\n")[0]
    with pytest.raises(Unreadable) as caught:
        document.nested("data", "x.yml")
    assert caught.value.problem.position == Position(FILE, 4, 12)
    assert str(caught.value).startswith("td/x.yaml:4:12: ")


def test_repr_helps() -> None:
    assert repr(parse(TWO)[1]) == "<Document td/x.yaml:7:1 Pod>"
