from __future__ import annotations

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Ink
from k8stui.tui import themes

FAINT = {Ink.FAINT}
"""Frames and wires: lines, not text."""


def luminance(colour: Color) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [value / 255 for value in colour.rgb]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("ink", list(Ink))
def test_text_can_be_read(theme: Theme, ink: Ink) -> None:
    """WCAG 2.2: contrast of text at least 4.5, of lines that are no text at least 2."""
    variables = {"foreground": theme.foreground or "", **theme.variables}
    ground = Color.parse(theme.background or "")
    style = themes.style(ink, variables, Style(bgcolor=ground.rich_color), is_ansi=False)
    assert style.color is not None
    assert style.bgcolor is not None
    text, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    assert contrast(text, back) >= (2 if ink in FAINT else 4.5)


@pytest.mark.parametrize("ink", [Ink.HERE, Ink.BACK, Ink.STOP, Ink.CURSOR, Ink.FOUND])
def test_without_colour_the_place_is_reversed(ink: Ink) -> None:
    variables = themes.ANSI.variables | {"foreground": "ansi_default"}
    assert themes.style(ink, variables, Style(), is_ansi=True).reverse


@pytest.mark.parametrize("ink", [Ink.MATCH, Ink.CHANGED, Ink.DROP, Ink.TRAIL, Ink.STRONG])
def test_without_colour_what_matters_is_bold(ink: Ink) -> None:
    variables = themes.ANSI.variables | {"foreground": "ansi_default"}
    assert themes.style(ink, variables, Style(), is_ansi=True).bold


def test_every_theme_knows_every_colour() -> None:
    wanted = {name for look in palette.INKS.values() for name in look[:2] if name} - {"foreground"}
    for theme in themes.ALL:
        assert wanted <= set(theme.variables)
    assert set(palette.INKS) == set(Ink)
