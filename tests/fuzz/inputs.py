"""What the fuzzer hands in: YAML of all kinds, damaged reference files, policies drawn, edited and absurd."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from tests.agreement.cel_strategies import MUTATING, NATIVE, VALIDATING
from tests.agreement.legacy import LEGACY
from tests.agreement.probes import CREATED
from tests.kyverno.test_hostile import JSON, KINDS
from tests.workspace.test_workspace_fuzz import PIECES, TEXTS

_TD: Final = Path(__file__).resolve().parents[2] / "solutions" / "techmarket" / "td"
REFERENCE: Final = {
    f"td/{path.relative_to(_TD)}": path.read_text(encoding="utf-8")
    for path in sorted(_TD.rglob("*"))
    if path.suffix in (".yaml", ".md", ".json") and "skeleton" not in path.parts
}


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """A text after a few slips of the hand: something cut, doubled, moved or typed in between."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(["", text[start:end] * 2]) | PIECES)
        text = text[:start] + piece + text[end:]
    return text


@st.composite
def replaced(draw: st.DrawFn, text: str) -> str:
    """A YAML file in which some value is any other value."""
    documents = list(yaml.safe_load_all(text))
    target: Any = documents
    for _ in range(draw(st.integers(1, 10))):
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if not isinstance(target[key], dict | list) or draw(st.booleans()):
            target[key] = draw(JSON)
            break
        target = target[key]
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)


_FILES: Final = st.sampled_from(sorted(REFERENCE.values()))
_ANSWERS: Final = st.sampled_from(sorted(name for name in REFERENCE if name.endswith(".yaml")))
TEXT: Final = TEXTS | _FILES.flatmap(damaged)


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, str]:
    """A file of td/ and what stands in it instead of the reference solution."""
    name = draw(_ANSWERS)
    change = draw(st.sampled_from([damaged, replaced]))
    return name, draw(change(REFERENCE[name]))


@st.composite
def _absurd(draw: st.DrawFn) -> list[dict[str, Any]]:
    version, kind = draw(KINDS)
    return [{"apiVersion": version, "kind": kind, "metadata": {"name": "p"}, "spec": draw(JSON)}]


@st.composite
def _spoilt(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A drawn policy in which one value is any other."""
    policy = copy.deepcopy(draw(LEGACY))
    rules = policy["spec"]["rules"]
    rule = rules[draw(st.integers(0, len(rules) - 1))] if isinstance(rules, list) and rules else policy
    if isinstance(rule, dict) and rule:
        rule[draw(st.sampled_from(sorted(rule)))] = draw(JSON)
    return [policy]


POLICIES: Final = LEGACY.map(lambda policy: [policy]) | VALIDATING | MUTATING | NATIVE | _absurd() | _spoilt()
RESOURCES: Final = st.sampled_from(list(CREATED.values())) | JSON
