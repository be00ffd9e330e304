"""What `workshop install` can install: data beside the lab's exercises, read as strictly as they are.

`exercises/<lab>/components/<id>.yaml` names pinned charts and commands; nothing here knows one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from workshop.content import Lab
from workshop.content_keys import Keys, read_content
from workshop.texts import Bilingual

Tool = Literal["kubectl", "docker", "kind"]
_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class HelmRelease:
    """A chart at a fixed version, as a release of a fixed name; `values` is a file."""

    release: str
    chart: str
    repo: str
    version: str
    namespace: str
    values: Path | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command of one of the tools; which cluster it speaks to is added when it is run."""

    tool: Tool
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, within so many seconds, tried so often; `kind_only` needs a kind node."""

    action: HelmRelease | Command
    seconds: int = _SECONDS
    tries: int = 1
    kind_only: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """Something that a lab needs on its cluster.

    `exercises` are those that ask for it, `images` the main ones it pulls.
    """

    id: str
    title: Bilingual
    about: Bilingual
    exercises: tuple[str, ...]
    steps: tuple[Step, ...]
    images: tuple[str, ...] = ()


def load_components(lab: Lab) -> dict[str, Component]:
    """Return the components of a lab by id. Raises ContentError when one is not well-formed."""
    folder = lab.folder / "components"
    found = (_component(lab, path) for path in sorted(folder.glob("*.yaml")))
    return {component.id: component for component in found}


def _component(lab: Lab, path: Path) -> Component:
    keys = Keys(path, read_content(path))
    component = Component(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        about=keys.bilingual("about"),
        exercises=keys.texts("exercises"),
        steps=tuple(_step(lab, path, step) for step in keys.items("steps")),
        images=keys.texts("images"),
    )
    if component.id != path.stem:
        raise keys.wrong("id", f"{path.stem}, the name of the file")
    if not component.steps:
        raise keys.wrong("steps", "at least one step")
    for each in component.exercises:
        if lab.exercise(each) is None:
            raise keys.wrong("exercises", f"exercises of the lab, not {each}")
    keys.nothing_left()
    return component


def _step(lab: Lab, path: Path, keys: Keys) -> Step:
    where = keys.text("where", default="anywhere")
    if where not in ("anywhere", "kind"):
        raise keys.wrong("where", "anywhere or kind")
    actions = list(_actions(lab, path, keys))
    if len(actions) != 1:
        raise keys.wrong("helm", f"one of helm, {', '.join(get_args(Tool))} in each step")
    step = Step(
        action=actions[0],
        seconds=keys.integer("seconds", default=_SECONDS),
        tries=keys.integer("tries", default=1),
        kind_only=where == "kind",
    )
    keys.nothing_left()
    return step


def _actions(lab: Lab, path: Path, keys: Keys) -> Iterator[HelmRelease | Command]:
    for chart in keys.items("helm"):
        values = chart.text("values", default="")
        yield HelmRelease(
            release=chart.text("release"),
            chart=chart.text("chart"),
            repo=chart.text("repo"),
            version=chart.text("version"),
            namespace=chart.text("namespace"),
            values=_file(lab, path, chart, values) if values else None,
        )
        chart.nothing_left()
    for tool in get_args(Tool):
        arguments = keys.texts(tool)
        if arguments:
            yield Command(tool, tuple(_filled_in(lab, path, each) for each in arguments))


def _file(lab: Lab, path: Path, keys: Keys, name: str) -> Path:
    file = Path(_filled_in(lab, path, name))
    file = file if file.is_absolute() else path.parent / file
    if not file.is_file():
        raise keys.wrong("values", f"a file that exists, not {name}")
    return file


def _filled_in(lab: Lab, path: Path, text: str) -> str:
    return text.replace("{materials}", str(lab.materials)).replace("{components}", str(path.parent))
