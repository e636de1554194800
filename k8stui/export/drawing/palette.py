"""Colours of the meanings (`Ink`): for pages and pictures, and what the screen's themes start with.

With `k8stui.tui.themes` the only place with colour literals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink

DARK: Mapping[str, str] = {
    "foreground": "#d5d8dc",
    "background": "#0d1117",
    "ink-strong": "#ffffff",
    "ink-dim": "#8b95a3",
    "ink-faint": "#4c5766",
    "ink-frame": "#59c2ff",
    "here": "#ffb454",
    "here-text": "#10141c",
    "stop-text": "#10141c",
    "trail": "#ffb454",
    "return": "#73d0ff",
    "back": "#73d0ff",
    "back-text": "#10141c",
    "match": "#c2e885",
    "nat": "#dfbfff",
    "drop": "#ff7b85",
    "ok": "#aad94c",
    "assumed": "#a8926a",
    "changed": "#ffd173",
    "cursor": "#26384d",
    "found": "#5a4a1c",
    "key": "#59c2ff",
    "yes": "#123d22",
    "yes-text": "#b9f0c5",
    "no": "#6a1b29",
    "no-text": "#ffd3d8",
    "lost": "#59400f",
    "lost-text": "#ffe0a1",
    "mixed": "#3b3166",
    "mixed-text": "#e0d6ff",
}
LIGHT: Mapping[str, str] = {
    "foreground": "#24292f",
    "background": "#ffffff",
    "ink-strong": "#000000",
    "ink-dim": "#5b6570",
    "ink-faint": "#9aa4ae",
    "ink-frame": "#0550ae",
    "here": "#ffc266",
    "here-text": "#1b1200",
    "stop-text": "#ffffff",
    "trail": "#8f5200",
    "return": "#0a5fb0",
    "back": "#9fd3ff",
    "back-text": "#001629",
    "match": "#0f5c25",
    "nat": "#6f2dbd",
    "drop": "#b3261e",
    "ok": "#116329",
    "assumed": "#7a5c1e",
    "changed": "#8a4b00",
    "cursor": "#d7e6f7",
    "found": "#fff0b3",
    "key": "#0550ae",
    "yes": "#cdeed5",
    "yes-text": "#0b4a1e",
    "no": "#ffc9ce",
    "no-text": "#7d0f18",
    "lost": "#ffe2ab",
    "lost-text": "#5e3a00",
    "mixed": "#e2d9ff",
    "mixed-text": "#3f2390",
}


class Look(NamedTuple):
    """How an ink looks: names of theme variables, and attributes."""

    colour: str
    background: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False
    plain: str = ""
    """Attributes that carry the meaning where the terminal's own colours, or none, are used."""


INKS: Mapping[Ink, Look] = {
    Ink.TEXT: Look("foreground"),
    Ink.STRONG: Look("ink-strong", bold=True, plain="bold"),
    Ink.DIM: Look("ink-dim", plain="dim"),
    Ink.FAINT: Look("ink-faint", plain="dim"),
    Ink.FRAME: Look("ink-frame"),
    Ink.HERE: Look("here-text", "here", bold=True, plain="bold reverse"),
    Ink.BACK: Look("back-text", "back", bold=True, plain="bold reverse"),
    Ink.STOP: Look("stop-text", "drop", bold=True, plain="bold reverse"),
    Ink.TRAIL: Look("trail", plain="bold"),
    Ink.RETURN: Look("return", plain="bold"),
    Ink.MATCH: Look("match", bold=True, plain="bold"),
    Ink.NAT: Look("nat"),
    Ink.DROP: Look("drop", bold=True, plain="bold"),
    Ink.OK: Look("ok"),
    Ink.ASSUMED: Look("assumed", italic=True, plain="italic"),
    Ink.CHANGED: Look("changed", bold=True, plain="bold"),
    Ink.CURSOR: Look("ink-strong", "cursor", plain="reverse"),
    Ink.FOUND: Look("ink-strong", "found", bold=True, underline=True, plain="reverse underline"),
    Ink.KEY: Look("key"),
    Ink.YES: Look("yes-text", "yes"),
    Ink.NO: Look("no-text", "no", bold=True, plain="bold"),
    Ink.LOST: Look("lost-text", "lost", bold=True, plain="bold"),
    Ink.MIXED: Look("mixed-text", "mixed", bold=True, plain="bold"),
}
