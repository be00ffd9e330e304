"""The cluster modes: a cluster that answers, does not, comes back; and starting a sandbox."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tui.in_memory import CONTEXT, POLICY, InMemory
from workshop.cluster.port import Place, Unreachable
from workshop.content import Lab
from workshop.converging import is_converging
from workshop.progress import Progress
from workshop.texts import Text
from workshop.tui import core, own_sandbox
from workshop.tui.app import WorkshopApp
from workshop.tui.connecting import look
from workshop.tui.messages import ClusterChanged
from workshop.tui.screens.confirm import ConfirmDialog
from workshop.tui.screens.map import MapScreen
from workshop.tui.screens.welcome import WelcomeScreen
from workshop.tui.widgets.diagnosis_list import DiagnosisList
from workshop.tui.widgets.pane_tabs import PaneTabs
from workshop.tui.widgets.top_bar import TopBar
from workshop.verdicts import CheckResult, ExerciseResult, Fact, Half, Level, Mode, Reason, Verdict

PATH = "td/kyverno/policy-deny-latest.yaml"
NAME = "disallow-latest-tag"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once: nobody has to wait seconds for a test."""
    monkeypatch.setattr(core, "_ASK_AGAIN", 0.05)


@pytest.fixture
def cluster() -> InMemory:
    return InMemory()


@pytest.fixture
def on_cluster(lab: Lab, welcomed: Path, cluster: InMemory) -> Callable[..., WorkshopApp]:
    """Make an application that was left in a mode, with the right file of 2.2 in its folder."""

    def make(mode: Mode = Mode.CLUSTER) -> WorkshopApp:
        progress = Progress.open(welcomed)
        progress.set_setting("mode", mode.value)
        progress.close()
        shutil.copy(lab.solutions / PATH, welcomed / PATH)
        return WorkshopApp(lab, welcomed, language="fr", connect=cluster.connect)

    return make


def _strip(hands: Any) -> str:
    return str(hands.app.screen.query_one(TopBar).render()).partition("\n")[2]


def _reason(app: Any, exercise_id: str) -> set[Reason | None]:
    return {each.reason for each in app.state.results[exercise_id].checks if each.half is Half.CLUSTER}


def test_a_cluster_that_answers_is_named_and_judged(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any
) -> None:
    cluster.put_policy(NAME)

    async def script(hands: Any) -> None:
        await hands.judged()
        assert hands.app.state.verdict("2.2") is Verdict.PASSED
        await hands.at(MapScreen)
        strip = _strip(hands)
        assert f"● {CONTEXT} joignable" in strip
        assert "✓ Kyverno  ✓ Tekton  – Rollouts  – Litmus" in strip
        assert len(strip) <= 78

    drive(script, welcomed, app=on_cluster())


def test_what_is_wrong_on_the_cluster_is_a_pane_of_its_own(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put_policy(NAME, ready=False)
    copied: list[str] = []
    monkeypatch.setattr(WorkshopApp, "copy_to_clipboard", lambda _, text: copied.append(text))

    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("2.2")
        # The other one is that this cluster knows no Deployments.
        assert "Diagnostic 2" in str(screen.query_one(PaneTabs).render())
        await hands.press("i")
        await hands.until(lambda: screen.query_one(DiagnosisList).has_focus, "the pane")
        shown = hands.text("#diagnosis")
        assert f"ClusterPolicy/{NAME}" in shown
        assert "Une policy est là, mais pas Ready" in shown
        await hands.press("end", "enter")
        await hands.until(lambda: copied == [f"kubectl describe clusterpolicy {NAME}"], "the command")

        # Once it is mended there is nothing of it to explain.
        cluster.put_policy(NAME)
        await hands.press("r")
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the verdict")
        await hands.until(lambda: NAME not in hands.text("#diagnosis"), "a pane without it")

    drive(script, welcomed, app=on_cluster())


def test_what_only_a_log_can_tell_comes_with_its_command(drive: Any, welcomed: Path, on_cluster: Any) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("1.1")
        await hands.press("i")
        await hands.until(lambda: screen.query_one(DiagnosisList).has_focus, "the pane")
        shown = hands.text("#diagnosis")
        assert "Seul un journal peut le dire" in shown
        assert "kubectl logs -n backstage deploy/backstage" in " ".join(shown.split())

    drive(script, welcomed, app=on_cluster())


def test_an_exercise_of_files_alone_has_no_diagnosis(drive: Any, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        screen = await hands.open("3.2")
        assert "Diagnostic" not in str(screen.query_one(PaneTabs).render())
        await hands.press("i")
        await hands.pilot.pause()
        assert screen.has_class("-pane-brief")

    drive(script, welcomed, instructor=True)


def test_a_sandbox_does_not_claim_what_nobody_carries_out_there() -> None:
    cluster = InMemory(kinds=("ChaosEngine.litmuschaos.io", "ClusterPolicy.kyverno.io"))
    assert look(cluster).installed == {"Kyverno", "Litmus"}
    cluster.context = "techmarket-sandbox"
    assert look(cluster).installed == {"Kyverno"}


def test_in_files_only_nothing_is_asked(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any
) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.at(MapScreen)
        assert _strip(hands) == ""
        assert hands.app.state.verdict("2.2") is Verdict.PASSED

    drive(script, welcomed, app=on_cluster(Mode.OFFLINE))
    assert cluster.connections == []


@pytest.mark.parametrize("reason", [Reason.NO_CLUSTER, Reason.TIMEOUT, Reason.UNAUTHORIZED])
def test_a_cluster_that_does_not_answer_leaves_things_unverified_and_comes_back(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any, reason: Reason
) -> None:
    cluster.put_policy(NAME)
    cluster.down = reason

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        assert app.state.verdict("2.2") is Verdict.UNKNOWN
        assert _reason(app, "2.2") == {reason}
        await hands.at(MapScreen)
        assert "injoignable" in _strip(hands)
        # A file that is wrong is wrong, cluster or not.
        (welcomed / "td/backstage/catalog-info-payment.yaml").write_text("kind: [", encoding="utf-8")
        await hands.until(lambda: app.state.verdict("1.2") is Verdict.FAILED, "the file half")
        cluster.down = None
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.PASSED, "the cluster come back")
        await hands.until(lambda: "joignable  ✓ Kyverno" in _strip(hands), "everything judged anew")

    drive(script, welcomed, app=on_cluster())


def test_a_cluster_lost_on_the_way_is_asked_no_more_in_that_run(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any
) -> None:
    cluster.put_policy(NAME)

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        await hands.open("2.2")
        cluster.down, cluster.asked = Reason.NO_CLUSTER, 0
        connected = len(cluster.connections)
        await hands.press("r")
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.UNKNOWN, "the loss")
        await hands.until(lambda: "injoignable" in _strip(hands), "the strip")
        # One question a connection: nothing else was put to a cluster that is not there.
        await hands.until(lambda: len(cluster.connections) > connected + 1, "another attempt")
        assert cluster.asked <= len(cluster.connections) - connected

    drive(script, welcomed, app=on_cluster())


