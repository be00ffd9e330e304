"""Steps, graphs and what fits together."""

from __future__ import annotations

import pytest

from workshop.tekton import (
    Graph,
    PipelineRun,
    PipelineSpec,
    Program,
    Task,
    parse_image,
    read_flags,
    result_misfits,
    run_misfits,
    shown,
    task_misfits,
    version_of,
)
from workshop.workspace import Document, parse_documents


def one(text: str) -> Document:
    return parse_documents(text, file="td/tekton/x.yaml")[0]


def commands(spec: str) -> list[list[str]]:
    indented = "\n".join(f"  {line}" for line in spec.splitlines())
    task = Task.of(one(f"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: t}}\nspec:\n{indented}\n"))
    return [
        [shown(word) for word in ran.argv]
        for step in task.steps
        for ran in Program(step, task.values()).commands
    ]


def test_the_image_decides_without_a_command() -> None:
    assert commands("steps: [{image: 'anchore/syft:v1', args: [x]}]") == [["/syft", "x"]]
    assert commands("steps: [{image: 'r.io/mirror/aquasec/trivy@sha256:1', args: [x]}]") == [["trivy", "x"]]
    assert commands("steps: [{image: 'gcr.io/kaniko-project/executor', args: [x]}]") == [
        ["/kaniko/executor", "x"]
    ]


def test_environment_reaches_args_as_kubernetes_expands_it() -> None:
    spec = """
params: [{name: IMAGE}, {name: LEVEL, default: CRITICAL}]
stepTemplate: {env: [{name: SEVERITY, value: $(params.LEVEL)}]}
steps:
  - image: aquasec/trivy:1
    env: [{name: TARGET, value: "$(params.IMAGE)"}, {name: FULL, value: "x/$(TARGET)"}]
    args: [image, --severity, $(SEVERITY), $(FULL), $$(TARGET), $(UNKNOWN)]
"""
    assert commands(spec) == [
        ["trivy", "image", "--severity", "CRITICAL", "x/$(params.IMAGE)", "$(TARGET)", "$(UNKNOWN)"]
    ]


def test_a_script_runs_with_errexit_unless_it_has_a_shebang() -> None:
    def ends(script: str) -> set[int]:
        task = Task.of(one(f"kind: Task\nspec: {{steps: [{{image: 'b:1', script: {script!r}}}]}}"))
        ways = Program(task.steps[0], {}).follow(lambda argv: int(argv[0] == "trivy"))
        return {way.status for way in ways}

    assert ends("trivy x; echo done") == {1}
    assert ends("#!/bin/sh -e; echo") != {1}


def test_graph_closes_over_run_after_and_results() -> None:
    pipeline = PipelineSpec.of(
        one("""
kind: Pipeline
spec:
  tasks:
    - {name: c, params: [{name: x, value: "a $(tasks.b.results.r)"}]}
    - {name: b, runAfter: [a]}
    - {name: a}
    - {name: d, when: [{input: $(tasks.c.results.s), operator: in, values: ["1"]}]}
    - {name: e, taskSpec: {steps: [{image: x, script: "echo $(tasks.a.results.r)"}]}}
  finally: [{name: f}]
""")
    )
    graph = Graph(pipeline)
    assert graph.before == {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "b", "c"}, "e": {"a"}}
    tasks = {task.name: task for task in pipeline.all_tasks}
    assert graph.is_before(tasks["a"], tasks["d"])
    assert not graph.is_before(tasks["d"], tasks["a"])
    assert not graph.is_before(tasks["a"], tasks["f"])
    assert graph.cycle == []


def test_graph_finds_a_cycle() -> None:
    pipeline = PipelineSpec.of(
        one(
            "spec: {tasks: [{name: x}, {name: a, runAfter: [c, x]},"
            " {name: b, runAfter: [a]}, {name: c, runAfter: [b]}]}"
        )
    )
    assert sorted(Graph(pipeline).cycle) == ["a", "b", "c"]


def test_what_a_pipeline_task_owes_its_task() -> None:
    task = Task.of(
        one("""
metadata: {name: t}
spec:
  params: [{name: IMAGE}, {name: LEVEL, default: x}, {name: LIST, type: array}]
  workspaces: [{name: source}, {name: cache, optional: true}]
  results: [{name: r}]
""")
    )
    pipeline = PipelineSpec.of(
        one("""
spec:
  tasks:
    - name: a
      taskRef: {name: t}
      params: [{name: LIST, value: text}, {name: EXTRA, value: x}]
      workspaces: [{name: src, workspace: shared}]
    - {name: b, params: [{name: x, value: $(tasks.a.results.nothing)}]}
""")
    )
    misfits = {(misfit.kind, misfit.name) for misfit in task_misfits(pipeline.tasks[0], task)}
    assert misfits == {
        ("param-not-given", "IMAGE"),
        ("param-of-other-type", "LIST"),
        ("param-unknown", "EXTRA"),
        ("workspace-not-bound", "source"),
        ("workspace-unknown", "src"),
    }
    ((owner, misfit),) = result_misfits(pipeline, {"a": task})
    assert (owner.name, misfit.name) == ("b", "nothing")


def test_what_a_run_owes_its_pipeline() -> None:
    pipeline = PipelineSpec.of(
        one("spec: {params: [{name: A}, {name: B, default: x}], workspaces: [{name: w}]}")
    )
    run = PipelineRun.of(one("spec: {params: [{name: B, value: x}]}"))
    assert [(misfit.kind, misfit.name) for misfit in run_misfits(run, pipeline)] == [
        ("param-not-given", "A"),
        ("workspace-not-bound", "w"),
    ]


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest", "moves"),
    [
        ("nginx", "nginx", "", "", True),
        ("nginx:latest", "nginx", "latest", "", True),
        ("localhost:5000/a/b", "localhost:5000/a/b", "", "", True),
        ("ghcr.io/a/b:v1.2", "ghcr.io/a/b", "v1.2", "", False),
        ("a/b@sha256:1", "a/b", "", "sha256:1", False),
        ("a/b:v1@sha256:1", "a/b", "v1", "sha256:1", False),
    ],
)
def test_images(text: str, repository: str, tag: str, digest: str, moves: bool) -> None:
    image = parse_image(text)
    assert (image.repository, image.tag, image.digest, image.moves) == (repository, tag, digest, moves)


def test_versions() -> None:
    assert version_of(parse_image("a:v2.6.4-dev")) == (2, 6, 4)
    assert version_of(parse_image("a:0.70")) == (0, 70, 0)
    assert version_of(parse_image("a:latest")) is None


def test_flags() -> None:
    flags = read_flags(
        ["image", "--a=1", "--a", "2", "-q", "-sHIGH", "--on", "x", "--", "-y"],
        switches=frozenset({"on", "quiet"}),
        short={"q": "quiet", "s": "severity"},
    )
    assert flags.words == ["image", "x", "-y"]
    assert flags.values == {"a": ["1", "2"], "quiet": ["true"], "severity": ["HIGH"], "on": ["true"]}
    assert flags.last("a") == "2"
    assert flags.is_on("on") is True
    assert flags.is_on("off") is None
