"""2.2, 2.3, 2.4 and 2.6 on a cluster that has another policy than the file: what it does is what counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet
from tests.live.objects import namespace, until
from tests.rig.cluster import Rig
from workshop.cluster.settling import settle
from workshop.content import Lab
from workshop.verdicts import ExerciseResult, Half, Verdict, exercise_verdict

Object = dict[str, Any]
NAME = "disallow-latest-tag"
THERE = "policy_in_force"
TAGGED = "object.spec.containers.all(c, c.image.contains(':') && !c.image.endsWith(':latest'))"
PODS = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]


def legacy(
    name: str, action: str | None, *bodies: Object, kind: str = "ClusterPolicy", **match: Any
) -> Object:
    """Return a policy of Kyverno's older kinds with a rule for each body."""
    matched = {"any": [{"resources": {"kinds": ["Pod"], **match}}]}
    spec: Object = {
        "rules": [{"name": f"r{i}", "match": matched, **body} for i, body in enumerate(bodies)],
    }
    if action:
        spec["validationFailureAction"] = action
    place = {"namespace": "default"} if kind == "Policy" else {}
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": kind,
        "metadata": {"name": name, **place},
        "spec": spec,
    }


def images(pattern: str) -> Object:
    return {"validate": {"message": "tag", "pattern": {"spec": {"containers": [{"image": pattern}]}}}}


def labelled(key: str = "team") -> Object:
    return {"validate": {"message": "label", "pattern": {"metadata": {"labels": {key: "?*"}}}}}


def labels(**pairs: str) -> Object:
    added = {key.replace("_", "-"): value for key, value in pairs.items()}
    return {"mutate": {"patchStrategicMerge": {"metadata": {"labels": added}}}}


def cel(
    name: str = NAME, *, actions: tuple[str, ...] = ("Deny",), group: str = "policies.kyverno.io"
) -> Object:
    native = group.startswith("admission")
    spec: Object = {
        "matchConstraints": {"resourceRules": PODS},
        "validations": [{"expression": TAGGED, "message": "tag"}],
    }
    if actions and not native:
        spec["validationActions"] = list(actions)
    kind = "ValidatingAdmissionPolicy" if native else "ValidatingPolicy"
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": NAME}, "spec": spec}


def native(*actions: str) -> list[Object]:
    """Return Kubernetes' own policy, with a binding where there is an action."""
    group = "admissionregistration.k8s.io"
    binding: Object = {
        "apiVersion": f"{group}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"{NAME}-everywhere"},
        "spec": {"policyName": NAME, "validationActions": list(actions)},
    }
    return [cel(group=group), *([binding] if actions else [])]


def enforced(rig: Rig, *objects: Object) -> None:
    """Apply objects and return once their controllers are done with them."""
    rig.apply(*objects)
    settle(rig.api, list(objects), [])
    if any("Deny" in each["spec"].get("validationActions", ()) for each in objects if "spec" in each):
        until(lambda: _is_refused(rig), "the API server does not carry its own policy out")


def _is_refused(rig: Rig) -> bool:
    spec = {"containers": [{"name": "main", "image": "nginx:latest"}]}
    metadata = {"name": "witness", "namespace": "default"}
    probe = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return rig.cluster().try_create(probe).admitted is False


def on_cluster(result: ExerciseResult) -> Verdict:
    return exercise_verdict([each for each in result.checks if each.half is Half.CLUSTER])


RIGHT = {
    "CEL kind": [cel()],
    "CEL kind without action": [cel(actions=())],
    "Kubernetes' own kind": native("Deny"),
    "an old one reports beside it": [legacy(NAME, "Audit", images("!*:latest")), cel()],
    "a neighbour's rule for one namespace": [
        namespace("a-team"),
        legacy(NAME, "Enforce", images("!*:latest"), images("*:*")),
        legacy("team-label", "Enforce", labelled(), namespaces=["a-team"]),
    ],
    "a neighbour's rule for default": [
        namespace("shop"),
        legacy(NAME, "Enforce", images("!*:latest"), images("*:*")),
        legacy("team-label", "Enforce", labelled(), namespaces=["default"]),
    ],
}


