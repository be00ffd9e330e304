"""The Exam: what a check may look at, and where it records what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from workshop.accounts import Account, accounts_used
from workshop.answers import Answer, Answers
from workshop.cluster.port import Cluster, Unreachable
from workshop.content import Exercise
from workshop.network import LiveNetwork, Network
from workshop.texts import Message, Text
from workshop.verdicts import PRECEDENCE, Fact, Reason, Source, Verdict, check_verdict
from workshop.workspace import Dialect, Document, Position, TextFile, Unreadable, Workspace
from workshop.workspace.placeholders import placeholders

if TYPE_CHECKING:  # files alone need no stage
    from workshop.cluster.doors import Doors
    from workshop.cluster.stage import Applied, Stage

Where = Position | Document | TextFile | Source | None


class Stop(Exception):
    """Ends a check early with a verdict of its own; the last `facts` that were recorded say why."""

    def __init__(self, verdict: Verdict, reason: Reason | None = None, *, facts: int = 1) -> None:
        super().__init__(verdict)
        self.verdict = verdict
        self.reason = reason
        self.facts = facts


@dataclass(slots=True)
class Exam:
    """What a check may look at, and where it records what it finds. One Exam serves one check."""

    exercise: Exercise
    workspace: Workspace
    answers: Answers
    stage: Stage | Unreachable | None = None
    network: Network = field(default_factory=LiveNetwork)
    facts: list[Fact] = field(default_factory=list)
    _stopped: list[tuple[Verdict, Reason | None, int, int]] = field(default_factory=list)

    # --- recording -------------------------------------------------------------------------------

    def fact(
        self,
        id: str,
        claim: Message,
        met: bool | None,
        *,
        expected: Message | None = None,
        observed: Message | None = None,
        next: Message | None = None,
        where: Where = None,
        reason: Reason | None = None,
    ) -> bool:
        """Record a finding and return whether it is met. `met=None` means that it cannot be told."""
        self.facts.append(Fact(id, claim, met, expected, observed, next, _source(where), reason))
        return met is True

    def fail(
        self,
        id: str,
        claim: Message,
        *,
        expected: Message | None = None,
        observed: Message | None = None,
        next: Message | None = None,
        where: Where = None,
    ) -> NoReturn:
        """Record a fact that does not hold and end the check: what follows could not be judged."""
        self.fact(id, claim, met=False, expected=expected, observed=observed, next=next, where=where)
        raise Stop(Verdict.FAILED)

    def unfinished(
        self,
        id: str,
        claim: Message,
        *,
        observed: Message | None = None,
        next: Message | None = None,
        where: Where = None,
    ) -> NoReturn:
        """Say what is not done yet and end the check."""
        self.fact(id, claim, met=False, observed=observed, next=next, where=where)
        raise Stop(Verdict.UNFINISHED)

    def blocked(
        self, id: str, claim: Message, *, reason: Reason, observed: Message | None = None
    ) -> NoReturn:
        """Say what the check waits for and end it. MISSING_FILE never decides an exercise."""
        self.fact(id, claim, met=None, observed=observed, reason=reason)
        raise Stop(Verdict.BLOCKED, reason)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Bound what a Stop ends: the parts after this one are still judged (one service of three, say)."""
        try:
            yield
        except Stop as stop:
            self._stopped.append((stop.verdict, stop.reason, len(self.facts) - stop.facts, len(self.facts)))

    def conclude(self) -> tuple[Verdict, Reason | None]:
        """Return what everything recorded adds up to: the worst of stopped parts and other facts."""
        ended = {index for _, _, first, last in self._stopped for index in range(first, last)}
        free = [fact for index, fact in enumerate(self.facts) if index not in ended]
        outcomes = [(verdict, reason) for verdict, reason, _, _ in self._stopped]
        if free or not outcomes:
            outcomes.append(check_verdict(free))
        return min(outcomes, key=lambda outcome: PRECEDENCE.index(outcome[0]))

    # --- reading ---------------------------------------------------------------------------------

    @property
    def cluster(self) -> Cluster:
        """The cluster to look at, read-only. Raises Unreachable, which the engine turns into `unknown`."""
        return self._stage().cluster

    @property
    def doors(self) -> Doors:
        """The ways into the cluster beside its API server, as this machine sees them."""
        return self._stage().doors

    @property
    def applied(self) -> tuple[Applied, ...]:
        """In the sandbox: what became of every object of the exercise's files. On a cluster: nothing."""
        return self._stage().applied

    @property
    def account(self) -> Account:
        """The student's account as far as it is known."""
        return self.answers.account

    def accounts_used(self) -> dict[str, list[Position]]:
        """Return every registry account that td/ uses (lower case), with the places."""
        return accounts_used(self.workspace)

    def text(self, path: str) -> TextFile:
        """Return a text file that was worked on; otherwise the check ends as unfinished or blocked."""
        try:
            file = self.workspace.text(path)
        except Unreadable as unreadable:
            self._unreadable(path, unreadable)
        self._finished(file)
        return file

    def documents(self, path: str, *, dialect: Dialect = "kubernetes") -> list[Document]:
        """Return the YAML documents of a file that was worked on, none with a placeholder left."""
        documents = self._documents(path, dialect)
        for document in documents:
            self._finished(document)
        return documents

    def resource(
        self,
        path: str,
        *,
        kinds: Sequence[str],
        named: str | None = None,
        dialect: Dialect = "kubernetes",
        where_else: bool = True,
        select: Callable[[Document], bool] = lambda _: True,
    ) -> Document:
        """Return the object that a file is asked to hold, wherever the student put it.

        `kinds` are written as kubectl writes them: `Task.tekton.dev`, `Pod` for the core group. Looked
        for in `path` (or its .yml twin), then, with `where_else`, in the other files of its folder,
        by name, where `named` is given. In `path` itself an object of another name is returned when
        no better one is there: its name is a fact of its own.
        """
        try:
            here = self._documents(path, dialect)
        except Stop as stop:
            elsewhere = self._elsewhere(path, kinds, named, dialect, select) if where_else else None
            if stop.verdict is not Verdict.UNFINISHED or elsewhere is None:
                raise
            del self.facts[-stop.facts :]
            return elsewhere
        fitting = [document for document in here if _is(document, kinds) and select(document)]
        best = next((each for each in fitting if named in (None, each.get("metadata", "name"))), None)
        if best is None and where_else:
            best = self._elsewhere(path, kinds, named, dialect, select)
        if best is None and fitting:
            best = fitting[0]
        if best is not None and dialect == "kubernetes":
            # What kubectl applies last under a name is what stands there.
            beside = self._documents(best.file, dialect)
            best = next((each for each in reversed(beside) if same_object(each, best)), best)
        if best is None:
            for document in here:
                self._finished(document)
            self.fail(
                "kind",
                Text("{path} holds the object that is asked", path=path),
                expected=Text("kind {kinds}", kinds=" | ".join(kinds)),
                observed=Text("found {kinds}", kinds=", ".join(map(kind_of, here)) or "–"),
                next=Text(
                    "Compare `apiVersion` and `kind` with the documentation, capital letters included."
                ),
                where=here[0].at("kind") if here else Source(file=path),
            )
        self._finished(best)
        return best

    def answer(self, question: str) -> Answer:
        """Return the student's answer to a question of this exercise; unanswered ends the check."""
        self.answers_are_readable()
        answer = self.given(question)
        if answer is None:
            self._unanswered(question)
        return answer

    def given(self, question: str) -> Answer | None:
        """Return the answer to a question that may be answered elsewhere; a placeholder ends the check."""
        answer = self.answers.get(self.exercise.id, question)
        if answer is not None and placeholders(answer.text):
            self._unanswered(question)
        return answer

    def answers_are_readable(self) -> None:
        """End the check, blocked, where the file of the answers is there and cannot be read."""
        if self.answers.problem is not None:
            self._unreadable("td/answers.yaml", self.answers.problem)

    def _unanswered(self, question: str) -> NoReturn:
        self.unfinished(
            "unanswered",
            Text("The question is answered"),
            observed=Text("no answer to “{question}” yet", question=question),
            next=Text("Answer it in the workshop, or write it into td/answers.yaml."),
            where=Source(file="td/answers.yaml"),
        )

    def _stage(self) -> Stage:
        if isinstance(self.stage, Unreachable):
            raise self.stage
        if self.stage is None:
            raise Unreachable(Reason.NO_CLUSTER, Text("no cluster is looked at"))
        return self.stage

    def _elsewhere(
        self,
        path: str,
        kinds: Sequence[str],
        named: str | None,
        dialect: Dialect,
        select: Callable[[Document], bool],
    ) -> Document | None:
        folder = path.rpartition("/")[0]
        for other in self.workspace.files(folder, suffixes=(".yaml", ".yml")):
            if other == path:
                continue
            try:
                documents = self.workspace.documents(other, dialect=dialect)
            except Unreadable:
                continue  # its own exercise says so
            for document in documents:
                if (
                    _is(document, kinds)
                    and named in (None, document.get("metadata", "name"))
                    and select(document)
                ):
                    return document
        return None

    def _documents(self, path: str, dialect: Dialect) -> list[Document]:
        path = self.workspace.spelling(path)
        try:
            return self.workspace.documents(path, dialect=dialect)
        except Unreadable as unreadable:
            self._unreadable(path, unreadable)

    def _unreadable(self, path: str, unreadable: Unreadable) -> NoReturn:
        problem = unreadable.problem
        where = problem.position or Source(file=path)
        if problem.kind in ("missing", "empty"):
            claim = Text("{path} is written", path=path)
            self.unfinished(problem.kind, claim, observed=problem.text, next=problem.remedy, where=where)
        claim = Text("{path} can be read", path=path)
        self.fact("unreadable", claim, None, observed=problem.text, where=where, reason=Reason.UNREADABLE)
        raise Stop(Verdict.BLOCKED, Reason.UNREADABLE)

    def _finished(self, what: Document | TextFile) -> None:
        found = placeholders(what)
        if not found:
            return
        words = dict.fromkeys(placeholder for _, _, placeholder in found)
        lines = dict.fromkeys(str(position.line) for _, position, _ in found)
        self.unfinished(
            "placeholder",
            Text("Nothing is left to fill in"),
            observed=Text(
                "still there: {placeholders} (line {lines})",
                placeholders=", ".join(f"“{word}”" for word in words),
                lines=", ".join(lines),
            ),
            next=Text("Replace it by your own value."),
            where=found[0][1],
        )


def kind_of(document: Document) -> str:
    """Return a document's kind as kubectl writes it: `Task.tekton.dev`, `Pod` for the core group."""
    kind, version = document.get("kind"), document.get("apiVersion")
    if not isinstance(kind, str):
        return "?"
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    return f"{kind}.{group}" if group else kind


def same_object(one: Document, other: Document) -> bool:
    """Whether two documents are one object to the API server: the one applied later replaces the other."""
    name = other.get("metadata", "name")
    return (
        isinstance(name, str)
        and kind_of(one) == kind_of(other)
        and one.get("metadata", "name") == name
        and one.get("metadata", "namespace") == other.get("metadata", "namespace")
    )


def _is(document: Document, kinds: Sequence[str]) -> bool:
    return kind_of(document) in kinds


def _source(where: Where) -> Source | None:
    match where:
        case Source() | None:
            return where
        case Position(file=file, line=line, column=column):
            return Source(file=file, line=line, column=column)
        case Document():
            return _source(where.at())
        case TextFile():
            return Source(where.path, 1, 1)  # like a document: where it begins
