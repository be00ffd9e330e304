"""What is left to fill in is found in values; what only looks like it is not."""

from __future__ import annotations

import pytest
import yaml

from workshop.workspace import Position, TextFile, parse_documents
from workshop.workspace.placeholders import placeholders


def in_value(value: str, key: str = "value") -> list[str]:
    text = yaml.safe_dump({key: value}, allow_unicode=True, width=10_000)
    (document,) = parse_documents(text, file="td/x.yaml")
    assert document.get(key) == value
    return [each.found for each in placeholders(document)]


def in_markdown(text: str) -> list[str]:
    return [each.found for each in placeholders(TextFile("td/x.md", text))]


LEFT = [
    ("ghcr.io/VOTRE_USER/payment-service:v1.0.0", "VOTRE_USER"),
    ("https://github.com/VOTRE_USER/techmarket-payment", "VOTRE_USER"),
    ("ghcr.io/votre_user/app", "votre_user"),
    ("ghcr.io/votre-user/app", "votre-user"),
    ("ghcr.io/YOUR_USER/app", "YOUR_USER"),
    ("ghcr.io/your-username/app", "your-username"),
    ("VOTRE_EMAIL", "VOTRE_EMAIL"),
    ("YOUR_EMAIL", "YOUR_EMAIL"),
    ("VOTRE\\_USER", "VOTRE\\_USER"),
    ("YOUR_TOKEN", "YOUR_TOKEN"),
    ("TODO", "TODO"),
    ("TODO: write the rules", "TODO"),
    ("a (TODO) b", "TODO"),
    ("[À COMPLÉTER]", "[À COMPLÉTER]"),
    ("[A COMPLETER : pourquoi ?]", "[A COMPLETER : pourquoi ?]"),
    ("[à compléter", "[à compléter"),
    ("[TO COMPLETE]", "[TO COMPLETE]"),
    ("[To be completed: why?]", "[To be completed: why?]"),
    ("[DATE]", "[DATE]"),
    ("Votre expression PromQL ici", "Votre expression PromQL ici"),
    ("votre expression promql ici", "votre expression promql ici"),
    ("Your PromQL expression here", "Your PromQL expression here"),
    ("<user>", "<user>"),
    ("ghcr.io/<user>/app", "<user>"),
    ("ghcr.io/<USERNAME>/app", "<USERNAME>"),
    ("<votre-email>", "<votre-email>"),
    ("<votre compte GitHub>", "<votre compte GitHub>"),
    ("<your GitHub account>", "<your GitHub account>"),
    ("<mot de passe>", "<mot de passe>"),
    ("kubectl logs <pod-name>", "<pod-name>"),
    ("<replace me>", "<replace me>"),
    ("<à compléter>", "<à compléter>"),
    ("<...>", "<...>"),
    ("<…>", "<…>"),
]

FINE = [
    "",
    "ghcr.io/lea-devops/payment-service:v1.0.0",
    "lea@example.org",
    "Lea <lea@example.org>",
    "ghcr.io/todo/todo-app:v1",
    "todoist",
    "TODOS",
    "MYTODO",
    "mastodon",
    "votre service",
    "your user",
    "yourself",
    "a < b && c > d",
    "a<b and c>d",
    "count(x) < 3 or sum(name) > 2",
    "rate(x[5m]) > 0.5",
    "<(cpu)",
    "<=10",
    "<500",
    "> 0",
    "<10Mi & >5Mi",
    ">=1 | <tag",
    "x<user",
    "<https://example.org/user>",
    "<mailto:lea@example.org>",
    "<none>",
    "<nil>",
    "<unknown>",
    "<pending>",
    "<no value>",
    "<br>",
    "<br/>",
    "<name>payment</name>",
    "<project><version>1.0</version></project>",
    "(?P<name>[a-z]+)",
    "(?<user>[a-z]+)",
    "List<name>",
    "Map<string, user>",
    "${{ parameters.name }}",
    "{{ request.object.metadata.name }}",
    "$(params.IMAGE)",
    "$(date +%Y)",
    "cat <<EOF > file",
    "sort <input >output",
    "grep -c . < names > counts",
    "!*:latest",
    "[DATE](https://example.org/date)",
    "[date]",
    "[A completely different matter]",
    "[to complete the picture, read on](x)",
    "a[DATES]",
    "1 < 2",
    "->",
    "<-",
    "<>",
    "<1>",
    "&lt;user&gt;",
]


