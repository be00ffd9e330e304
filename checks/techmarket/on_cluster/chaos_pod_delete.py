"""3.4 on a cluster – the engine is taken, has what it needs, and its experiment ran to the end."""

from __future__ import annotations

from typing import Any

from workshop.checking import Exam, Stop, Text, check, cluster, must, remark, should
from workshop.cluster.port import Object
from workshop.cluster.reading import (
    items,
    labels_of,
    name_of,
    namespace_of,
    replicas,
)
from workshop.litmus import ENGINE, GROUP, pods_deleted
from workshop.verdicts import Reason, Source, Verdict

from .._sre_target import SERVICE
from ..chaos_pod_delete import FAULT, REPLICAS, engine_of, text_of, variables_of
from ._applied import in_sandbox, judge_applied
from ._chaos import Run, find_run, picks_pods, target_namespace
from ._chaos_outcome import judge_result, judge_success_rate, judge_trace, judge_without_result
from ._chaos_rights import handed_in, judge_rights
from ._litmus import judge_operator, missing_kinds
from ._objects import is_same
from ._payment import payment_workloads
from ._places import place_of
from ._workloads import template_of


def _run(exam: Exam) -> Run:
    return find_run(exam, engine_of(exam))


@check(level=must, half=cluster)
def taken_by_the_cluster(exam: Exam) -> None:
    """The cluster takes the engine.

    Litmus' schema is the judge that counts: what it refuses is never stored.
    """
    engine = engine_of(exam)
    document = engine.document
    if in_sandbox(exam) and any(is_same(each.document, document) for each in exam.applied):
        judge_applied(exam, lambda each: is_same(each, document))
        return
    run = None if in_sandbox(exam) else find_run(exam, engine)
    if run is not None and (run.engine or run.result):
        exam.fact("taken", Text("{kind} {name} is on the cluster", kind=ENGINE, name=run.name), met=True)
        return
    decision = exam.cluster.try_create(_probe(exam, document.data))
    exam.fact(
        "refused-at-creation",
        Text("The cluster accepts {kind} {name}", kind=ENGINE, name=document.get("metadata", "name") or "–"),
        decision.admitted,
        expected=Text("`kubectl apply` creates it"),
        observed=decision.message[:500] or None,
        next=Text("The message names the field: mend that place and apply the file again."),
        where=place_of(document, decision.message),
        reason=Reason.UNAVAILABLE if decision.admitted is None else None,
    )


def _probe(exam: Exam, data: Object) -> Object:
    """Return the engine to try: in a namespace that exists, its schema is the same in every one."""
    metadata: dict[str, Any] = dict(data.get("metadata") or {})
    namespace = metadata.get("namespace")
    if isinstance(namespace, str) and exam.cluster.get("Namespace", namespace) is None:
        metadata["namespace"] = "default"
    return {**data, "metadata": metadata}


@check(level=must, half=cluster, containers=True)
def what_it_stands_on(exam: Exam) -> None:
    """Litmus and the payment-service are there.

    An engine is a wish: it takes an operator to carry it out, and something to try it on.
    """
    if not missing_kinds(exam):
        run = _run(exam)
        if run.executed:
            exam.fact("executed", Text("The experiment has run"), met=True, where=run.place)
            return
    judge_operator(exam)
    found = ", ".join(f"{namespace_of(each)}/{name_of(each)}" for each in payment_workloads(exam))
    exam.fact(
        "no-payment-service",
        Text("The payment-service is deployed"),
        bool(found),
        expected=Text("a Deployment with the label app={name}", name=SERVICE),
        observed=found or Text("none in any namespace"),
        next=Text("Exercise 0.3 deploys it."),
    )
    if any(fact.met is False for fact in exam.facts):
        # Other exercises bring these: this one waits for them.
        reason = Reason.MISSING_CRD if missing_kinds(exam) else Reason.NEEDS
        raise Stop(Verdict.BLOCKED, reason, facts=len(exam.facts))


