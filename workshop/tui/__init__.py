"""The terminal user interface. Importing this package imports nothing heavy."""

from __future__ import annotations

import sys
from pathlib import Path

from workshop.content import Lab
from workshop.texts import Language


def run_app(lab: Lab, folder: str | None, language: Language | None, instructor: bool) -> int:
    """Open the TUI on a folder (the current one by default) and return the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("workshop: the TUI needs a terminal; see workshop --help\n")
        return 2
    from workshop.tui.app import WorkshopApp

    app = WorkshopApp(lab, Path(folder or ".").absolute(), language=language, instructor=instructor)
    app.run()
    return app.return_code or 0
