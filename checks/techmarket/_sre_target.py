"""Whom a ChaosEngine targets: `spec.appinfo`, or the newer `spec.selectors`."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text
from workshop.litmus import APP_KINDS, Engine, selects

SERVICE: Final = "payment-service"


def judge_appinfo(exam: Exam, engine: Engine) -> None:
    """Record whether `spec.appinfo` is complete and means the payment-service's Deployment."""
    kind, label = engine.get("spec", "appinfo", "appkind"), engine.get("spec", "appinfo", "applabel")
    where = engine.at("spec", "appinfo")
    if not kind or not label:
        exam.fail(
            "appinfo-incomplete" if kind or label else "no-target",
            Text("appinfo says which kind of workload, and which label it has"),
            expected=f"appkind: deployment, applabel: app={SERVICE}",
            observed=f"appkind: {kind or '–'}, applabel: {label or '–'}",
            next=Text("Litmus wants both or neither; with neither it does not know whom to hit."),
            where=where,
        )
    _kind(exam, engine, str(kind), ("spec", "appinfo", "appkind"))
    _label(exam, engine, str(label), ("spec", "appinfo", "applabel"))


def _kind(exam: Exam, engine: Engine, kind: str, path: tuple[str | int, ...]) -> None:
    capital = kind != kind.lower() and kind.lower() in APP_KINDS
    exam.fact(
        "appkind-capital" if capital else "wrong-appkind",
        Text("The target is a Deployment"),
        kind == "deployment",
        expected=f"{path[-1]}: deployment",
        observed=f"{path[-1]}: {kind}",
        next=Text("Litmus writes this word in lower case, and the API server refuses any other spelling.")
        if capital
        else Text("The payment-service is run by a Deployment."),
        where=engine.at(*path),
    )


def _label(exam: Exam, engine: Engine, label: str, path: tuple[str | int, ...]) -> None:
    selected = selects(label, SERVICE)
    exam.fact(
        "label-not-key-value" if selected is None else "wrong-target",
        Text("The label selects the Pods of the {name}", name=SERVICE),
        bool(selected),
        expected=f"{path[-1]}: app={SERVICE}",
        observed=f"{path[-1]}: {label}",
        next=Text("A label has a key and a value, joined by “=”.")
        if selected is None
        else Text("Compare with the Pods: kubectl get pods --show-labels"),
        where=engine.at(*path),
    )


def judge_selectors(exam: Exam, engine: Engine) -> None:
    """Record whether every entry of `spec.selectors` means the payment-service."""
    workloads, pods = engine.get("spec", "selectors", "workloads"), engine.get("spec", "selectors", "pods")
    kind = "workloads" if isinstance(workloads, list) and workloads else "pods"
    entries = workloads if kind == "workloads" else pods
    if not isinstance(entries, list) or not entries:
        exam.fail(
            "no-target",
            Text("selectors names workloads or Pods"),
            expected=Text("an entry below `workloads` or `pods`"),
            observed=Text("neither"),
            next=Text("Name the Deployment under `workloads`, with kind, namespace and names or labels."),
            where=engine.at("spec", "selectors"),
        )
    for index in range(len(entries)):
        path = ("spec", "selectors", kind, index)
        if kind == "workloads":
            _kind(exam, engine, str(engine.get(*path, "kind") or "–"), (*path, "kind"))
        labels, names = engine.get(*path, "labels"), engine.get(*path, "names")
        if kind == "workloads" and labels is not None and names is not None:
            exam.fact(
                "names-and-labels",
                Text("A workload is named, or found by its labels"),
                met=False,
                expected=Text("either names or labels"),
                observed=Text("both"),
                next=Text("The API server takes one of the two: remove the other."),
                where=engine.at(*path, "labels"),
            )
        if isinstance(labels, str) and labels:
            _label(exam, engine, labels, (*path, "labels"))
            continue
        listed = [each.strip() for each in names.split(",")] if isinstance(names, str) else []
        named = [
            each == SERVICE if kind == "workloads" else each.startswith(f"{SERVICE}-") for each in listed
        ]
        exam.fact(
            "wrong-target",
            Text("The names are those of the {name}", name=SERVICE),
            bool(named) and all(named),
            expected=f"names: {SERVICE}",
            observed=f"names: {names or '–'}",
            next=Text("Give the name of the Deployment, or a label of its Pods."),
            where=engine.at(*path),
        )
