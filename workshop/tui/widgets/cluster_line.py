"""What is known of the cluster, on one line: reached or not, its context, what is on its way or installed."""

from __future__ import annotations

from textual.content import Content

from workshop.converging import is_converging
from workshop.texts import Text
from workshop.tui.connecting import INSTALLED, ClusterView
from workshop.tui.state import State
from workshop.tui.words import FAINT, MUTED
from workshop.verdicts import Reason


def cluster_line(state: State, width: int) -> Content:
    """Return the line; what does not fit is cut at its end."""
    return _line(state).truncate(width, ellipsis=True)


def _line(state: State) -> Content:
    if state.starting is not None:
        return Content.assemble(("◌ ", "$text-warning"), " ".join(state.say(state.starting).split()))
    view = state.cluster
    if view is None:
        return Content.styled(f"◌ {state.say(Text('asking the cluster…'))}", MUTED)
    if view.problem is not None:
        return _lost(state, view)
    parts = [
        Content.assemble(("✓ ", "$text-success"), name)
        if name in view.installed
        else Content.styled(f"– {name}", FAINT)
        for name in INSTALLED
    ]
    reached = state.say(Text("reachable"))
    lead = Content.assemble(("● ", "$text-success"), (view.context, "bold"), (f" {reached}", MUTED))
    if moving := [each.id for each in state.results.values() if is_converging(each, is_open=False)]:
        told = state.say(Text("converging: {ids}", ids=" ".join(moving)))
        parts.insert(0, Content.styled(f"◌ {told}", "$text-warning"))
    return Content("  ").join([lead, *parts])


def _lost(state: State, view: ClusterView) -> Content:
    sign = ("○ ", "$text-error")
    if view.reason is Reason.NO_SANDBOX:
        return Content.assemble(sign, state.say(Text("no sandbox is running – u starts one")))
    context = (f"{view.context} ", "bold") if view.context else ""
    lost = state.say(Text("not reachable"))
    why = " ".join(state.say(view.problem or "").split())
    return Content.assemble(sign, context, (lost, "$text-error"), (f" – {why}", MUTED))
