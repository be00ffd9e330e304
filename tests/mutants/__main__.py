"""`make mutants`: every mutant of every reference solution, and whether its verdict is what it should be."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from workshop.content import load_lab

from .campaign import Figures, run
from .judging import bench
from .mutants import Mutant, mutants
from .reasons import reasons


def main() -> int:
    """Run; 1 when a mutant survives without a reason, a reason has none, or a check broke."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--exercise", action="append", default=[], help="only this one (may be repeated)")
    parser.add_argument("--offline", action="store_true", help="do not ask the real engines about survivors")
    parser.add_argument("--list", action="store_true", help="name every survivor with its reason")
    options = parser.parse_args()
    lab = load_lab("techmarket")
    known = reasons()
    began = time.monotonic()
    shown: set[str] = set()

    def told(mutant: Mutant) -> None:
        if mutant.exercise not in shown:
            shown.add(mutant.exercise)
            _say(f"{time.monotonic() - began:5.0f} s  {mutant.exercise}")

    with bench(lab) as judge:
        figures = run(judge, mutants(lab, frozenset(options.exercise)), known, told)
    wrong = _report(figures, list_all=options.list)
    unused = [] if options.exercise else [one for one in known if not _covers(figures, one.reason)]
    for one in unused:
        _say(f"a reason without a survivor: {one.reason}")
    if not options.offline:
        from .engines import ask

        wrong += ask(figures, _say)
    _say(f"seconds {time.monotonic() - began:.0f}")
    return 1 if wrong or unused else 0


def _covers(figures: Figures, reason: str) -> bool:
    return any(one is not None and one.reason == reason for _, _, one in figures.survivors)


def _report(figures: Figures, *, list_all: bool) -> int:
    for mutant, outcome, reason in figures.survivors:
        if reason is None or list_all:
            told = ", ".join(sorted(outcome.told)) or "silent"
            _say(f"{'survives' if reason is None else 'explained'}: {mutant} [{told}]")
            if reason is not None:
                _say(f"    {reason.reason}")
    for mutant, outcome in figures.untold:
        _say(f"{outcome.verdict.value}: {mutant} {sorted(outcome.told)}")
    _say("exercise   mutants  caught  advised  silent  unknown  without reason")
    open_ended = Counter(mutant.exercise for mutant, _ in figures.unexplained)
    for exercise, words in figures.words.items():
        unknown = words.total() - words["caught"] - words["advised"] - words["silent"]
        _say(
            f"{exercise:10} {words.total():7} {words['caught']:7} {words['advised']:8} {words['silent']:7} "
            f"{unknown:8} {open_ended[exercise]:8}"
        )
    total = sum((words for words in figures.words.values()), Counter[str]())
    _say(f"together   {total.total():7} {total['caught']:7} {total['advised']:8} {total['silent']:7}")
    return len(figures.unexplained) + sum(total[word] for word in ("error",))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (this program's output)


if __name__ == "__main__":
    sys.exit(main())
