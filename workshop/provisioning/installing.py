"""Installing components: the plan that is shown, and its steps carried out one after the other."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from workshop.components import Component, HelmRelease, Step
from workshop.provisioning.shell import CommandError, Say, ask, run
from workshop.provisioning.target import Target
from workshop.texts import Message, Text

_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A step of a component on a cluster; `left_out` says why it is not carried out there."""

    component: Component
    step: Step
    words: tuple[str, ...]
    left_out: Message | None = None

    @property
    def line(self) -> str:
        """The command as one would type it."""
        return shlex.join(self.words)


def plan(components: Sequence[Component], target: Target) -> list[Planned]:
    """Return every step in order, those that this cluster has no use for included."""
    return [_planned(component, step, target) for component in components for step in component.steps]


def _planned(component: Component, step: Step, target: Target) -> Planned:
    left_out = None
    if step.kind_only and target.kind_cluster is None:
        left_out = Text("only for a kind cluster: give the nodes of yours the image another way")
    return Planned(component, step, tuple(target.words(step)), left_out)


def install(
    steps: Sequence[Planned],
    target: Target,
    *,
    tell: Callable[[Message], None],
    say: Say,
    pause: float = _PAUSE_SECONDS,
) -> None:
    """Carry out a plan. Raises CommandError at the first step that fails; running it again is harmless.

    `tell` is for our own messages, `say` for what the commands print.
    """
    for number, planned in enumerate(steps, 1):
        tell(Text("[{number}/{total}] {command}", number=number, total=len(steps), command=planned.line))
        if planned.left_out is not None:
            tell(planned.left_out)
            continue
        if isinstance(planned.step.action, HelmRelease):
            _clear_the_way(planned.step.action, target, tell, say)
        _attempt(planned, tell, say, pause)


def _attempt(planned: Planned, tell: Callable[[Message], None], say: Say, pause: float) -> None:
    for left in range(planned.step.tries - 1, -1, -1):
        try:
            run(planned.words, say, seconds=planned.step.seconds)
        except CommandError as error:
            if not left or error.code is None:
                raise
            tell(Text("not yet; tried again in {seconds} s", seconds=f"{pause:g}"))
            time.sleep(pause)
        else:
            return


def _clear_the_way(release: HelmRelease, target: Target, tell: Callable[[Message], None], say: Say) -> None:
    """Let Helm begin again where an earlier run was killed: it refuses to while its record is pending."""
    if not ask(*target.pending(release)):
        return
    tell(
        Text(
            "An earlier run of {release} was cut off: its record is removed, what it made is taken over.",
            release=release.release,
        )
    )
    run(target.forget_pending(release), say, seconds=60)