@pytest.mark.parametrize(("value", "expected"), LEFT)
def test_left_in_a_value(value: str, expected: str) -> None:
    assert in_value(value) == [expected]


@pytest.mark.parametrize(("value", "expected"), LEFT)
def test_left_in_a_text(value: str, expected: str) -> None:
    assert in_markdown(f"# Titre\n\n{value}\n") == [expected]


@pytest.mark.parametrize("value", FINE)
def test_fine_in_a_value(value: str) -> None:
    assert in_value(value) == []


@pytest.mark.parametrize("value", FINE)
def test_fine_in_a_text(value: str) -> None:
    assert in_markdown(f"# Titre\n\n{value}\n") == []


def test_several_and_where() -> None:
    text = """\
# TODO: VOTRE_USER
kind: Pod  # <user>
metadata:
  name: x
  labels:
    VOTRE_USER: a
spec:
- image: ghcr.io/VOTRE_USER/a
  args: ["--mail=VOTRE_EMAIL", "ghcr.io/<user>/b:<tag>"]
---
a: |
  one
  two TODO
"""
    first, second = parse_documents(text, file="td/x.yaml")
    assert [tuple(each) for each in placeholders(first)] == [
        (("metadata", "labels", "VOTRE_USER"), Position("td/x.yaml", 6, 5), "VOTRE_USER"),
        (("spec", 0, "image"), Position("td/x.yaml", 8, 10), "VOTRE_USER"),
        (("spec", 0, "args", 0), Position("td/x.yaml", 9, 11), "VOTRE_EMAIL"),
        (("spec", 0, "args", 1), Position("td/x.yaml", 9, 33), "<user>"),
        (("spec", 0, "args", 1), Position("td/x.yaml", 9, 33), "<tag>"),
    ]
    assert [tuple(each) for each in placeholders(second)] == [(("a",), Position("td/x.yaml", 13, 3), "TODO")]


@pytest.mark.parametrize(
    "field", ["description", "message", "summary", "title", "policies.kyverno.io/description"]
)
def test_explanations_may_show_a_form(field: str) -> None:
    assert in_value("e.g. ghcr.io/<user>/<image>:<tag>", field) == []
    assert in_value("TODO: explain", field) == ["TODO"]
    assert in_value("ghcr.io/VOTRE_USER/x", field) == ["VOTRE_USER"]


def test_comments_of_scripts_and_queries_are_no_values() -> None:
    assert in_value("#!/bin/sh\n# TODO: quicker\nset -eu\ncosign sign x # TODO\n") == []
    assert in_value("# Votre expression PromQL ici\nsum(rate(x[5m]))\n") == []
    assert in_value("curl https://x/VOTRE_USER # ok\nset -e\n") == ["VOTRE_USER"]


def test_value_that_is_nothing_but_a_comment_is_left() -> None:
    assert in_value("# Votre expression PromQL ici\n") == ["Votre expression PromQL ici"]
    assert in_value("\n  # TODO\n# x\n") == ["TODO"]


RULES = """\
kind: ConfigMap
data:
  slo-rules.yml: |
    groups:
    - name: slo  # TODO: Créer les recording rules
      rules:
      # TODO: Créer les recording rules
      - record: a
        expr: |
          {first}
      - record: b
        expr: |
          {second}
"""


def test_nested_yaml_is_read_as_yaml() -> None:
    hint = "# Votre expression PromQL ici"
    text = RULES.format(first=hint, second=f"{hint}\n          sum(x)")
    (document,) = parse_documents(text, file="td/x.yaml")
    assert [tuple(each) for each in placeholders(document)] == [
        (
            ("data", "slo-rules.yml", "groups", 0, "rules", 0, "expr"),
            Position("td/x.yaml", 10, 11),
            "Votre expression PromQL ici",
        )
    ]
    done = RULES.format(first="sum(x)", second="sum(y)")
    assert placeholders(parse_documents(done, file="td/x.yaml")[0]) == []


def test_nested_yaml_that_is_none_is_read_as_text() -> None:
    text = "data:\n  a.yml: |\n    TODO\n    - x: [\n"
    (document,) = parse_documents(text, file="td/x.yaml")
    assert [(each.found, each.position.line) for each in placeholders(document)] == [("TODO", 3)]


