"""A sheet in a frame of given size: the rows of a pane, top to bottom. No Textual."""

from __future__ import annotations

from dataclasses import dataclass

from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    repaint,
    run,
    skip,
)
from k8stui.tui.sheet import Sheet


@dataclass(slots=True)
class View:
    """Which part of a sheet's body is seen."""

    top: int = 0
    left: int = 0

    def keep(self, sheet: Sheet, width: int, height: int) -> None:
        """Scroll no more than needed for the cursor to be seen, with a row or two of air."""
        rows = len(sheet)
        if sheet.cursor is not None:
            air = 2 if height > 8 else 1 if height > 4 else 0
            air = min(air, max(0, (height - sheet.extent) // 2))
            self.top = max(self.top, sheet.cursor + sheet.extent + air - height)
            self.top = min(self.top, max(0, sheet.cursor - air))
        self.top = max(0, min(self.top, rows - height))
        if sheet.width > width:
            self.left = min(self.left, max(0, sheet.column - 2))
            self.left = max(self.left, min(sheet.column + 26, sheet.width) - width)
            self.left = max(0, min(self.left, sheet.width - width))
        else:
            self.left = 0

    def scroll(self, sheet: Sheet, by: int, height: int) -> None:
        self.top = max(0, min(self.top + by, len(sheet) - height))


def body_height(sheet: Sheet, height: int) -> int:
    """Rows between the fixed lines, in a frame `height` rows high."""
    return max(0, height - 2 - len(sheet.head) - len(sheet.foot))


def framed(
    sheet: Sheet, view: View, width: int, height: int, *, focused: bool, found: str = ""
) -> list[Line]:
    """Draw the pane: exactly `height` lines of exactly `width` cells."""
    if width < 4 or height < 2:
        return [fit(NOTHING, width)] * height
    inner = width - 2
    room = body_height(sheet, height)
    edge = Ink.FRAME if focused else Ink.FAINT
    rows: list[Line] = list(sheet.head)
    rows += body(sheet, view, inner, room, found)
    rows += sheet.foot
    rows = rows[: height - 2]
    thumb = _thumb(view.top, len(sheet), room, len(sheet.head))
    lines = [_edge(sheet.title, "╭", "╮", inner, edge, focused=focused)]
    for n, row in enumerate(rows):
        bar = ("█", Ink.DIM) if n in thumb else ("│", edge)
        lines.append(join(((("│", edge),), fit(row, inner, sheet.fill), (bar,))))
    lines.append(_lower_edge(sheet.note, inner, edge))
    return lines


def body(sheet: Sheet, view: View, inner: int, room: int, found: str = "") -> list[Line]:
    """The rows of a sheet that are seen: exactly `room` of them."""
    count = len(sheet)
    shown = range(view.top, min(view.top + room, count))
    rows = [sheet.line(row) for row in shown]
    if view.left:
        rows = [skip(row, view.left) for row in rows]
    if found:
        rows = [lit(row, found) for row in rows]
    if sheet.centred and count < room:
        above = (room - count) // 2
        rows = [NOTHING] * above + rows
    if sheet.centred and sheet.width < inner:
        margin = run(" " * ((inner - sheet.width) // 2))
        rows = [join((margin, row)) for row in rows]
    return rows + [NOTHING] * (room - len(rows))


def body_at(
    sheet: Sheet, view: View, at: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int]:
    """(column, row) of the body on a cell of the frame; row -1: the body is not there."""
    (x, y), (width, height) = at, size
    inner, room = width - 2, body_height(sheet, height)
    row = y - 1 - len(sheet.head)
    if not (0 <= row < room and 1 <= x <= inner):
        return 0, -1
    column = x - 1 + view.left
    if sheet.centred:
        row -= max(0, room - len(sheet)) // 2
        column -= max(0, inner - sheet.width) // 2
    row += view.top
    return column, row if 0 <= row < len(sheet) else -1


def row_of(sheet: Sheet, view: View, room: int) -> int | None:
    """The row of the body, which has `room` rows, that the sheet's cursor is seen on."""
    if sheet.cursor is None:
        return None
    margin = (room - len(sheet)) // 2 if sheet.centred and len(sheet) < room else 0
    return sheet.cursor - view.top + margin


def lit(line: Line, found: str) -> Line:
    """The line with every occurrence of `found` (lower case) marked."""
    text = "".join(part for part, _ in line)
    low = text.lower()
    at = low.find(found)
    if at < 0 or len(low) != len(text):
        return line
    inks = [ink for part, ink in line for _ in part]
    while at >= 0:
        inks[at : at + len(found)] = [Ink.FOUND] * len(found)
        at = low.find(found, at + len(found))
    return join(((char, ink),) for char, ink in zip(text, inks, strict=True))


def _edge(title: Line, left: str, right: str, inner: int, edge: Ink, *, focused: bool) -> Line:
    shown = cut(title, inner - 4)
    if not focused:
        shown = tuple((text, Ink.DIM if ink is Ink.STRONG else ink) for text, ink in shown)
    used = line_width(shown)
    if not used:
        return run(left + "─" * inner + right, edge)
    rest = run(" " + "─" * (inner - 3 - used) + right, edge)
    return join((run(left + "─ ", edge), shown, rest))


def _lower_edge(note: Line, inner: int, edge: Ink) -> Line:
    shown = repaint(cut(note, inner - 4), Ink.DIM)
    used = line_width(shown)
    if not used:
        return run("╰" + "─" * inner + "╯", edge)
    return join((run("╰" + "─" * (inner - 3 - used) + " ", edge), shown, run(" ─╯", edge)))


def _thumb(top: int, count: int, room: int, offset: int) -> range:
    """Rows of the frame on which the scroll bar's thumb stands."""
    if count <= room or room <= 0:
        return range(0)
    size = max(1, room * room // count)
    start = offset + (top * (room - size) + (count - room) // 2) // (count - room)
    return range(start, start + size)
