"""`make agreement`: at least 5,000 policy–resource pairs on the real Kyverno, or what differs."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from workshop.sandbox.api import Sandbox
from workshop.sandbox.components import POLICIES

from .campaign import record, report, run
from .comparison import Figures
from .probes import Field


def main() -> int:
    """Run the comparison; 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="agreement", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other policies")
    parser.add_argument("--pairs", type=int, default=5000, help="stop after so many")
    parser.add_argument("--policies", type=int, default=1200, help="or after so many sets of policies")
    parser.add_argument("--record", type=Path, help="folder for the disagreements found")
    options = parser.parse_args()
    sandbox = Sandbox.up("agreement", core=POLICIES)
    began, shown = time.monotonic(), [0, 0]

    def told(figures: Figures) -> None:
        for one in figures.disagreements[shown[0] :]:
            where = one.probe.name if one.probe else "the policy itself"
            _say(f"{one.subject.name} · {where}\n  ours:   {one.ours}\n  engine: {one.engine}")
        shown[0] = len(figures.disagreements)
        if figures.pairs // 500 > shown[1]:
            shown[1] = figures.pairs // 500
            _say(f"{time.monotonic() - began:5.0f} s  {figures.pairs} pairs")

    try:
        sandbox.reset()
        field = Field(sandbox)
        field.prepare()
        figures = run(field, start=options.seed, policies=options.policies, pairs=options.pairs, told=told)
    finally:
        sandbox.down()
    _say(report(figures))
    _say(f"seconds                {time.monotonic() - began:.0f}")
    if options.record:
        record(figures.disagreements, options.record)
    return 1 if figures.disagreements else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (this program's output)


if __name__ == "__main__":
    sys.exit(main())
