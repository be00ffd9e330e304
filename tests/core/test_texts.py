"""Messages: translated where they are shown, filled once, never executed."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from workshop.texts import Bilingual, Text, translate


def test_a_message_is_translated_with_its_values() -> None:
    text = Text("{points} of {max_points} points", points=3, max_points=100)
    assert translate(text, "en") == "3 of 100 points"
    assert translate(text, "fr") == "3 points sur 100"


def test_a_message_within_a_message_is_translated_too() -> None:
    inner = Text("The files")
    assert (
        translate(Text("First this must hold: {title}", title=inner), "fr")
        == "Il faut d'abord : Les fichiers"
    )


def test_what_nobody_translated_is_said_in_english() -> None:
    assert translate(Text("nobody translates {this}", this="x"), "fr") == "nobody translates x"


def test_both_languages_of_the_content() -> None:
    assert translate(Bilingual(en="cat", fr="chat"), "fr") == "chat"


@given(st.text())
def test_values_are_never_read_as_a_template(value: str) -> None:
    assert translate(Text("<{value}>", value=value), "en") == f"<{value}>"


@given(st.text())
def test_a_template_without_values_is_left_alone(template: str) -> None:
    assert translate(Text(template), "en") == template


def test_messages_travel_between_processes() -> None:
    text = Text("{count} Pods", count=3)
    again = pickle.loads(pickle.dumps(text))  # noqa: S301 (our own bytes)
    assert again == text
    assert str(again) == "3 Pods"
    assert hash(again) == hash(text)
