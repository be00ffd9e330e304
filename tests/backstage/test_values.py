"""Names, references, links and skeletons: the small readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.backstage import Template, github_repository, parse_reference
from workshop.backstage.formats import is_key, is_object_name, is_url
from workshop.backstage.repositories import github_slug, is_github
from workshop.backstage.skeletons import filled_in, read_skeleton
from workshop.workspace import Workspace


@pytest.mark.parametrize(
    "text", ["team-payments", "group:team-payments", "default/team-payments", "Group:Default/Team-Payments"]
)
def test_forms_of_one_reference(text: str) -> None:
    assert str(parse_reference(text, default_kind="group")) == "group:default/team-payments"


@pytest.mark.parametrize("text", [None, 3, "", ":", "group:", "a/", "/a", "group:/a", ["team"]])
def test_what_is_no_reference(text: object) -> None:
    assert parse_reference(text, default_kind="group") is None


def test_a_colon_behind_the_slash_belongs_to_the_name() -> None:
    assert str(parse_reference("a/b:c", default_kind="group")) == "group:a/b:c"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/lea-devops/payment", ("lea-devops", "payment")),
        ("https://www.github.com/lea-devops/payment.git", ("lea-devops", "payment")),
        ("HTTPS://GitHub.com/lea-devops/payment/tree/main/x?y#z", ("lea-devops", "payment")),
        ("ssh://git@github.com/lea-devops/payment.git", ("lea-devops", "payment")),
        ("https://github.com/lea-devops", None),
        ("https://github.com/", None),
        ("https://github.com/orgs/lea-devops", None),
        ("https://github.com.example.org/lea-devops/payment", None),
        ("https://example.org/?u=github.com/lea-devops/payment", None),
        ("https://gitlab.com/lea-devops/payment", None),
        ("github.com/lea-devops/payment", None),
        ("http://[::1/lea-devops/payment", None),
        (None, None),
        (3, None),
    ],
)
def test_repositories(url: object, found: tuple[str, str] | None) -> None:
    assert github_repository(url) == found


def test_links_that_are_meant_for_github() -> None:
    assert is_github("github.com/lea-devops")
    assert is_github("git@github.com:lea-devops/payment.git")
    assert not is_github("https://github.community/x")
    assert github_slug("lea-devops/payment") == ("lea-devops", "payment")
    assert github_slug("payment") is None


@given(st.text(max_size=70))
def test_any_text_is_judged(text: str) -> None:
    assert is_object_name(text) is (is_key(text) and "/" not in text)
    assert isinstance(is_url(text), bool)
    assert isinstance(is_url(f"https://{text}"), bool)
    github_repository(text)
    parse_reference(text, default_kind="group")


def test_filling_in_keeps_lines_and_tells_values_apart() -> None:
    text = "a: ${{ values.x }}\n{% if values.y %}\nb: ${{ values.y\n }}\n{% endif %}\nc: ${{values.x}}-\n"
    lines = filled_in(text).split("\n")
    assert len(lines) == len(text.split("\n"))
    assert lines[0] == "a: 1001"
    assert lines[2] == "b: 1002"
    assert lines[5] == "c: 1001-"


def test_much_of_the_same_is_filled_in() -> None:
    for piece in ("${{", "{%", "{#", "{{ ", "%}"):
        text = piece * 50_000
        assert filled_in(text) == text


@pytest.mark.parametrize("url", ["./skeleton", "skeleton", "./skeleton/", "../backstage/skeleton"])
def test_the_skeleton_is_found_relative_to_the_template(url: str, tmp_path: Path) -> None:
    skeleton = read_skeleton(*_workspace(tmp_path, url))
    assert skeleton.folder == "td/backstage/skeleton"
    assert list(skeleton.texts) == ["td/backstage/skeleton/a.yaml"]
    assert skeleton.documents[0].get("name") == 1001


@pytest.mark.parametrize(
    "url", ["../../outside", "/etc", "../..", "https://github.com/a/b", "${{ parameters.x }}"]
)
def test_nothing_else_is_read(url: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.yaml").write_text("a: 1\n")
    assert read_skeleton(*_workspace(tmp_path, url)).texts == {}


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("a: 1\n")
    workspace, template = _workspace(tmp_path / "work", "./linked")
    (tmp_path / "work" / "td" / "backstage" / "linked").symlink_to(outside)
    assert read_skeleton(workspace, template).texts == {}


def _workspace(root: Path, url: str) -> tuple[Workspace, Template]:
    folder = root / "td" / "backstage" / "skeleton"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("name: ${{ values.name }}\n")
    (folder.parent / "t.yaml").write_text(
        f"spec: {{steps: [{{action: 'fetch:template', input: {{url: '{url}'}}}}]}}\n"
    )
    workspace = Workspace(root)
    return workspace, Template.of(workspace.documents("td/backstage/t.yaml", dialect="core")[0])
