"""Every message of the sandbox can be read in French, with the same placeholders."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import workshop
from workshop.texts import read_catalogue

_PACKAGE = Path(workshop.__file__).parent
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _messages() -> Iterator[str]:
    for path in (*(_PACKAGE / "sandbox").rglob("*.py"), _PACKAGE / "cli" / "sandbox.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
                first = node.args[0]
                if isinstance(first, ast.Constant):  # the journal makes Texts of what it read
                    yield str(first.value)


def test_every_message_has_a_french_one_with_the_same_placeholders() -> None:
    catalogue = read_catalogue(_PACKAGE / "locale" / "fr" / "sandbox.yaml")
    messages = set(_messages())
    assert len(messages) > 50
    assert messages == set(catalogue)
    unequal = {
        english
        for english, french in catalogue.items()
        if set(_PLACEHOLDER.findall(english)) != set(_PLACEHOLDER.findall(french))
    }
    assert unequal == set()