@check(level=must, half=cluster, containers=True, needs=[what_it_stands_on])
def engine_finds_what_it_needs(exam: Exam) -> None:
    """The fault and the service account are where the engine is.

    Litmus looks for both in the engine's own namespace, and nothing puts them there by itself.
    """
    run = _run(exam)
    if run.executed:
        exam.fact("executed", Text("The experiment has run"), met=True, where=run.place)
        return
    fault = exam.cluster.get(f"ChaosExperiment.{GROUP}", FAULT, run.namespace)
    exam.fact(
        "fault-not-installed",
        Text("The ChaosExperiment {name} is in the engine's namespace", name=FAULT),
        fault is not None,
        expected=f"ChaosExperiment {run.namespace}/{FAULT}",
        observed=_elsewhere(exam, f"ChaosExperiment.{GROUP}", FAULT),
        next=Text("Apply the hub's file of the fault with -n {namespace}.", namespace=run.namespace),
        where=run.place,
    )
    account = str(run.written.get("spec", "chaosServiceAccount") or "default")
    there = exam.cluster.get("ServiceAccount", account, run.namespace) is not None
    exam.fact(
        "service-account-missing",
        Text("The service account stands in the engine's namespace"),
        there,
        expected=f"ServiceAccount {run.namespace}/{account}",
        observed=_elsewhere(exam, "ServiceAccount", account),
        next=Text("Create it in the engine's namespace, with a RoleBinding there."),
        where=run.written.at("spec", "chaosServiceAccount"),
    )
    if any(fact.met is False for fact in exam.facts):
        # Nothing is wrong with what is there: something is not there yet.
        raise Stop(Verdict.UNFINISHED, facts=len(exam.facts))


def _elsewhere(exam: Exam, kind: str, name: str) -> Text | str:
    homes = [namespace_of(each) for each in exam.cluster.list(kind, fields=f"metadata.name={name}")]
    return ", ".join(f"{home}/{name}" for home in homes) or Text("none in any namespace")


@check(level=should, half=cluster, needs=[taken_by_the_cluster])
def account_may_do_it(exam: Exam) -> None:
    """The service account may do what the fault does.

    Its Role and its RoleBinding say so, or the experiment breaks off with “forbidden”.
    """
    run = handed_in(exam, engine_of(exam)) if in_sandbox(exam) else _run(exam)
    if run.executed:
        exam.fact("executed", Text("The experiment has run"), met=True, where=run.place)
        return
    account = str(run.written.get("spec", "chaosServiceAccount") or "default")
    if exam.cluster.get("ServiceAccount", account, run.namespace) is None:
        exam.blocked(
            "no-account-yet",
            Text("The service account stands in the engine's namespace"),
            reason=Reason.MISSING_FILE,
            observed=Text(
                "there is no {name} in the namespace {namespace}", name=account, namespace=run.namespace
            ),
        )
    judge_rights(exam, run, account)


@check(level=must, half=cluster, containers=True, needs=[what_it_stands_on])
def experiment_has_run(exam: Exam) -> None:
    """The experiment ran to its end.

    That a probe failed on the way is a result, too: the hypothesis is refuted, and 3.5 says why.
    """
    run = _run(exam)
    if run.engine is None and run.result is None:
        exam.unfinished(
            "engine-not-applied",
            Text("{kind} {name} is on the cluster", kind=ENGINE, name=run.name),
            observed=Text("the cluster has no such object"),
            next=Text("Apply your file: kubectl apply -f {file}", file=run.written.document.file),
            where=run.place,
        )
    if run.result is None:
        judge_without_result(exam, run)
        return
    judge_result(exam, run)


@check(level=must, half=cluster, containers=True, needs=[experiment_has_run])
def a_pod_was_deleted(exam: Exam) -> None:
    """A Pod of the payment-service was really deleted.

    The trace that does not come from Litmus: whoever was deleted has been replaced since.
    """
    run = _run(exam)
    judge_trace(exam, run)


