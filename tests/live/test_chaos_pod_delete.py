"""3.4 on a real API server: rights by its access reviews; engine and result as Litmus' programs write them.

No operator and no experiment runs here: their statuses are states that the tests create.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet, untold
from tests.live.objects import Object, applied, namespace, until, workload
from tests.live.test_litmus_install import operator
from tests.live.test_recording_rules import rules
from tests.rig.cluster import Rig
from tests.rig.prometheus import Prometheus
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

EXERCISE = "3.4"
FILE = "td/litmus/chaos-pod-delete.yaml"
TAKEN, STANDS, NEEDS = "taken_by_the_cluster", "what_it_stands_on", "engine_finds_what_it_needs"
RAN, TRACE, THREE = "experiment_has_run", "a_pod_was_deleted", "one_of_three_pods"
RIGHTS, HELD, RATE = "account_may_do_it", "hypothesis_held", "success_rate_stayed_high"
FAULT: Object = {
    "apiVersion": "litmuschaos.io/v1alpha1",
    "kind": "ChaosExperiment",
    "metadata": {"name": "pod-delete", "namespace": "default"},
    "spec": {"definition": {"image": "played.invalid/go-runner:1", "scope": "Namespaced"}},
}


def reference(lab: Lab) -> list[Object]:
    """Return engine, account, role and binding of the reference solution."""
    return list(yaml.safe_load_all((lab.solutions / FILE).read_text(encoding="utf-8")))


def service(**how: Any) -> Object:
    return workload("payment-service", replicas=how.pop("replicas", 3), **how)


def result(verdict: str = "Pass", phase: str = "Completed", **more: Any) -> Object:
    """Return a ChaosResult as the experiment leaves it."""
    probes = more.pop("probes", [])
    return {
        "apiVersion": "litmuschaos.io/v1alpha1",
        "kind": "ChaosResult",
        "metadata": {"name": "payment-chaos-pod-delete", "namespace": "default"},
        "spec": {"engine": "payment-chaos", "experiment": "pod-delete"},
        "status": {"experimentStatus": {"phase": phase, "verdict": verdict, **more}, "probeStatuses": probes},
    }


def error(code: str, reason: str) -> Object:
    return result("Error", "Error", errorOutput={"errorCode": code, "reason": reason})


FAILED_PROBE = [
    {
        "name": "payments-are-answered",
        "type": "httpProbe",
        "mode": "Continuous",
        "status": {"verdict": "Failed"},
    }
]


@pytest.fixture
def stage(pristine_rig: Rig) -> Rig:
    """Litmus' operator and three Pods of the payment-service."""
    applied(pristine_rig, namespace("litmus"), operator(), service())
    return pristine_rig


def with_engine(lab: Lab, rig: Rig, **status: Any) -> Rig:
    """Apply everything of the reference solution; the engine with a status, if any."""
    engine, *others = reference(lab)
    rig.apply(FAULT, *others, {**engine, **({"status": status} if status else {})})
    return rig


def restart_one(rig: Rig) -> None:
    """Delete a Pod of the service as the fault does, and return once its replacement is ready."""
    path = "/api/v1/namespaces/default/pods?labelSelector=app=payment-service"
    victim = rig.api.request("GET", path)["items"][0]["metadata"]["name"]
    rig.api.delete(f"/api/v1/namespaces/default/pods/{victim}")
    applied(rig, service())


def test_executed_with_success(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="completed").apply(result())
    restart_one(stage)
    found = look(lab, stage, tmp_path, EXERCISE)
    assert found.verdict is Verdict.PASSED, [(each.id, each.facts) for each in found.checks]
    others = [each for each in found.checks if not each.id.endswith(RATE)]
    assert {each.verdict for each in others} == {Verdict.PASSED}
    assert (check(found, RATE).verdict, check(found, RATE).reason) == (Verdict.BLOCKED, Reason.NEEDS)


@pytest.mark.parametrize(("rate", "expected"), [("1", True), ("0.95", False), ("0 / vector(0)", None)])
def test_the_success_rate_of_that_time(
    rate: str, expected: bool | None, lab: Lab, stage: Rig, no_rules: Prometheus, tmp_path: Path
) -> None:
    stage.publish("monitoring", "prometheus", 9090, no_rules.port)
    no_rules.load(rules(f"vector({rate})" if expected is not None else f"vector(0) * {rate}"))
    no_rules.evaluated()
    with_engine(lab, stage, engineStatus="completed").apply(result())

    def recorded() -> list[str]:
        return [str(fact.met) for fact in check(look(lab, stage, tmp_path, EXERCISE), RATE).facts]

    until(lambda: recorded() == [str(expected)], f"the rate is never {expected}, but {recorded()}")


def test_a_refuted_hypothesis_is_executed_too(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="completed")
    stage.apply(result("Fail", "Completed_With_Probe_Failure", probes=FAILED_PROBE))
    restart_one(stage)
    found = look(lab, stage, tmp_path, EXERCISE)
    assert found.verdict is Verdict.PASSED
    assert unmet(found, HELD) == ["hypothesis-refuted"]


