"""A cluster that is lost for good, for a while, or for another one, with a real API server.

Nothing here waits for a time: what the application knows is what is waited for.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.rig.cluster import Rig, wait_for
from tests.rig.relay import Relay
from workshop.cluster.live import LiveCluster
from workshop.content import Lab
from workshop.progress import Progress
from workshop.sandbox.client import Api
from workshop.tui import core, following
from workshop.tui.app import WorkshopApp
from workshop.tui.screens.map import MapScreen
from workshop.tui.widgets.top_bar import TopBar
from workshop.verdicts import Half, Mode, Verdict

CONTEXT = "kind-techmarket"
PATH = "td/kyverno/policy-deny-latest.yaml"
POLICY = "/apis/kyverno.io/v1/clusterpolicies/disallow-latest-tag"
# Long enough for a server with other things to do, short enough to notice one that stands still.
_SECONDS = 5.0
Script = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again soon: nobody has to wait seconds for a test."""
    monkeypatch.setattr(core, "_ASK_AGAIN", 0.2)
    monkeypatch.setattr(following, "_LONGEST_PAUSE", 0.5)


class Place:
    """A kubeconfig, as a student's own tools rewrite it, and the application that reads it."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.path = folder / "kubeconfig"
        self.config: dict[str, Any] = yaml.safe_load(rig.sandbox.kubeconfig.read_text())
        self.config["contexts"][0]["name"] = CONTEXT
        self.write()

    @property
    def port(self) -> int:
        """Where the API server listens."""
        return int(urlsplit(self.config["clusters"][0]["cluster"]["server"]).port or 0)

    def lead_to(self, port: int) -> None:
        """Name another port as the server's."""
        self.config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.write()

    def write(self) -> None:
        """Replace the file in one step, as kind and kubectl do."""
        new = self.path.with_suffix(".new")
        new.write_text(yaml.safe_dump(self.config))
        new.replace(self.path)

    def connect(self, _mode: Mode, _lab: Lab) -> LiveCluster:
        """Read the file anew."""
        return LiveCluster(CONTEXT, self.path, seconds=_SECONDS)


