"""The rights of materials/grader/rbac.yaml: enough for the whole lab, none to spare, and none for Secrets."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from tests.faults.conftest import Student
from tests.faults.grader import Object, Right, grading, granted, kinds_of, role_of, said_of
from tests.faults.proxy import Proxy
from tests.rig.cluster import Rig, wait_for
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

_READING = ["get", "list", "watch"]


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


def test_the_grader_sees_what_the_owner_sees(asked_when_done: set[Right]) -> None:
    """All done, and files hardly begun; that nothing is to spare shows when nothing is applied either."""
    assert ("get", "", "services/proxy") in asked_when_done
    assert ("create", "", "pods") in asked_when_done


def test_no_secret_and_no_change(lab: Lab) -> None:
    rights = granted(role_of(lab))
    assert not [right for right in rights if "secrets" in right[2] or "*" in right]
    assert {right[0] for right in rights} == {*_READING, "create"}


def test_a_right_that_is_missing_is_forbidden_and_no_failure(
    rig: Rig, lab: Lab, student: Student, token: str, tmp_path: Path
) -> None:
    """Whatever a check reads is missed when it is forbidden; what only hints read changes no verdict."""
    role, unnoticed = role_of(lab), set[tuple[str, str]]()
    asked_by_checks = {_kind(each) for asked in student.asked.values() for each in asked}
    with grading(rig, student, token, tmp_path) as grader:
        truth = said_of(grader)
        try:
            for index, rule in enumerate(role["rules"]):
                asking = [
                    each
                    for each in student.lab.exercises
                    if {_kind(one) for one in student.asked_at_all[each.id]} & kinds_of(rule)
                ]
                if "create" in rule["verbs"] or not asking:
                    continue
                less = {**role, "rules": [each for at, each in enumerate(role["rules"]) if at != index]}
                rig.apply(less)
                wait_for(partial(_is_forbidden, rig, grader.proxy, rule))
                said = said_of(grader, asking)
                changed = {check: each for check, each in said.items() if each != truth[check]}
                wrong = {
                    check: each
                    for check, each in changed.items()
                    if each[0] is not truth[check][0] and each[0] not in (Verdict.UNKNOWN, Verdict.BLOCKED)
                }
                assert wrong == {}, rule
                if not any(each[1] is Reason.FORBIDDEN for each in changed.values()):
                    unnoticed |= kinds_of(rule)
        finally:
            rig.apply(role)
    assert unnoticed & asked_by_checks == set()


def _kind(resource: str) -> tuple[str, str]:
    """Return group and plural of a resource such as `apps/v1/deployments`."""
    if resource.endswith("/proxy"):
        return "", "services/proxy"
    version, _, plural = resource.rpartition("/")
    return version.rpartition("/")[0], plural
