"""A hostile submission costs itself alone: it is not passed, and the next one finds a pristine slate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.sandbox.pristine import state
from workshop.sandbox.store import Store
from workshop.slate import Slate
from workshop.verdicts import ExerciseResult, Half, Mode, Reason, Verdict
from workshop.workspace import Workspace

PATH = "td/kyverno/policy-deny-latest.yaml"
Document = dict[str, Any]


def _policy(rule: Document, name: str = "disallow-latest-tag", **metadata: object) -> Document:
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": name, **metadata},
        "spec": {"validationFailureAction": "Enforce", "background": False, "rules": [rule]},
    }


def _denying(kinds: list[str], **match: object) -> Document:
    always = [{"key": 1, "operator": "Equals", "value": 1}]
    return {
        "name": "deny",
        "match": {"any": [{"resources": {"kinds": kinds, **match}}]},
        "validate": {"message": "no", "deny": {"conditions": {"all": always}}},
    }


def _native(operations: list[str]) -> list[Document]:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": ["*/*"]}
    version, metadata = "admissionregistration.k8s.io/v1", {"name": "disallow-latest-tag"}
    return [
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": metadata,
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [everything]},
                "validations": [{"expression": "false"}],
            },
        },
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata,
            "spec": {"policyName": "disallow-latest-tag", "validationActions": ["Deny"]},
        },
    ]


_POD_RULE: Document = {
    "name": "no-latest",
    "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
    "validate": {"message": "no latest", "pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}},
}
_CALLING: Document = {
    **_POD_RULE,
    "context": [{"name": "x", "apiCall": {"service": {"url": "http://127.0.0.1:9/"}, "method": "GET"}}],
}
_LABELLING: Document = {
    "name": "label",
    "match": {"any": [{"resources": {"kinds": ["*"]}}]},
    "mutate": {"patchStrategicMerge": {"metadata": {"labels": {"seen": "yes"}}}},
}
_WEBHOOK: Document = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "everything"},
    "webhooks": [
        {
            "name": "everything.example.org",
            "clientConfig": {"url": "https://127.0.0.1:9/"},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
}
_GENERATING: Document = {
    "name": "many-from-one",
    "match": {"any": [{"resources": {"kinds": ["Pod", "Namespace"]}}]},
    "generate": {
        "generateExisting": True,
        "synchronize": True,
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "copy-{{ request.object.metadata.name }}",
        "namespace": "default",
        "data": {"data": {"filling": "x" * 10_000}},
    },
}
_MUTATING_WHAT_EXISTS: Document = {
    "name": "mutate-existing",
    "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
    "mutate": {
        "mutateExistingOnPolicyUpdate": True,
        "targets": [{"apiVersion": "v1", "kind": "Namespace", "name": "default"}],
        "patchStrategicMerge": {"metadata": {"labels": {"theirs": "yes"}}},
    },
}
_LONG_PATTERN: Document = {
    "name": "long",
    "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
    "validate": {
        "message": "no",
        "deny": {
            "conditions": {
                "any": [
                    {
                        "key": "{{ regex_match('(a{1,900}){1,900}', request.object.metadata.name) }}",
                        "operator": "Equals",
                        "value": True,
                    }
                ]
            }
        },
    },
}


def _cel(expression: str) -> Document:
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": "disallow-latest-tag"},
        "spec": {
            "validationActions": ["Deny"],
            "matchConstraints": {"resourceRules": [pods]},
            "validations": [{"expression": expression, "message": "no"}],
        },
    }


def _endless() -> str:
    """A thousand million questions, one inside the other."""
    asked = "!object.metadata.name.endsWith('x')"
    for variable in "abcdefghi":
        asked = f"[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all({variable}, {asked})"
    return asked


_HOSTILE: dict[str, list[Document]] = {
    "denies-everything": [_policy(_denying(["*"]))],
    "denies-every-deletion": [_policy(_denying(["*"], operations=["DELETE"]))],
    "denies-what-the-control-plane-writes": [
        _policy(_denying(["Namespace", "Event", "Lease", "Node", "ConfigMap", "Secret"]))
    ],
    "mutates-everything": [_policy(_LABELLING)],
    "native-policy-denies-all-creations": _native(["CREATE"]),
    "native-policy-denies-all-changes": _native(["CREATE", "UPDATE", "DELETE"]),
    "five-thousand-policies": [_policy(_POD_RULE, f"disallow-latest-tag-{number}") for number in range(5000)],
    "odd-shapes": [
        {**_policy(_POD_RULE), "metadata": {"name": {"a": ["b"]}, "namespace": None, "labels": 3}},
        {**_policy(_POD_RULE), "metadata": {"name": "../../pods", "namespace": ["kube-system"]}},
        {**_policy(_POD_RULE), "spec": [{"rules": "none"}], "status": {"conditions": "Ready"}},
    ],
    "webhook-of-its-own": [_WEBHOOK],
    "calls-an-address": [_policy(_CALLING)],
    "generates-from-whatever-is-there": [_policy(_GENERATING)],
    "mutates-what-exists": [_policy(_MUTATING_WHAT_EXISTS)],
    "regular-expression-beyond-measure": [_policy(_LONG_PATTERN)],
    "expression-that-never-ends": [_cel(_endless())],
    "expression-without-end": [
        _cel(" && ".join(f"object.metadata.name != 'x{number}'" for number in range(9000)))
    ],
}


def _judged(lab: Lab, slate: Slate, folder: Path, slug: str = "disallow-latest-tag") -> ExerciseResult:
    exercise = lab.exercise(slug)
    assert exercise is not None
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.SANDBOX, slate), exercise)


def _hand_in(folder: Path, documents: list[Document]) -> Path:
    target = folder / PATH
    target.parent.mkdir(parents=True)
    target.write_text("\n---\n".join(json.dumps(each) for each in documents), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_submission_costs_itself_alone(
    name: str, lab: Lab, slate: Slate, tmp_path: Path, solved: Path
) -> None:
    result = _judged(lab, slate, _hand_in(tmp_path / "hostile", _HOSTILE[name]))
    assert result.verdict not in (Verdict.PASSED, Verdict.ERROR)
    assert all(check.reason is not Reason.NO_SANDBOX for check in result.checks)
    following = _judged(lab, slate, solved)
    assert following.verdict is Verdict.PASSED, [
        (check.id, [str(fact.observed) for fact in check.facts if not fact.met]) for check in following.checks
    ]


def test_a_hundred_thousand_objects_cost_themselves_alone(
    lab: Lab, slate: Slate, tmp_path: Path, solved: Path
) -> None:
    folder = _hand_in(tmp_path / "many", [_policy(_denying(["*"]))])
    for number in range(99):
        small = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"x{number}"}}
        text = "\n---\n".join([json.dumps(small)] * 1000)
        (folder / f"td/kyverno/more-{number}.yaml").write_text(text, encoding="utf-8")
    result = _judged(lab, slate, folder)
    assert result.verdict is not Verdict.ERROR
    assert _judged(lab, slate, solved).verdict is Verdict.PASSED


def test_finalizers_do_not_outlive_a_submission(lab: Lab, slate: Slate, tmp_path: Path, solved: Path) -> None:
    stubborn = _policy(_POD_RULE, finalizers=["example.org/never"])
    held = _judged(lab, slate, _hand_in(tmp_path / "stubborn", [stubborn]))
    assert held.verdict is Verdict.PASSED  # all of it is right but that
    with slate.stage(_exercise(lab, "add-labels"), Workspace(solved)) as stage:
        names = {each["metadata"]["name"] for each in stage.cluster.list("ClusterPolicy.kyverno.io")}
    assert "disallow-latest-tag" not in names


def test_checks_leave_nothing_behind(
    lab: Lab, slate: Slate, state_folder: Path, solved: Path, tmp_path: Path
) -> None:
    """What etcd holds is the same before and after the cluster half looked, whatever it tried."""
    store = Store(state_folder / "sandbox" / "check" / "run" / "etcd" / "g:0")

    def keys() -> set[bytes]:
        # An Event tells of a policy that was broken: Kyverno writes it for dry runs too.
        return {key for key, _ in state(store) if not key.startswith(b"/registry/events/")}

    run = Run.of(lab, Workspace(solved), Mode.SANDBOX, slate)
    for slug in ("disallow-latest-tag", "add-labels", "verify-image-signature", "trivy-scan"):
        exercise = _exercise(lab, slug)
        with slate.stage(exercise, run.workspace) as stage:
            before = keys()
            looked = judge_exercise(Run.of(lab, run.workspace, Mode.SANDBOX, _Given(stage)), exercise)
            assert any(check.half is Half.CLUSTER and check.facts for check in looked.checks)
            assert keys() == before


class _Given:
    """A stage that stands already."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage

    def stage(self, _exercise: object, _workspace: object, /) -> Any:
        from contextlib import nullcontext

        return nullcontext(self._stage)


