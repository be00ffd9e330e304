"""Is anything on its way? What objects and their controllers say about work that is not done yet.

Only what is sure counts as standing still: an object whose controller has not seen it, is not content with
it or has not said anything yet may become another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from workshop.cluster.port import Cluster, Object, Unreachable
from workshop.cluster.reading import condition, mapping, name_of, namespace_of, part, replicas
from workshop.verdicts import Reason

# What makes or changes other objects, or ends by itself: any of these on its way may change what is judged.
_AT_WORK: Final[dict[str, str | None]] = {
    "Namespace": None,
    "Pod": "status.phase=Pending",
    "Deployment.apps": None,
    "StatefulSet.apps": None,
    "DaemonSet.apps": None,
    "Job.batch": None,
    "PipelineRun.tekton.dev": None,
    "TaskRun.tekton.dev": None,
    "ChaosEngine.litmuschaos.io": None,
    "Rollout.argoproj.io": None,
    "AnalysisRun.argoproj.io": None,
}
# Conditions that controllers bring to True when they are done.
_WISHED: Final = ("Ready", "Available", "Healthy", "Installed", "Synced", "Established", "ScalingActive")
_ROLLED_OUT: Final = "NewReplicaSetAvailable"


def on_its_way(cluster: Cluster) -> Iterator[str]:
    """Yield what is on its way on a cluster. Raises Unreachable where that cannot be told."""
    for kind, fields in _AT_WORK.items():
        try:
            found = cluster.list(kind, fields=fields)
        except Unreachable as unreachable:
            if unreachable.reason is Reason.MISSING_CRD:
                continue
            raise
        yield from unsettled(kind, found)


def unsettled(kind: str, objects: Iterable[Object]) -> Iterator[str]:
    """Yield the names of those objects of a kind that are on their way."""
    judge = _BY_KIND.get(kind, _is_unsettled)
    for each in objects:
        if part(each, "metadata", "deletionTimestamp") or _is_unseen(each) or judge(each):
            yield "/".join(filter(None, (kind.partition(".")[0], namespace_of(each), name_of(each))))


def _is_unseen(found: Object) -> bool:
    """Whether its controller has not seen the object as it is now. Argo writes the number as a text."""
    observed, generation = part(found, "status", "observedGeneration"), part(found, "metadata", "generation")
    return None not in (observed, generation) and str(observed) != str(generation)


def _is_unsettled(found: Object) -> bool:
    ready = part(found, "status", "conditionStatus", "ready")
    return ready is False or any(condition(found, kind)[0] is False for kind in _WISHED)


def _pod(pod: Object) -> bool:
    phase = part(pod, "status", "phase")
    return phase not in ("Succeeded", "Failed") and condition(pod, "Ready")[0] is not True


def _replicated(workload: Object) -> bool:
    ready, wanted = replicas(workload)
    status = mapping(workload, "status")
    updated = status.get("updatedReplicas", ready)
    total = status.get("replicas", 0)
    return not status or not ready == wanted == updated == total or _is_unsettled(workload)


def _replica_set(workload: Object) -> bool:
    ready, wanted = replicas(workload)
    return ready != wanted or part(workload, "status", "replicas") != wanted


def _deployment(deployment: Object) -> bool:
    progressing, words = condition(deployment, "Progressing")
    stopped = part(deployment, "spec", "paused") is True
    return _replicated(deployment) or not (stopped or (progressing and words.startswith(_ROLLED_OUT)))


def _daemon_set(workload: Object) -> bool:
    status = mapping(workload, "status")
    wanted = status.get("desiredNumberScheduled")
    return wanted is None or not wanted == status.get("numberReady") == status.get(
        "updatedNumberScheduled", 0
    )


def _job(job: Object) -> bool:
    return not any(condition(job, kind)[0] for kind in ("Complete", "Failed", "Suspended"))


def _run(run: Object) -> bool:
    return condition(run, "Succeeded")[0] is None


def _phase(*final: str) -> Callable[[Object], bool]:
    return lambda found: part(found, "status", "phase") not in final


def _chaos_engine(engine: Object) -> bool:
    return part(engine, "status", "engineStatus") not in ("completed", "stopped")


def _chaos_result(result: Object) -> bool:
    told = mapping(result, "status", "experimentStatus")
    return told.get("phase") in (None, "", "Running") or told.get("verdict") in (None, "", "Awaited")


_BY_KIND: Final[dict[str, Callable[[Object], bool]]] = {
    "Pod": _pod,
    "Deployment.apps": _deployment,
    "StatefulSet.apps": _replicated,
    "DaemonSet.apps": _daemon_set,
    "ReplicaSet.apps": _replica_set,
    "Job.batch": _job,
    "PipelineRun.tekton.dev": _run,
    "TaskRun.tekton.dev": _run,
    "Rollout.argoproj.io": _phase("Healthy", "Degraded"),
    "AnalysisRun.argoproj.io": _phase("Successful", "Failed", "Error", "Inconclusive"),
    "PersistentVolumeClaim": _phase("Bound", "Lost"),
    "ChaosEngine.litmuschaos.io": _chaos_engine,
    "ChaosResult.litmuschaos.io": _chaos_result,
}
