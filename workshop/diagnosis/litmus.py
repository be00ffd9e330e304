"""Chaos that does not happen, in the order in which it would: operator, account, fault, target, result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.cluster.reading import replicas
from workshop.diagnosis.look import Look, conditions, when
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown
from workshop.litmus import ENGINE, GROUP
from workshop.texts import Text

_EXPERIMENT, _RESULT = f"ChaosExperiment.{GROUP}", f"ChaosResult.{GROUP}"
_DEPLOYMENT: Final = "Deployment.apps"


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield what keeps the exercise's ChaosEngines from doing their work, or what came of it."""
    for engine in look.own(ENGINE):
        results = list(_results(look, engine))
        if results:
            for result in results:
                yield from _outcome(result)
        else:
            yield from _before(look, engine)


def _results(look: Look, engine: Object) -> Iterator[Object]:
    metadata = engine["metadata"]
    for result in look.every(_RESULT, namespace=metadata.get("namespace")):
        spec = result.get("spec") or {}
        if spec.get("engine") == metadata.get("name"):
            yield result


def _outcome(result: Object) -> Iterator[Symptom]:
    status = (result.get("status") or {}).get("experimentStatus") or {}
    output = status.get("errorOutput") or {}
    code, why = str(output.get("errorCode") or ""), str(output.get("reason") or "")
    message = one_line(f"{code}: {why}" if code else why or status.get("failStep"))
    name = shown(_RESULT, result)
    if "forbidden" in message:
        yield Symptom(Sign.CHAOS_FORBIDDEN, name, message)
    elif code.startswith("TARGET_SELECTION"):
        yield Symptom(Sign.CHAOS_TARGET, name, message)
    elif status.get("phase") == "Completed_With_Probe_Failure" or status.get("verdict") == "Fail":
        words = Text(
            "phase {phase}, verdict {verdict}, {percentage} % of the probes succeeded",
            phase=status.get("phase", "–"),
            verdict=status.get("verdict", "–"),
            percentage=status.get("probeSuccessPercentage", "–"),
        )
        yield Symptom(Sign.CHAOS_PROBE_FAILED, name, words)


def _before(look: Look, engine: Object) -> Iterator[Symptom]:
    """Yield what is missing for an engine that has no result yet."""
    metadata, spec = engine["metadata"], engine.get("spec") or {}
    namespace, name = str(metadata.get("namespace")), shown(ENGINE, engine)
    if not (engine.get("status") or {}).get("engineStatus") and _has_no_operator(look):
        words = Text("no status, and no Deployment of the chaos operator is available")
        yield Symptom(Sign.CHAOS_NO_OPERATOR, name, words, str(metadata.get("creationTimestamp")))
    failed = look.warning_of(ENGINE, engine, "ChaosResourcesOperationFailed")
    account = str(spec.get("chaosServiceAccount") or "")
    if account and look.is_absent("ServiceAccount", account, namespace):
        words = Text("no ServiceAccount “{name}” in the namespace {place}", name=account, place=namespace)
        yield Symptom(Sign.CHAOS_SERVICE_ACCOUNT, name, words, when(failed) if failed else None)
    elif failed is not None:
        yield Symptom(Sign.CHAOS_RUNNER_NOT_MADE, name, one_line(failed.get("message")), when(failed))
    missing = look.warning_of(ENGINE, engine, "ExperimentNotFound")
    for experiment in spec.get("experiments") or ():
        fault = str(experiment.get("name"))
        if look.is_absent(_EXPERIMENT, fault, namespace):
            words = Text("no ChaosExperiment “{name}” in the namespace {place}", name=fault, place=namespace)
            yield Symptom(Sign.CHAOS_FAULT_MISSING, name, words, when(missing) if missing else None)


def _has_no_operator(look: Look) -> bool:
    operators = [each for each in look.every(_DEPLOYMENT) if _is_operator(each)]
    if any(_runs(each) for each in operators):
        return False
    return _DEPLOYMENT not in look.unseen


def _runs(deployment: Object) -> bool:
    """Whether it is available and has a Pod: one that asks for none is always available."""
    available = conditions(deployment).get("Available", {}).get("status") == "True"
    return available and replicas(deployment)[0] > 0


def _is_operator(deployment: Object) -> bool:
    template = deployment.get("spec", {}).get("template", {}).get("spec", {})
    return any("chaos-operator" in str(each.get("image")) for each in template.get("containers") or ())
