"""The real engines' word on mutants: what they refuse must not pass, and what does as asked should.

Kyverno and the API server (2.2–2.4), Tekton's webhook (4.2–4.7), Argo Rollouts' definitions (bonus 1),
Backstage's validators (1.2, 1.3) and promtool (3.1). Which of them is not to be had is said.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.agreement.engine import Document, Engine, Probe
from tests.agreement.probes import LIMITS, Field, container, pod
from tests.backstage.test_agreement import JUDGE
from tests.backstage.test_agreement import ask as ask_backstage
from tests.rig.node import installed
from tests.tekton.test_live import refused
from workshop.sandbox.api import Sandbox
from workshop.sandbox.components import ON_DEMAND, POLICIES

from .campaign import Figures
from .mutants import Mutant

Say = Callable[[str], None]
_TEKTON: Final = frozenset({"4.2", "4.3", "4.4", "4.5", "4.6", "4.7"})
_NAMES: Final = {"2.2": "disallow-latest-tag", "2.3": "require-resource-limits"}
_LABELS: Final = {"cost-center": "techmarket", "managed-by": "platform-team"}
_CPU: Final = {"limits": {"cpu": "500m"}}
_MEMORY: Final = {"limits": {"memory": "256Mi"}}


def ask(figures: Figures, say: Say) -> int:
    """Ask every engine about its mutants; return how many verdicts differ from what it does."""
    return sum(
        (
            _policies(figures, say),
            _applied(figures, say),
            _backstage(figures, say),
            _promtool(figures, say),
        )
    )


def _survivors(figures: Figures, exercises: Iterable[str]) -> list[Mutant]:
    wanted = set(exercises)
    return [mutant for mutant, _, _ in figures.survivors if mutant.exercise in wanted]


# --- Kyverno: does the mutant do as the exercise asks? ------------------------------------------------


def _policies(figures: Figures, say: Say) -> int:
    passing = _survivors(figures, ("2.2", "2.3", "2.4"))
    failing = [mutant for mutant, _ in figures.caught if mutant.exercise in ("2.2", "2.3", "2.4")]
    if not passing and not failing:
        return 0
    sandbox = Sandbox.up("mutants", core=POLICIES)
    wrong = 0
    try:
        sandbox.reset()
        field = Field(sandbox)
        field.prepare()
        for mutant in passing:
            if not _does_as_asked(field, mutant):
                wrong += 1
                say(f"passes, and Kyverno does not do as asked: {mutant}")
        stricter = [mutant for mutant in failing if _does_as_asked(field, mutant)]
    finally:
        sandbox.down()
    for mutant in stricter:
        say(f"fails, and Kyverno does as asked: {mutant}")
    say(f"Kyverno: {len(passing)} passing, {wrong} wrong; {len(failing)} failing, {len(stricter)} stricter")
    return wrong


def _does_as_asked(field: Field, mutant: Mutant) -> bool:
    policies = [one for one in yaml.safe_load_all(mutant.text) if isinstance(one, dict)]
    name = _NAMES.get(mutant.exercise)
    if name and not any(_named(one) == name and one.get("kind") == "ClusterPolicy" for one in policies):
        return False
    if any(field.refusal(policy) is not None for policy in policies):
        return False
    with field.in_force(policies) as ready:
        return ready and all(_holds(field, mutant.exercise, *probe) for probe in _matrix(mutant.exercise))


def _named(policy: Document) -> Any:
    metadata = policy.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


def _matrix(exercise: str) -> Iterator[tuple[Document, bool]]:
    """Pods and whether they are to be refused: what the statement says, no more."""
    for namespace in ("default", "team-a"):
        for labels in (None, {"app": "web"}):
            good = container("nginx:1.27.5", resources=LIMITS)
            yield pod("good", namespace, good, labels=labels), False
            if exercise == "2.2":
                bad = container("nginx:latest", "bad", resources=LIMITS)
                yield pod("latest", namespace, bad, labels=labels), True
                yield pod("second", namespace, good, bad, labels=labels), True
            if exercise == "2.3":
                for resources in ({}, _CPU, _MEMORY, {"requests": LIMITS["requests"]}):
                    bad = container("nginx:1.27.5", "bad", resources=resources)
                    yield pod("unlimited", namespace, bad, labels=labels), True
                    yield pod("second", namespace, good, bad, labels=labels), True


def _holds(engine: Engine, exercise: str, document: Document, refused_: bool) -> bool:
    probe = Probe("probe", document)
    if engine.settled(probe, refused=refused_) is not refused_:
        return False
    if exercise != "2.4":
        return True
    stored = engine.ask(probe).object or {}
    labels = stored.get("metadata", {}).get("labels") or {}
    return all(labels.get(key) == value for key, value in _LABELS.items())


# --- webhooks and definitions: would the object be taken? ---------------------------------------------


def _applied(figures: Figures, say: Say) -> int:
    passing = _survivors(figures, _TEKTON | {"bonus-1"})
    if not passing:
        return 0
    sandbox = Sandbox.up("mutants", ON_DEMAND)
    wrong = 0
    try:
        api = sandbox.api()
        for mutant in passing:
            for document in yaml.safe_load_all(mutant.text):
                answer = refused(api, document) if isinstance(document, dict) else "no object"
                if answer is not None:
                    wrong += 1
                    say(f"passes, and the API server refuses it: {mutant}: {answer[:200]}")
    finally:
        sandbox.down()
    say(f"Tekton and Argo Rollouts: {len(passing)} passing, {wrong} refused")
    return wrong


# --- Backstage and Prometheus -------------------------------------------------------------------------


def _backstage(figures: Figures, say: Say) -> int:
    passing = _survivors(figures, ("1.2", "1.3"))
    if not passing:
        return 0
    answers = ask_backstage([mutant.text for mutant in passing], installed(JUDGE, "judge"))
    refusals = [
        (mutant, reason)
        for mutant, answer in zip(passing, answers, strict=True)
        for reason in answer.get("documents", [answer.get("error")])
        if reason is not None
    ]
    for mutant, reason in refusals:
        say(f"passes, and Backstage refuses it: {mutant}: {reason}")
    say(f"Backstage: {len(passing)} passing, {len(refusals)} refused")
    return len(refusals)


def _promtool(figures: Figures, say: Say) -> int:
    passing = _survivors(figures, ("3.1",))
    promtool = shutil.which("promtool")
    if promtool is None:
        say("promtool is not installed: not asked")
        return 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        for mutant in passing:
            document = next(yaml.safe_load_all(mutant.text))
            path.write_text(yaml.safe_dump({"groups": document["spec"]["groups"]}), encoding="utf-8")
            command = [promtool, "check", "rules", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            # Labels of a group came with Prometheus 3; Debian's promtool is older.
            if done.returncode != 0 and "field labels not found in type rulefmt.RuleGroup" not in done.stderr:
                wrong += 1
                say(f"passes, and Prometheus refuses it: {mutant}: {done.stderr.strip()[:200]}")
    say(f"Prometheus: {len(passing)} passing, {wrong} refused")
    return wrong
