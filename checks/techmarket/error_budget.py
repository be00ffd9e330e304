"""3.2 – the error budget: three numbers and a consequence, in a Markdown file or typed into the runner."""

from __future__ import annotations

from typing import Final

from workshop.answers import PATH as ANSWERS
from workshop.checking import Exam, Position, Text, check, must, remark
from workshop.prose.consequence import contradicts_itself, says_overspent, says_still_met
from workshop.prose.quantities import quantities
from workshop.verdicts import Source
from workshop.workspace import Unreadable

from ._sre_budget import DAYS, TOPICS, Given, Topic, nothing_worked_out, right, typed, written
from ._sre_budget_numbers import restated, stray_percentages

PATH: Final = "td/sre/error-budget-calculation.md"


def _answered(text: str) -> bool:
    return not nothing_worked_out(text) or says_overspent(text) or says_still_met(text)


def _text(exam: Exam) -> str:
    if not _file_answers(exam):
        exam.answers_are_readable()
    file = exam.text(PATH)
    if not _answered(file.text):
        exam.unfinished(
            "nothing-answered",
            Text("The questions are answered"),
            observed=Text("no number but those of the statement"),
            next=Text("Write down your four answers, each with its calculation."),
            where=file,
        )
    return file.text


def _file_answers(exam: Exam) -> bool:
    """Whether the Markdown file holds answers, so that none need have been typed."""
    try:
        return _answered(exam.workspace.text(PATH).text)
    except Unreadable:
        return False


@check(level=must)
def typed_answers_can_be_read(exam: Exam) -> None:
    """What was typed can be read, where the file says nothing.

    A file that no tool can read answers nothing.
    """
    problem = exam.answers.problem
    exam.fact(
        "answers-unreadable",
        Text("{path} can be read", path=ANSWERS),
        problem is None or _file_answers(exam),
        expected=Text("a text that every tool of the field can read"),
        observed=problem.problem.text if problem is not None else Text("it can be read"),
        next=problem.problem.remedy if problem is not None else None,
        where=(problem.problem.position if problem is not None else None) or Source(ANSWERS),
    )


def _given(exam: Exam, topic: Topic) -> tuple[Given | None, Position | Source]:
    """Return the student's numbers for a question – the typed answer before the file – and where they are."""
    answer = exam.given(topic)
    if answer is not None:
        return typed(topic, answer.text), answer.position
    given = written(topic, _text(exam))
    line = given.line if given is not None else None
    return given, Source(PATH, line or 1, 1)


def _expected(topic: Topic) -> Text:
    """Say what the number is made of; which it is, is the student's to find."""
    return {
        "total": Text("the minutes of a month that 99.9 % leave over"),
        "remaining": Text("the total minus the 15 minutes that are gone"),
        "percentage": Text("what remains, as a share of the total"),
    }[topic]


def _judge(exam: Exam, topic: Topic, claim: Text, mistake: tuple[str, Text] | None, otherwise: Text) -> None:
    given, where = _given(exam, topic)
    if given is None or not given.quantities:
        exam.fail(
            f"{topic}-missing",
            claim,
            expected=_expected(topic),
            observed=Text("no such number found") if given is None else given.shown,
            next=Text("Write the number with its unit, in a line that says what it is."),
            where=where,
        )
    good = bool(given.right_for())
    identity, advice = mistake or (f"wrong-{topic}", otherwise)
    exam.fact(
        "right" if good else identity,
        claim,
        good,
        expected=_expected(topic),
        observed=given.shown,
        next=advice,
        where=where,
    )


def _total_mistake(given: Given | None) -> tuple[str, Text] | None:
    if given is None:
        return None
    if not given.right_for() and given.in_another_unit():
        return "total-in-another-unit", Text("The number is right, its unit is not. What does it count?")
    bare = [each for each in given.quantities if each.dimension == "plain"]
    if any(each.near(0.72, 0.02) for each in bare):
        return "hours-without-unit", Text("Is that hours? Then say so, or convert: an hour has 60 minutes.")
    if given.says(432, 438.3):
        return "total-ten-times", Text("That is 1 % of the month. 99.9 % leave over ten times less.")
    if given.says(4.32, 4.383):
        return "total-a-tenth", Text("That is 0.01 % of the month. 99.9 % leave over ten times more.")
    if given.says(43_200, 43_829):
        return "total-is-the-month", Text(
            "That is the whole month. Which part of it may the service be down?"
        )
    if given.says(0.01, 0.001, 0.1):
        return "total-is-a-share", Text(
            "That is a share of the month. Multiply it by the minutes of 30 days."
        )
    return None


