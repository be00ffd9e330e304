"""What the stages of the pipeline hand to each other, and whether the gate between them holds."""

from __future__ import annotations

from typing import Any, Final

from workshop.checking import Document, Exam, Text
from workshop.tekton import (
    Misfit,
    PipelineTask,
    Task,
    mistaken,
    references,
    result_misfits,
    task_misfits,
)
from workshop.verdicts import Reason

from ._tekton import IMAGE, runs_on
from ._tekton_scan import best_scan
from ._tekton_sign import signings
from ._tekton_stages import BUILD, CLONE, FILES, SBOM, SCAN, SIGN, Stages, reference_of


def gate_holds(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether a failed scan ends the run before the signature."""
    claim = Text("A failed scan ends the run")
    for task in stages.by_stage[SCAN]:
        goes_on = task.view.text("onError") == "continue"
        exam.fact(
            "scan-on-error-continue" if goes_on else "gate",
            claim,
            not goes_on,
            expected=Text("no onError: continue"),
            observed="onError: continue",
            next=Text("Drop onError: the scan is there to stop the run."),
            where=document.at(*task.view.path, "onError"),
        )
        inner = stages.tasks.get(task.name)
        if task.embedded and inner is not None:
            for finding in best_scan(inner):
                if finding.topic in ("gate", "severity", "stops") and finding.met is not True:
                    exam.fact(
                        finding.id, finding.claim, finding.met, expected=finding.expected,
                        observed=finding.observed,
                        next=finding.next, where=document.at(*finding.path),
                        reason=Reason.BEYOND_EVALUATOR if finding.met is None else None,
                    )  # fmt: skip
        elif inner is not None:
            _judge_handed_on(exam, document, stages, task, inner)
        conditions = task.view.get("when")
        if conditions:
            same = all(_shares(each, conditions) for each in stages.by_stage[SIGN])
            exam.fact(
                "same-condition" if same else "scan-can-be-skipped",
                Text("No signature without a scan"),
                met=same,
                expected=Text("no when on the scan"),
                observed=Text(
                    "a condition; when it does not hold, tasks that run after it start all the same"
                ),
                next=Text("Take the condition off the scan, or put the same one on the signature."),
                where=document.at(*task.view.path, "when"),
            )
    for task in stages.by_stage[SIGN]:
        inner = stages.tasks.get(task.name)
        keys = (
            [one for one in signings(inner) if one.flags.last("key") is not None]
            if task.embedded and inner
            else []
        )
        if keys:
            exam.fact(
                "key-instead-of-keyless", Text("Cosign signs without a key"), met=False,
                expected=Text("cosign sign without --key"), observed="--key",
                next=Text("Keyless is asked: the identity replaces the key. Drop --key, then sign in when "
                    "the log asks you to."),
                where=document.at(*task.view.path, "taskSpec"),
            )  # fmt: skip
    if not stages.by_stage[SCAN]:
        exam.fact("gate-missing", claim, met=None, reason=Reason.NEEDS)


def _judge_handed_on(exam: Exam, document: Document, stages: Stages, task: PipelineTask, inner: Task) -> None:
    """Record where what the Pipeline hands to the scan opens a gate that its Task keeps closed."""
    given = {name: value for name, value in task.handed(stages.pipeline).items() if name != IMAGE}
    if not given:
        return
    alone = {each.id for each in best_scan(inner) if each.met is False}
    told = best_scan(Task(inner.view, inner.name, tuple(given.items())))
    opened = [each for each in told if each.met is False and each.id not in alone]
    for finding in opened:
        if finding.topic in ("gate", "severity", "stops"):
            exam.fact(
                finding.id,
                finding.claim,
                met=False,
                expected=finding.expected,
                observed=finding.observed,
                next=Text("The Task is strict, and the Pipeline hands it something else: look at `params`."),
                where=document.at(*task.view.path, "params"),
            )


def _shares(task: PipelineTask, conditions: Any) -> bool:
    """Whether a pipeline task has every `when` condition of another."""
    own = task.view.get("when")
    return isinstance(own, list) and isinstance(conditions, list) and all(each in own for each in conditions)


def images_reach(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether IMAGE is handed to the four stages that work on it."""
    for stage in (BUILD, SCAN, SBOM, SIGN):
        for task in stages.by_stage[stage]:
            inner = stages.tasks.get(task.name)
            if task.embedded and inner is not None:
                _judge_embedded(exam, document, task, inner)
            else:
                _judge_value(exam, document, stages, task, "IMAGE", "IMAGE", "image")
    if not exam.facts:
        exam.fact(
            "no-stage", Text("A task of the Pipeline works on the image"), met=None, reason=Reason.NEEDS
        )


def clone_is_told(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether the clone gets the repository and the revision."""
    for task in stages.by_stage[CLONE]:
        inner = stages.tasks.get(task.name)
        for name, catalogue, fact in (
            ("GIT_REPO", "url", "clone-url"),
            ("GIT_REVISION", "revision", "clone-revision"),
        ):
            if inner is None:
                _judge_value(exam, document, stages, task, catalogue, name, fact)
                continue
            texts = [text for text, _ in task.texts()]
            if task.embedded:
                texts += [text for step in inner.steps for text, _ in step.texts]
            used = any(ref.key == f"params.{name}" for text in texts for ref in references(text))
            exam.fact(
                fact if used else f"{fact}-not-passed",
                Text("{task} gets {name}", task=task.name, name=name),
                used,
                expected=f"$(params.{name})",
                observed=Text("no parameter of it has this value"),
                next=Text("Hand it to the parameter of the Task that is meant for it."),
                where=document.at(*task.view.path, "params"),
            )
    if not exam.facts:
        exam.fact(
            "no-clone",
            Text("A task of the Pipeline runs {stage}", stage=CLONE),
            met=None,
            reason=Reason.NEEDS,
        )


def clone_reaches_build(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether what is cloned lies where it is built."""
    wanted = ((CLONE, "output"), (BUILD, "source"))
    for stage, default in wanted:
        for task in stages.by_stage[stage]:
            if task.embedded:
                continue  # sees the Pipeline's workspaces by itself, or binds them under names of its own
            inner = stages.tasks.get(task.name)
            name = (
                default
                if inner is None or default in inner.workspaces
                else next(iter(inner.workspaces), default)
            )
            bound = task.bindings.get(name)
            exam.fact(
                "workspace-not-bound"
                if bound is None
                else "workspace-shared"
                if bound == "shared-workspace"
                else "other-workspace",
                Text("{task} works in the shared workspace", task=task.name),
                bound == "shared-workspace",
                expected=f"workspaces: [{{name: {name}, workspace: shared-workspace}}]",
                observed=Text(
                    "bound: {names}", names=", ".join(f"{k}: {v}" for k, v in task.bindings.items()) or "–"
                ),
                next=Text("On the left the name the Task knows, on the right the Pipeline's."),
                where=document.at(*task.view.path, "workspaces"),
            )
    if not exam.facts:
        embedded = any(task.embedded for stage, _ in wanted for task in stages.by_stage[stage])
        there = "shared-workspace" in stages.pipeline.workspaces
        exam.fact(
            "shared",
            Text("Clone and build share the workspace"),
            True if embedded and there else None,
            reason=Reason.NEEDS,
        )


def same_folder(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether the clone puts the sources where the build looks for them."""
    folders: dict[str, set[str]] = {CLONE: set(), BUILD: set()}
    for stage, found in folders.items():
        for task in stages.by_stage[stage]:
            found.update(each.text("subPath") for each in task.view.items("workspaces"))
    below = [task for task in stages.by_stage[CLONE] if task.given.get("subdirectory")]
    where = document.at(*below[0].view.path, "params") if below else document.at("spec", "tasks")
    exam.fact(
        "build-elsewhere",
        Text("The clone puts the sources where the build looks for them"),
        not below and (folders[CLONE] == folders[BUILD] or not all(folders.values())),
        expected=Text("no subdirectory, and the same subPath for both"),
        observed=Text(
            "clone: {clone}, build: {build}",
            clone=_named(folders[CLONE], below),
            build=_named(folders[BUILD]),
        ),
        next=Text("Let both work in the root of the workspace, or point kaniko's context to the folder."),
        where=where,
    )


def _named(folders: set[str], below: list[PipelineTask] | None = None) -> str:
    names = [*sorted(folders), *(str(task.given.get("subdirectory")) for task in below or ())]
    return ", ".join(filter(None, names)) or "."


def judge_fit(exam: Exam, document: Document, stages: Stages) -> None:
    """Record what pipeline tasks do not give to their Tasks, as far as these are in td/."""
    absent: list[str] = []
    for task in stages.pipeline.all_tasks:
        inner = stages.tasks.get(task.name)
        if task.embedded:
            continue
        if inner is None:
            if reference_of(task) in FILES:
                absent.append(FILES[reference_of(task)])
            continue
        misfits = [misfit for misfit in task_misfits(task, inner) if misfit.kind != "param-unknown"]
        for misfit in misfits:
            _misfit(exam, document, task, misfit)
        if not misfits:
            exam.fact(
                "fits",
                Text("{task} gives {other} what it asks for", task=task.name, other=inner.name),
                met=True,
            )
    for task, misfit in result_misfits(stages.pipeline, stages.tasks):
        _misfit(exam, document, task, misfit)
    if absent:
        with exam.part():
            exam.blocked(
                "task-file-missing",
                Text("{path} is there to compare with", path=", ".join(sorted(set(absent)))),
                reason=Reason.MISSING_FILE,
            )
    elif not exam.facts:
        exam.fact("fits", Text("No Task of td/ is referred to"), met=True)


#: What a resolver cannot do without: the parameters, any one of each group.
_RESOLVERS: Final = {
    "bundles": (("bundle",), ("name",)),
    "cluster": (("name",),),
    "hub": (("name",),),
    "git": (("url", "repo"), ("pathInRepo",)),
    "http": (("url",),),
}


def resolvers_told(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether Tekton's own resolvers are told where the Task is."""
    for task in stages.pipeline.all_tasks:
        kind = task.resolver.get("resolver", "")
        given = {
            each.text("name") for each in task.view.items("taskRef", "params") if each.text("value").strip()
        }
        missing = [" | ".join(names) for names in _RESOLVERS.get(kind, ()) if not given.intersection(names)]
        if missing:
            exam.fact(
                "resolver-not-told",
                Text("{task}: the resolver is told which Task to fetch", task=task.name),
                met=False,
                expected=", ".join(missing),
                observed=Text("given: {names}", names=", ".join(sorted(given)) or "–"),
                next=Text("Give the resolver its parameters below `taskRef.params`, each a text."),
                where=document.at(*task.view.path, "taskRef", "params"),
            )


def signs_digest(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether the signature is of a digest."""
    for task in stages.by_stage[SIGN]:
        inner = stages.tasks.get(task.name)
        value = task.given.get("IMAGE")
        by_value = isinstance(value, str) and ("@" in value or "results" in value)
        by_task = inner is not None and any(one.signs_digest for one in signings(inner))
        exam.fact(
            "signs-a-tag" if not (by_value or by_task) else "signs-digest",
            Text("The signature is of a digest"),
            by_value or by_task,
            expected="$(params.IMAGE)@$(tasks.<build>.results.IMAGE_DIGEST)",
            observed=Text("the tag alone"),
            next=Text("Let the build hand on its digest and put it behind the name, after an @."),
            where=document.at(*task.view.path, "params"),
        )
    if not exam.facts:
        exam.fact(
            "no-signature",
            Text("A task of the Pipeline runs {stage}", stage=SIGN),
            met=None,
            reason=Reason.NEEDS,
        )


def _judge_value(
    exam: Exam, document: Document, stages: Stages, task: PipelineTask, name: str, parameter: str, fact: str
) -> None:
    """Record whether the parameter `name` of a Task gets the Pipeline's `parameter`."""
    value = task.given.get(name)
    index = next((i for i, each in enumerate(task.view.items("params")) if each.text("name") == name), None)
    where = document.at(*task.view.path, "params", *(() if index is None else (index, "value")))
    claim = Text("{task} gets {name}", task=task.name, name=parameter)
    expected = f"{name}: $(params.{parameter})"
    if value is None:
        exam.fact(
            f"{fact}-not-passed", claim, met=False, expected=expected,
            observed=Text("given: {names}", names=", ".join(task.given) or "–"),
            next=Text("A Task does not see the Pipeline's parameters: hand it over under `params`."),
            where=where,
        )  # fmt: skip
        return
    used = [reference for reference in references(str(value)) if _means(reference.key, parameter, stages)]
    literal = mistaken(str(value))
    # A revision may be a part of one (`v$(params.…)`), and a clone's address may end in .git.
    text = str(value).removesuffix(".git")
    whole = references(text) if fact == "image" else used[:1] if fact == "clone-url" else []
    altered = next((word for each in whole if (word := runs_on(text, each.text))), None)
    if used and altered:
        exam.fact(
            f"{fact}-altered", claim, met=False, expected=expected, observed=altered,
            next=Text("Take the parameter as it is: a letter more makes another value of it."), where=where,
        )  # fmt: skip
        return
    facts = {True: fact, False: "literal-param" if literal else f"hard-coded-{fact}"}
    exam.fact(
        facts[bool(used)], claim, bool(used), expected=expected, observed=str(value)[:200],
        next=Text("Take the Pipeline's parameter, in round brackets with a dollar sign before them."),
        where=where,
    )  # fmt: skip


def _means(key: str, parameter: str, stages: Stages) -> bool:
    if key == f"params.{parameter}":
        return True
    # A result of the build that names the image, such as IMAGE_URL.
    parts = key.split(".")
    built = {task.name for task in stages.by_stage[BUILD]}
    return (
        parameter == "IMAGE"
        and len(parts) >= 4
        and parts[0] == "tasks"
        and parts[1] in built
        and "DIGEST" not in parts[3]
    )


def _judge_embedded(exam: Exam, document: Document, task: PipelineTask, inner: Task) -> None:
    texts = [text for step in inner.steps for text, _ in step.texts]
    given: list[Any] = list(task.given.values())
    used = any(ref.key == "params.IMAGE" for text in [*texts, *map(str, given)] for ref in references(text))
    used = used or any(ref.scope == "tasks" for value in given for ref in references(str(value)))
    literal = [part for text in texts for part in mistaken(text) if "IMAGE" in part]
    exam.fact(
        "image" if used else "literal-param" if literal else "hard-coded-image",
        Text("{task} gets {name}", task=task.name, name="IMAGE"),
        used,
        expected="$(params.IMAGE)",
        observed=literal[0] if literal else Text("its steps do not use it"),
        next=Text("Take the Pipeline's parameter, in round brackets with a dollar sign before them."),
        where=document.at(*task.view.path, "taskSpec"),
    )


def _misfit(exam: Exam, document: Document, task: PipelineTask, misfit: Misfit) -> None:
    claims = {
        "param-not-given": Text(
            "{task} gives {other} the parameter {name}", task=task.name, other=misfit.other, name=misfit.name
        ),
        "param-of-other-type": Text(
            "{task} gives {name} a value of its type", task=task.name, name=misfit.name
        ),
        "workspace-not-bound": Text(
            "{task} binds the workspace {name} of {other}",
            task=task.name,
            other=misfit.other,
            name=misfit.name,
        ),
        "workspace-unknown": Text("{other} has the workspace {name}", other=misfit.other, name=misfit.name),
        "result-unknown": Text("{other} has the result {name}", other=misfit.other, name=misfit.name),
    }
    advice = {
        "param-not-given": Text(
            "Add it under `params` of the pipeline task, or give it a default in the Task."
        ),
        "param-of-other-type": Text("A list for an array, a text for a string."),
        "workspace-not-bound": Text(
            "Add it under `workspaces` of the pipeline task: the Task's name and the Pipeline's."
        ),
        "workspace-unknown": Text("Compare the name with `spec.workspaces` of the Task."),
        "result-unknown": Text("Declare the result in the Task and let a step write it."),
    }
    exam.fact(
        misfit.kind,
        claims[misfit.kind],
        met=False,
        expected=misfit.name,
        observed=Text("the controller refuses the run for it"),
        next=advice[misfit.kind],
        where=document.at(*task.view.path, *misfit.path),
    )