@pytest.mark.parametrize("objects", RIGHT.values(), ids=RIGHT)
def test_the_policy_may_be_of_another_kind_than_the_file(
    objects: list[Object], lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    enforced(pristine_rig, *objects)
    result = look(lab, pristine_rig, tmp_path, "2.2")
    assert on_cluster(result) is Verdict.PASSED, [each.facts for each in result.checks if each.facts]


WRONG = {
    "Audit": ([legacy(NAME, "Audit", images("!*:latest"))], "its action is Audit"),
    "no action": ([legacy(NAME, None, images("!*:latest"))], "its action is Audit"),
    "CEL kind, Audit": ([cel(actions=("Audit",))], "its action is Audit"),
    "no binding": (native(), "no binding puts it into effect"),
    "binding that warns": (native("Warn"), "its action is Warn"),
    "admission off": (
        [
            {
                **(off := legacy(NAME, "Enforce", images("!*:latest"))),
                "spec": {**off["spec"], "admission": False},
            }
        ],
        "it takes no part in admission",
    ),
}


@pytest.mark.parametrize(("objects", "told"), WRONG.values(), ids=WRONG)
def test_a_policy_that_only_reports_is_told_so(
    objects: list[Object], told: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    enforced(pristine_rig, *objects)
    result = look(lab, pristine_rig, tmp_path, "2.2")
    assert on_cluster(result) is Verdict.FAILED
    assert unmet(result, THERE) == ["only-reports"]
    (fact,) = check(result, THERE).unmet
    assert told in str(fact.observed)
    assert "another version of the policy" in str(fact.next)


def test_an_older_version_of_the_file_is_told(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    enforced(pristine_rig, legacy(NAME, "Enforce", images("*:latest")))
    result = look(lab, pristine_rig, tmp_path, "2.2")
    assert "pinned-refused" in unmet(result, "pinned_is_let_in")
    assert "another version of the policy" in str(check(result, "pinned_is_let_in").unmet[0].next)


ABSENT = {
    "another name": (legacy("no-latest", "Enforce", images("!*:latest")), "no-latest"),
    "one namespace": (
        legacy(NAME, "Enforce", images("!*:latest"), kind="Policy"),
        "for the namespace default alone",
    ),
}


@pytest.mark.parametrize(("policy", "told"), ABSENT.values(), ids=ABSENT)
def test_what_is_there_instead_is_named(
    policy: Object, told: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    enforced(pristine_rig, policy)
    result = look(lab, pristine_rig, tmp_path, "2.2")
    assert on_cluster(result) is Verdict.UNFINISHED
    assert told in str(check(result, THERE).unmet[0].observed)


def test_labels_may_come_from_a_policy_of_any_name(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    both = labels(cost_center="techmarket", managed_by="platform-team")
    enforced(pristine_rig, legacy("finops", None, both))
    assert on_cluster(look(lab, pristine_rig, tmp_path, "2.4")) is Verdict.PASSED


def test_a_wrong_label_from_a_policy_of_any_name(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    enforced(pristine_rig, legacy("finops", None, labels(cost_center="tech-market")))
    result = look(lab, pristine_rig, tmp_path, "2.4")
    assert on_cluster(result) is Verdict.FAILED
    assert set(unmet(result, "labels_come_back")) == {"label-missing"}


def test_an_image_policy_that_is_nowhere_is_unfinished(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    """Not failed because an unsigned image gets in: nothing has been applied yet."""
    result = look(lab, pristine_rig, tmp_path, "2.6")
    assert result.verdict is Verdict.UNFINISHED
    assert {fact.id for each in result.checks for fact in each.unmet} == {"not-applied"}
