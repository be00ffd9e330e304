"""The two looks: a quiet dark one and a quiet light one."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

_QUIET: Final = {"block-cursor-text-style": "none"}


def _scrollbars(background: str, bar: str, held: str) -> dict[str, str]:
    backgrounds = dict.fromkeys(
        (
            "scrollbar-background",
            "scrollbar-background-hover",
            "scrollbar-background-active",
            "scrollbar-corner-color",
        ),
        background,
    )
    return {**backgrounds, "scrollbar": bar, "scrollbar-hover": held, "scrollbar-active": held}


DARK: Final = Theme(
    name="workshop-dark",
    primary="#6aa9e9",
    secondary="#93a4b8",
    accent="#d9b36c",
    success="#79c08f",
    warning="#d9a75f",
    error="#e57f7f",
    foreground="#d5dce5",
    background="#11161d",
    surface="#161c25",
    panel="#212a36",
    dark=True,
    variables={
        **_QUIET,
        "border-blurred": "#212a36",
        **_scrollbars("#11161d", "#2a3544", "#3d5068"),
        "footer-key-foreground": "#8fbdf0",
        "block-cursor-foreground": "#f2f6fb",
        "block-cursor-background": "#2c3d52",
        "block-cursor-blurred-foreground": "#d5dce5",
        "block-cursor-blurred-background": "#202a37",
    },
)
LIGHT: Final = Theme(
    name="workshop-light",
    primary="#2a6db0",
    secondary="#5c6b7d",
    accent="#8a5a00",
    success="#2f7d4a",
    warning="#96610a",
    error="#b23a34",
    foreground="#20272f",
    background="#fbfaf6",
    surface="#f4f2ea",
    panel="#e6e2d6",
    dark=False,
    variables={
        **_QUIET,
        "border-blurred": "#e6e2d6",
        **_scrollbars("#fbfaf6", "#dcd7c8", "#b9c9d8"),
        "footer-key-foreground": "#2a6db0",
        "block-cursor-foreground": "#10161c",
        "block-cursor-background": "#cfe0f1",
        "block-cursor-blurred-foreground": "#20272f",
        "block-cursor-blurred-background": "#e6e8e6",
    },
)


def other(name: str) -> Theme:
    """Return the theme to change to."""
    return LIGHT if name == DARK.name else DARK
