"""A step's script is followed as a shell would go – checked against the shell of this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.tekton.shell import Beyond, follow, follow_argv

# `trivy` stands for the program that fails; everything else succeeds.
SCRIPTS = [
    "trivy image x",
    "trivy image x || true",
    "trivy image x || exit 3",
    "trivy image x || { echo no; exit 4; }",
    "trivy image x; exit 0",
    "trivy image x\necho done",
    "set -e\ntrivy image x\necho done",
    "set -e\ntrivy image x && echo fine",
    "set -e\ntrivy image x && echo fine\necho after",
    "set -e; trivy image x || echo ignored; echo after",
    "trivy image x | cat",
    "set -o pipefail\ntrivy image x | cat",
    "set -eo pipefail\ntrivy image x | cat\necho after",
    "cat </dev/null | trivy image x",
    "! trivy image x",
    "set -e\n! trivy image x\necho after",
    "if trivy image x; then echo clean; fi",
    "if ! trivy image x; then echo bad; exit 5; fi\necho ok",
    "if trivy image x; then echo clean; else exit 6; fi",
    "if false; then exit 1; elif trivy x; then exit 2; else exit 7; fi",
    "trivy image x\nrc=$?\nif [ $rc -ne 0 ]; then exit $rc; fi",
    'trivy image x\nrc="$?"\n[ "$rc" = 0 ] || exit "$rc"',
    "set -e\nset +e\ntrivy image x\nrc=$?\nset -e\nexit $rc",
    "(trivy image x)",
    "(trivy image x; exit 0)",
    "{ trivy image x; }",
    "{ trivy image x; echo a; } | cat",
    "out=$(trivy image x)",
    "set -e\nout=$(trivy image x)\necho after",
    "echo $(trivy image x)",
    "out=`trivy image x`",
    "for i in 1 2 3; do trivy image x && break; done",
    "for i in 1 2 3; do trivy image x || exit 8; done",
    "n=0\nwhile [ $n -lt 1 ]; do trivy image x; n=1; done",
    "f() { trivy image x; return 9; }\nf",
    "f() { trivy image x || return 0; }\nf\n",
    'f() { trivy "$1"; }\nf a || true',
    "sh -c 'trivy image x'",
    "sh -c 'trivy image x; true'",
    "sh -ec 'trivy image x; true'",
    "exec trivy image x",
    "env A=b trivy image x",
    "eval 'trivy image x'",
    "trivy \\\n  image x # a comment",
    "cat <<EOF\n|| true\nEOF\ntrivy image x",
    "cat <<-'EOF'\n\t; exit 0\n\tEOF\ntrivy image x",
    "A=1 trivy image x",
    "trivy image x && true || false",
    "true && trivy image x",
    "false || trivy image x",
    "test -z '' && trivy image x",
    '[ "a" = "b" ] || trivy image x',
    "trivy image x >/dev/null 2>&1",
    "trivy image x &\ntrue",
    "case_=1; trivy image x",
    "echo 'a;b' \"c|d\" e\\&f; trivy image x",
    "case abc in a*) trivy x ;; *) exit 0 ;; esac",
    "case abc in\n  (x|y) exit 3 ;;\n  *) trivy x; exit 2\nesac\necho after",
    "case x in a) exit 4;; esac",
    "exit",
    "trivy image x; exit",
    "exit 300",
    "",
]


def _modelled(script: str, *, errexit: bool = False) -> set[int]:
    def status(argv: Sequence[str]) -> int:
        return 1 if argv[0] == "trivy" else 1 if argv[0] == "false" else 0

    return {way.status for way in follow(script, status=status, errexit=errexit)}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "trivy"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to compare with")
@pytest.mark.parametrize("errexit", [False, True])
@pytest.mark.parametrize("script", SCRIPTS)
def test_goes_the_way_of_a_real_shell(script: str, errexit: bool, failing: Path) -> None:
    real = subprocess.run(
        ["bash", *(["-e"] if errexit else []), "-c", script],
        env={"PATH": f"{failing}:/usr/bin:/bin"}, capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert _modelled(script, errexit=errexit) == {real.returncode}


def test_both_ways_where_a_file_decides() -> None:
    ways = follow("if [ -f report ]; then trivy x; fi", status=lambda _: 1)
    assert {way.status for way in ways} == {0, 1}
    assert {len(way.commands) for way in ways} == {0, 1}


def test_words_are_expanded_and_split() -> None:
    (way,) = follow(
        'trivy image $OPTS "${IMAGE}" ${NONE:-x}', variables={"OPTS": "-q  -d", "IMAGE": "a b", "NONE": ""}
    )
    assert way.commands[0].argv == ("trivy", "image", "-q", "-d", "a b", "x")


def test_outputs_are_followed() -> None:
    (way,) = follow("syft x > a.json\nsyft y | tee b.json\nsyft z")
    assert [ran.outputs for ran in way.commands] == [("a.json",), ("|",), ("",), ("",)]


def test_arguments_of_a_script() -> None:
    (way,) = follow('trivy image "$1" "$@"', arguments=["a", "b c"])
    assert way.commands[0].argv == ("trivy", "image", "a", "a", "b c")


def test_a_command_line_without_a_shell() -> None:
    (way,) = follow_argv(["/bin/sh", "-c", "trivy image $IMAGE"], variables={"IMAGE": "x"})
    assert way.commands[0].argv == ("trivy", "image", "x")
    (way,) = follow_argv(["trivy", "image", "$IMAGE", "||", "true"])
    assert way.commands[0].argv == ("trivy", "image", "$IMAGE", "||", "true")


@pytest.mark.parametrize(
    "script",
    [
        "case $x in a",
        "while true; do :; done",
        "if true",
        "echo 'open",
        "a && ",
        "source lib.sh",
        "f() { f; }\nf",
    ],
)
def test_what_is_beyond_it_says_so(script: str) -> None:
    with pytest.raises(Beyond):
        follow(script)


@settings(max_examples=300, deadline=None)
@given(st.text("ab $(){}|&;<>\"'`\\\n#!=-if then fi do done [ ] trivy", max_size=60))
def test_never_anything_but_an_answer_or_beyond(script: str) -> None:
    try:
        ways = follow(script)
    except Beyond:
        return
    assert all(0 <= way.status <= 255 for way in ways)
