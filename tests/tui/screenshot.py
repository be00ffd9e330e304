"""Take the pictures of the documentation from the running program: `python tests/tui/screenshot.py`.

A new workspace in which exercise 1.2 is done but for one owner; writes docs/images/tui.svg (English) and
docs/images/tui.fr.svg (French).
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from workshop.accounts import Account
from workshop.content import Lab, load_lab
from workshop.progress import Progress
from workshop.starting import start_workspace
from workshop.texts import LANGUAGES, Language
from workshop.tui.app import WorkshopApp

IMAGES = Path(__file__).parents[2] / "docs" / "images"
EXERCISE = "1.2"
SIZE = (150, 36)


def main() -> None:
    """Write both pictures."""
    lab = load_lab()
    IMAGES.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory() as folder:
            _prepare(lab, Path(folder), language)
            picture = asyncio.run(_picture(lab, Path(folder), language))
        name = "tui.svg" if language == "en" else f"tui.{language}.svg"
        (IMAGES / name).write_text(picture, encoding="utf-8")


def _prepare(lab: Lab, folder: Path, language: Language) -> None:
    start_workspace(lab, folder, Account("lea-devops", "lea@example.org"))
    exercise = lab.exercise(EXERCISE)
    assert exercise is not None
    for path in exercise.deliverables:
        text = (lab.solutions / path).read_text(encoding="utf-8")
        wrong = "Équipe paiement" if language == "fr" else "Payments team"
        (folder / path).write_text(text.replace("owner: team-payments", f"owner: {wrong}"), encoding="utf-8")
    progress = Progress.open(folder)
    for name, value in (("started", "yes"), ("place", EXERCISE), ("language", language)):
        progress.set_setting(name, value)
    progress.add_time("1", EXERCISE, 380)
    progress.close()


async def _picture(lab: Lab, folder: Path, language: Language) -> str:
    app = WorkshopApp(lab, folder, language=language, now=lambda: 0.0)
    async with app.run_test(size=SIZE) as pilot:
        while app.state.running or not app.state.results or not app.screen.query("MarkdownH2"):
            await asyncio.sleep(0.05)
        await pilot.pause()
        return app.export_screenshot(title="workshop")


if __name__ == "__main__":
    main()
