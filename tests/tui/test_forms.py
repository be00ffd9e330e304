"""The first screen, the answers, the instructor's solution: what is typed, and where it goes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.widgets import Input, TextArea

from workshop.content import Lab, Question
from workshop.progress import Progress
from workshop.texts import Bilingual
from workshop.tui.answering import AnswersError, keep, known
from workshop.tui.screens.answers import AnswersDialog
from workshop.tui.screens.confirm import ConfirmDialog
from workshop.tui.screens.map import MapScreen
from workshop.tui.screens.solution import SolutionScreen
from workshop.tui.screens.welcome import WelcomeScreen
from workshop.verdicts import Mode, Verdict


def test_an_empty_folder_becomes_a_workspace(drive: Any, lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()

    async def script(hands: Any) -> None:
        screen = await hands.at(WelcomeScreen)
        await hands.focus("#github")
        await hands.press(*"lea-devops", "tab", *"lea@example.org")
        # Another language builds the form anew: nothing typed is lost.
        await hands.focus("#languages")
        await hands.press("home", "enter")
        await hands.until(lambda: hands.app.state.language == "en", "English")
        await hands.until(lambda: screen.query("#email"), "the form")
        assert screen.query_one("#email", Input).value == "lea@example.org"
        await hands.focus("#modes")
        await hands.press("home", "down", "enter")
        await hands.at(ConfirmDialog)  # there is no sandbox yet: not now
        await hands.press("escape")
        await hands.at(WelcomeScreen)
        assert not (folder / "td").exists(), "nothing is written before one says so"
        assert not (folder / ".workshop").exists()
        await hands.press("f10")
        await hands.at(MapScreen)
        await hands.judged()
        assert hands.app.state.mode is Mode.SANDBOX
        verdicts = {each.id: hands.app.state.verdict(each.id) for each in lab.exercises}
        assert Verdict.PASSED not in verdicts.values()

    drive(script, folder)
    answers = yaml.safe_load((folder / "td/answers.yaml").read_text())
    assert answers["account"] == {"github": "lea-devops", "email": "lea@example.org"}
    assert (folder / lab.exercises[-1].deliverables[0]).is_file()
    progress = Progress.open(folder)
    assert (progress.setting("mode"), progress.setting("language"), progress.setting("started")) == (
        "sandbox",
        "en",
        "yes",
    )
    progress.close()


def test_a_mistyped_account_is_told_before_anything_is_written(drive: Any, tmp_path: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.at(WelcomeScreen)
        await hands.focus("#github")
        await hands.press(*"lea devops")
        await hands.press("f10")
        await hands.pilot.pause()
        assert "plausibles" in hands.text("#problem")
        assert isinstance(hands.app.screen, WelcomeScreen)

    drive(script, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def script(hands: Any) -> None:
        await hands.at(WelcomeScreen)
        await hands.press("f10")
        await hands.until(lambda: "impossible d'écrire" in hands.text("#problem"), "the message")
        assert isinstance(hands.app.screen, WelcomeScreen)

    drive(script, tmp_path / "file" / "folder")


def test_a_damaged_store_and_one_that_cannot_be_made_stop_nobody(drive: Any, started: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.at(WelcomeScreen)
        await hands.press("f10")
        await hands.judged()
        assert hands.app.state.verdict("2.2") is Verdict.UNFINISHED
        assert len(hands.app._notifications) == 1

    store = started / ".workshop/progress.sqlite3"
    store.write_bytes(b"no database at all" * 100)
    drive(script, started)
    assert list(store.parent.glob("*.damaged-*"))
    for file in sorted((started / ".workshop").iterdir()):
        file.unlink()
    (started / ".workshop").rmdir()
    (started / ".workshop").write_text("a file where a folder should be")
    drive(script, started)


# --- answers ---------------------------------------------------------------------------------------


def test_answers_are_typed_kept_and_judged(drive: Any, lab: Lab, welcomed: Path) -> None:
    exercise = next(each for each in lab.exercises if len(each.questions) > 1)
    first = exercise.questions[0]
    path = welcomed / "td/answers.yaml"
    path.write_text(
        yaml.safe_dump(
            {"account": {"github": "lea-devops"}, "answers": {"9.9": {"kept": "yes"}, exercise.id: {"x": 1}}}
        )
    )

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open(exercise.id)
        await hands.press("a")
        screen = await hands.at(AnswersDialog)
        field = screen.query_one(f"#answer-{first.id}")
        assert isinstance(field, Input | TextArea)
        await hands.press(*"http", "colon", "slash", "slash", *"localhost", "f10")
        await hands.until(lambda: "localhost" in path.read_text(), "the file")
        await hands.judged()

    drive(script, welcomed)
    assert yaml.safe_load(path.read_text()) == {
        "account": {"github": "lea-devops"},
        "answers": {"9.9": {"kept": "yes"}, exercise.id: {"x": 1, first.id: "http://localhost"}},
    }


QUESTIONS = tuple(Question(kind, Bilingual("?", "?"), kind) for kind in ("text", "number", "url", "lines"))


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("text", "  two words ", "two words"),
        ("text", "43", "43"),
        ("text", "yes", "yes"),
        ("number", "43", 43),
        ("number", "-43.2", -43.2),
        ("number", "43,2", "43,2"),
        ("number", "43.2 min", "43.2 min"),
        ("number", "1" * 400, "1" * 400),
        ("lines", " a\n\n b: c \n", ["a", "b: c"]),
        ("text", "  ", None),
        ("lines", "\n", None),
    ],
)
def test_what_is_typed_comes_back(lab: Lab, tmp_path: Path, kind: str, typed: str, value: Any) -> None:
    exercise = replace(lab.exercises[0], id="7.7", questions=QUESTIONS)
    (tmp_path / "td").mkdir()
    keep(tmp_path, exercise, {kind: typed})
    data = yaml.safe_load((tmp_path / "td/answers.yaml").read_text())
    assert data["answers"].get("7.7", {}).get(kind) == value
    again = known(tmp_path, exercise)
    assert again.get(kind, "").split() == typed.split()
    keep(tmp_path, exercise, {})
    assert yaml.safe_load((tmp_path / "td/answers.yaml").read_text())["answers"] == {}


def test_a_file_of_answers_that_cannot_be_read_is_left_alone(drive: Any, lab: Lab, welcomed: Path) -> None:
    exercise = next(each for each in lab.exercises if each.questions)
    path = welcomed / "td/answers.yaml"
    path.write_text("answers:\n\t- broken")

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open(exercise.id)
        await hands.press("a")
        await hands.at(AnswersDialog)
        assert "td/answers.yaml:2" in hands.text("#problem")
        await hands.press("x", "f10")
        await hands.pilot.pause()
        assert isinstance(hands.app.screen, AnswersDialog)

    drive(script, welcomed)
    assert path.read_text() == "answers:\n\t- broken"


def test_a_link_in_place_of_the_answers_is_not_written_through(lab: Lab, tmp_path: Path) -> None:
    exercise = replace(lab.exercises[0], id="7.7", questions=QUESTIONS)
    (tmp_path / "td").mkdir()
    outside = tmp_path / "outside.yaml"
    outside.write_text("answers: {}\n")
    (tmp_path / "td/answers.yaml").symlink_to("../outside.yaml")
    # Refused or put in the link's place: either is right, writing through it is not.
    with suppress(AnswersError):
        keep(tmp_path, exercise, {"text": "x"})
    assert outside.read_text() == "answers: {}\n"


# --- instructor ------------------------------------------------------------------------------------


def test_the_instructor_sees_and_applies_a_solution(drive: Any, lab: Lab, welcomed: Path) -> None:
    exercise = lab.exercise("2.2")
    assert exercise is not None
    path = exercise.deliverables[0]
    starter = (welcomed / path).read_text()

    async def script(hands: Any) -> None:
        await hands.judged()
        assert hands.app.state.unlocked == {each.id for each in lab.exercises}
        await hands.open("2.2")
        await hands.press("s")
        screen = await hands.at(SolutionScreen)
        await hands.press("down")
        await hands.until(lambda: screen.query_one("#file").display, "the reference")
        assert f"+++ solution/{path}" in hands.text("#file")
        await hands.press("x")
        await hands.at(ConfirmDialog)
        await hands.press("enter")
        await hands.at(SolutionScreen)
        assert (welcomed / path).read_text() == starter, "the first button is the harmless one"
        await hands.press("x")
        await hands.at(ConfirmDialog)
        await hands.press("tab", "enter")
        await hands.until(lambda: (welcomed / path).read_text() != starter, "the reference in place")
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the verdict")
        await hands.until(lambda: "à la lettre" in hands.text("#file"), "no difference left")

    drive(script, welcomed, instructor=True)
    assert (welcomed / path).read_text() == (lab.solutions / path).read_text()
    assert [copy.read_text() for copy in (welcomed / ".workshop/backup").rglob("*.yaml")] == [starter]


def test_a_student_sees_no_solution_before_passing(drive: Any, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("2.2")
        await hands.press("s")
        await hands.pilot.pause()
        assert hands.app.screen is screen

    drive(script, welcomed)
