"""What the author of a check imports.

    from workshop.checking import Exam, check, must

    @check(level=must)
    def latest_is_refused(exam: Exam) -> None:
        \"\"\"A Pod with nginx:latest is refused.

        A tag that moves is not a version: nobody can say what runs.
        \"\"\"
        policy = exam.resource("td/kyverno/policy.yaml", kinds=["ClusterPolicy.kyverno.io"])
        name = policy.get("metadata", "name")
        exam.fact("named", Text("The policy has its name"), name == "x", where=policy.at("metadata", "name"))

The first line of the docstring is the check's title, the rest says why it matters; both are message
ids of the translation catalogue. A check records facts and decides nothing else: its verdict is what
the facts add up to. It never asserts, sleeps, writes or looks outside the Exam.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workshop.accounts import Account
from workshop.answers import Answer
from workshop.exam import Exam, Stop, kind_of, same_object
from workshop.texts import Text
from workshop.verdicts import Half, Level
from workshop.workspace import Document, Position, TextFile

__all__ = [
    "Account",
    "Answer",
    "Check",
    "Document",
    "Exam",
    "Position",
    "Stop",
    "Text",
    "TextFile",
    "check",
    "cluster",
    "files",
    "kind_of",
    "must",
    "network",
    "remark",
    "same_object",
    "should",
]

must, should, remark = Level.MUST, Level.SHOULD, Level.REMARK
files, cluster, network = Half.FILES, Half.CLUSTER, Half.NETWORK


@dataclass(frozen=True, slots=True)
class Check:
    """One testable statement and the function that judges it."""

    name: str
    title: Text
    why: Text | None
    level: Level
    half: Half
    needs: tuple[Check, ...]
    containers: bool
    run: Callable[[Exam], None]


def check(
    *,
    level: Level = Level.MUST,
    half: Half = Half.FILES,
    needs: Iterable[Check] = (),
    containers: bool = False,
) -> Callable[[Callable[[Exam], None]], Check]:
    """Turn a function into a Check. Registers nothing: the engine reads a module's names in their order.

    `needs` are checks of the same module that must have passed; `containers` says that the check
    looks at containers that really run, which the sandbox does not have.
    """

    def declare(function: Callable[[Exam], None]) -> Check:
        title, _, why = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
        if not title:
            raise ValueError(
                f"{function.__module__}.{function.__name__}: a check needs a docstring: its title"
            )
        return Check(
            name=function.__name__,
            title=Text(" ".join(title.split()).removesuffix(".")),
            why=Text(" ".join(why.split())) if why.strip() else None,
            level=level,
            half=half,
            needs=tuple(needs),
            containers=containers,
            run=function,
        )

    return declare
