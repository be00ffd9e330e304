"""Whether the account of an engine may do what the fault does, by the API server's own reviews."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text
from workshop.litmus import GROUP, Engine
from workshop.verdicts import Reason

from ._chaos import Run, target_namespace
from ._objects import is_same

# What Litmus' runner and the fault do, beside watching: verb, kind, and whether in the target's namespace.
RIGHTS: Final = (
    ("list", "Pod", True),
    ("delete", "Pod", True),
    ("list", "Deployment.apps", True),
    ("create", "Job.batch", False),
    ("get", f"ChaosExperiment.{GROUP}", False),
    ("update", f"ChaosEngine.{GROUP}", False),
    ("create", f"ChaosResult.{GROUP}", False),
)
_CLUSTER_WIDE: Final = ("ClusterRole", "ClusterRoleBinding")


def handed_in(exam: Exam, written: Engine) -> Run:
    """Return the engine of a submission whose account and Roles were applied to the sandbox."""
    namespace = next(
        (
            str(each.decision.object["metadata"].get("namespace"))
            for each in exam.applied
            if is_same(each.document, written.document) and each.decision and each.decision.object
        ),
        str(written.get("metadata", "namespace") or "default"),
    )
    return Run(written, None, None, namespace)


def judge_rights(exam: Exam, run: Run, account: str) -> None:
    """Record which rights of the fault the account lacks."""
    user = f"system:serviceaccount:{run.namespace}:{account}"
    missing = [
        f"{verb} {kind.partition('.')[0]}"
        for verb, kind, at_target in RIGHTS
        if not exam.cluster.allowed(
            verb, kind, namespace=target_namespace(run) if at_target else run.namespace, user=user
        )
    ]
    # Rights for the whole cluster are not applied to a sandbox: they may be what is missing there.
    beyond = any(
        each.decision is None and each.document.get("kind") in _CLUSTER_WIDE for each in exam.applied
    )
    met = None if missing and beyond else not missing
    exam.fact(
        "rights-missing",
        Text("The service account may do what the fault does"),
        met,
        expected=", ".join(f"{verb} {kind.partition('.')[0]}" for verb, kind, _ in RIGHTS),
        observed=Text("not allowed: {rights}", rights=", ".join(missing)) if missing else None,
        next=Text("Add them to its Role, and check that the RoleBinding names this account and namespace."),
        where=run.written.at("spec", "chaosServiceAccount"),
        reason=Reason.BEYOND_EVALUATOR if met is None else None,
    )
