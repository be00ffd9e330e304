"""3.5 – a blameless postmortem: its parts, its facts, a cause, actions, and nobody's guilt."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text, check, must, remark
from workshop.prose.blame import blaming, naming
from workshop.prose.markdown import Line, Section, folded, sections, statements
from workshop.prose.quantities import Quantity, quantities
from workshop.prose.reliability import (
    has_owner_or_date,
    is_disruption_budget,
    is_vague,
    mechanism,
    single_actions,
)
from workshop.verdicts import Reason, Source

PATH: Final = "td/sre/postmortem-pod-delete.md"
SECONDS: Final = 20.0
SUCCESS: Final = 95.0
SLO: Final = 99.9
HEADINGS: Final[dict[str, tuple[Text, re.Pattern[str]]]] = {
    "timeline": (Text("Timeline"), re.compile(r"chronolog|timeline|deroule|\bfrise|sequence of events")),
    "cause": (
        Text("Root cause"),
        re.compile(r"causes?\b.*racine|root cause|^causes?$|cause profonde|analyse des causes"),
    ),
    "well": (
        Text("What went well"),
        re.compile(
            r"(?<!pas )bien (?:fonctionn|march|passe)|ce qui a (?:fonctionn|march)|went (?:well|right)"
            r"|what worked|worked well|points? (?:forts?|positifs?)"
        ),
    ),
    "wrong": (
        Text("What went wrong"),
        re.compile(
            r"mal (?:fonctionn|march|passe)|n'a pas (?:bien )?(?:fonctionn|march)|gone better|a ameliorer"
            r"|went (?:wrong|badly|poorly)|did not (?:work|go)|didn't"
            r"|points? (?:faibles?|negatifs?)"
        ),
    ),
    "actions": (
        Text("Corrective actions"),
        re.compile(r"actions?\b|plan d'action|follow-?ups?|remediation|next steps"),
    ),
    "lessons": (
        Text("Lessons learned"),
        re.compile(
            r"lecons?\b|lessons?\b|enseignements?|apprentissages?|learnings?|takeaways?|we learn|retenir"
        ),
    ),
}
# The template's own headings, as its printed form has them: without any mark.
_UNMARKED: Final = re.compile(
    r"chronologie|timeline|causes? racines?|root causes?|ce qui a (?:bien|mal) fonctionne"
    r"|what went (?:well|wrong)|actions? correctives?|corrective actions|action items"
    r"|lecons apprises|lessons learn(?:ed|t)"
)
_BULLET: Final = re.compile(r"^\s*[-*+•]\s+")
_DATE: Final = re.compile(r"\bdate\b[^:\n]{0,30}:\s*(.*)")
_A_DATE: Final = re.compile(
    r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}"
    r"|\b\d{1,2}(?:er|st|nd|rd|th)?[\s-]+(?:of\s+)?[a-z]{3,10}\.?,?[\s-]+\d{2,4}"
    r"|\b[a-z]{3,10}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\b20\d{6}\b"
)
_DURATION: Final = re.compile(r"\bduree\b|\bduration\b|\blasted\b|\ba dure\b")
_RATE: Final = re.compile(r"success ?rate|taux de (?:succes|reussite)")
_OBJECTIVE: Final = re.compile(r"\b(?:slo|objectif|objective)\s*[:=]?\s*(?:de |of )?$")
_IMPACT: Final = re.compile(rf"{_RATE.pattern}|\bimpact\b")

_FAILURES: Final = re.compile(r"erreur|echec|echoue|error|fail|perdu|lost")


def _parts(exam: Exam) -> dict[str, Section]:
    """Return the sections of the postmortem by what they are; deeper headings belong to the one above."""
    found: dict[str, Section] = {}
    current: Section | None = None
    for section in _sections(exam):
        kind = _kind(section.title)
        if kind is not None and kind not in found:
            above, current = current, Section(section.title, section.number, list(section.lines))
            found[kind] = current
            # The SRE book writes what went well and wrong below its lessons learned: those say them.
            if above is not None and not above.text.strip() and _is_below(exam, section, above):
                above.lines += section.lines
        elif current is not None and section.title:
            current.lines += [Line(section.number, section.title), *section.lines]
    return found


def _is_below(exam: Exam, section: Section, other: Section) -> bool:
    """Whether a section's heading has more marks than another's."""
    lines = exam.text(PATH).text.split("\n")
    deep, shallow = (
        len(line) - len(line.lstrip("#"))
        for line in (lines[section.number - 1].lstrip(), lines[other.number - 1].lstrip())
    )
    return deep > shallow > 0


def _sections(exam: Exam) -> list[Section]:
    """Return the sections of the file, split at headings of the template that carry no mark.

    Such a heading stands alone on its line, or before a colon with its section behind it.

    Where a kind of section has a marked heading, that one counts: the same words alone on a line may be
    a table of contents.
    """
    marked = sections(exam.text(PATH).text)
    kinds = {_kind(section.title) for section in marked}
    found: list[Section] = []
    for section in marked:
        found.append(Section(section.title, section.number))
        for line in section.lines:
            title, _, rest = _BULLET.sub("", line.text).partition(":")
            if _UNMARKED.fullmatch(_title(title)) and _kind(title) not in kinds:
                found.append(Section(title.strip(), line.number))
                line = Line(line.number, rest)
            if line.text.strip() or found[-1].number != line.number:
                found[-1].lines.append(line)
    return found


def _title(text: str) -> str:
    return re.sub(r"^[\d.)\s]+", "", folded(text)).strip(" :*#")


def _kind(title: str) -> str | None:
    """Return which of the six sections a heading begins."""
    return next((kind for kind, (_, words) in HEADINGS.items() if words.search(_title(title))), None)


def _part(exam: Exam, kind: str) -> Section:
    """Return a section with something in it; without one the check ends."""
    section = _parts(exam).get(kind)
    name = HEADINGS[kind][0]
    if section is None or not section.text.strip():
        exam.fail(
            "section-missing" if section is None else "section-empty",
            Text("The section “{name}” is written", name=name),
            expected=Text("a heading “{name}” and at least a sentence below it", name=name),
            observed=Text("no such heading") if section is None else Text("nothing below it"),
            next=Text("Keep all six headings of the template, and write something below each."),
            where=Source(file=PATH, line=section.number, column=1) if section else Source(PATH, 1, 1),
        )
    return section


def _at(line: Line) -> Source:
    return Source(file=PATH, line=line.number, column=1)


def _everything(exam: Exam) -> list[Line]:
    return [line for section in sections(exam.text(PATH).text) for line in section.lines]


@check(level=must)
def six_sections(exam: Exam) -> None:
    """All six sections of the template are filled in.

    Each asks another question; what is left out is what nobody learns from.
    """
    for kind in HEADINGS:
        with exam.part():
            section = _part(exam, kind)
            exam.fact(
                "section",
                Text("The section “{name}” is written", name=HEADINGS[kind][0]),
                met=True,
                where=_at(Line(section.number, "")),
            )


@check(level=must)
def dated(exam: Exam) -> None:
    """The postmortem has a date.

    In six months somebody will compare it with the deployments of that day.
    """
    lines = [
        (line, match[1].strip(" *|")) for line in _head(exam) if (match := _DATE.search(folded(line.text)))
    ]
    value = next((value for _, value in lines if value), "")
    exam.fact(
        "date-missing" if not value else "not-a-date",
        Text("The date of the incident is filled in"),
        bool(_A_DATE.search(value)),
        expected=Text("a day, like 15 January 2026 or 2026-01-15"),
        observed=value or Text("no date"),
        next=Text("Write the day of your chaos experiment behind “Date”."),
        where=_at(lines[0][0]) if lines else Source(PATH, 1, 1),
    )


def _head(exam: Exam) -> list[Line]:
    """Return the lines before the first of the six sections, or all lines where a table holds them."""
    parts = _parts(exam)
    first = min((section.number for section in parts.values()), default=1_000_000)
    return [line for line in _titled(exam) if line.number < first]


def _titled(exam: Exam) -> list[Line]:
    """Return every line, headings included: “Date : …” may be written as one."""
    found = []
    for section in sections(exam.text(PATH).text):
        if section.title:
            found.append(Line(section.number, section.title))
        found.extend(
            Line(line.number, line.text.strip().strip("|").replace("|", ":", 1)) for line in section.lines
        )
    return found


@check(level=must)
def facts_agree(exam: Exam) -> None:
    """Duration and impact are those of the experiment: 20 seconds at 95 %.

    A postmortem that contradicts its own timeline convinces nobody.
    """
    lines = list(statements(_head(exam)))
    durations = [
        (line, each)
        for line in lines
        if _DURATION.search(folded(line.text))
        for each in quantities(line.text)
        if each.dimension == "time"
    ]
    everywhere = [(line, each) for line in statements(_everything(exam)) for each in quantities(line.text)]
    found = durations or [
        (line, each) for line, each in everywhere if each.dimension == "time" and _seconds(each, SECONDS)
    ]
    wrong = next(((line, each) for line, each in found if not _seconds(each, SECONDS)), None)
    exam.fact(
        "wrong-duration" if found else "duration-missing",
        Text("The incident lasted 20 seconds"),
        bool(found) and wrong is None,
        expected=Text("20 seconds, as from 14:00:05 to 14:00:25"),
        observed=wrong[0].text.strip()[:80]
        if wrong
        else Text("20 seconds")
        if found
        else Text("no duration"),
        next=Text("Take the duration from the timeline."),
        where=_at(wrong[0]) if wrong else Source(PATH, 1, 1),
    )
    rates = [
        (line, each)
        for line in lines
        if _IMPACT.search(folded(line.text))
        for each in quantities(line.text)
        if each.dimension == "percent" and not each.near(100, 0)
    ]
    stated = [each for _, each in everywhere if each.dimension == "percent" and each.near(SUCCESS, 0.05)]
    odd = next(((line, each) for line, each in rates if not _known_rate(each)), None)
    odd = odd or next(((line, each) for line, each in rates if _is_other_objective(line, each)), None)
    if odd is None and not any(each.near(SUCCESS, 0.05) for _, each in rates):
        # “Success rate: 5 %” takes the failures for the successes.
        odd = next(((line, each) for line, each in rates if _is_success_of(line, each, 100 - SUCCESS)), None)
    exam.fact(
        "wrong-impact" if odd else "impact-missing",
        Text("The success rate fell to 95 %, with an objective of 99.9 %"),
        bool(stated) and odd is None,
        expected=Text("95 %, against 99.9 %"),
        observed=odd[0].text.strip()[:80] if odd else Text("95 %") if stated else Text("no success rate"),
        next=Text("Keep the figures of the experiment: 95 % of success, 5 % of failures, objective 99.9 %."),
        where=_at(odd[0]) if odd else Source(PATH, 1, 1),
    )


def _seconds(quantity: Quantity, seconds: float) -> bool:
    return quantity.near(seconds / 60, 0.005)


def _is_other_objective(line: Line, quantity: Quantity) -> bool:
    """Whether a quantity stands behind “SLO:” and is no objective of the lab: 99.9 %, or 99 % in 3.4."""
    named = _OBJECTIVE.search(folded(line.text[: quantity.start]))
    return named is not None and not any(quantity.near(rate, 0.05) for rate in (SLO, 99.0))


def _is_success_of(line: Line, quantity: Quantity, rate: float) -> bool:
    words = folded(line.text)
    return quantity.near(rate, 0.05) and bool(_RATE.search(words)) and not _FAILURES.search(words)


def _known_rate(quantity: Quantity) -> bool:
    return any(quantity.near(rate, 0.05) for rate in (SUCCESS, 100 - SUCCESS, SLO, 99.0, 4.9, 0.1))


@check(level=must)
def cause_is_a_mechanism(exam: Exam) -> None:
    """The root cause says how the loss of a Pod became failed requests.

    Pods disappear every day. The question is why users noticed.
    """
    section = _part(exam, "cause")
    found = mechanism(section.text)
    exam.fact(
        "cause-is-the-trigger",
        Text("The root cause is a mechanism"),
        found,
        expected=Text(
            "what failed between the deleted Pod and the user: traffic, shutdown, start, capacity …"
        ),
        observed=" ".join(section.text.split())[:100],
        next=Text("Ask “why” once more: two Pods were still running, so why did requests fail?"),
        where=_at(Line(section.number, "")),
        reason=Reason.BEYOND_EVALUATOR if found is None else None,
    )


@check(level=must)
def two_concrete_actions(exam: Exam) -> None:
    """At least two corrective actions can be done and ticked off.

    An incident is paid for. The actions are what was bought.
    """
    section = _part(exam, "actions")
    items = section.items or [
        Line(line.number, action)
        for line in statements(section.lines)
        for action in single_actions(line.text)
        if action.strip()
    ]
    # The same action twice is one.
    concrete = {folded(item.text).strip(" .") for item in items if not is_vague(item.text)}
    vague = [item for item in items if is_vague(item.text)]
    exam.fact(
        "vague-action" if vague else "too-few-actions",
        Text("There are at least two concrete actions"),
        len(concrete) >= 2,
        expected=Text("two or more, each saying what is changed where"),
        observed=Text("{count} concrete; vague: {vague}", count=len(concrete), vague=vague[0].text[:60])
        if vague
        else Text("{count} concrete", count=len(concrete)),
        next=Text("Name the object and the change. Would a colleague know when it is done?"),
        where=_at(vague[0]) if vague else _at(Line(section.number, "")),
    )


@check(level=must)
def nobody_is_blamed(exam: Exam) -> None:
    """Nobody is blamed.

    Who fears blame keeps silent, and the next incident finds the same gap. Systems let people err.
    """
    found = list(blaming(_everything(exam)))
    parts = _parts(exam)
    for kind in ("cause", "wrong"):
        if kind in parts:
            known = {line.number for line, _ in found}
            found += [each for each in naming(parts[kind].lines) if each[0].number not in known]
    for line, words in found[:5]:
        exam.fact(
            "blame",
            Text("The postmortem describes causes, not culprits"),
            met=False,
            expected=Text("what the system allowed or lacked"),
            observed=f"“{words}”",
            next=Text("Write what made it possible: a missing check, an unclear step, a default setting."),
            where=_at(line),
        )
    if not found:
        exam.fact("blameless", Text("The postmortem describes causes, not culprits"), met=True)


@check(level=remark)
def actions_help_next_time(exam: Exam) -> None:
    """The actions would have changed this incident, and somebody looks after them.

    A PodDisruptionBudget limits evictions. The fault deletes Pods directly.
    """
    items = [item for item in _part(exam, "actions").items if not is_vague(item.text)]
    alone = bool(items) and all(is_disruption_budget(item.text) for item in items)
    exam.fact(
        "pdb-alone",
        Text("The actions do more than add a PodDisruptionBudget"),
        not alone,
        expected=Text("probes, a graceful shutdown, enough replicas, retries, an alert …"),
        observed=Text("only a PodDisruptionBudget") if alone else Text("more than that"),
        next=Text("Good for draining nodes, but it would not have saved a single request here."),
        where=_at(items[0]) if items else Source(PATH, 1, 1),
    )
    owned = [item for item in items if has_owner_or_date(item.text)]
    exam.fact(
        "no-owner-or-date",
        Text("Actions have an owner or a date"),
        bool(owned) or not items,
        expected=Text("who, and until when"),
        observed=Text("{count} of {all} actions", count=len(owned), all=len(items)),
        next=Text("Actions without owner and date are wishes. A name is fine here: it is no blame."),
        where=_at(items[0]) if items else Source(PATH, 1, 1),
    )
