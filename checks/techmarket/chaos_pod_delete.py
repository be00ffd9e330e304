"""3.4 – a ChaosEngine: whom it targets, what it does, how long and to how many Pods."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from workshop.checking import Exam, Text, check, must, remark, should
from workshop.litmus import (
    DEFAULT_INTERVAL,
    DEFAULT_SECONDS,
    ENGINE,
    Engine,
    Variable,
    atoi,
    engines,
    pods_deleted,
    rounds,
)
from workshop.manifests import Path
from workshop.verdicts import Reason
from workshop.workspace import Unreadable

from ._objects import taken_by_the_api
from ._sre_probe import shortcomings
from ._sre_target import judge_appinfo, judge_selectors

PATH: Final = "td/litmus/chaos-pod-delete.yaml"
FAULT: Final = "pod-delete"
SECONDS: Final = 30
REPLICAS: Final = 3
_TEXT_FIELDS: Final = (
    ("spec", "engineState"),
    ("spec", "chaosServiceAccount"),
    ("spec", "jobCleanUpPolicy"),
    ("spec", "appinfo", "appns"),
    ("spec", "appinfo", "applabel"),
    ("spec", "appinfo", "appkind"),
)


def engine_of(exam: Exam) -> Engine:
    """Return the engine of the file, be it embedded in a workflow; with several, the one with the fault."""
    if any(exam.workspace.exists(path) for path in (PATH, PATH.removesuffix(".yaml") + ".yml")):
        found = engines(exam.documents(PATH))
        fitting = [each for each in found if any(name == FAULT for _, name in each.experiments())]
        if found:
            return (fitting or found)[0]
    return Engine(exam.resource(PATH, kinds=[ENGINE]), {})


def _fault(exam: Exam) -> tuple[Engine, int]:
    engine = engine_of(exam)
    found = next((index for index, name in engine.experiments() if name == FAULT), None)
    if found is None:
        exam.fail(
            "wrong-experiment",
            Text("The experiment is {name}", name=FAULT),
            expected=f"spec.experiments[0].name: {FAULT}",
            observed=Text(
                "experiments: {names}", names=", ".join(name for _, name in engine.experiments()) or "–"
            ),
            next=Text("Litmus finds the fault by its name in the hub; other tools call theirs differently."),
            where=engine.at("spec", "experiments"),
        )
    return engine, found


def variables_of(exam: Exam) -> tuple[Engine, dict[str, Variable]]:
    """Return the engine and the variables of its fault; the check ends where there is none."""
    engine, index = _fault(exam)
    return engine, {each.name: each for each in engine.env(index)}


def text_of(variable: Variable | None) -> str | None:
    """Return the value as the fault will see it; None when it is not set."""
    if variable is None or variable.value is None:
        return None
    return str(variable.value)


@check(level=must)
def an_engine_the_api_accepts(exam: Exam) -> None:
    """The file holds a ChaosEngine that the API server accepts.

    An engine that is refused deletes nothing.
    """
    engine = engine_of(exam)
    version = engine.get("apiVersion")
    exam.fact(
        "wrong-api-version",
        Text("The engine is of the API version that Litmus serves"),
        version == "litmuschaos.io/v1alpha1",
        expected="apiVersion: litmuschaos.io/v1alpha1",
        observed=f"apiVersion: {version}",
        next=Text("Copy the API version from the statement."),
        where=engine.at("apiVersion"),
    )
    for path in _TEXT_FIELDS:
        value = engine.get(*path)
        if value is not None and not isinstance(value, str):
            exam.fact(
                "not-text",
                Text("{field} is a text", field=".".join(path)),
                met=False,
                expected=f'{path[-1]}: "{str(value).lower()}"',
                observed=f"{path[-1]}: {str(value).lower()}",
                next=Text("Put quotes around it: YAML reads it as something else than text."),
                where=engine.at(*path),
            )
    for index, _ in engine.experiments():
        for variable in engine.env(index):
            if variable.value is not None and not isinstance(variable.value, str):
                exam.fact(
                    "env-not-text",
                    Text("The value of {name} is a text", name=variable.name),
                    met=False,
                    expected=f'value: "{variable.value}"',
                    observed=f"value: {str(variable.value).lower()}",
                    next=Text("Environment variables are texts: quote numbers, true and false."),
                    where=variable.position,
                )
    taken_by_the_api(exam, engine.document, told=partial(_told_apart, engine))


def _told_apart(engine: Engine, path: Path) -> bool:
    """Whether a field has a fact of its own, or is made up by a workflow when it runs."""
    if path == ("metadata", "name"):
        return "{{" in str(engine.document.get(*path))
    return path in (*_TEXT_FIELDS, ("apiVersion",)) or ("env" in path and path[-1] == "value")


@check(level=must)
def payment_service_is_the_target(exam: Exam) -> None:
    """The engine targets the payment-service's Deployment.

    Chaos without a clear target is an outage.
    """
    engine = engine_of(exam)
    if engine.get("spec", "selectors") is not None:
        judge_selectors(exam, engine)
    else:
        judge_appinfo(exam, engine)


@check(level=must)
def engine_is_started(exam: Exam) -> None:
    """The engine is active and acts under a service account.

    Without an account the experiment may not delete a single Pod.
    """
    engine = engine_of(exam)
    state, account = engine.get("spec", "engineState"), engine.get("spec", "chaosServiceAccount")
    exam.fact(
        "engine-not-active",
        Text("The engine is active"),
        state == "active",
        expected="engineState: active",
        observed=f"engineState: {state or '–'}",
        next=Text("An engine that is stopped starts nothing. Litmus itself writes `stop` at the end."),
        where=engine.at("spec", "engineState"),
    )
    exam.fact(
        "no-service-account",
        Text("The engine names a service account"),
        isinstance(account, str) and bool(account.strip()),
        expected="chaosServiceAccount: litmus-admin",
        observed=f"chaosServiceAccount: {account or '–'}",
        next=Text("Name an account that exists in the engine's own namespace."),
        where=engine.at("spec", "chaosServiceAccount"),
    )


@check(level=must)
def pod_delete_is_the_fault(exam: Exam) -> None:
    """The experiment is pod-delete, and its variables stand where it reads them.

    What stands elsewhere is kept by the API server and read by nobody: the fault's own defaults apply.
    """
    engine, index = _fault(exam)
    exam.fact(
        "experiment",
        Text("The experiment is {name}", name=FAULT),
        met=True,
        where=engine.at("spec", "experiments", index),
    )
    for path in engine.misplaced_env():
        exam.fact(
            "env-misplaced",
            Text("The variables stand below spec.components.env of the experiment"),
            met=False,
            expected="spec.experiments[].spec.components.env",
            observed=".".join(str(part) for part in path),
            next=Text("Move the list one level, so that it stands below `components`."),
            where=engine.at(*path),
        )


@check(level=must)
def thirty_seconds(exam: Exam) -> None:
    """The chaos lasts 30 seconds.

    Long enough to see the effect, short enough to be forgiven.
    """
    engine, variables = variables_of(exam)
    duration = variables.get("TOTAL_CHAOS_DURATION")
    if duration is not None and duration.computed:
        _beyond(exam, duration)
        return
    text = text_of(duration)
    number = atoi(text) if text is not None else None
    if text is None:
        identity = "duration-missing"
    else:
        identity = "duration-not-seconds" if number is None else "wrong-duration"
    exam.fact(
        identity,
        Text("TOTAL_CHAOS_DURATION is 30"),
        number == SECONDS,
        expected='value: "30"',
        observed=Text("not set: the fault's default of {seconds} s applies", seconds=DEFAULT_SECONDS)
        if text is None
        else f'value: "{text}"',
        next=Text("A number of seconds, without a unit and in quotes."),
        where=duration.position if duration is not None else engine.at("spec", "experiments"),
    )


@check(level=must)
def one_pod_at_a_time(exam: Exam) -> None:
    """One Pod of the three is deleted at a time.

    The hypothesis is about losing one Pod. Losing two is another experiment.
    """
    engine, variables = variables_of(exam)
    targets, percentage = variables.get("TARGET_PODS"), variables.get("PODS_AFFECTED_PERC")
    named = [each for each in (text_of(targets) or "").split(",") if each.strip()]
    if targets is not None and (targets.computed or named):
        if targets.computed:
            _beyond(exam, targets)
            return
        exam.fact(
            "too-many-pods",
            Text("TARGET_PODS names one Pod"),
            len(named) == 1,
            expected=Text("a single name"),
            observed=Text("{count} names", count=len(named)),
            next=Text("Every Pod of this list is deleted in every round."),
            where=targets.position,
        )
        return
    if percentage is not None and percentage.computed:
        _beyond(exam, percentage)
        return
    text = text_of(percentage)
    count = pods_deleted(text, REPLICAS)
    exam.fact(
        "percentage-not-a-number" if count is None else "too-many-pods",
        Text("PODS_AFFECTED_PERC takes one Pod of three"),
        count == 1,
        expected=Text("nothing, 0, or at most 66: a share of 3 Pods is rounded down, but never to none"),
        observed=Text("“{value}”", value=text or "")
        if count is None
        else Text("“{value}” of {replicas} Pods: {count}", value=text or "", replicas=REPLICAS, count=count),
        next=Text("A whole number without a sign behind it; leave the variable out for a single Pod."),
        where=percentage.position if percentage is not None else engine.at("spec", "experiments"),
    )


def _beyond(exam: Exam, variable: Variable) -> None:
    exam.fact(
        "computed-value",
        Text("The value of {name} can be told", name=variable.name),
        None,
        observed=Text("it comes from somewhere else (valueFrom)"),
        where=variable.position,
        reason=Reason.BEYOND_EVALUATOR,
    )


@check(level=should)
def the_account_lives_with_the_engine(exam: Exam) -> None:
    """A service account that is handed in stands in the engine's namespace.

    The operator looks for it there and nowhere else.
    """
    engine = engine_of(exam)
    account, namespace = (
        engine.get("spec", "chaosServiceAccount"),
        engine.get("metadata", "namespace") or "default",
    )
    homes: list[str] = []
    for path in exam.workspace.files("td/litmus", (".yaml", ".yml")):
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue
        homes.extend(
            str(each.get("metadata", "namespace", default="default"))
            for each in documents
            if each.get("kind") == "ServiceAccount" and each.get("metadata", "name") == account
        )
    exam.fact(
        "service-account-elsewhere",
        Text("The service account stands in the engine's namespace"),
        not homes or namespace in homes,
        expected=f"ServiceAccount {namespace}/{account}",
        observed=", ".join(f"{home}/{account}" for home in homes) or Text("no ServiceAccount in td/litmus"),
        next=Text("Create it in the engine's namespace, with a RoleBinding there."),
        where=engine.at("metadata", "namespace"),
    )


@check(level=should)
def numbers_are_numbers(exam: Exam) -> None:
    """The other variables can be read by the fault, and it runs alone.

    What is no whole number becomes 0 without a word.
    """
    engine, variables = variables_of(exam)
    interval = variables.get("CHAOS_INTERVAL")
    text = text_of(interval)
    exam.fact(
        "interval-not-seconds",
        Text("CHAOS_INTERVAL is a number of seconds"),
        text is None or text == "" or atoi(text) is not None or interval is None or interval.computed,
        expected='value: "10"',
        observed=f'value: "{text}"',
        next=Text("A number of seconds, without a unit and in quotes."),
        where=interval.position if interval is not None else engine.at("spec", "experiments"),
    )
    others = [name for _, name in engine.experiments() if name != FAULT]
    exam.fact(
        "other-experiments",
        Text("No other fault runs in the same engine"),
        not others,
        expected=FAULT,
        observed=", ".join(others) or FAULT,
        next=Text("One cause at a time: two faults at once explain nothing."),
        where=engine.at("spec", "experiments"),
    )


@check(level=remark)
def one_deletion_in_all(exam: Exam) -> None:
    """Within the 30 seconds a single Pod is deleted.

    The fault starts a new round whenever the interval is over and the duration is not.
    """
    engine, variables = variables_of(exam)
    duration, interval = (
        text_of(variables.get("TOTAL_CHAOS_DURATION")),
        text_of(variables.get("CHAOS_INTERVAL")),
    )
    seconds = atoi(duration or "") or DEFAULT_SECONDS
    wait = atoi(interval or "")
    count = rounds(seconds, DEFAULT_INTERVAL if wait is None else wait)
    exam.fact(
        "several-rounds",
        Text("One Pod is deleted in all"),
        count <= 1,
        expected=Text("CHAOS_INTERVAL of {seconds} or more", seconds=seconds),
        observed=Text("up to {count} deletions, one after the other", count=count),
        next=Text("“1 Pod” read strictly wants an interval as long as the duration. Both are accepted."),
        where=engine.at("spec", "experiments"),
    )


@check(level=remark)
def hypothesis_is_probed(exam: Exam) -> None:
    """A probe decides whether the hypothesis holds.

    Without one, the verdict Pass only says that the Pods came back.
    """
    engine, index = _fault(exam)
    probes = engine.get("spec", "experiments", index, "spec", "probe")
    exam.fact(
        "no-probe",
        Text("The experiment has a probe"),
        (isinstance(probes, list) and bool(probes)) or _probed_by_name(engine),
        expected=Text("an httpProbe on the service, or a promProbe on its success rate"),
        observed=Text("no probe"),
        next=Text("Add one below the experiment's `spec.probe`: what must stay true while a Pod is missing?"),
        where=engine.at("spec", "experiments", index),
    )
    for number, probe in enumerate(probes if isinstance(probes, list) else []):
        for found in shortcomings(probe):
            exam.fact(
                found.id,
                Text("The probe decides on the hypothesis"),
                met=False,
                expected=found.expected,
                observed=found.observed,
                next=found.next,
                where=engine.at("spec", "experiments", index, "spec", "probe", number, *found.path),
            )


def _probed_by_name(engine: Engine) -> bool:
    """Whether the Chaos Center's own probes are referred to, as its experiments do in an annotation."""
    named = engine.get("metadata", "annotations", "probeRef")
    return isinstance(named, str) and re.search(r'"name"\s*:\s*"[^"]', named) is not None
