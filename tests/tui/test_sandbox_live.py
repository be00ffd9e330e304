"""The sandbox mode against a real control plane: a wrong policy, the mended one, a loss survived."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.conftest import programs
from workshop.content import Lab
from workshop.progress import Progress
from workshop.sandbox.api import Sandbox
from workshop.sandbox.components import POLICIES
from workshop.tui import core, own_sandbox
from workshop.tui.widgets.top_bar import TopBar
from workshop.verdicts import Verdict

__all__ = ["programs"]

# With `--dist loadgroup` one worker runs them: one control plane, not one a worker.
pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("tui-sandbox")]
PATH = "td/kyverno/policy-deny-latest.yaml"


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here there is one, in a state folder whose path is short, as sockets want it."""
    folder = tempfile.mkdtemp(prefix="ws-", dir="/tmp")
    monkeypatch.setenv("WORKSHOP_STATE", folder)
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sandbox(programs: None, no_sandbox: None) -> Iterator[Sandbox]:
    """The sandbox of a student, by the name the TUI looks for."""
    sandbox = Sandbox.up(core=POLICIES, build_missing=False)
    yield sandbox
    sandbox.down()


def test_a_wrong_policy_is_told_and_the_mended_one_passes(
    drive: Any, lab: Lab, welcomed: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "_ASK_AGAIN", 0.2)
    progress = Progress.open(welcomed)
    progress.set_setting("mode", "sandbox")
    progress.close()
    shutil.copy(lab.solutions / PATH, welcomed / PATH)
    right = yaml.safe_load((lab.solutions / PATH).read_text(encoding="utf-8"))
    wrong = {**right, "spec": {**right["spec"], "validationFailureAction": "Audit"}}

    async def script(hands: Any) -> None:
        app = hands.app
        await hands.judged()
        await hands.open("2.2")
        assert app.state.verdict("2.2") is Verdict.UNFINISHED, "nothing is applied yet"
        assert "● techmarket-sandbox" in str(app.screen.query_one(TopBar).render())
        sandbox.api().apply(wrong)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.FAILED, "the wrong policy")
        # It may have been seen before it was ready; then what it is worth is seen next.
        await hands.until(
            lambda: any(fact.id == "only-reports" for each in _checks(app) for fact in each.unmet),
            "that it only reports",
        )
        sandbox.api().apply(right)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.PASSED, "the mended policy")
        assert own_sandbox.environment()["KUBECONFIG"] == str(sandbox.kubeconfig)
        sandbox.down()
        await hands.press("r")
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.UNKNOWN, "the loss")
        assert own_sandbox.environment() == {}
        Sandbox.up(core=POLICIES, build_missing=False)
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.PASSED, "the sandbox come back")
        # Another port, another authority: what changes there now is followed, not what was there before.
        await hands.until(lambda: not app._under_way, "the end of the run")
        sandbox.api().delete("/apis/kyverno.io/v1/clusterpolicies/disallow-latest-tag")
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.UNFINISHED, "the policy taken away")

    drive(script, welcomed)


def _checks(app: Any) -> Any:
    return app.state.results["2.2"].checks