def _exercise(lab: Lab, slug: str) -> Any:
    exercise = lab.exercise(slug)
    assert exercise is not None
    return exercise


def test_the_solutions_pass_all_that_the_sandbox_can_judge(lab: Lab, slate: Slate, tmp_path: Path) -> None:
    shutil.copytree(lab.solutions / "td", tmp_path / "td")
    judged = {
        exercise.id: _judged(lab, slate, tmp_path, exercise.slug)
        for exercise in lab.exercises
        if exercise.sandbox.parts
    }
    assert set(judged) >= {"2.2", "2.3", "2.4", "2.6", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "bonus-1"}
    assert {number: result.verdict for number, result in judged.items()} == dict.fromkeys(
        judged, Verdict.PASSED
    )
    del judged["bonus-2"]  # its order is of a provider whose kinds nobody serves here: left to the files
    for result in judged.values():
        looked = [check for check in result.checks if check.half is Half.CLUSTER and not check.left_out]
        assert looked
        assert all(check.verdict is Verdict.PASSED for check in looked)


def test_the_reference_run_goes_through_five_stages_in_order(lab: Lab, slate: Slate, solved: Path) -> None:
    result = _judged(lab, slate, solved, "pipeline-run")
    [run] = [check for check in result.checks if check.id == "4.7.run_is_carried_through"]
    told = [(fact.id, fact.met) for fact in run.facts]
    assert told.count(("stages-overlap", True)) == 4
    assert told.count(("stage-missing", True)) == 5
    assert ("run-failed", True) in told


def test_what_needs_containers_is_blocked(lab: Lab, slate: Slate, solved: Path) -> None:
    result = _judged(lab, slate, solved, "trivy-scan")
    [has_run] = [check for check in result.checks if check.id == "4.3.has_run"]
    assert (has_run.verdict, has_run.reason) == (Verdict.BLOCKED, Reason.NO_CONTAINERS)