def test_whoever_finds_the_cluster_again_looks_at_everything(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that breaks makes the application look, too: at all it had lost, not at that kind alone."""
    monkeypatch.setattr(core, "_ASK_AGAIN", 3600)
    cluster.put_policy(NAME)

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        await hands.at(MapScreen)
        before = {each: result.verdict for each, result in app.state.results.items()}
        cluster.down = Reason.NO_CLUSTER
        await hands.press("r")
        await hands.until(lambda: "injoignable" in _strip(hands), "the loss")
        await hands.judged()
        cluster.down = None
        app.post_message(ClusterChanged(Place("Namespace")))
        await hands.until(lambda: "● " in _strip(hands), "the cluster come back")
        await hands.until(
            lambda: {each: result.verdict for each, result in app.state.results.items()} == before,
            "everything judged anew",
        )

    drive(script, welcomed, app=on_cluster())


def test_a_question_that_nobody_answered_is_put_again(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any
) -> None:
    """The connection broke for a moment, in the middle of a run: the strip never shows it, a check does."""
    cluster.put_policy(NAME)
    answered, broken = cluster.list, [Reason.NO_CLUSTER]

    def answer(kind: str, **options: Any) -> Any:
        if kind == POLICY and broken:
            raise Unreachable(broken.pop(), Text("no answer within {seconds} s", seconds="0"))
        return answered(kind, **options)

    cluster.list = answer  # type: ignore[method-assign]  # for one question

    async def script(hands: Any) -> None:
        await hands.until(lambda: not broken, "the question")
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the answer")

    drive(script, welcomed, app=on_cluster())


def test_what_is_applied_to_the_open_exercise_is_seen_by_itself(
    drive: Any, welcomed: Path, cluster: InMemory, on_cluster: Any
) -> None:
    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        assert app.state.verdict("2.2") is Verdict.UNFINISHED
        await hands.open("2.2")
        cluster.put_policy(NAME, ready=False)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.FAILED, "a policy that is not ready")
        await hands.press("escape")
        cluster.put_policy(NAME)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.PASSED, "the policy ready")
        await hands.until(lambda: not app._under_way, "the end of the run")
        assert app._worth_asking() == [], "what stands still is left alone"

    drive(script, welcomed, app=on_cluster())
    attempts = [each.verdict for each in Progress.open(welcomed).attempts("2.2")]
    assert attempts == [Verdict.UNFINISHED, Verdict.FAILED, Verdict.PASSED], "one for each change"


def test_what_changes_on_the_cluster_is_seen_without_asking_again(
    drive: Any, welcomed: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "_ASK_AGAIN", 3600)
    cluster = InMemory(followed=True)
    progress = Progress.open(welcomed)
    progress.set_setting("mode", Mode.CLUSTER.value)
    progress.close()
    shutil.copy(lab.solutions / PATH, welcomed / PATH)

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        await hands.at(MapScreen)
        assert app.state.verdict("2.2") is Verdict.UNFINISHED
        cluster.put_policy(NAME, ready=False)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.FAILED, "a policy that is not ready")
        cluster.put_policy(NAME)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.PASSED, "the policy ready")

    drive(script, welcomed, app=WorkshopApp(lab, welcomed, language="fr", connect=cluster.connect))


def _result(*checks: tuple[Half, Verdict, Fact | None]) -> ExerciseResult:
    return ExerciseResult(
        "2.2",
        "x",
        "x",
        Verdict.FAILED,
        5,
        tuple(
            CheckResult("c", "c", Level.MUST, half, verdict, facts=(fact,) if fact else ())
            for half, verdict, fact in checks
        ),
    )


RIGHT = (Half.FILES, Verdict.PASSED, None)
WRONG = (Half.FILES, Verdict.FAILED, None)


@pytest.mark.parametrize(
    ("checks", "closed", "opened"),
    [
        ([RIGHT, (Half.CLUSTER, Verdict.PASSED, None)], False, False),
        ([RIGHT, (Half.CLUSTER, Verdict.FAILED, None)], False, True),
        ([WRONG, (Half.CLUSTER, Verdict.FAILED, None)], False, False),
        ([WRONG, (Half.CLUSTER, Verdict.UNFINISHED, None)], False, True),
        ([(Half.FILES, Verdict.UNFINISHED, None), (Half.CLUSTER, Verdict.UNFINISHED, None)], False, False),
        ([WRONG, (Half.CLUSTER, Verdict.FAILED, Fact("not-ready", "x", met=False))], True, True),
        ([RIGHT, (Half.CLUSTER, Verdict.UNKNOWN, Fact("r", "x", None, reason=Reason.TIMEOUT))], True, True),
        ([RIGHT, (Half.CLUSTER, Verdict.BLOCKED, Fact("r", "x", None, reason=Reason.NEEDS))], False, False),
        ([RIGHT, (Half.FILES, Verdict.FAILED, Fact("not-ready", "x", met=False))], False, False),
    ],
)
def test_what_is_worth_asking_again(checks: Any, closed: bool, opened: bool) -> None:
    assert is_converging(_result(*checks), is_open=False) is closed
    assert is_converging(_result(*checks), is_open=True) is opened


def test_the_sandbox_has_no_containers_however_it_was_chosen(
    drive: Any, welcomed: Path, lab: Lab, cluster: InMemory, on_cluster: Any
) -> None:
    cluster.context = "techmarket-sandbox"
    needs = next(each for each in lab.exercises if each.containers and Half.CLUSTER in each.halves)

    async def script(hands: Any) -> None:
        await hands.judged()
        assert Reason.NO_CONTAINERS in _reason(hands.app, needs.id)
        assert hands.app.state.verdict(needs.id) is not Verdict.PASSED

    drive(script, welcomed, app=on_cluster(Mode.CLUSTER))


# --- starting the sandbox --------------------------------------------------------------------------


def test_choosing_a_sandbox_that_does_not_run_offers_it_and_shows_how_it_starts(
    drive: Any, lab: Lab, welcomed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[Text | None] = [Text("Programs of the sandbox are missing: {names}.", names="etcd"), None]
    monkeypatch.setattr(own_sandbox, "is_up", lambda: False)

    def bring_up(tell: Any, stop: Any) -> Text | None:
        tell(Text("{seconds} s  {text}", seconds="0.1", text="etcd"))
        return problems.pop(0)

    monkeypatch.setattr(own_sandbox, "bring_up", bring_up)

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        await hands.press("w")
        await hands.at(WelcomeScreen)
        await hands.focus("#modes")
        await hands.press("home", "down", "enter")
        await hands.at(ConfirmDialog)
        assert problems, "nothing starts before one says so"
        await hands.press("tab", "enter")
        screen = await hands.at(WelcomeScreen)
        await hands.until(lambda: app.state.start_problem is not None, "what went wrong")
        await hands.pilot.pause()
        assert "etcd" in hands.text("#sandbox")
        assert screen.query_one("#sandbox").display
        await hands.press("escape")
        await hands.at(MapScreen)
        await hands.judged()
        assert "aucun bac à sable ne tourne" in _strip(hands)
        assert app.state.verdict("1.1") is not Verdict.FAILED
        app.show(starting=Text("etcd is\nready"))
        assert "etcd is ready" in _strip(hands)
        app.show(starting=None)
        await hands.press("u")
        await hands.at(ConfirmDialog)
        await hands.press("tab", "enter")
        await hands.until(lambda: not problems and app.state.start_problem is None, "the second start")

    drive(script, welcomed)


def test_a_start_is_given_up_when_the_application_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    from workshop.sandbox.api import Sandbox

    stop = threading.Event()
    told: list[Any] = []

    def up(**options: Any) -> None:
        assert options["build_missing"] is False
        options["progress"](Text("one"))
        stop.set()
        options["progress"](Text("two"))
        pytest.fail("went on")

    monkeypatch.setattr(Sandbox, "up", up)
    assert own_sandbox.bring_up(told.append, stop) is None
    assert told == [Text("one")]


def test_missing_programs_and_their_remedy_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    problem = own_sandbox.bring_up(lambda _: None, threading.Event())
    assert "workshop sandbox build" in str(problem)
    assert own_sandbox.environment() == {}
