"""The brief as the student reads it: the author's text, then deliverables, commands and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.content import Exercise
from workshop.texts import Text
from workshop.tui.state import State

_SHELL_BLOCK: Final = re.compile(r"^```(?:bash|sh|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def markdown_of(state: State, exercise: Exercise) -> str:
    """Return the whole brief as Markdown."""
    return "\n".join([exercise.brief(state.language).strip(), "", *_after(state, exercise)])


def commands_of(state: State, exercise: Exercise) -> list[str]:
    """Return the commands a student may want to copy: the exercise's, then the shell blocks of its brief."""
    blocks = (block.strip() for block in _SHELL_BLOCK.findall(exercise.brief(state.language)))
    return list(dict.fromkeys([*exercise.commands, *(block for block in blocks if block)]))


def _after(state: State, exercise: Exercise) -> Iterator[str]:
    say = state.say
    if exercise.deliverables:
        yield f"## {say(Text('Deliverables'))}"
        yield ""
        yield from (f"- `{path}`" for path in exercise.deliverables)
        yield from (f"- `{path}` ({say(Text('optional'))})" for path in exercise.optional)
        yield ""
    if exercise.questions:
        yield f"## {say(Text('Questions – press a to answer'))}"
        yield ""
        yield from (
            f"{number}. {say(each.prompt)}" for number, each in enumerate(exercise.questions, start=1)
        )
        yield ""
    if exercise.commands:
        yield f"## {say(Text('Commands – press y to copy'))}"
        yield ""
        yield "```bash"
        yield from exercise.commands
        yield "```"
        yield ""
    if exercise.links:
        yield f"## {say(Text('To read'))}"
        yield ""
        yield from (f"- [{say(link.title)}]({link.url})" for link in exercise.links)