def test_the_words_of_litmus_2_are_understood(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="completed")
    stage.apply(result("Fail", "Completed", failStep="[chaos]: Failed inside the chaoslib"))
    assert unmet(look(lab, stage, tmp_path, EXERCISE), RAN) == ["chaos-error"]


def test_nothing_was_deleted(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="completed")
    pods = stage.api.request("GET", "/api/v1/namespaces/default/pods?labelSelector=app=payment-service")
    youngest = max(each["metadata"]["creationTimestamp"] for each in pods["items"])

    def later() -> bool:
        # Moments are whole seconds: the result must not share that of the Pods.
        stage.api.delete(stage.api.path(result()))
        stage.apply(result())
        made = stage.api.get(stage.api.path(result())) or {}
        return bool(made["metadata"]["creationTimestamp"] > youngest)

    until(later, "no second passes")
    found = look(lab, stage, tmp_path, EXERCISE)
    assert unmet(found, TRACE) == ["nothing-deleted"]
    assert found.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (error("TARGET_SELECTION_ERROR", "no pod found with labels app=payment"), "chaos-target-not-found"),
        (
            error("GENERIC_ERROR", 'pods is forbidden: User "x" cannot delete resource "pods"'),
            "chaos-forbidden",
        ),
        (error("CHAOS_INJECT_ERROR", "failed to delete the target pod"), "chaos-error"),
        (result("Stopped", "Stopped"), "chaos-stopped"),
        (result("Fail", "Completed"), "chaos-error"),
    ],
    ids=["target", "forbidden", "inject", "stopped", "fail-without-probe"],
)
def test_an_experiment_that_broke_off(
    made: Object, expected: str, lab: Lab, stage: Rig, tmp_path: Path
) -> None:
    with_engine(lab, stage, engineStatus="completed").apply(made)
    found = look(lab, stage, tmp_path, EXERCISE)
    assert unmet(found, RAN) == [expected]
    assert found.verdict is Verdict.FAILED
    assert found.hint is not None


def test_it_is_still_running(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="initialized").apply(result("Awaited", "Running"))
    found = look(lab, stage, tmp_path, EXERCISE)
    assert (check(found, RAN).verdict, untold(found, RAN)) == (Verdict.UNKNOWN, ["chaos-running"])


