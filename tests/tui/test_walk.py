"""A student's way: a whole block, from the first screen to the board, and back another day."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from workshop.content import Lab
from workshop.progress import Progress
from workshop.tui.screens.board import BoardScreen
from workshop.tui.screens.exercise import ExerciseScreen
from workshop.tui.screens.map import MapScreen
from workshop.tui.screens.welcome import WelcomeScreen
from workshop.tui.widgets.check_list import CheckList
from workshop.tui.widgets.exercise_head import ExerciseHead, NextStep
from workshop.tui.widgets.key_bar import KeyBar
from workshop.verdicts import Verdict


def _hand_in(lab: Lab, folder: Path, path: str, **replaced: str) -> None:
    """Save the reference file in the student's folder, with some words replaced."""
    text = (lab.solutions / path).read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def _is(app: Any, exercise_id: str, verdict: Verdict) -> Any:
    return lambda: app.state.verdict(exercise_id) is verdict


def test_a_whole_block(drive: Any, lab: Lab, started: Path) -> None:
    catalogue = lab.exercise("1.2")
    assert catalogue is not None
    block = next(block for block in lab.blocks if block.id == "1")

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.at(WelcomeScreen)
        await hands.press("f10")
        await hands.at(MapScreen)
        await hands.judged()
        assert app.state.verdict("1.1") is Verdict.UNKNOWN
        assert "1.2" in app.state.unlocked, "what cannot be verified locks nothing"
        assert "1.3" not in app.state.unlocked

        await hands.press("n", "enter")
        screen = await hands.at(ExerciseScreen)
        assert screen.exercise is catalogue
        assert _is(app, "1.2", Verdict.UNFINISHED)()

        # Two files right, one with another team's name: the verdict comes by itself and says where.
        frontend, backend, payment = catalogue.deliverables
        _hand_in(lab, started, frontend)
        _hand_in(lab, started, backend)
        _hand_in(lab, started, payment, **{"owner: team-payments": "owner: team-paiements"})
        await hands.until(_is(app, "1.2", Verdict.FAILED), "the verdict on a wrong owner")
        await hands.pilot.pause()
        assert "team-paiements" in str(screen.query_one(NextStep).render())
        await hands.press("c")
        assert "échoué" in str(screen.query_one(ExerciseHead).render())
        await hands.until(lambda: screen.query_one(CheckList).has_focus, "the list of checks")
        await hands.press("end", "home")
        failed = next(
            index
            for index, check in enumerate(app.state.results["1.2"].checks)
            if check.verdict is Verdict.FAILED and "team-paiements" in str(check.facts)
        )
        await hands.press(*["down"] * failed)
        await hands.pilot.pause()
        facts = hands.text("#facts")
        assert "team-paiements" in facts
        assert "team-payments" in facts
        assert "catalog-info-payment.yaml:" in facts

        _hand_in(lab, started, payment)
        await hands.until(_is(app, "1.2", Verdict.PASSED), "the verdict on the right files")
        assert "1.3" in app.state.unlocked
        assert app.state.points() >= catalogue.points
        await hands.pilot.pause()
        assert "Réussi" in str(screen.query_one(NextStep).render())

        await hands.press("n")
        screen = await hands.at(ExerciseScreen)
        assert screen.exercise.id == "1.3"
        await hands.press("h")
        await hands.pilot.pause()
        assert screen.exercise.hints[0].fr.split("`")[0] in hands.text("#hint-text")
        assert screen.exercise.hints[1].fr.split("`")[0] not in hands.text("#hint-text")
        assert "Aide" in str(screen.query_one(KeyBar).render())

        await hands.press("l")
        await hands.until(lambda: "Help" in str(screen.query_one(KeyBar).render()), "English keys")
        await hands.until(
            lambda: screen.exercise.hints[0].en.split("`")[0] in hands.text("#hint-text"), "hints"
        )
        assert screen.exercise.title.en in str(screen.query_one(ExerciseHead).render())

        for exercise in block.exercises:
            for path in (*exercise.deliverables, *exercise.optional):
                source = lab.solutions / path
                if source.is_dir():
                    shutil.copytree(source, started / path, dirs_exist_ok=True)
                elif source.is_file():
                    _hand_in(lab, started, path)
        # All but the one that needs a cluster.
        await hands.until(lambda: app.state.passed(block) == len(block.exercises) - 1, "the end of the block")

        await hands.press("g")
        await hands.at(BoardScreen)
        assert f"{app.state.points():g} of {lab.max_points:g} points" in hands.text("#board")

    drive(script, started)
    progress = Progress.open(started)
    verdicts = [attempt.verdict for attempt in progress.attempts("1.2")]
    assert verdicts[0] is Verdict.UNFINISHED
    assert Verdict.FAILED in verdicts
    assert verdicts[-1] is Verdict.PASSED
    assert progress.hints("1.3") == 1
    assert progress.setting("language") == "en"
    progress.close()


