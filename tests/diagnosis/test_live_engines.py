"""What the engines themselves say: Kyverno, Tekton, Argo Rollouts, and webhooks that do not answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.ward import Ward, deny_latest, deployment, gone_after, pod, stopped
from tests.rig.cluster import wait_for
from workshop.checking import Exam
from workshop.cluster.port import Decision
from workshop.cluster.stage import LiveStages
from workshop.diagnosis.symptom import Sign
from workshop.engine import Run, judge_exercise
from workshop.sandbox.client import ApiError, Document
from workshop.verdicts import Mode, Reason, Verdict
from workshop.workspace import Workspace

RUN = "td/tekton/pipelinerun.yaml"


def tekton(kind: str, name: str, spec: Document, **metadata: Any) -> Document:
    return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def step(image: str = "nginx:1.27.5") -> Document:
    return {"steps": [{"name": "work", "image": image}]}


# --- webhooks that do not answer ----------------------------------------------------------------------


@pytest.mark.shows(Sign.KYVERNO_WEBHOOK_DEAD)
def test_a_kyverno_that_hangs_refuses_every_pod(ward: Ward) -> None:
    policy = deny_latest("ward-hanging", ward.namespace)
    policy["spec"]["webhookConfiguration"] = {"timeoutSeconds": 1}
    with gone_after(ward.rig, policy):
        wait_for(lambda: ward.rig.cluster().try_create(ward.here(pod("x", "nginx:latest"))).admitted is False)
        with stopped(ward.rig, "kyverno"):
            ward.apply(deployment("web"))
            found = ward.until(Sign.KYVERNO_WEBHOOK_DEAD, "2.2")
            assert found.entry == "kyverno-webhook-dead"
            assert "failed calling webhook" in str(found.message)
            # The checks themselves hear it too, with no workload that would show it.
            heard = ward.told(lambda exam: exam.cluster.try_create(ward.here(pod("probe"))))
            assert heard.verdict is Verdict.UNKNOWN
            assert ward.until(Sign.KYVERNO_WEBHOOK_DEAD, "2.3", "no=workload", results=[heard])


@pytest.mark.shows(Sign.TEKTON_WEBHOOK_DEAD)
def test_a_tekton_webhook_that_hangs_takes_no_task(ward: Ward) -> None:
    task = ward.here(tekton("Task", "trivy-scan", step()))
    with stopped(ward.rig, "tekton-webhook"):
        heard = ward.told(lambda exam: exam.cluster.try_create(task), "4.3")
    found = ward.until(Sign.TEKTON_WEBHOOK_DEAD, "4.3", results=[heard])
    assert found.entry == "tekton-webhook-not-ready"


@pytest.mark.shows(Sign.WEBHOOK_DEAD, Sign.KYVERNO_WEBHOOK_DEAD)
@pytest.mark.parametrize(
    ("name", "sign", "entry"),
    [
        ("check.example.org", Sign.WEBHOOK_DEAD, "webhook-dead"),
        ("validate.kyverno.svc-fail", Sign.KYVERNO_WEBHOOK_DEAD, "kyverno-webhook-dead"),
    ],
)
def test_a_webhook_with_nobody_behind_it(ward: Ward, name: str, sign: Sign, entry: str) -> None:
    exercise_id = "1.1" if sign is Sign.WEBHOOK_DEAD else "2.2"
    configuration = _webhook(ward, name)
    with gone_after(ward.rig, configuration):
        assert "no Service" in str(ward.until(sign, exercise_id).message)

        spec = {"selector": {"app": "hook"}, "ports": [{"port": 443}]}
        ward.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook"}, "spec": spec})
        found = ward.until(sign, exercise_id)
        assert found.entry == entry
        assert "no endpoints" in str(found.message)

        ward.apply({**pod("hook"), "metadata": {"name": "hook", "labels": {"app": "hook"}}})
        wait_for(lambda: ward.look(exercise_id) == ())


def _webhook(ward: Ward, name: str) -> Document:
    service = {"namespace": ward.namespace, "name": "hook"}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    webhook = {
        "name": name,
        "clientConfig": {"service": service},
        "rules": [rule],
        # Nobody else's Pods are to suffer.
        "namespaceSelector": {"matchLabels": {"no": "such-namespace"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"{ward.namespace}-hook"},
        "webhooks": [webhook],
    }


@pytest.mark.shows(Sign.WEBHOOK_LISTS_NO_RULE)
def test_a_webhook_that_lists_no_policy(ward: Ward) -> None:
    policy = deny_latest("ward-unlisted", ward.namespace)
    path = (
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        "/kyverno-resource-validating-webhook-cfg"
    )
    ward.file("td/kyverno/policy-deny-latest.yaml", policy)
    with gone_after(ward.rig, policy):
        wait_for(lambda: ward.rig.cluster().try_create(ward.here(pod("x", "nginx:latest"))).admitted is False)
        assert ward.look("2.2") == ()
        with stopped(ward.rig, "kyverno"):  # it would write them again at once
            ward.rig.api.merge(path, {"webhooks": []})
            found = ward.until(Sign.WEBHOOK_LISTS_NO_RULE, "2.2")
            assert found.entry == "policies-do-nothing"
            assert found.object == "ClusterPolicy/ward-unlisted"
        # Kyverno repairs what was taken from it as soon as it runs and looks again.
        touch = {"metadata": {"annotations": {"example.org/touched": "yes"}}}
        ward.rig.api.merge(ward.rig.api.path(policy), touch)
        wait_for(lambda: (ward.rig.api.get(path) or {}).get("webhooks"))


# --- policies -----------------------------------------------------------------------------------------


@pytest.mark.shows(Sign.POLICY_NOT_READY)
def test_a_policy_for_which_kyverno_lacks_rights(ward: Ward) -> None:
    labels = "Object{metadata: Object.metadata{labels: Object.metadata.labels{team: 'a'}}}"
    rule = {"apiGroups": ["example.org"], "apiVersions": ["v1"], "operations": ["CREATE"]}
    policy = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "MutatingPolicy",
        "metadata": {"name": "ward-lacking"},
        "spec": {
            "matchConstraints": {"resourceRules": [{**rule, "resources": ["things"]}]},
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": labels}}],
        },
    }
    ward.file("td/kyverno/policy-add-labels.yaml", policy)
    with gone_after(ward.rig, policy):
        found = ward.until(Sign.POLICY_NOT_READY, "2.4")
    assert found.entry == "policy-not-ready"
    assert "missing permissions" in str(found.message)


def test_somebody_else_s_policy_is_not_this_exercise_s(ward: Ward) -> None:
    ward.file("td/kyverno/policy-deny-latest.yaml", deny_latest("disallow-latest-tag", "default"))
    with gone_after(ward.rig, deny_latest("ward-other", ward.namespace)):
        assert ward.look("2.2") == ()


# --- what the API server says to the checks -----------------------------------------------------------


def _service(name: str, node_port: int) -> Document:
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": node_port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.mark.shows(Sign.NODE_PORT_TAKEN)
def test_a_node_port_that_somebody_else_has(ward: Ward) -> None:
    with gone_after(ward.rig, ward.here(_service("first", 31_999))):
        heard = ward.told(lambda exam: exam.cluster.try_create(ward.here(_service("second", 31_999))), "1.1")
    assert ward.until(Sign.NODE_PORT_TAKEN, "1.1", results=[heard]).entry == "node-port-taken"


@pytest.mark.shows(Sign.ANNOTATION_TOO_LONG)
def test_an_annotation_that_is_too_long(ward: Ward) -> None:
    metadata = {"name": "definition", "annotations": {"example.org/last": "x" * 262_145}}
    config = ward.here({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    heard = ward.told(lambda exam: exam.cluster.try_create(config), "2.1")
    found = ward.until(Sign.ANNOTATION_TOO_LONG, "2.1", results=[heard])
    assert found.entry == "crd-annotation-too-long"
    assert len(str(found.message)) <= 400


@pytest.mark.shows(Sign.POLICY_REFUSED)
def test_a_policy_that_kyverno_turns_away(ward: Ward) -> None:
    policy = deny_latest("ward-wrong", ward.namespace)
    policy["spec"]["rules"][0]["validate"]["message"] = "{{ nowhere.defined }}"
    heard = ward.told(lambda exam: exam.cluster.try_create(policy))
    found = ward.until(Sign.POLICY_REFUSED, "2.2", results=[heard])
    assert found.entry == "policy-refused-at-creation"
    assert "nowhere.defined" in str(found.message)


@pytest.mark.shows(Sign.KIND_NOT_SERVED)
def test_a_kind_nobody_installed(ward: Ward) -> None:
    def question(exam: Exam) -> Decision:
        return exam.cluster.try_create(
            {"apiVersion": "chaos.example.org/v1", "kind": "Engine", "metadata": {"name": "x"}}
        )

    heard = ward.told(question, "3.4")
    assert (heard.verdict, heard.reason) == (Verdict.BLOCKED, Reason.MISSING_CRD)
    assert ward.until(Sign.KIND_NOT_SERVED, "3.4", results=[heard]).entry == "no-match-for-chaosengine"
    assert ward.until(Sign.KIND_NOT_SERVED, "bonus-1", results=[heard]).entry == "kind-not-served"


def test_the_refusal_a_probe_was_made_for_is_no_symptom(ward: Ward) -> None:
    with gone_after(ward.rig, deny_latest("ward-denying", ward.namespace)):
        probe = ward.here(pod("probe", "nginx:latest"))
        wait_for(lambda: ward.rig.cluster().try_create(probe).admitted is False)
        heard = ward.told(lambda exam: exam.cluster.try_create(probe))
    assert heard.verdict is Verdict.FAILED
    assert ward.look("2.2", results=[heard]) == ()


# --- Tekton's controller ------------------------------------------------------------------------------


@pytest.mark.shows(Sign.TASK_MISSING, Sign.PIPELINE_MISSING, Sign.PARAMETER_MISSING, Sign.WORKSPACE_UNBOUND)
@pytest.mark.parametrize(
    ("spec", "sign", "entry"),
    [
        (
            {"pipelineSpec": {"tasks": [{"name": "clone", "taskRef": {"name": "git-clone"}}]}},
            Sign.TASK_MISSING,
            "pipeline-task-missing",
        ),
        ({"pipelineRef": {"name": "secure-build"}}, Sign.PIPELINE_MISSING, "pipeline-missing"),
        (
            {
                "pipelineSpec": {
                    "params": [{"name": "IMAGE"}],
                    "tasks": [{"name": "build", "taskSpec": step()}],
                }
            },
            Sign.PARAMETER_MISSING,
            "pipeline-parameter-missing",
        ),
        (
            {
                "pipelineSpec": {
                    "workspaces": [{"name": "shared-workspace"}],
                    "tasks": [{"name": "build", "taskSpec": step()}],
                }
            },
            Sign.WORKSPACE_UNBOUND,
            "pipeline-workspace-unbound",
        ),
    ],
)
def test_a_run_that_never_began(ward: Ward, spec: Document, sign: Sign, entry: str) -> None:
    run = tekton("PipelineRun", "payment-service-build-1", spec)
    ward.apply(run)
    ward.file(RUN, run)
    found = ward.until(sign, "4.7")
    assert found.entry == entry
    assert found.object == f"PipelineRun/{ward.namespace}/payment-service-build-1"


@pytest.mark.shows(Sign.TWO_CLAIMS)
def test_a_task_with_two_claims(ward: Ward) -> None:
    claims = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        for name in ("one", "two")
    ]
    names = [{"name": name} for name in ("one", "two")]
    pipeline = {
        "workspaces": names,
        "tasks": [{"name": "build", "taskSpec": {**step(), "workspaces": names}, "workspaces": names}],
    }
    bound = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("one", "two")]
    run = tekton("PipelineRun", "two", {"pipelineSpec": pipeline, "workspaces": bound})
    ward.apply(*claims, run)
    assert ward.until(Sign.TWO_CLAIMS, "4.7").entry == "run-two-claims"


@pytest.mark.shows(Sign.RUN_TIMED_OUT)
def test_a_run_that_takes_too_long(ward: Ward) -> None:
    spec = {"taskSpec": step(), "timeout": "1s", "podTemplate": {"nodeSelector": {"no": "where"}}}
    ward.apply(tekton("TaskRun", "slow", spec))
    assert ward.until(Sign.RUN_TIMED_OUT, "4.7").entry == "run-timed-out"


@pytest.mark.shows(Sign.RUN_POD_REFUSED)
def test_a_run_whose_pod_a_policy_refuses(ward: Ward) -> None:
    with gone_after(ward.rig, deny_latest("ward-runs", ward.namespace)):
        wait_for(lambda: ward.rig.cluster().try_create(ward.here(pod("x", "nginx:latest"))).admitted is False)
        # Of a step without a command Tekton asks for the entrypoint, and writes a digest for the tag.
        tagged = {"steps": [{**step("nginx:latest")["steps"][0], "command": ["sh"]}]}
        ward.apply(tekton("TaskRun", "build", {"taskSpec": tagged}))
        found = ward.until(Sign.RUN_POD_REFUSED, "4.7")
    assert found.entry == "run-pod-refused"
    assert "ward-runs" in str(found.message)


@pytest.mark.shows(Sign.SERVICE_ACCOUNT_MISSING, Sign.QUOTA_EXCEEDED, Sign.POD_SECURITY)
def test_runs_that_other_rules_of_a_namespace_hold_up(ward: Ward) -> None:
    ward.apply(tekton("TaskRun", "push", {"taskSpec": step(), "serviceAccountName": "builder"}))
    assert ward.until(Sign.SERVICE_ACCOUNT_MISSING, "4.7").entry == "service-account-missing"

    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}}
    ward.apply({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    wait_for(lambda: "hard" in ward.read("ResourceQuota", "small").get("status", {}))
    ward.apply(tekton("TaskRun", "build", {"taskSpec": step()}))
    assert ward.until(Sign.QUOTA_EXCEEDED, "4.7").object == f"TaskRun/{ward.namespace}/build"

    # Tried again, it would meet the label too.
    ward.rig.api.delete(f"/apis/tekton.dev/v1/namespaces/{ward.namespace}/taskruns/build")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    ward.rig.api.merge(f"/api/v1/namespaces/{ward.namespace}", {"metadata": {"labels": labels}})
    privileged = {"steps": [{**step()["steps"][0], "securityContext": {"privileged": True}}]}
    ward.apply(tekton("TaskRun", "scan", {"taskSpec": privileged}))
    assert ward.until(Sign.POD_SECURITY, "4.2").object == f"TaskRun/{ward.namespace}/scan"


@pytest.mark.shows(Sign.SCAN_GATE, Sign.STEP_FAILED, Sign.START_ERROR, Sign.PULL_RATE_LIMIT)
@pytest.mark.parametrize(
    ("task", "reason", "message", "terminated", "sign", "entry"),
    [
        (
            "trivy-scan",
            "Failed",
            '"step-trivy" exited with code 1',
            ("Error", 1),
            Sign.SCAN_GATE,
            "trivy-gate",
        ),
        (
            "kaniko-build-push",
            "Failed",
            '"step-build" exited with code 1: Error',
            ("Error", 1),
            Sign.STEP_FAILED,
            "step-failed",
        ),
        (
            "generate-sbom",
            "Failed",
            '"step-syft" exited with code 128',
            ("StartError", 128),
            Sign.START_ERROR,
            "tekton-no-shell",
        ),
        (
            "trivy-scan",
            "TaskRunImagePullFailed",
            'The step "trivy" in TaskRun "x" failed to pull the image "aquasec/trivy:1": toomanyrequests',
            None,
            Sign.PULL_RATE_LIMIT,
            "pull-rate-limit",
        ),
    ],
)
def test_steps_that_ran_and_ended_badly(
    ward: Ward, task: str, reason: str, message: str, terminated: Any, sign: Sign, entry: str
) -> None:
    """No step runs here: the controller is stopped, and its account of one is written in its place."""
    run = tekton("TaskRun", "run", {"taskRef": {"name": task}}, labels={"tekton.dev/task": task})
    done = "2026-01-15T10:00:00Z"
    steps = []
    if terminated:
        ended = {"reason": terminated[0], "exitCode": terminated[1], "startedAt": done, "finishedAt": done}
        steps = [{"name": "trivy" if task == "trivy-scan" else "work", "terminated": ended}]
    condition = {
        "type": "Succeeded",
        "status": "False",
        "reason": reason,
        "message": message,
        "lastTransitionTime": done,
    }
    with stopped(ward.rig, "tekton-controller"):
        ward.apply(run)
        status = {"conditions": [condition], "steps": steps, "startTime": done, "completionTime": done}
        ward.write_status(run, status)
        exercise_id = {"trivy-scan": "4.3", "generate-sbom": "4.5"}.get(task, "4.2")
        assert ward.until(sign, exercise_id).entry == entry
        ward.rig.api.delete(ward.rig.api.path(ward.here(run)))


def test_a_run_that_failed_before_a_good_one_is_over(ward: Ward) -> None:
    mark = {"tekton.dev/pipeline": "build"}
    bad = {"pipelineSpec": {"tasks": [{"name": "clone", "taskRef": {"name": "git-clone"}}]}}
    ward.apply(tekton("Pipeline", "build", bad["pipelineSpec"]))
    ward.apply(tekton("PipelineRun", "first", {"pipelineRef": {"name": "build"}}, labels=mark))
    ward.until(Sign.TASK_MISSING, "4.7")
    ward.apply(tekton("Task", "git-clone", step()))
    first = ward.read("PipelineRun.tekton.dev", "first")["metadata"]["creationTimestamp"]

    def later() -> bool:  # times are kept to the second, and the newest run counts
        ward.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clock"}})
        made = ward.read("ConfigMap", "clock")["metadata"]["creationTimestamp"]
        ward.rig.api.delete(f"/api/v1/namespaces/{ward.namespace}/configmaps/clock")
        return bool(made > first)

    wait_for(later)
    ward.apply(tekton("PipelineRun", "second", {"pipelineRef": {"name": "build"}}, labels=mark))
    wait_for(lambda: ward.look("4.7") == ())
    assert ward.read("PipelineRun.tekton.dev", "first")["status"]["conditions"][0]["status"] == "False"


# --- Argo Rollouts' controller ------------------------------------------------------------------------


def rollout(ward: Ward, steps: list[Document], image: str = "nginx:1.27.5") -> Document:
    labels = {"app": "payment-service"}
    template = {"metadata": {"labels": labels}, "spec": pod("x", image)["spec"]}
    return ward.here(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "payment-service"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": template,
                "strategy": {"canary": {"steps": steps}},
            },
        }
    )


@pytest.mark.shows(Sign.ROLLOUT_INVALID)
def test_a_rollout_whose_analysis_is_nowhere(ward: Ward) -> None:
    analysis = {"analysis": {"templates": [{"templateName": "success-rate"}]}}
    made = rollout(ward, [{"setWeight": 10}, analysis])
    ward.apply(made)
    ward.file("td/bonus/rollout-canary.yaml", made)
    found = ward.until(Sign.ROLLOUT_INVALID, "bonus-1", "no=workload")
    assert found.entry == "rollout-invalid-spec"
    assert "success-rate" in str(found.message)


@pytest.mark.shows(Sign.ROLLOUT_ABORTED)
def test_a_rollout_that_was_called_off(ward: Ward) -> None:
    first = rollout(ward, [{"setWeight": 10}, {"pause": {}}])
    ward.apply(first)
    ward.file("td/bonus/rollout-canary.yaml", first)
    _phase(ward, "Healthy")
    ward.apply(rollout(ward, [{"setWeight": 10}, {"pause": {}}], "nginx:1.28.0"))
    _phase(ward, "Paused")
    ward.rig.api.merge(ward.rig.api.path(first) + "/status", {"status": {"abort": True}})
    found = ward.until(Sign.ROLLOUT_ABORTED, "bonus-1", "no=workload")
    assert found.entry == "rollout-aborted"
    wait_for(lambda: "RolloutAborted" in str(ward.look("bonus-1", "no=workload")[0].message))


def _phase(ward: Ward, phase: str) -> None:
    kind = "Rollout.argoproj.io"
    wait_for(lambda: ward.read(kind, "payment-service").get("status", {}).get("phase") == phase)


# --- all of it, as a student sees it ------------------------------------------------------------------


def test_from_a_stopped_kyverno_to_the_hint_of_an_exercise(ward: Ward) -> None:
    solution = ward.lab.solutions / "td/kyverno/policy-deny-latest.yaml"
    target = ward.folder / "td/kyverno/policy-deny-latest.yaml"
    target.parent.mkdir(parents=True)
    target.write_text(solution.read_text())
    exercise = ward.lab.exercise("2.2")
    assert exercise is not None
    workspace = Workspace(ward.folder)
    (document,) = (each.data for each in workspace.documents("td/kyverno/policy-deny-latest.yaml"))
    with gone_after(ward.rig, document):
        probe = pod("x", "nginx:latest")
        wait_for(lambda: _is_refused(ward, ward.here(probe)))
        run = Run.of(ward.lab, workspace, Mode.CLUSTER, LiveStages(ward.rig.cluster()))
        with stopped(ward.rig, "kyverno"):
            result = judge_exercise(run, exercise)
        again = Run.of(ward.lab, workspace, Mode.CLUSTER, LiveStages(ward.rig.cluster()))
        wait_for(lambda: judge_exercise(again, exercise).verdict is Verdict.PASSED)
    assert result.verdict is Verdict.UNKNOWN
    assert result.diagnosis[0].id == "kyverno-webhook-dead"
    assert result.hint == result.diagnosis[0].remedy


def _is_refused(ward: Ward, document: Document) -> bool:
    try:
        ward.rig.api.create(document, dry_run=True)
    except ApiError as error:
        return error.status == 400
    return False
