"""The line above every screen: where we are, points, time, mode, language; the cluster on a second one."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workshop.texts import Text
from workshop.tui.state import State
from workshop.tui.widgets.cluster_line import cluster_line
from workshop.tui.words import FAINT, MODE_WORDS, MUTED, minutes
from workshop.verdicts import Mode


class TopBar(Widget):
    """One line, two where a cluster is looked at. `where` is what stands after the lab's name."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; background: $panel; color: $foreground; padding: 0 1; }
    TopBar.-cluster { height: 2; }
    """

    state: reactive[State | None] = reactive(None)
    where: reactive[str] = reactive("")

    def watch_state(self, state: State | None) -> None:
        """Make room for the cluster."""
        self.set_class(state is not None and state.mode is not Mode.OFFLINE, "-cluster")

    def render(self) -> Content:
        """Return the line; what does not fit is cut from the left part."""
        state = self.state
        if state is None:
            return Content("")
        lab = state.lab
        right = Content(" ").join(
            [
                Content.assemble((f"{state.points():g}", "bold $text-success"), f"/{lab.max_points:g} pts"),
                Content.styled("·", FAINT),
                Content(f"{minutes(state.seconds())}/{lab.minutes} min"),
                Content.styled("·", FAINT),
                Content.styled(state.say(MODE_WORDS[state.mode]), MUTED),
                Content.styled("·", FAINT),
                Content.styled(state.language.upper(), MUTED),
            ]
        )
        if state.instructor:
            right = (
                Content.styled(f" {state.say(Text('instructor'))} ", "$text-warning reverse") + " " + right
            )
        title = state.say(lab.title).partition(" – ")[0]
        left = Content.styled(title, "bold $text-primary")
        if self.where:
            left = Content.assemble(left, ("  ›  ", FAINT), self.where)
        room = max(0, self.content_size.width - right.cell_length - 2)
        left = left.truncate(room, ellipsis=True)
        line = left + " " * (room + 2 - left.cell_length) + right
        if state.mode is Mode.OFFLINE:
            return line
        return Content("\n").join([line, cluster_line(state, self.content_size.width)])
