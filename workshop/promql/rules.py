"""Finding Prometheus rules wherever they stand, and what a server would refuse of them.

A rules file is a mapping with a list `groups`. It stands bare, in a PrometheusRule's `spec`, in Helm
values at any depth, or as text in a ConfigMap; it is looked for by its shape, not by its container.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from promql_parser import Expr

from workshop.promql.evaluation import Recorded
from workshop.promql.syntax import Beyond, PromQLError, parse
from workshop.texts import Text
from workshop.workspace import Document, Position, Problem, Unreadable

Path = tuple[str | int, ...]
_METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+|0")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS: Final = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_GROUP_KEYS: Final = frozenset(
    {"name", "interval", "query_offset", "limit", "labels", "rules", "partial_response_strategy"}
)
_RULE_KEYS: Final = frozenset({"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"})
_ALERT_ONLY: Final = ("for", "keep_firing_for", "annotations")


class Mistake(NamedTuple):
    """Something of the structure that Prometheus refuses; `id` becomes the id of a fact."""

    id: str
    observed: Text
    next: Text
    position: Position


class Rule(NamedTuple):
    """One rule. `tree` is None when the expression is no PromQL or beyond the reader."""

    document: Document
    path: Path
    record: str | None
    alert: str | None
    expr: str | None
    labels: Mapping[str, str]
    tree: Expr | None

    def at(self, key: str) -> Position:
        """Return where a field of the rule stands."""
        return self.document.at(*self.path, key)

    @property
    def interval(self) -> tuple[str, float] | None:
        """Return how often its group is evaluated: as written, and in seconds. None where it is not said."""
        written = self.document.get(*self.path[:-2], "interval")
        if not isinstance(written, str) or not _DURATION.fullmatch(written):
            return None
        parts = _PART.findall(written)
        return written, sum(float(number) * _SECONDS[unit] for number, unit in parts)

    def at_interval(self) -> Position:
        """Return where the interval of its group stands."""
        return self.document.at(*self.path[:-2], "interval")


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything found in some documents."""

    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]
    unreadable: tuple[Problem, ...]
    in_config_map: bool
    unknown: tuple[tuple[Rule, str], ...] = field(default=())

    def recording(self, name: str) -> list[Rule]:
        """Return the rules that record under a name."""
        return [rule for rule in self.rules if rule.record == name]

    @property
    def recorded(self) -> dict[str, list[Recorded]]:
        """Return what rules may refer to: record → its definitions."""
        found: dict[str, list[Recorded]] = {}
        for rule in self.rules:
            if rule.record is not None and rule.tree is not None:
                found.setdefault(rule.record, []).append(Recorded(rule.tree, rule.labels))
        return found


def read_rules(documents: Iterable[Document]) -> Rules:
    """Return the rules in documents, texts inside them included. Never raises."""
    reader = _Reader()
    for document in documents:
        reader.outer(document)
    return Rules(
        tuple(reader.rules),
        tuple(reader.mistakes),
        tuple(reader.unreadable),
        reader.in_config_map,
        tuple(reader.unknown),
    )


