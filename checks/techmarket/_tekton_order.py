"""Whether the stages of the pipeline run one after the other."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text
from workshop.tekton import Graph
from workshop.verdicts import Reason

from ._tekton_stages import BUILD, CLONE, SBOM, SCAN, SIGN, Stages

_PAIRS = ((CLONE, BUILD), (BUILD, SCAN), (SCAN, SBOM), (SBOM, SIGN))
_NOT_AFTER = {
    BUILD: "build-before-clone",
    SCAN: "scan-before-build",
    SBOM: "sbom-before-scan",
    SIGN: "sign-before-sbom",
}
_IN_FINALLY = {SIGN: "sign-in-finally", SCAN: "scan-in-finally"}


def judge_order(exam: Exam, document: Document, stages: Stages) -> None:
    """Record whether the stages run one after the other."""
    graph = Graph(stages.pipeline)
    if graph.cycle:
        exam.blocked(
            "order-in-circle",
            Text("The order can be told"),
            reason=Reason.NEEDS,
            observed=Text("tasks wait for each other in a circle: {tasks}", tasks=", ".join(graph.cycle)),
        )
    present = [stage for stage, tasks in stages.by_stage.items() if tasks]
    if (
        not graph.has_edges
        and len(present) > 1
        and not any(t.final for s in present for t in stages.by_stage[s])
    ):
        exam.fail(
            "list-order-is-no-order",
            Text("Each stage waits for the one before it"),
            expected=Text("runAfter, or a result of the task before"),
            observed=Text("no task waits for another: all start together"),
            next=Text("The order of the list has no effect. Say in each task which one it runs after."),
            where=document.at("spec", "tasks"),
        )
    for stage in present:
        for task in stages.by_stage[stage]:
            if task.final:
                exam.fact(
                    _IN_FINALLY.get(stage, "stage-in-finally"),
                    Text("{stage} is part of the chain", stage=stage),
                    met=False,
                    expected=Text("a task under spec.tasks"),
                    observed=Text(
                        "{task} stands under finally, which runs whatever happened before", task=task.name
                    ),
                    next=Text("Move it to spec.tasks: finally is for cleaning up and telling people."),
                    where=document.at(*task.view.path),
                )
    for first, second in _PAIRS:
        _judge_pair(exam, document, stages, graph, first, second)
    _judge_signature(exam, document, stages, graph)
    if not exam.facts:
        exam.fact("order-unclear", Text("The order can be told"), met=None, reason=Reason.NEEDS)


def _judge_pair(
    exam: Exam, document: Document, stages: Stages, graph: Graph, first: str, second: str
) -> None:
    earlier = [task for task in stages.by_stage[first] if not task.final]
    for task in [task for task in stages.by_stage[second] if not task.final]:
        if not earlier or task in earlier:
            continue
        holds = any(graph.is_before(one, task) for one in earlier)
        beside = (first, second) == (SCAN, SBOM) and not any(graph.is_before(task, one) for one in earlier)
        exam.fact(
            "ordered" if holds else "sbom-beside-scan" if beside else _NOT_AFTER[second],
            Text("{second} runs after {first}", second=second, first=first),
            holds,
            expected=Text(
                "{second} waits for {first}, directly or through others",
                second=task.name,
                first=earlier[0].name,
            ),
            observed=Text("it waits for: {names}", names=", ".join(sorted(graph.before[task.name])) or "–"),
            next=Text(
                "Side by side is safe too, as long as the signature waits for both; the statement asks for "
                "a line."
            )
            if beside
            else Text("Name the task before it in `runAfter`, by the name it has in this Pipeline."),
            where=document.at(*task.view.path, "runAfter"),
        )


def _judge_signature(exam: Exam, document: Document, stages: Stages, graph: Graph) -> None:
    gates = [task for task in stages.by_stage[SCAN] if not task.final]
    for task in [task for task in stages.by_stage[SIGN] if not task.final]:
        if gates and task not in gates:
            holds = any(graph.is_before(gate, task) for gate in gates)
            exam.fact(
                "sign-after-scan" if holds else "sign-before-scan",
                Text("Nothing is signed before it was scanned"),
                holds,
                expected=Text(
                    "{second} waits for {first}, directly or through others",
                    second=task.name,
                    first=gates[0].name,
                ),
                observed=Text(
                    "it waits for: {names}", names=", ".join(sorted(graph.before[task.name])) or "–"
                ),
                next=Text("A signature vouches for the image. Let it wait until the scan has passed."),
                where=document.at(*task.view.path, "runAfter"),
            )
