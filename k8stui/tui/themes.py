"""The screen's themes; everything else speaks of meanings (`Ink`)."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.palette import INKS

DARK = Theme(
    name="k8stui-dark",
    primary="#59c2ff",
    secondary="#95e6cb",
    accent="#ffb454",
    warning="#ffb454",
    error="#f26d78",
    success="#aad94c",
    foreground="#d5d8dc",
    background="#0d1117",
    surface="#0d1117",
    panel="#161c26",
    dark=True,
    variables=dict(palette.DARK),
)

STAGE = Theme(
    name="k8stui-stage",
    primary="#7fd4ff",
    secondary="#9bf5d8",
    accent="#ffc247",
    warning="#ffc247",
    error="#ff8088",
    success="#b6f04a",
    foreground="#f4f6f8",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        **palette.DARK,
        "ink-dim": "#c0c8d2",
        "ink-faint": "#8591a0",
        "ink-frame": "#f4f6f8",
        "here": "#ffc247",
        "here-text": "#000000",
        "stop-text": "#000000",
        "trail": "#ffc247",
        "return": "#7fd4ff",
        "back": "#7fd4ff",
        "back-text": "#000000",
        "match": "#ccff70",
        "nat": "#ecd0ff",
        "drop": "#ff8088",
        "ok": "#b6f04a",
        "assumed": "#d8bf8c",
        "changed": "#ffe08a",
        "cursor": "#274a70",
        "key": "#7fd4ff",
        "yes": "#0d5a2b",
        "yes-text": "#ffffff",
        "no": "#9b1529",
        "no-text": "#ffffff",
        "lost": "#7d5700",
        "lost-text": "#ffffff",
        "mixed": "#4a36a0",
        "mixed-text": "#ffffff",
    },
)
"""For a projector: black and white, and nothing pale."""

LIGHT = Theme(
    name="k8stui-light",
    primary="#0550ae",
    secondary="#116329",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b3261e",
    success="#116329",
    foreground="#24292f",
    background="#ffffff",
    surface="#ffffff",
    panel="#f0f3f6",
    dark=False,
    variables=dict(palette.LIGHT),
)

STAGE_LIGHT = Theme(
    name="k8stui-stage-light",
    primary="#003d82",
    secondary="#0a4d1d",
    accent="#7a4300",
    warning="#7a4300",
    error="#9d1b15",
    success="#0a4d1d",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#ffffff",
    dark=False,
    variables={**palette.LIGHT, "ink-dim": "#3d444d", "ink-faint": "#6a737d"},
)
"""The same from a light theme: a bright room."""

ANSI = Theme(
    name="k8stui-ansi",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_yellow",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "ink-strong": "ansi_default",
        "ink-dim": "ansi_default",
        "ink-faint": "ansi_default",
        "ink-frame": "ansi_cyan",
        "here": "ansi_yellow",
        "here-text": "ansi_black",
        "stop-text": "ansi_black",
        "trail": "ansi_yellow",
        "return": "ansi_cyan",
        "back": "ansi_cyan",
        "back-text": "ansi_black",
        "match": "ansi_green",
        "nat": "ansi_magenta",
        "drop": "ansi_red",
        "ok": "ansi_green",
        "assumed": "ansi_default",
        "changed": "ansi_yellow",
        "cursor": "ansi_default",
        "found": "ansi_default",
        "key": "ansi_cyan",
        "yes": "ansi_default",
        "yes-text": "ansi_green",
        "no": "ansi_default",
        "no-text": "ansi_red",
        "lost": "ansi_default",
        "lost-text": "ansi_yellow",
        "mixed": "ansi_default",
        "mixed-text": "ansi_magenta",
    },
)
"""The terminal's own 16 colours; with NO_COLOR none at all (weight and reverse video remain)."""

ALL = (DARK, LIGHT, STAGE, STAGE_LIGHT, ANSI)


def defaults(theme: Theme) -> dict[str, str]:
    """The inks' colours for a theme of Textual's own, which knows none of their names."""
    ours = ANSI if theme.ansi else DARK if theme.dark else LIGHT
    return ours.variables


def style(ink: Ink, variables: Mapping[str, str], ground: Style, *, is_ansi: bool) -> Style:
    """The ink's style on a background, in the theme whose `variables` are given.

    Done here and not by component classes: 18 of them on each of 7 widgets cost 20 ms at start.
    """
    look = INKS[ink]
    colour = Color.parse(variables[look.colour])
    if is_ansi:
        reversed_ = "reverse" in look.plain
        mine = Style.parse(look.plain or "none")
        return ground + mine if reversed_ else ground + Style(color=colour.rich_color) + mine
    background = Color.parse(variables[look.background]).rich_color if look.background else None
    behind = background or ground.bgcolor
    if behind is not None and not behind.is_default:
        colour = _readable(
            colour, Color.from_rich_color(behind), LINES if ink is Ink.FAINT else TEXT
        )
    return ground + Style(
        color=colour.rich_color,
        bgcolor=background,
        bold=look.bold or None,
        italic=look.italic or None,
        underline=look.underline or None,
    )


TEXT, LINES = 4.5, 2.0
"""The least contrast of text (WCAG 2.2, 1.4.3), and of frames and wires, which are none."""


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21 (WCAG 2.2, contrast ratio)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    """From 0 to 1 (WCAG 2.2, relative luminance)."""
    parts = [value / 255 for value in colour.rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(colour: Color, behind: Color, least: float) -> Color:
    """The colour itself, or as much nearer to white or black as the contrast asks for.

    Whoever made a theme of Textual's own has not seen our inks on it.
    """
    away = max((Color(0, 0, 0), Color(255, 255, 255)), key=lambda end: contrast(end, behind))
    nearer = (colour.blend(away, tenths / 10) for tenths in range(10))
    return next((one for one in nearer if contrast(one, behind) >= least), away)
