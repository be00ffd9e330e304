"""The rights of materials/grader/rbac.yaml: enough for the whole lab, none to spare, and none for Secrets."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.conftest import Student, manifest
from tests.faults.kinds import is_named, named
from tests.faults.proxy import Proxy, Request, standing_before
from tests.rig.cluster import Rig, wait_for
from workshop.content import Exercise, Lab
from workshop.verdicts import Half, Reason, Verdict
from workshop.workspace import Workspace

_READING = ["get", "list", "watch"]
_VERBS = {"GET": "get", "POST": "create"}
# No name in the program leads to these: the student's own file orders or refers to such objects.
_OF_THE_STUDENT = {
    ("helm.crossplane.io", "releases"),
    ("helm.m.crossplane.io", "releases"),
    ("helm.m.crossplane.io", "clusterproviderconfigs"),
    ("argoproj.io", "clusteranalysistemplates"),
}
Object = dict[str, Any]
Said = dict[str, tuple[Verdict, Reason | None, list[str]]]


def _role(lab: Lab) -> Object:
    return next(each for each in manifest(lab) if each["kind"] == "ClusterRole")


def _right(request: Request) -> tuple[str, str, str] | None:
    """Return verb, API group and resource of what was asked; None for discovery, which everybody may."""
    if request.resource is None:
        return None
    version, _, resource = request.resource.rpartition("/")
    if resource == "proxy":
        version, resource = "v1", "services/proxy"
    return _VERBS[request.method], version.rpartition("/")[0], resource


def _granted(role: Object) -> set[tuple[str, str, str]]:
    return {(verb, *kind) for rule in role["rules"] for verb in rule["verbs"] for kind in _kinds(rule)}


def _kinds(rule: Object) -> set[tuple[str, str]]:
    return {(group, each) for group in rule["apiGroups"] for each in rule["resources"]}


def _is_forbidden(rig: Rig, proxy: Proxy, rule: Object) -> bool:
    """Whether the API server has taken up by now that a rule is gone: rights are asked first of all."""
    group, resource = rule["apiGroups"][0], rule["resources"][0]
    preferred = rig.api.request("GET", f"/apis/{group}")["preferredVersion"]["groupVersion"] if group else ""
    collection = f"/apis/{preferred}/{resource}" if group else f"/api/v1/{resource}"
    if resource == "services/proxy":
        collection = "/api/v1/namespaces/default/services/none/proxy/"
    body = b"{}" if "create" in rule["verbs"] else None
    headers = {"Content-Type": "application/json"}
    url = f"{proxy.url}{collection}?dryRun=All"
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 (our own proxy)
    try:
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (the same)
    except urllib.error.HTTPError as error:
        return error.code == http.client.FORBIDDEN
    return False


@contextmanager
def grading(rig: Rig, student: Student, token: str, folder: Path) -> Iterator[Student]:
    """Look at the same as the grader."""
    with standing_before(rig.sandbox.kubeconfig, token) as proxy:
        yield replace(student, proxy=proxy, kubeconfig=proxy.kubeconfig(folder))


def _said(student: Student, exercises: list[Exercise] | None = None) -> Said:
    """Return what is said of the cluster, without what differs from one moment to the next."""
    stages = student.stages()
    return {
        check.id: (check.verdict, check.reason, [fact.id for fact in check.facts])
        for exercise in exercises or student.lab.exercises
        for check in student.judge(exercise, stages).checks
        if check.half is Half.CLUSTER
    }


def compared(rig: Rig, student: Student, token: str, folder: Path) -> set[tuple[str, str, str]]:
    """Judge the lab as the cluster's owner and as the grader, compare, and return the rights that took."""
    student.proxy.asked.clear()
    owner = _said(student)
    asked = {right for each in student.proxy.asked if (right := _right(each))}
    with grading(rig, student, token, folder) as grader:
        seen = _said(grader)
    # Everybody may ask what they may do themselves.
    beyond = {right for right in asked if right[2] != "selfsubjectaccessreviews"} - _granted(
        _role(student.lab)
    )
    assert beyond == set(), "add them to materials/grader/rbac.yaml"
    assert seen == owner
    return asked


def test_enough_and_nothing_to_spare(
    rig: Rig, lab: Lab, student: Student, token: str, tmp_path: Path, started: Path
) -> None:
    """The grader sees what the owner sees, all done and hardly begun; `test_undone.py`: nothing applied.

    What no state here asks for is named in the program: right answers of another shape ask for it.
    """
    asked = compared(rig, student, token, tmp_path)
    asked |= compared(rig, replace(student, workspace=Workspace(started)), token, tmp_path)
    kinds = {(group, resource) for _, group, resource in asked}
    names = named()
    to_spare = {
        right
        for right in _granted(_role(lab))
        if (right[0] == "create" and right not in asked)
        or (right[1:] not in kinds | _OF_THE_STUDENT and not is_named(right[1:], names))
    }
    assert to_spare == set()


def test_no_secret_and_no_change(lab: Lab) -> None:
    granted = _granted(_role(lab))
    assert not [right for right in granted if "secrets" in right[2] or "*" in right]
    assert {right[0] for right in granted} == {*_READING, "create"}


def test_a_right_that_is_missing_is_forbidden_and_no_failure(
    rig: Rig, lab: Lab, student: Student, token: str, tmp_path: Path
) -> None:
    """Whatever a check reads is missed when it is forbidden; what only hints read changes no verdict."""
    role, unnoticed = _role(lab), set[tuple[str, str]]()
    asked_by_checks = {_kind(each) for asked in student.asked.values() for each in asked}
    with grading(rig, student, token, tmp_path) as grader:
        truth = _said(grader)
        try:
            for index, rule in enumerate(role["rules"]):
                asking = [
                    each
                    for each in student.lab.exercises
                    if {_kind(one) for one in student.asked_at_all[each.id]} & _kinds(rule)
                ]
                if "create" in rule["verbs"] or not asking:
                    continue
                less = {**role, "rules": [each for at, each in enumerate(role["rules"]) if at != index]}
                rig.apply(less)
                wait_for(partial(_is_forbidden, rig, grader.proxy, rule))
                said = _said(grader, asking)
                changed = {check: each for check, each in said.items() if each != truth[check]}
                wrong = {
                    check: each
                    for check, each in changed.items()
                    if each[0] is not truth[check][0] and each[0] not in (Verdict.UNKNOWN, Verdict.BLOCKED)
                }
                assert wrong == {}, rule
                if not any(each[1] is Reason.FORBIDDEN for each in changed.values()):
                    unnoticed |= _kinds(rule)
        finally:
            rig.apply(role)
    assert unnoticed & asked_by_checks == set()


def _kind(resource: str) -> tuple[str, str]:
    """Return group and plural of a resource such as `apps/v1/deployments`."""
    if resource.endswith("/proxy"):
        return "", "services/proxy"
    version, _, plural = resource.rpartition("/")
    return version.rpartition("/")[0], plural
