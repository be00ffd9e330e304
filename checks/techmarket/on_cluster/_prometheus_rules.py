"""Why no Prometheus has a rule that stands in an object of the cluster: each reason is its own finding."""

from __future__ import annotations

from typing import Final

from workshop.checking import Document, Exam, Text
from workshop.cluster.port import Object
from workshop.cluster.reading import (
    items,
    labels_of,
    mapping,
    name_of,
    namespace_of,
    part,
    seconds_old,
    selects,
)
from workshop.verdicts import Reason, Source

# The operator writes a file, the kubelet brings it to the Pod within a minute, then Prometheus reads it.
PATIENCE: Final = 180.0
_PROMETHEUS: Final = "Prometheus.monitoring.coreos.com"


def judge_not_loaded(exam: Exam, document: Document, current: Object, names: list[str]) -> None:
    """Record why nobody has loaded the rules of an object that is there."""
    if document.get("kind") == "ConfigMap":
        _judge_mounted(exam, document, current, names)
    else:
        _judge_selected(exam, document, current, names)


def _judge_selected(exam: Exam, document: Document, current: Object, names: list[str]) -> None:
    """Follow the operator: does a Prometheus object select this PrometheusRule, by label and by namespace?"""
    where = _place(document, current)
    served = exam.cluster.serves(_PROMETHEUS)
    reading = exam.cluster.list(_PROMETHEUS) if served else []
    if not reading:
        exam.fact(
            "no-prometheus-object",
            Text("A Prometheus of the operator reads PrometheusRules"),
            met=False,
            expected=Text("an object of kind Prometheus"),
            observed=Text("none: a Prometheus that no operator manages does not read them"),
            next=Text("Install kube-prometheus-stack (exercise 0.4), or list the rules in `rule_files`."),
            where=where,
        )
        return
    labels = labels_of(current)
    by_label = [each for each in reading if selects(part(each, "spec", "ruleSelector"), labels)]
    exam.fact(
        "release-label-missing",
        Text("The PrometheusRule has the labels by which Prometheus selects rules"),
        bool(by_label),
        expected=" | ".join(dict.fromkeys(_words(part(each, "spec", "ruleSelector")) for each in reading)),
        observed=", ".join(f"{key}: {value}" for key, value in labels.items()) or Text("no label"),
        next=Text("Add the label to metadata.labels; `release` is the name of the Helm release."),
        where=document.at("metadata", "labels"),
    )
    if not by_label:
        return
    namespace = namespace_of(current)
    by_both = [each for each in by_label if _reads_namespace(exam, each, namespace)]
    exam.fact(
        "rule-namespace-not-selected",
        Text("Prometheus reads rules of the namespace {namespace}", namespace=namespace),
        bool(by_both),
        expected=" | ".join(
            dict.fromkeys(
                _words(selector)
                if (selector := part(each, "spec", "ruleNamespaceSelector"))
                else f"namespace: {namespace_of(each)}"
                for each in by_label
            )
        ),
        observed=f"namespace: {namespace}",
        next=Text("Move the PrometheusRule into the namespace of Prometheus."),
        where=document.at("metadata", "namespace"),
    )
    if by_both:
        _judge_taken_up(exam, current, names, where)


def _judge_taken_up(exam: Exam, current: Object, names: list[str], where: Source) -> None:
    """Everything selects it: either the operator refuses its content, or it is on its way."""
    refusal = next(
        (
            str(event.get("message"))
            for event in exam.cluster.list(
                "Event", namespace=namespace_of(current), fields=f"involvedObject.name={name_of(current)}"
            )
            if event.get("type") == "Warning" and part(event, "involvedObject", "kind") == "PrometheusRule"
        ),
        None,
    )
    fresh = refusal is None and seconds_old(current) < PATIENCE
    exam.fact(
        "rule-rejected" if refusal else "rule-not-loaded",
        Text("{names} are loaded by a Prometheus", names=", ".join(names)),
        None if fresh else False,
        expected=Text("both under Status → Rules"),
        observed=refusal[:500] if refusal else Text("selected, and not read yet"),
        next=Text("Read the message: the operator leaves out an object with one wrong rule.")
        if refusal
        else Text("It takes up to two minutes. Then look at the operator's log."),
        where=where,
        reason=Reason.UNAVAILABLE if fresh else None,
    )


def _judge_mounted(exam: Exam, document: Document, current: Object, names: list[str]) -> None:
    """A ConfigMap is only a text in the cluster: does a Pod of its namespace mount it at all?"""
    name, namespace = name_of(current), namespace_of(current)
    mounted = [pod for pod in exam.cluster.list("Pod", namespace=namespace) if name in _config_maps(pod)]
    exam.fact(
        "config-map-not-listed" if mounted else "config-map-not-read",
        Text("{names} are loaded by a Prometheus", names=", ".join(names)),
        met=False,
        expected=Text("a ConfigMap that Prometheus mounts and lists in rule_files, or a PrometheusRule"),
        observed=Text("mounted by {pod}, and not loaded", pod=name_of(mounted[0]))
        if mounted
        else Text("no Pod of the namespace {namespace} mounts it: nobody reads it", namespace=namespace),
        next=Text("List its file in `rule_files` and reload Prometheus.")
        if mounted
        else Text("Move `groups` into the `spec` of a PrometheusRule to see the records in Prometheus."),
        where=_place(document, current),
    )


def _place(document: Document, current: Object) -> Source:
    return Source(object=f"{document.get('kind')}/{namespace_of(current)}/{name_of(current)}")


def _config_maps(pod: Object) -> set[str]:
    found = set()
    for volume in items(pod, "spec", "volumes"):
        found.add(str(part(volume, "configMap", "name")))
        found |= {str(part(each, "configMap", "name")) for each in items(volume, "projected", "sources")}
    return found


def _reads_namespace(exam: Exam, prometheus: Object, namespace: str) -> bool:
    """Whether a Prometheus object reads rules of a namespace; without a selector of its own alone."""
    selector = part(prometheus, "spec", "ruleNamespaceSelector")
    if selector is None:
        return namespace_of(prometheus) == namespace
    return selects(selector, labels_of(exam.cluster.get("Namespace", namespace)))


def _words(selector: object) -> str:
    """Return a label selector as people write it."""
    pairs = [f"{key}: {value}" for key, value in mapping(selector, "matchLabels").items()]
    for each in items(selector, "matchExpressions"):
        values = each.get("values")
        among = f" ({', '.join(map(str, values))})" if isinstance(values, list) and values else ""
        pairs.append(f"{each.get('key')} {each.get('operator')}{among}")
    return ", ".join(pairs) or "–"
