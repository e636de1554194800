from __future__ import annotations

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Ink
from k8stui.tui import themes

COLOURED = [one for one in (*BUILTIN_THEMES.values(), *themes.ALL) if not one.ansi]


@pytest.mark.parametrize("theme", COLOURED, ids=lambda t: t.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_text_can_be_read(theme: Theme, ground: str) -> None:
    """In Textual's own themes too, which know nothing of the inks."""
    made = theme.to_color_system().generate()
    variables = themes.defaults(theme) | made | theme.variables
    behind = Style(bgcolor=Color.parse(variables[ground]).rich_color)
    for ink in Ink:
        style = themes.style(ink, variables, behind, is_ansi=False)
        assert style.color is not None
        assert style.bgcolor is not None
        text, back = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
        assert themes.contrast(text, back) >= (2 if ink is Ink.FAINT else 4.5), ink


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT], ids=lambda t: t.name)
def test_our_own_colours_are_shown_as_they_are(theme: Theme) -> None:
    variables = {"foreground": theme.foreground or "", **theme.variables}
    behind = Style(bgcolor=Color.parse(theme.background or "").rich_color)
    for ink, look in palette.INKS.items():
        shown = themes.style(ink, variables, behind, is_ansi=False).color
        assert shown == Color.parse(variables[look.colour]).rich_color, ink


def test_contrast_is_that_of_wcag() -> None:
    white, grey, black = Color(255, 255, 255), Color(118, 118, 118), Color(0, 0, 0)
    assert themes.contrast(white, black) == pytest.approx(21)
    assert themes.contrast(grey, white) == pytest.approx(4.54, abs=0.01)


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