def test_not_applied(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    stage.apply(FAULT, *reference(lab)[1:])
    found = look(lab, stage, tmp_path, EXERCISE)
    assert unmet(found, RAN) == ["engine-not-applied"]
    assert found.verdict is Verdict.UNFINISHED


def test_litmus_is_not_there(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, service())
    found = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(found, STANDS) == ["no-chaos-operator"]
    assert (found.verdict, check(found, STANDS).reason) == (Verdict.BLOCKED, Reason.NEEDS)
    assert found.hint is not None


def test_its_kinds_are_not_there(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    kinds = ("ChaosEngine", "ChaosExperiment", "ChaosResult")
    for kind in kinds:
        pristine_rig.api.delete(f"{definitions}/{kind.lower()}s.litmuschaos.io")
    until(
        lambda: not any(pristine_rig.cluster().serves(f"{kind}.litmuschaos.io") for kind in kinds),
        "Litmus' kinds are still served",
    )
    found = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert {check(found, name).reason for name in (TAKEN, STANDS)} == {Reason.MISSING_CRD}
    assert found.verdict is Verdict.BLOCKED


def test_the_target_is_not_there(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, namespace("litmus"), operator())
    found = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(found, STANDS) == ["no-payment-service"]
    assert found.verdict is Verdict.BLOCKED


def test_nothing_the_engine_needs_is_there(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    stage.apply(reference(lab)[0])
    found = look(lab, stage, tmp_path, EXERCISE)
    assert unmet(found, NEEDS) == ["fault-not-installed", "service-account-missing"]
    assert check(found, NEEDS).verdict is Verdict.UNFINISHED
    assert check(found, RIGHTS).reason is Reason.MISSING_FILE


def test_account_and_fault_in_the_namespace_of_litmus(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    home = {"namespace": "litmus"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "litmus-admin", **home}}
    stage.apply(reference(lab)[0], account, {**FAULT, "metadata": {"name": "pod-delete", **home}})
    facts = [fact for fact in check(look(lab, stage, tmp_path, EXERCISE), NEEDS).facts if fact.met is False]
    assert {fact.id: str(fact.observed) for fact in facts} == {
        "fault-not-installed": "litmus/pod-delete",
        "service-account-missing": "litmus/litmus-admin",
    }


def test_an_account_without_rights(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    engine, account, role, binding = reference(lab)
    role["rules"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    stage.apply(engine, account, role, binding, FAULT)
    found = look(lab, stage, tmp_path, EXERCISE)
    assert unmet(found, RIGHTS) == ["rights-missing"]
    [fact] = [fact for fact in check(found, RIGHTS).facts if fact.met is False]
    assert "delete Pod" in str(fact.observed)
    assert "list Pod" not in str(fact.observed)
    assert check(found, RIGHTS).verdict is Verdict.FAILED


def test_rights_of_a_group_count(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    engine, account, role, binding = reference(lab)
    group = "system:serviceaccounts:default"
    binding["subjects"] = [{"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}]
    stage.apply(engine, account, role, binding, FAULT)
    assert check(look(lab, stage, tmp_path, EXERCISE), RIGHTS).verdict is Verdict.PASSED


def event(reason: str, message: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"payment-chaos.{reason.lower()}", "namespace": "default"},
        "involvedObject": {"kind": "ChaosEngine", "name": "payment-chaos", "namespace": "default"},
        "type": "Warning",
        "reason": reason,
        "message": message,
    }


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            event("ExperimentNotFound", "Unable to get ChaosExperiment Name: pod-delete"),
            "experiment-not-found",
        ),
        (
            event("ChaosResourcesOperationFailed", "(chaos start) Unable to get chaos resources"),
            "chaos-resources-failed",
        ),
    ],
)
def test_the_engines_own_events(told: Object, expected: str, lab: Lab, stage: Rig, tmp_path: Path) -> None:
    with_engine(lab, stage, engineStatus="initialized").apply(told)
    assert unmet(look(lab, stage, tmp_path, EXERCISE), RAN) == [expected]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {
                "engineStatus": "completed",
                "experiments": [{"name": "pod-delete", "status": "ChaosExperiment Not Found"}],
            },
            "experiment-not-found",
        ),
        ({"engineStatus": "stopped"}, "chaos-error"),
        ({}, "engine-idle"),
    ],
    ids=["not-found", "stopped", "idle"],
)
def test_an_engine_without_a_result(
    status: dict[str, Any],
    expected: str,
    lab: Lab,
    stage: Rig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_engine(lab, stage, **status)
    if expected == "engine-idle":
        assert untold(look(lab, stage, tmp_path, EXERCISE), RAN) == ["engine-idle"]
    monkeypatch.setattr("workshop.labs.techmarket.on_cluster._chaos_outcome.PATIENCE", 0.0)
    assert unmet(look(lab, stage, tmp_path, EXERCISE), RAN) == [expected]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("spec", "engineState"), "on", "spec.engineState"),
        (("spec", "appinfo", "appkind"), "Deployment", "spec.appinfo.appkind"),
    ],
)
def test_what_the_schema_refuses(
    path: tuple[str, ...], value: str, field: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    engine, *_ = reference(lab)
    place = engine
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    found = look(lab, pristine_rig, tmp_path, EXERCISE, {FILE: yaml.safe_dump(engine)})
    [fact] = [fact for fact in check(found, TAKEN).facts if fact.met is False]
    assert fact.id == "refused-at-creation"
    assert field in str(fact.observed)


def test_one_pod_is_too_few(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, namespace("litmus"), operator(), service(replicas=1))
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), THREE) == ["fewer-than-three"]


def test_a_share_of_more_pods_is_more_than_one(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, namespace("litmus"), operator(), service(replicas=6))
    text = (lab.solutions / FILE).read_text(encoding="utf-8")
    text = text.replace(
        "            - name: FORCE",
        '            - {name: PODS_AFFECTED_PERC, value: "50"}\n            - name: FORCE',
    )
    found = look(lab, pristine_rig, tmp_path, EXERCISE, {FILE: text})
    assert check(found, "taken_by_the_cluster").verdict is Verdict.PASSED
    assert unmet(found, THREE) == ["too-many-live-pods"]


def test_it_aims_at_another_namespace(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(
        pristine_rig,
        namespace("litmus"),
        namespace("shop"),
        operator(),
        workload("payment-service", "shop", replicas=3),
    )
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), THREE) == ["target-elsewhere"]


def test_an_engine_of_any_name_counts(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    """The statement names none, and the portal gives its own."""
    engine, *others = reference(lab)
    named = {**engine, "metadata": {"name": "chaos-7f3a", "namespace": "default"}}
    outcome = result()
    outcome["metadata"]["name"] = "chaos-7f3a-pod-delete"
    outcome["spec"]["engine"] = "chaos-7f3a"
    stage.apply(FAULT, *others, {**named, "status": {"engineStatus": "completed"}}, outcome)
    restart_one(stage)
    found = look(lab, stage, tmp_path, EXERCISE)
    assert found.verdict is Verdict.PASSED, [(each.id, each.facts) for each in found.checks]


def test_an_engine_of_somebody_else_does_not(lab: Lab, stage: Rig, tmp_path: Path) -> None:
    engine, *others = reference(lab)
    theirs = {**engine, "metadata": {"name": "nginx-chaos", "namespace": "default"}}
    theirs["spec"] = {**engine["spec"], "appinfo": {**engine["spec"]["appinfo"], "applabel": "app=nginx"}}
    stage.apply(FAULT, *others, theirs)
    assert unmet(look(lab, stage, tmp_path, EXERCISE), RAN) == ["engine-not-applied"]


def test_a_label_that_no_pod_has(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, namespace("litmus"), operator(), service(labels={"app": "payment"}))
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), THREE) == ["label-picks-nothing"]