@check(level=must)
def total_budget(exam: Exam) -> None:
    """The whole error budget is worked out in minutes.

    99.9 % sounds like always. In minutes it becomes something one can spend.
    """
    given, _ = _given(exam, "total")
    _judge(
        exam,
        "total",
        Text("The total error budget is right"),
        _total_mistake(given),
        Text("Minutes of the period, times the share that may fail: 100 % minus the objective."),
    )


@check(level=must)
def remaining_minutes(exam: Exam) -> None:
    """The minutes that remain are worked out.

    What is left decides whether to ship something risky this week.
    """
    given, _ = _given(exam, "remaining")
    mistake = None
    if given is not None and given.says(13.2, 13.83):
        mistake = (
            "subtracted-twice",
            Text("The 15 minutes went off twice. They are subtracted once, from the total."),
        )
    elif given is not None and given.says(43_185, 43_814, slack=1e-5):
        mistake = (
            "subtracted-from-month",
            Text("That is the month minus 15 minutes. Subtract from the budget."),
        )
    elif given is not None and _follows(exam, given):
        mistake = (
            "follows-wrong-total",
            Text("The subtraction is right, the total before it is not. Start there."),
        )
    _judge(
        exam,
        "remaining",
        Text("The remaining minutes are right"),
        mistake,
        Text("Subtract the downtime that has already happened from the total."),
    )


def _follows(exam: Exam, given: Given) -> bool:
    total, _ = _given(exam, "total")
    if total is None or total.right_for():
        return False
    return any(given.says(value - 15, slack=1e-3) for each in total.quantities for value in each.values)


@check(level=must)
def remaining_percentage(exam: Exam) -> None:
    """The share that remains is worked out.

    Policies speak in per cent: below a quarter, say, no more risky releases.
    """
    given, _ = _given(exam, "percentage")
    mistake = None
    if given is not None and any(
        each.near(100 - right("percentage", days), 0.5)
        or each.near(1 - right("percentage", days) / 100, 0.005)
        for each in given.quantities
        for days in DAYS
    ):
        mistake = (
            "consumed-not-remaining",
            Text("That is the share that is used up. The question asks for the rest."),
        )
    _judge(
        exam,
        "percentage",
        Text("The remaining percentage is right"),
        mistake,
        Text("Divide what remains by the total, times 100."),
    )


@check(level=must, needs=[total_budget, remaining_minutes, remaining_percentage])
def one_month_throughout(exam: Exam) -> None:
    """All three numbers are about the same month.

    30 days and the mean month differ by 37 seconds of budget; mixing them explains nothing.
    """
    common = set(DAYS)
    shown = []
    for topic in TOPICS:
        given, _ = _given(exam, topic)
        if given is not None:
            common &= set(given.right_for())
            shown.append(given.shown)
    exam.fact(
        "months-mixed",
        Text("One length of the month for all numbers"),
        bool(common),
        expected=Text("30 days throughout, or the mean month throughout"),
        observed=" · ".join(shown),
        next=Text("Choose one: 30 × 24 × 60 minutes, or the month behind the statement's 43 min 49 s."),
        where=Source(PATH, 1, 1),
    )


@check(level=must)
def consequence(exam: Exam) -> None:
    """The fourth answer says that the budget is overspent, or the objective missed.

    An error budget is an agreement about what happens when it is gone.
    """
    answer = exam.given("consequence")
    text = answer.text if answer is not None else _text(exam)
    overspent = says_overspent(text) or any(
        each.near(value, 0.15)
        for line in text.split("\n")
        for each in quantities(line)
        for value in (-1.8, -1.17)
    )
    still = contradicts_itself(text) if overspent else says_still_met(text)
    exam.fact(
        "slo-still-met" if still else "overspent" if overspent else "consequence-missing",
        Text("After 30 more minutes the budget is overspent"),
        overspent and not still,
        expected=Text(
            "the budget is overspent, or the objective of 99.9 % is missed – and what follows from that"
        ),
        observed=Text("the objective is said to be still met") if still else Text("nothing about it"),
        next=Text("15 and 30 minutes make 45. Compare with the total, and say what the team does then."),
        where=answer.position if answer is not None else Source(PATH, 1, 1),
    )


@check(level=remark)
def numbers_agree(exam: Exam) -> None:
    """What is said twice is the same both times, and the fourth answer's percentages follow from the others.

    Whoever reads a report trusts none of its numbers once two of them contradict each other.
    """
    text = _text(exam) if exam.workspace.exists(PATH) else ""
    claim = Text("The numbers of the file agree with each other")
    found = [*restated(text), *stray_percentages(text)]
    for line, shown in found:
        exam.fact(
            "numbers-disagree",
            claim,
            met=False,
            expected=Text("the same number, however it is written"),
            observed=shown,
            next=Text("Work this one out again: 15 and 30 minutes, of the total you found."),
            where=Source(PATH, line, 1),
        )
    if not found:
        exam.fact("agree", claim, met=True, where=Source(PATH, 1, 1))
