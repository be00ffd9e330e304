"""What an evaluation can say, and the two ways it can stop early.

`KyvernoError` is an error Kyverno itself would report (the rule's status is then ``error``); `Beyond` means
that this evaluator cannot tell, and why. Work is counted, so that no policy or resource can keep it busy
for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

Result = Literal["pass", "fail", "skip", "error", "unknown"]

#: Elementary steps (a compared character, a visited node) one `admit` may spend: half a second at worst.
#: Ordinary policies and resources need some 2,000.
STEPS = 300_000
MAX_DEPTH = 64
MAX_NODES = 50_000


class KyvernoError(Exception):
    """The engine would stop this rule with an error."""


class NotFoundError(KyvernoError):
    """A variable names a key that is not there."""


class Beyond(Exception):
    """Only a cluster, a registry or another engine knows the answer; `reason` is a stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(frozen=True)
class RuleResult:
    """What one rule of one policy says of the resource.

    `rule` is the name Kyverno reports (``autogen-…`` for generated rules, empty for CEL policies). `path`
    is where in the resource it was decided, as Kyverno writes it (``/spec/containers/0/image/``). `enforce`
    tells whether a failure refuses the request. `reason` says why a result is unknown: needs-cluster,
    needs-registry, needs-user, too-much-work or beyond-evaluator.
    """

    policy: str
    rule: str
    result: Result
    message: str = ""
    path: str = ""
    enforce: bool = True
    reason: str | None = None
    kind: str = "validate"


@dataclass(frozen=True)
class Admission:
    """The answer to a request. `admitted` is None when it cannot be told; `resource` is it after mutation."""

    admitted: bool | None
    resource: dict[str, Any]
    results: list[RuleResult] = field(default_factory=list)


_steps: ContextVar[list[int] | None] = ContextVar("kyverno_steps", default=None)


@contextmanager
def work(steps: int = STEPS) -> Iterator[None]:
    """Count the work done inside; an inner `with` shares the outer allowance."""
    if _steps.get() is not None:
        yield
        return
    token = _steps.set([steps])
    try:
        yield
    finally:
        _steps.reset(token)


def spend(steps: int = 1) -> None:
    """Take `steps` from the allowance; raises `Beyond` (too-much-work) when it is used up."""
    left = _steps.get()
    if left is not None:
        left[0] -= steps
        if left[0] < 0:
            raise Beyond("too-much-work")


def plain(value: object, depth: int = 0, nodes: list[int] | None = None) -> Any:
    """A deep copy holding JSON types only; raises `Beyond` for what no API server would have handed over."""
    nodes = [MAX_NODES] if nodes is None else nodes
    nodes[0] -= 1
    if depth > MAX_DEPTH or nodes[0] < 0:
        raise Beyond("too-much-work", "document too deep or too large")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Beyond("beyond-evaluator", "a mapping has keys that are not text")
        return {key: plain(item, depth + 1, nodes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1, nodes) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        # The API server writes 5.0 as 5.
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    raise Beyond("beyond-evaluator", f"{type(value).__name__} is no JSON value")
