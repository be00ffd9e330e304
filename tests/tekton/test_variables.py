from __future__ import annotations

import pytest

from workshop.tekton import fill, mistaken, references, shown, token, tokens


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("$(params.IMAGE)", "params.IMAGE"),
        ('$(params["IMAGE"])', "params.IMAGE"),
        ("$(params['IMAGE'])", "params.IMAGE"),
        ("$(inputs.params.IMAGE)", "params.IMAGE"),
        ("$(params.LIST[*])", "params.LIST[*]"),
        ("$(params.LIST[0])", "params.LIST[0]"),
        ("$(workspaces.source.path)", "workspaces.source.path"),
        ("$(tasks.build.results.IMAGE_DIGEST)", "tasks.build.results.IMAGE_DIGEST"),
        ("$(results.DIGEST.path)", "results.DIGEST.path"),
        ("$(context.taskRun.name)", "context.taskRun.name"),
    ],
)
def test_every_syntax_of_a_reference(text: str, key: str) -> None:
    (found,) = references(f"a {text} b")
    assert (found.text, found.key) == (text, key)


@pytest.mark.parametrize(
    "text", ["$(date)", "$(git rev-parse HEAD)", "$(param.IMAGE)", "${params.IMAGE}", "$(params)"]
)
def test_what_is_no_reference(text: str) -> None:
    assert references(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "${params.IMAGE}", "$params.IMAGE", "$(param.IMAGE)", "$(workspace.source.path)", "$( params.IMAGE )",
        "{{ params.IMAGE }}", "{{params.IMAGE}}", "$[params.IMAGE]", "%(params.IMAGE)", "params.IMAGE",
        "--destination=params.IMAGE", "$(Params.IMAGE)", "${tasks.build.results.X}",
    ],
)  # fmt: skip
def test_mistaken_spellings_are_found(text: str) -> None:
    assert mistaken(text)


@pytest.mark.parametrize(
    "text", ["$(params.IMAGE)", "${IMAGE}", "$IMAGE", "the params.", "$(date +%s)", "my-params.yaml"]
)
def test_right_spellings_are_not(text: str) -> None:
    assert mistaken(text) == []


def test_comments_and_bare_words_of_a_script_are_not() -> None:
    assert mistaken("# ${params.IMAGE} is wrong\necho params.IMAGE", script=True) == []
    assert mistaken("echo ${params.IMAGE}", script=True) == ["${params.IMAGE}"]


@pytest.mark.parametrize(
    "script", ["exit ${result}", "cp x $result.json", "echo ${params}", "$(task.sh)", "${param:-x}"]
)
def test_what_a_shell_means_by_it_is_left_alone(script: str) -> None:
    assert mistaken(script, script=True) == []


def test_filling_in() -> None:
    known = {"params.A": "one", "params.B": None}
    filled = fill("$(params.A) $(params['B']) $(params.C)", known)
    assert filled == f"one {token('params.B')} $(params.C)"
    assert tokens(filled) == ["params.B"]
    assert shown(filled) == "one $(params.B) $(params.C)"