def test_another_day_everything_is_as_it_was_left(
    drive: Any, welcomed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_LANG", "fr_FR.UTF-8")

    async def first(hands: Any) -> None:
        await hands.judged()
        await hands.open("2.2")
        await hands.press("h", "h", "l", "d")
        await hands.until(lambda: hands.app.state.hints["2.2"] == 2, "two hints")
        await hands.until(lambda: hands.app.theme == "workshop-light", "the other theme")

    async def second(hands: Any) -> None:
        screen = await hands.at(ExerciseScreen)
        assert screen.exercise.id == "2.2"
        assert hands.app.state.language == "en"
        assert hands.app.theme == "workshop-light"
        assert hands.app.state.hints["2.2"] == 2
        assert hands.app.state.remembered["2.2"] is Verdict.UNFINISHED

    drive(first, welcomed, language=None)
    drive(second, welcomed, language=None)


def test_the_time_spent_is_counted_and_kept(drive: Any, welcomed: Path) -> None:
    seconds = [0.0]

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open("1.2")
        seconds[0] += 240
        await hands.press("escape")
        await hands.at(MapScreen)
        seconds[0] += 600  # on the map no exercise's clock runs
        hands.app._save_clocks()
        await hands.pilot.pause()
        assert "4/10 min" in hands.text("#card")

    drive(script, welcomed, now=lambda: seconds[0])
    progress = Progress.open(welcomed)
    assert progress.time_spent() == {"1.2": 240.0}
    progress.close()


def test_a_locked_exercise_stays_closed_and_says_why(drive: Any, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        (await hands.at(MapScreen)).point_at("2.3")
        await hands.pilot.pause()
        assert "Verrouillé" in hands.text("#card")
        await hands.press("enter")
        await hands.pilot.pause()
        assert isinstance(hands.app.screen, MapScreen)

    drive(script, welcomed)


def test_what_was_open_stays_open_when_a_file_breaks_later(drive: Any, solved: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.at(WelcomeScreen)
        await hands.press("f10")
        await hands.judged()
        assert "1.3" in hands.app.state.unlocked
        (solved / "td/backstage/catalog-info-payment.yaml").write_text("kind: [", encoding="utf-8")
        await hands.until(_is(hands.app, "1.2", Verdict.FAILED), "the broken file")
        assert "1.3" in hands.app.state.unlocked
        await hands.until(lambda: hands.app.state.files_readable is False, "the criterion on readable files")

    drive(script, solved)


def test_bytes_of_a_file_never_command_the_terminal(drive: Any, lab: Lab, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open("1.2")
        path = "td/backstage/catalog-info-payment.yaml"
        text = (lab.solutions / path).read_text(encoding="utf-8")
        hostile = text.replace("owner: team-payments", 'owner: "\\e[31m[red]boo[/red] `x"')
        for other in ("frontend", "backend"):
            _hand_in(lab, welcomed, f"td/backstage/catalog-info-{other}.yaml")
        (welcomed / path).write_text(hostile, encoding="utf-8")
        await hands.until(_is(hands.app, "1.2", Verdict.FAILED), "the verdict")
        await hands.press("c")
        await hands.pilot.pause()
        checks = hands.app.state.results["1.2"].checks
        guilty = next(check for check in checks if "boo" in str(check.facts))
        screen = hands.app.screen
        screen.query_one(CheckList).highlighted = checks.index(guilty)
        await hands.pilot.pause()
        facts = hands.text("#facts")
        assert "\\x1b[31m[red]boo[/red]" in facts
        assert "\x1b" not in facts

    drive(script, welcomed)