@dataclass(slots=True)
class _Reader:
    rules: list[Rule] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    unknown: list[tuple[Rule, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    in_config_map: bool = False

    def outer(self, document: Document) -> None:
        config_map = document.get("kind") == "ConfigMap"
        for path, value in _mappings_and_texts(document.data):
            if isinstance(value, str):
                self._text(document, path, config_map=config_map)
            elif isinstance(value.get("groups"), list):
                if config_map:
                    self._not_text(document, path)
                elif document.get("kind") == "PrometheusRule" and path != ("spec",):
                    self._not_in_spec(document, path)
                elif path == ("spec",) and document.get("kind") not in (None, "PrometheusRule"):
                    self._wrong_kind(document)
                elif not path and document.get("kind") is None:
                    self._first_of_its_file(document)
                self._file(document, path, value)
        self.in_config_map = self.in_config_map or config_map
        version = document.get("apiVersion")
        if document.get("kind") == "PrometheusRule" and version != "monitoring.coreos.com/v1":
            strange = Text("apiVersion: {version} is not served for PrometheusRule", version=version)
            self._mistake("wrong-api-version", strange, document, ("apiVersion",))
        elif version == "monitoring.coreos.com/v1" and document.get("kind") != "PrometheusRule":
            self._wrong_kind(document)

    def _wrong_kind(self, document: Document) -> None:
        if not any(
            each.id == "wrong-kind" and each.position == document.key_at("kind") for each in self.mistakes
        ):
            other = Text("kind: {kind} carries no rules, PrometheusRule does", kind=str(document.get("kind")))
            self._mistake("wrong-kind", other, document, ("kind",))

    def _text(self, document: Document, path: Path, *, config_map: bool) -> None:
        try:
            inner = document.nested(*path, dialect="prometheus")
        except Unreadable as unreadable:
            named = isinstance(path[-1], str) and path[-1].endswith((".yml", ".yaml", ".rules"))
            if config_map and named:
                self.unreadable.append(unreadable.problem)
            return
        for index, each in enumerate(inner):
            if isinstance(each.get("groups"), list):
                if index:
                    self._never_read(each)
                self._file(each, (), each.data)

    def _first_of_its_file(self, document: Document) -> None:
        if document.file in self.bare:
            self._never_read(document)
        self.bare.add(document.file)

    def _never_read(self, document: Document) -> None:
        self.mistakes.append(
            Mistake(
                "second-document",
                Text("these groups stand in a second YAML document, behind `---`"),
                Text("Prometheus reads the first document of a rules file: put all groups into one list."),
                document.key_at("groups"),
            )
        )

    def _not_text(self, document: Document, path: Path) -> None:
        self.mistakes.append(
            Mistake(
                "config-map-not-text",
                Text("under `data` there is YAML where a text is needed"),
                Text("Write `slo-rules.yml: |` and indent the whole rules file below it."),
                document.key_at(*path, "groups"),
            )
        )

    def _not_in_spec(self, document: Document, path: Path) -> None:
        self.mistakes.append(
            Mistake(
                "groups-not-in-spec",
                Text("the groups of a PrometheusRule stand outside its `spec`"),
                Text("Indent `groups` below `spec`: the operator looks nowhere else."),
                document.key_at(*path, "groups"),
            )
        )

    def _file(self, document: Document, path: Path, content: Mapping[str, Any]) -> None:
        self.names = set()  # unique within one rules file only
        for index, group in enumerate(content["groups"]):
            place = (*path, "groups", index)
            if not isinstance(group, dict):
                self._mistake("group-shape", Text("a group is no mapping"), document, place)
                continue
            self._group(document, place, group)

    def _group(self, document: Document, path: Path, group: Mapping[str, Any]) -> None:
        name = group.get("name")
        if not isinstance(name, str) or not name:
            self._mistake("group-without-name", Text("a group has no name"), document, path)
        elif name in self.names:
            again = Text("two groups are called {name}", name=name)
            self._mistake("group-twice", again, document, (*path, "name"))
        else:
            self.names.add(name)
        interval = group.get("interval")
        if interval is not None and not (isinstance(interval, str) and _DURATION.fullmatch(interval)):
            bad = Text("interval: {interval} is no duration", interval=interval)
            self._mistake("bad-interval", bad, document, (*path, "interval"))
        self._unknown_keys(document, path, group, _GROUP_KEYS)
        rules = group.get("rules")
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            place = (*path, "rules", index)
            if isinstance(rule, dict):
                self._rule(document, place, rule)
            else:
                self._mistake("rule-shape", Text("a rule is no mapping"), document, place)

    def _rule(self, document: Document, path: Path, content: Mapping[str, Any]) -> None:
        self._unknown_keys(document, path, content, _RULE_KEYS)
        record, alert, text = (_text(content.get(key)) for key in ("record", "alert", "expr"))
        labels = content.get("labels")
        named = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
        rule = Rule(document, path, record, alert, text, named, None)
        if bool(record) == bool(alert):
            both = Text("a rule is both `record` and `alert`") if record else Text("a rule records nothing")
            self._mistake("record-or-alert", both, document, path)
        if record and not _METRIC_NAME.fullmatch(record):
            wrong = Text("“{record}” is no name of a metric", record=record)
            self._mistake("bad-record-name", wrong, document, (*path, "record"))
        misplaced = next((key for key in _ALERT_ONLY if record and key in content), None)
        if misplaced:
            only = Text("`{key}` belongs to alerts, this rule records", key=misplaced)
            self._mistake("alert-field", only, document, (*path, misplaced))
        self._types(document, path, content)
        self.rules.append(self._parsed(rule))

    def _types(self, document: Document, path: Path, content: Mapping[str, Any]) -> None:
        for key in ("for", "keep_firing_for"):
            value = content.get(key)
            if value is not None and not (isinstance(value, str) and _DURATION.fullmatch(value)):
                bad = Text("{key}: {value} is no duration", key=key, value=str(value)[:60])
                self._mistake("bad-duration", bad, document, (*path, key))
        for key in ("labels", "annotations"):
            value = content.get(key)
            if value is not None and not (
                isinstance(value, dict) and not any(isinstance(each, dict | list) for each in value.values())
            ):
                self._mistake(
                    "bad-labels",
                    Text("`{key}` is no list of names with texts", key=key),
                    document,
                    (*path, key),
                )

    def _parsed(self, rule: Rule) -> Rule:
        if rule.expr is None or not rule.expr.strip():
            self._mistake("no-expression", Text("a rule has no `expr`"), rule.document, rule.path)
            return rule
        try:
            tree = parse(rule.expr)
        except PromQLError as error:
            self.mistakes.append(
                Mistake(
                    "promql-syntax",
                    Text("{name}: {error}", name=rule.record or rule.alert or "–", error=str(error)),
                    Text("Try the expression in Prometheus' own query page: it marks where it stops."),
                    rule.at("expr"),
                )
            )
            return rule
        except Beyond as beyond:
            self.unknown.append((rule, beyond.what))
            return rule
        return Rule(rule.document, rule.path, rule.record, rule.alert, rule.expr, rule.labels, tree)

    def _unknown_keys(
        self, document: Document, path: Path, content: Mapping[str, Any], known: frozenset[str]
    ) -> None:
        for key in content:
            if key not in known:
                strange = Text("`{key}` is no field of a group or a rule", key=key)
                self._mistake("unknown-field", strange, document, (*path, key))

    def _mistake(self, identity: str, observed: Text, document: Document, path: Path) -> None:
        advice = Text("Compare with the page on recording rules: Prometheus refuses the whole file for this.")
        self.mistakes.append(Mistake(identity, observed, advice, document.key_at(*path)))


def _text(value: object) -> str | None:
    # A constant (`expr: 1`) is a number to YAML and an expression to Prometheus.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _mappings_and_texts(data: object) -> Iterator[tuple[Path, Any]]:
    """Yield mappings, and the texts that may hold a rules file, but nothing below a list `groups`."""
    pending: list[tuple[Path, object]] = [((), data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            yield path, value
            pending.extend(
                ((*path, key), child)
                for key, child in reversed(value.items())
                if not (key == "groups" and isinstance(child, list))
            )
        elif isinstance(value, list):
            pending.extend(((*path, index), value[index]) for index in reversed(range(len(value))))
        elif isinstance(value, str) and path and ("groups" in value or _is_rules_key(path)):
            yield path, value


def _is_rules_key(path: Sequence[str | int]) -> bool:
    return isinstance(path[-1], str) and path[-1].endswith((".yml", ".yaml", ".rules")) and path[0] == "data"
