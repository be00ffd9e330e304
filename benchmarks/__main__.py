"""`make bench`: print the tables of docs/performance.md."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import control_plane, kyverno_command, live_cluster
from benchmarks.measuring import Figure, against
from benchmarks.terminal import Terminal

PYTHON = sys.executable
_PARSE = (
    "import sys, yaml, pathlib\n"
    "for path in pathlib.Path(sys.argv[1]).rglob('*.y*ml'):\n"
    "    list(yaml.parse(path.read_text(), Loader=yaml.CSafeLoader))\n"
)
_EMPTY_APP = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Empty(App):\n"
    "    def compose(self):\n"
    "        yield Static('nothing but a word')\n"
    "Empty().run()\n"
)


def main() -> int:
    """Measure everything and print Markdown."""
    from workshop.content import load_lab

    lab = load_lab()
    print(f"Machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        shutil.copytree(lab.solutions / "td", workspace / "td")
        print("| what | wall | peak | floor: wall | floor: peak | ratio |\n|---|---|---|---|---|---|")
        for figure in processes(workspace):
            print(figure.row(), flush=True)
        for row in kyverno_command.figures():
            print(row, flush=True)
        print("\n| in the terminal | wall | floor | ratio |\n|---|---|---|---|")
        ours, bare = first_paint(workspace)
        print(f"| TUI, first paint / empty Textual app | {_row(ours, bare)} |", flush=True)
        ours, bare = save_to_verdict(workspace)
        print(
            f"| save to verdict (15–30 ms debounce included) / judging 2.2 in process | {_row(ours, bare)} |"
        )
    print("\n| the evaluator | figure | ratio |\n|---|---|---|")
    for row in kyverno_command.throughput():
        print(row, flush=True)
    print("\n| sandbox | figure | ratio |\n|---|---|---|")
    for row in control_plane.figures():
        print(row, flush=True)
    print("\n| live cluster | figure | ratio |\n|---|---|---|")
    for row in live_cluster.figures():
        print(row, flush=True)
    return 0


def processes(workspace: Path) -> Iterator[Figure]:
    """Yield the figures of whole commands."""
    workshop = [PYTHON, "-m", "workshop"]
    check = [*workshop, "check", "--offline", "--format", "json", "--workspace", str(workspace)]
    bare = [PYTHON, "-c", "pass"]
    yield against("`workshop --help` / bare interpreter", [*workshop, "--help"], bare)
    one = [PYTHON, "-c", _PARSE, str(workspace / "td/kyverno")]
    yield against("`workshop check 2.2 --offline` / libyaml on its folder", [*check, "2.2"], one)
    whole = [PYTHON, "-c", _PARSE, str(workspace / "td")]
    yield against("`workshop check --offline`, all / libyaml on td/", check, whole)


def _row(ours: float, bare: float) -> str:
    return f"{ours * 1000:.0f} ms | {bare * 1000:.0f} ms | {ours / bare:.2f}"


def save_to_verdict(workspace: Path, saves: int = 8) -> tuple[float, float]:
    """Return the medians from a save to the verdict on the screen, and of judging alone."""
    from workshop.content import load_lab
    from workshop.engine import Run, judge_exercise
    from workshop.progress import Progress
    from workshop.verdicts import Mode
    from workshop.workspace import Workspace

    lab = load_lab()
    exercise = lab.exercise("2.2")
    assert exercise is not None
    progress = Progress.open(workspace)
    for name, value in (("started", "yes"), ("place", "2.2"), ("language", "en"), ("mode", "offline")):
        progress.set_setting(name, value)
    progress.close()
    path = workspace / "td/kyverno/policy-deny-latest.yaml"
    right = path.read_text()
    waits: list[float] = []
    with Terminal(
        [PYTHON, "-m", "workshop", "--workspace", str(workspace)], {"WORKSHOP_LANG": "en"}
    ) as terminal:
        terminal.wait_for("Passed: 5 points")
        for _ in range(saves):
            for text, word in ((right.replace("Enforce", "Audit"), "failed"), (right, "Passed: 5 points")):
                terminal.forget()
                path.write_text(text)
                saved = time.perf_counter()
                waits.append(terminal.wait_for(word) - saved)
    judged: list[float] = []
    for _ in range(saves):
        started = time.perf_counter()
        judge_exercise(Run.of(lab, Workspace(workspace), Mode.OFFLINE), exercise)
        judged.append(time.perf_counter() - started)
    return statistics.median(waits), statistics.median(judged)


def first_paint(workspace: Path, runs: int = 7) -> tuple[float, float]:
    """Return the medians of first paint: the lab's map, and an empty Textual program."""
    environment = {"WORKSHOP_LANG": "en"}
    ours, bare = [], []
    for _ in range(runs):
        command = [PYTHON, "-m", "workshop", "--workspace", str(workspace)]
        with Terminal(command, environment) as terminal:
            ours.append(terminal.wait_for("TechMarket") - terminal.started)
        with Terminal([PYTHON, "-c", _EMPTY_APP], environment) as terminal:
            bare.append(terminal.wait_for("nothing but a word") - terminal.started)
    return statistics.median(ours), statistics.median(bare)


if __name__ == "__main__":
    sys.exit(main())