# --- Markdown ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "- Action 1",
        "- [ ] Action 2",
        "* action 3",
        "1. Action 1",
        "  - [x] Action 1 :",
        "- [] Action 12",
        "+ Action 1...",
    ],
)
def test_item_that_says_only_its_number_is_left(line: str) -> None:
    (found,) = placeholders(TextFile("td/x.md", f"# A\n\n{line}\n"))
    assert found.position == Position("td/x.md", 3, 1)
    assert found.found.strip() == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "- Action 1 : ajouter un PDB",
        "- Actions 1",
        "Action 1",
        "- [ ] Action corrective 1",
        "## Action 1",
        "- Action one",
    ],
)
def test_item_that_says_something_is_fine(line: str) -> None:
    assert in_markdown(f"# A\n\n{line}\n") == []


def test_item_in_yaml_is_no_template() -> None:
    assert in_value("- Action 1\n- Action 2\n") == []


def test_commands_may_show_a_form_in_code() -> None:
    assert in_markdown("Voir `kubectl logs <pod-name>` et ``x <user>``.\n") == []
    assert in_markdown("```sh\nkubectl logs <pod-name>\n```\nAuteur : <nom>\n") == ["<nom>"]
    assert in_markdown("~~~\nkubectl logs <pod-name>\n~~~\n") == []
    assert in_markdown("`code` <user> `code`\n") == ["<user>"]


def test_other_words_count_in_code_too() -> None:
    assert in_markdown("`cosign verify ghcr.io/VOTRE_USER/x`\n```\nTODO\n```\n") == ["VOTRE_USER", "TODO"]


def test_place_in_a_text() -> None:
    (found,) = placeholders(TextFile("td/x.md", "é\n😀 `a` Date : [DATE]\n"))
    assert found == ((), Position("td/x.md", 2, 14), "[DATE]")


def test_text_without_a_file_is_taken_for_markdown() -> None:
    assert [each.found for each in placeholders("- Action 1\n[DATE]")] == ["- Action 1", "[DATE]"]


def test_number_of_findings_is_bounded() -> None:
    assert len(placeholders("TODO\n" * 100_000)) == 50
    (document,) = parse_documents("- TODO\n" * 10_000, file="f")
    assert len(placeholders(document)) == 50


# --- hostile texts: nothing is timed, but a pattern that backtracks would never end --------------------

HOSTILE = [
    "<" * 500_000,
    "<votre " * 100_000,
    "<votre" + "-" * 500_000,
    "<votre" + " a" * 250_000 + ">",
    "[à compléter" * 60_000,
    "[A COMPLETER" + " " * 500_000,
    "VOTRE_" * 100_000,
    "VOTRE_" + "A" * 500_000,
    "votre_github_" * 50_000,
    "`" * 500_000,
    "`a" * 250_000,
    "``` " * 100_000,
    "</a" * 200_000,
    "<name></name>" * 40_000,
    "- " * 250_000,
    "- [ ] Action " + "1" * 500_000,
    "- [ ] Action 1" + "." * 500_000,
    "# " * 250_000,
    "#" * 500_000,
    " " * 500_000 + "#",
    "x" * 500_000,
    "<" + "x" * 500_000 + ">",
    "<a-" * 150_000,
    "\n".join(["<user" * 50] * 2_000),
    "\n".join(["`<user> "] * 50_000),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:14]))
def test_hostile_text_ends(text: str) -> None:
    assert len(placeholders(text)) <= 50
    (document,) = parse_documents(f"a: |\n  {text.replace(chr(10), chr(10) + '  ')}\n", file="f")
    assert len(placeholders(document)) <= 50


def test_comments_of_markdown_hold_no_placeholder() -> None:
    text = "<!-- replace every TODO\n[DATE] -->\nDate : [DATE]\n"
    assert [(each.found, each.position.line) for each in placeholders(TextFile("td/x.md", text))] == [
        ("[DATE]", 3)
    ]
    assert [each.found for each in placeholders("<!-- TODO, never closed\n")] == ["TODO"]
    assert len(placeholders("<!--\n" * 200_000 + "TODO")) == 1
