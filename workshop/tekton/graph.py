"""The order in which a Pipeline's tasks run: runAfter and result references, nothing else.

The order of the list has no effect. Tasks under `finally` run after all others, whatever these came to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from workshop.tekton.pipeline import PipelineSpec, PipelineTask
from workshop.tekton.variables import Reference, references


def results_used(task: PipelineTask) -> list[tuple[Reference, tuple[str | int, ...]]]:
    """Return the results of other tasks that a pipeline task uses, with the paths of the texts.

    Only the dotted form counts: `$(tasks["a"].results.b)` is not seen by Tekton.
    """
    texts = list(task.texts())
    for index, step in enumerate(task.view.items("taskSpec", "steps")):
        texts += [
            (step.text(key), ("taskSpec", "steps", index, key)) for key in ("script", "image", "workingDir")
        ]
        for key in ("command", "args"):
            texts.extend((text, ("taskSpec", "steps", index, key)) for text in step.texts(key))
        texts.extend(
            (entry.text("value"), ("taskSpec", "steps", index, "env")) for entry in step.items("env")
        )
    return [
        (reference, path)
        for text, path in texts
        for reference in references(text)
        if reference.scope == "tasks"
        and len(reference.names) >= 3
        and reference.names[1] == "results"
        and "[" not in reference.text.split(".results.")[0]
    ]


@dataclass(frozen=True)
class Graph:
    """The tasks of a Pipeline and what each waits for directly, by name; unknown names are left out."""

    pipeline: PipelineSpec

    @cached_property
    def waits_for(self) -> dict[str, set[str]]:
        """Direct edges."""
        names = {task.name for task in self.pipeline.tasks}
        return {
            task.name: ({*task.run_after} | {used.name for used, _ in results_used(task)}) & names
            for task in self.pipeline.tasks
        }

    @property
    def has_edges(self) -> bool:
        """Whether anything waits for anything."""
        return any(self.waits_for.values())

    @cached_property
    def before(self) -> dict[str, set[str]]:
        """Everything that is finished when a task begins: the transitive closure."""
        closed: dict[str, set[str]] = {}
        for name in self.waits_for:
            seen: set[str] = set()
            pending = list(self.waits_for[name])
            while pending:
                earlier = pending.pop()
                if earlier not in seen:
                    seen.add(earlier)
                    pending.extend(self.waits_for.get(earlier, ()))
            closed[name] = seen
        return closed

    @cached_property
    def cycle(self) -> list[str]:
        """The tasks of one cycle in their order; empty where there is none."""
        start = next((name for name, earlier in self.before.items() if name in earlier), None)
        if start is None:
            return []
        way = [start]
        while True:
            following = next(
                name
                for name in sorted(self.waits_for[way[-1]])
                if name == start or start in self.before[name]
            )
            if following == start or following in way:
                return way[way.index(following) :]
            way.append(following)

    def is_before(self, first: PipelineTask, second: PipelineTask) -> bool:
        """Whether `first` is always finished, and well, when `second` begins."""
        return not first.final and not second.final and first.name in self.before.get(second.name, ())
