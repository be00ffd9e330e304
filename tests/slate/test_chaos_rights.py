"""3.4 in sandbox mode: whether the account that is handed in may do what the fault does, by real reviews."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.content.case import Case
from tests.slate.judging import judged
from workshop.content import Lab
from workshop.slate import Slate
from workshop.verdicts import CheckResult, Reason, Verdict

FILE = "td/litmus/chaos-pod-delete.yaml"
CLUSTER_WIDE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: litmus-admin}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"""


def _judged(lab: Lab, slate: Slate, folder: Path, *left_out: str, extra: str = "") -> CheckResult:
    """Judge the reference solution without some kinds, and with another object."""
    documents = yaml.safe_load_all((lab.solutions / FILE).read_text(encoding="utf-8"))
    kept = [each for each in documents if each["kind"] not in left_out]
    text = yaml.safe_dump_all(kept) + (f"---\n{extra}" if extra else "")
    case = Case("chaos-pod-delete", "rights", {FILE: text}, {}, Verdict.PASSED, [], None, alone=False)
    result = judged(lab, case, folder, slate)
    assert result.verdict is Verdict.PASSED
    return next(each for each in result.checks if each.id.endswith(".account_may_do_it"))


def test_the_reference_has_all_rights(lab: Lab, slate: Slate, tmp_path: Path) -> None:
    assert _judged(lab, slate, tmp_path).verdict is Verdict.PASSED


def test_no_role_is_advice(lab: Lab, slate: Slate, tmp_path: Path) -> None:
    found = _judged(lab, slate, tmp_path, "Role")
    assert [fact.id for fact in found.unmet] == ["rights-missing"]
    assert "delete Pod" in str(found.unmet[0].observed)


def test_rights_for_the_whole_cluster_cannot_be_told(lab: Lab, slate: Slate, tmp_path: Path) -> None:
    found = _judged(lab, slate, tmp_path, "Role", "RoleBinding", extra=CLUSTER_WIDE)
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, Reason.BEYOND_EVALUATOR)


def test_an_account_made_elsewhere(lab: Lab, slate: Slate, tmp_path: Path) -> None:
    found = _judged(lab, slate, tmp_path, "ServiceAccount", "Role", "RoleBinding")
    assert found.reason is Reason.MISSING_FILE
