"""A walk as a terminal recording: asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/).

Made without a terminal and without a clock: the same input gives the same bytes. A moment writes
only the cells that changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink, line_width, width_of
from k8stui.export.drawing.layers import cells, changes
from k8stui.export.drawing.palette import INKS
from k8stui.export.drawing.stills import Strip
from k8stui.export.drawing.svg import Patch

_ANSI = (
    "background", "drop", "ok", "here", "ink-frame", "nat", "return", "foreground",
    "ink-faint", "drop", "match", "changed", "key", "nat", "back", "ink-strong",
)  # fmt: skip
"""What stands for a terminal's 16 colours in a player's theme: black, red, green, yellow, …"""


class _Pen(NamedTuple):
    """How a terminal writes now (SGR, ECMA-48 8.3.117)."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    colour: str = ""
    ground: str = ""

    def to(self, other: _Pen) -> str:
        """The sequence that changes to another one: nothing but what differs."""
        codes = [
            on if after else off
            for before, after, on, off in (
                (self.bold, other.bold, "1", "22"),
                (self.italic, other.italic, "3", "23"),
                (self.underline, other.underline, "4", "24"),
            )
            if before != after
        ]
        codes += [f"38;2;{_rgb(other.colour)}"] if self.colour != other.colour else []
        codes += [f"48;2;{_rgb(other.ground)}"] if self.ground != other.ground else []
        return f"\x1b[{';'.join(codes)}m" if codes else ""


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))


def cast(strip: Strip, colours: Mapping[str, str]) -> Iterator[str]:
    """Write the recording line by line; `colours`: a palette."""
    first = strip.stills[0].lines
    palette = ":".join(colours[name] for name in _ANSI)
    yield _line(
        {
            "version": 2,
            "width": max(map(line_width, first)),
            "height": len(first),
            "title": strip.title,
            "env": {"TERM": "xterm-256color"},
            "theme": {
                "fg": colours["foreground"],
                "bg": colours["background"],
                "palette": palette,
            },
        }
    )
    pens = {ink: _pen(ink, colours) for ink in Ink}
    ink, clock = Ink.TEXT, 0.0
    pen = pens[ink]
    place = (0, 0)  # of the cursor
    shown: list[list[tuple[str, Ink]]] = [[] for _ in first]
    start = f"\x1b[?25l{_Pen().to(pen)}\x1b[2J"  # an erased screen has the ground of the pen
    for still in strip.stills:
        written, start = [start], ""
        found: list[Patch] = []
        for y, line in enumerate(still.lines):
            now = cells(line)
            found += changes(shown[y], now, y)
            shown[y] = now
        # A change of colour costs three times as much as going somewhere else.
        for patch in sorted(found, key=lambda one: (one.ink is not ink, one.ink, one.y, one.x)):
            there = pens[patch.ink]
            written += [_move(place, (patch.x, patch.y)), pen.to(there), patch.text]
            pen, ink = there, patch.ink
            place = (patch.x + width_of(patch.text), patch.y)
        yield _line([round(clock, 3), "o", "".join(written)])
        clock += still.seconds
    yield _line([round(clock, 3), "o", f"\x1b[0m\x1b[?25h\x1b[{len(first)};1H"])


def _move(now: tuple[int, int], to: tuple[int, int]) -> str:
    """CUP, or less where the cursor is on the row already (ECMA-48 8.3.21, 8.3.9)."""
    if now == to:
        return ""
    return f"\x1b[{to[0] + 1}G" if now[1] == to[1] else f"\x1b[{to[1] + 1};{to[0] + 1}H"


def _pen(ink: Ink, colours: Mapping[str, str]) -> _Pen:
    look = INKS[ink]
    ground = colours[look.background or "background"]
    return _Pen(look.bold, look.italic, look.underline, colours[look.colour], ground)


def _line(value: object) -> str:
    """One line of JSON in UTF-8, as the format wants it; controls are escaped."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