@check(level=should, half=cluster, containers=True, needs=[what_it_stands_on])
def one_of_three_pods(exam: Exam) -> None:
    """The target has three Pods, and the engine takes one of them.

    The hypothesis is about one Pod of three. A share of another number is another experiment.
    """
    run = _run(exam)
    home = target_namespace(run)
    anywhere = payment_workloads(exam)
    found = [each for each in anywhere if namespace_of(each) == home]
    exam.fact(
        "target-elsewhere",
        Text("The payment-service stands where the engine aims"),
        bool(found),
        expected=f"namespace: {home}",
        observed=", ".join(namespace_of(each) for each in anywhere) or Text("none in any namespace"),
        next=Text("Set appns (or the selector's namespace) to the namespace of the Deployment."),
        where=run.written.at("spec", "appinfo", "appns"),
    )
    if not found:
        return
    label = str(run.written.get("spec", "appinfo", "applabel") or "")
    picked = picks_pods(label, found)
    if picked is False:
        exam.fact(
            "label-picks-nothing",
            Text("The engine's label is one of the Pods"),
            met=False,
            expected=label,
            observed=", ".join(f"{key}={value}" for key, value in labels_of(template_of(found[0])).items()),
            next=Text("The experiment lists Pods by appinfo.applabel; without any it ends at once."),
            where=run.written.at("spec", "appinfo", "applabel"),
        )
    ready, wanted = max(replicas(each) for each in found)
    exam.fact(
        "fewer-than-three",
        Text("Three Pods of the payment-service are ready"),
        ready >= REPLICAS,
        expected=Text("{count} ready Pods", count=REPLICAS),
        observed=f"{ready}/{wanted}",
        next=Text("kubectl scale, or minReplicas of the HPA: with one Pod its deletion is an outage."),
        where=Source(object=f"{found[0].get('kind', 'Deployment')}/{home}/{name_of(found[0])}"),
    )
    variables = variables_of(exam)[1]
    percentage, named = variables.get("PODS_AFFECTED_PERC"), text_of(variables.get("TARGET_PODS"))
    count = pods_deleted(text_of(percentage), ready)
    if ready and count is not None and not named and percentage is not None and not percentage.computed:
        exam.fact(
            "too-many-live-pods",
            Text("Of the Pods that are there now, one is deleted at a time"),
            count == 1,
            expected=Text("one Pod"),
            observed=Text(
                "“{value}” of {replicas} Pods: {count}",
                value=text_of(percentage) or "",
                replicas=ready,
                count=count,
            ),
            next=Text("Leave the variable out for a single Pod, however many there are."),
            where=percentage.position,
        )


@check(level=remark, half=cluster, containers=True, needs=[experiment_has_run])
def hypothesis_held(exam: Exam) -> None:
    """The probes found that the service stayed available.

    A refuted hypothesis is worth more than none: it is the subject of the postmortem.
    """
    run = _run(exam)
    failed = [
        str(each.get("name"))
        for each in items(run.result, "status", "probeStatuses")
        if "Failed" in str(each.get("status"))
    ]
    exam.fact(
        "hypothesis-refuted",
        Text("The hypothesis held"),
        run.verdict == "Pass",
        expected="verdict: Pass",
        observed=f"verdict: {run.verdict}" + (f" ({', '.join(failed)})" if failed else ""),
        next=Text("Keep the result, and explain it in exercise 3.5."),
        where=Source(object=f"ChaosResult/{run.namespace}/{name_of(run.result)}"),
    )


@check(level=remark, half=cluster, containers=True, needs=[experiment_has_run])
def success_rate_stayed_high(exam: Exam) -> None:
    """The recorded success rate stayed above 99 %.

    The probe looks from outside; this is what the users' requests say, as 3.1 measures them.
    """
    judge_success_rate(exam, _run(exam))
