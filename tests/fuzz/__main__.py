"""`make fuzz`: 100,000 inputs; stops at the first that crashes a reader or is given up, and shows it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from workshop.content import load_lab

from .campaign import run


def main() -> int:
    """Run; an input that fails is shown by hypothesis, and the program ends with its traceback."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = run(load_lab("techmarket"), Path(folder), options.inputs, options.seed)
    shares = ", ".join(f"{count} {name}" for name, count in done.items())
    print(f"{done.total()} inputs ({shares}): no crash, none given up; {time.monotonic() - began:.0f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