@pytest.fixture
def place(pristine_rig: Rig, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A cluster on which 2.2 was done."""
    pristine_rig.apply(yaml.safe_load((lab.solutions / PATH).read_text(encoding="utf-8")))
    wait_for(lambda: "True" in str((pristine_rig.api.get(POLICY) or {}).get("status")))
    return Place(pristine_rig, tmp_path_factory.mktemp("lost"))


@pytest.fixture
def relay(place: Place) -> Iterator[Relay]:
    """A wire that the kubeconfig leads through."""
    with Relay(place.port).listening() as made:
        place.lead_to(made.port)
        yield made


@pytest.fixture
def app(lab: Lab, welcomed: Path, place: Place) -> WorkshopApp:
    """The application on the right file of 2.2, left in cluster mode."""
    progress = Progress.open(welcomed)
    progress.set_setting("mode", Mode.CLUSTER.value)
    progress.close()
    shutil.copy(lab.solutions / PATH, welcomed / PATH)
    return WorkshopApp(lab, welcomed, language="fr", connect=place.connect)


def strip(hands: Any) -> str:
    """Return the line that tells of the cluster."""
    return str(hands.app.screen.query_one(TopBar).render()).partition("\n")[2]


def seen(app: WorkshopApp) -> dict[str, Verdict]:
    """Return what is said of the cluster at the moment."""
    return {
        check.id: check.verdict
        for result in app.state.results.values()
        for check in result.checks
        if check.half is Half.CLUSTER
    }


def turned(before: dict[str, Verdict], after: dict[str, Verdict]) -> dict[str, Verdict]:
    """Return the checks that are passed or failed now and were something else."""
    told = (Verdict.PASSED, Verdict.FAILED, Verdict.UNFINISHED, Verdict.ERROR)
    return {check: now for check, now in after.items() if now in told and now is not before[check]}


async def reached(hands: Any) -> dict[str, Verdict]:
    """Wait until the cluster is reached and everything on it judged; return what is said of it."""
    await hands.at(MapScreen)
    await hands.until(lambda: f"● {CONTEXT} joignable" in strip(hands), "a cluster that is reached")
    await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the policy")
    await hands.until(lambda: not hands.app._under_way, "the end of the run")
    return seen(hands.app)


async def lost(hands: Any) -> None:
    """Wait until the cluster is known to be lost and nothing more is judged on it."""
    await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.UNKNOWN, "the loss")
    await hands.until(lambda: "injoignable" in strip(hands), "the strip")


async def gone(hands: Any, api: Api) -> None:
    """Take the policy away; the application sees it without a key: it follows the cluster that is there."""
    api.delete(POLICY)
    await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.UNFINISHED, "the policy taken away")


def _server(rig: Rig) -> int:
    (pid,) = (each.pid for each in rig.sandbox.status().components if each.name == "kube-apiserver")
    return pid


def test_an_api_server_that_stands_still(
    drive: Any, welcomed: Path, app: WorkshopApp, pristine_rig: Rig
) -> None:
    """Stopped, not ended: connections stay open and nothing comes. It goes on, and so does the student."""
    pid = _server(pristine_rig)

    async def script(hands: Any) -> None:
        before = await reached(hands)
        os.kill(pid, signal.SIGSTOP)
        try:
            await hands.press("r")
            await lost(hands)
            assert turned(before, seen(app)) == {}
        finally:
            os.kill(pid, signal.SIGCONT)
        after = await reached(hands)
        assert turned(before, after) == {}
        await gone(hands, pristine_rig.api)

    drive(script, welcomed, app=app)


def test_a_wire_that_is_cut(
    drive: Any, welcomed: Path, app: WorkshopApp, relay: Relay, place: Place, pristine_rig: Rig
) -> None:
    """Watches break at once: neither the loss nor the return takes a key."""
    goal = relay.goal

    async def script(hands: Any) -> None:
        before = await reached(hands)
        for _ in range(2):
            relay.cut()
            await lost(hands)
            assert turned(before, seen(app)) == {}
            relay.lead_to(goal)
            assert turned(before, await reached(hands)) == {}
        await gone(hands, pristine_rig.api)

    drive(script, welcomed, app=app)


def test_the_server_moves_to_another_port(
    drive: Any, welcomed: Path, app: WorkshopApp, relay: Relay, place: Place, pristine_rig: Rig
) -> None:
    """The kubeconfig is written anew, as after a restart of kind; the new address is followed."""
    goal = relay.goal
    assert goal is not None

    async def script(hands: Any) -> None:
        before = await reached(hands)
        relay.cut()
        await lost(hands)
        with Relay(goal).listening() as elsewhere:
            place.lead_to(elsewhere.port)
            assert turned(before, await reached(hands)) == {}
            await gone(hands, pristine_rig.api)

    drive(script, welcomed, app=app)


def test_the_context_goes_and_comes_back(
    drive: Any, welcomed: Path, app: WorkshopApp, relay: Relay, place: Place, pristine_rig: Rig
) -> None:
    """kind delete cluster takes the context out of the kubeconfig; the next one puts it back."""
    goal = relay.goal

    async def script(hands: Any) -> None:
        before = await reached(hands)
        place.config["contexts"][0]["name"] = "elsewhere"
        place.write()
        relay.cut()
        await lost(hands)
        assert CONTEXT in strip(hands), "the strip names what it looks for"
        assert turned(before, seen(app)) == {}
        relay.lead_to(goal)
        await hands.until(lambda: "injoignable" in strip(hands), "still no context")
        place.config["contexts"][0]["name"] = CONTEXT
        place.write()
        assert turned(before, await reached(hands)) == {}
        await gone(hands, pristine_rig.api)

    drive(script, welcomed, app=app)


def test_another_authority_at_the_same_address(
    drive: Any, welcomed: Path, app: WorkshopApp, relay: Relay, place: Place, pristine_rig: Rig
) -> None:
    """A cluster made anew has a new certificate; the old kubeconfig does not trust it, and says so."""
    cluster = place.config["clusters"][0]["cluster"]
    authority = cluster.pop("certificate-authority-data")

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.at(MapScreen)
        await lost(hands)
        view = app.state.cluster
        assert view is not None
        assert "certificate" in str(view.problem)
        assert Verdict.FAILED not in seen(app).values()
        cluster["certificate-authority-data"] = authority
        place.write()
        await reached(hands)
        await gone(hands, pristine_rig.api)

    place.write()
    drive(script, welcomed, app=app)
