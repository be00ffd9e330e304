"""Looking at a cluster as the grader of materials/grader/rbac.yaml, and which rights that takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.faults.proxy import Request, standing_before
from tests.rig.cluster import Rig
from workshop.content import Exercise, Lab
from workshop.verdicts import Half, Reason, Verdict

if TYPE_CHECKING:
    from tests.faults.conftest import Student

_VERBS = {"GET": "get", "POST": "create"}
Right = tuple[str, str, str]
Object = dict[str, Any]
Said = dict[str, tuple[Verdict, Reason | None, list[str]]]


def manifest(lab: Lab) -> list[Object]:
    """Return the objects of the manifest that gives a grader their rights."""
    path = lab.materials / "grader" / "rbac.yaml"
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def role_of(lab: Lab) -> Object:
    """Return the role of the manifest."""
    return next(each for each in manifest(lab) if each["kind"] == "ClusterRole")


def right_of(request: Request) -> Right | None:
    """Return verb, API group and resource of what was asked; None for discovery, which everybody may."""
    if request.resource is None:
        return None
    version, _, resource = request.resource.rpartition("/")
    if resource == "proxy":
        version, resource = "v1", "services/proxy"
    return _VERBS[request.method], version.rpartition("/")[0], resource


def granted(role: Object) -> set[Right]:
    """Return verb, API group and resource of every right of a role."""
    return {(verb, *kind) for rule in role["rules"] for verb in rule["verbs"] for kind in kinds_of(rule)}


def kinds_of(rule: Object) -> set[tuple[str, str]]:
    """Return API group and resource of everything that a rule is about."""
    return {(group, each) for group in rule["apiGroups"] for each in rule["resources"]}


@contextmanager
def grading(rig: Rig, student: Student, token: str, folder: Path) -> Iterator[Student]:
    """Look at the same as the grader."""
    with standing_before(rig.sandbox.kubeconfig, token) as proxy:
        yield replace(student, proxy=proxy, kubeconfig=proxy.kubeconfig(folder))


def said_of(student: Student, exercises: list[Exercise] | None = None) -> Said:
    """Return what is said of the cluster, without what differs from one moment to the next."""
    stages = student.stages()
    return {
        check.id: (check.verdict, check.reason, [fact.id for fact in check.facts])
        for exercise in exercises or student.lab.exercises
        for check in student.judge(exercise, stages).checks
        if check.half is Half.CLUSTER
    }


def compared(rig: Rig, student: Student, token: str, folder: Path) -> set[Right]:
    """Judge the lab as the cluster's owner and as the grader, compare, and return the rights that took."""
    student.proxy.asked.clear()
    owner = said_of(student)
    asked = {right for each in student.proxy.asked if (right := right_of(each))}
    with grading(rig, student, token, folder) as grader:
        seen = said_of(grader)
    # Everybody may ask what they may do themselves.
    beyond = {right for right in asked if right[2] != "selfsubjectaccessreviews"} - granted(
        role_of(student.lab)
    )
    assert beyond == set(), "add them to materials/grader/rbac.yaml"
    assert seen == owner
    return asked
