"""Where states are brought about on the real API server, and looked at until the symptom is seen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tests.rig.cluster import Rig
from workshop.answers import read_answers
from workshop.checking import Exam, check, cluster, must
from workshop.cluster.stage import Stage
from workshop.content import ClusterPlan, Exercise, Lab
from workshop.diagnosis.diagnose import diagnose
from workshop.diagnosis.symptom import Sign
from workshop.execution import Setting, run_check
from workshop.sandbox.client import ApiError, Document
from workshop.texts import Text
from workshop.verdicts import CheckResult, Finding, Mode, Reason
from workshop.workspace import Workspace

_PATIENCE = 60.0


class Ward:
    """One namespace of the rig, and a student's folder beside it."""

    def __init__(self, rig: Rig, lab: Lab, folder: Path, namespace: str) -> None:
        self.rig, self.lab, self.folder, self.namespace = rig, lab, folder, namespace
        (folder / "td").mkdir(exist_ok=True)

    # --- bringing about --------------------------------------------------------------------------

    def apply(self, *documents: Document) -> None:
        """Apply objects; those without a namespace go into the ward's."""
        self.rig.apply(*(self.here(each) for each in documents))

    def here(self, document: Document) -> Document:
        return {**document, "metadata": {"namespace": self.namespace, **document["metadata"]}}

    def post_event(self, kind: str, name: str, reason: str, message: str, *, type: str = "Warning") -> None:
        """Record an event about an object as a component that cannot run here would."""
        version = {"Pod": "v1", "PersistentVolumeClaim": "v1"}.get(kind.partition(".")[0], "")
        about = self.read(kind, name)
        metadata = about["metadata"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.rig.api.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"generateName": f"{name}.", "name": f"{name}.{time.time_ns():x}",
                             "namespace": metadata.get("namespace", "default")},
                "involvedObject": {"apiVersion": version or about.get("apiVersion"),
                                   "kind": kind.partition(".")[0], "name": name, "uid": metadata["uid"],
                                   "namespace": metadata.get("namespace", "default")},
                "type": type, "reason": reason, "message": message,
                "firstTimestamp": now, "lastTimestamp": now, "count": 1,
                "source": {"component": "kubelet"},
            }
        )  # fmt: skip

    def read(self, kind: str, name: str) -> Document:
        found = self.rig.cluster().get(kind, name, self.namespace)
        assert found is not None
        return found

    def write_status(self, document: Document, status: Document, *, subresource: str = "/status") -> None:
        """Write an object's status as its controller would."""
        path = self.rig.api.path(self.here(document)) + subresource
        self.rig.api.merge(path, {"status": status})

    def pod(self, name: str, *statuses: Document, phase: str = "Pending", **spec: Any) -> Document:
        """Make a Pod no scheduler and no kubelet plays, in the state its containers are said to be in."""
        image = statuses[0]["image"] if statuses else "nginx:1.27.5"
        made = self.here(pod(name, image, schedulerName="nobody", **spec))
        self.rig.apply(made)
        if statuses:
            self.write_status(made, {"phase": phase, "containerStatuses": list(statuses)})
        return made

    def file(self, path: str, *documents: Document) -> None:
        """Write a file of the student's."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump_all(documents), encoding="utf-8")

    # --- looking ---------------------------------------------------------------------------------

    def exercise(self, exercise_id: str, *workloads: str) -> Exercise:
        """Return an exercise that lives in the ward."""
        found = self.lab.exercise(exercise_id)
        assert found is not None
        return replace(found, cluster=ClusterPlan((self.namespace,) if not workloads else (), workloads))

    def look(
        self, exercise_id: str, *workloads: str, results: Sequence[CheckResult] = ()
    ) -> tuple[Finding, ...]:
        exercise = self.exercise(exercise_id, *workloads)
        found, unseen = diagnose(self.lab, exercise, Workspace(self.folder), self.rig.cluster(), results)
        assert unseen == ()
        return found

    def until(
        self, sign: Sign, exercise_id: str, *workloads: str, results: Sequence[CheckResult] = ()
    ) -> Finding:
        """Look until the symptom is seen, and return the finding."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            findings = self.look(exercise_id, *workloads, results=results)
            found = next((each for each in findings if each.id == sign), None)
            if found is not None:
                assert found.remedy is not None
                return found
            assert time.monotonic() < deadline, f"{sign} was never seen: {findings}"
            time.sleep(0.1)

    def told(self, question: Any, exercise_id: str = "2.2") -> CheckResult:
        """Run a check that puts a question to the cluster and keeps the answer, as checks do."""

        @check(level=must, half=cluster)
        def asked(exam: Exam) -> None:
            """The cluster takes it."""
            decision = question(exam)
            reason = None if decision.admitted is not None else Reason.UNAVAILABLE
            exam.fact(
                "taken", Text("it is taken"), decision.admitted, observed=decision.message, reason=reason
            )

        workspace = Workspace(self.folder)
        exercise = self.exercise(exercise_id)
        stage = Stage(self.rig.cluster())
        setting = Setting(exercise, workspace, read_answers(workspace), Mode.CLUSTER, stage)
        return run_check(setting, asked, {})


@contextmanager
def stopped(rig: Rig, component: str) -> Iterator[None]:
    """Let a real component hang, as one does that has no processor or no memory left."""
    pid = next(each.pid for each in rig.sandbox.status().components if each.name == component)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def gone_after(rig: Rig, *documents: Document) -> Iterator[None]:
    """Apply what stands in everybody's way, and take it away again."""
    try:
        rig.api.apply_all(documents)
        yield
    finally:
        for each in documents:
            try:
                rig.api.request("DELETE", rig.api.path(each))
            except ApiError as error:
                if error.status != 404:
                    raise


def pod(name: str, image: str = "nginx:1.27.5", **spec: Any) -> Document:
    spec = {"containers": [{"name": "main", "image": image}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def deployment(name: str, image: str = "nginx:1.27.5", replicas: int = 1, **spec: Any) -> Document:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name, image, **spec)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def state(
    image: str = "nginx:1.27.5", *, restarts: int = 0, last: Document | None = None, **now: Document
) -> Document:
    """Return the status of a container, as a kubelet reports it."""
    return {
        "name": "main", "image": image, "imageID": "", "ready": False, "restartCount": restarts,
        "state": now, **({"lastState": {"terminated": last}} if last else {}),
    }  # fmt: skip


def waiting(reason: str, message: str = "", image: str = "nginx:1.27.5", **fields: Any) -> Document:
    return state(image, waiting={"reason": reason, "message": message}, **fields)


def ended(reason: str, code: int, message: str = "") -> Document:
    return {"reason": reason, "exitCode": code, "message": message, "finishedAt": "2026-01-15T10:00:00Z"}


def deny_latest(name: str, namespace: str) -> Document:
    """A policy that refuses Pods with a moving tag in one namespace, and leaves their makers alone."""
    rule = {
        "name": "no-latest",
        "match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": [namespace]}}]},
        "validate": {
            "failureAction": "Enforce",
            "message": "a moving tag",
            "pattern": {"spec": {"containers": [{"image": "!*:latest"}]}},
        },
    }
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": name, "annotations": {"pod-policies.kyverno.io/autogen-controllers": "none"}},
        "spec": {"rules": [rule]},
    }
