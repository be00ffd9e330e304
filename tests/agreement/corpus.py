"""The policies people write: the reference solutions and the answers kept with the exercises."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from .comparison import Subject
from .edits import edits
from .engine import Document

ROOT: Final = Path(__file__).resolve().parents[2]
_REFERENCE: Final = ROOT / "solutions" / "techmarket"
_CASES: Final = ROOT / "tests" / "content" / "cases"
_GROUPS: Final = ("kyverno.io", "policies.kyverno.io", "admissionregistration.k8s.io")


def written() -> list[Subject]:
    """Each file that holds policies, as it was written; what is no YAML or no policy is left out."""
    found: dict[str, Subject] = {}
    for name, text in _texts():
        policies = _policies(text)
        if policies:
            found.setdefault(json.dumps(policies, default=str), Subject(name, tuple(policies)))
    return list(found.values())


def edited(seed: int, count: int) -> list[Subject]:
    """`count` of the systematic edits of those policies, an even share of each kind of edit."""
    by_kind: dict[str, list[Subject]] = {}
    seen: set[str] = set()
    for subject in written():
        for index, policy in enumerate(subject.policies):
            for name, document in edits(policy):
                text = json.dumps(document, default=str)
                if text in seen:
                    continue
                seen.add(text)
                policies = (*subject.policies[:index], document, *subject.policies[index + 1 :])
                by_kind.setdefault(name.rpartition(" ")[0], []).append(
                    Subject(f"{subject.name}: {name}", policies)
                )
    chooser = random.Random(seed)  # noqa: S311  (a choice that can be repeated, no secret)
    for found in by_kind.values():
        chooser.shuffle(found)
    chosen: list[Subject] = []
    while len(chosen) < count and any(by_kind.values()):
        chosen += [found.pop() for found in by_kind.values() if found]
    return chosen[:count]


def _texts() -> Iterator[tuple[str, str]]:
    reference = {
        str(path.relative_to(_REFERENCE)): path.read_text(encoding="utf-8")
        for path in sorted((_REFERENCE / "td" / "kyverno").glob("*.yaml"))
    }
    yield from reference.items()
    for path in sorted(_CASES.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            for text in (case.get("files") or {}).values():
                if isinstance(text, str):
                    yield f"{path.stem}/{case['name']}", text
            for name, changes in (case.get("replace") or {}).items():
                text = reference.get(name, "")
                for old, new in changes:
                    text = text.replace(old, new)
                yield f"{path.stem}/{case['name']}", text


def _policies(text: str) -> list[Document]:
    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError):
        return []
    # Of two of one name the later is what the cluster has.
    named = {(one["kind"], one["metadata"]["name"]): one for one in documents if _is_policy(one)}
    return list(named.values())


def _is_policy(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    group = str(document.get("apiVersion")).partition("/")[0]
    kind = str(document.get("kind"))
    return group in _GROUPS and ("Policy" in kind) and isinstance(document["metadata"].get("name"), str)
