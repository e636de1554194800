"""A pane: a framed sheet that scrolls. It draws what it is given and says what was clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.message import Message

from k8stui.export.drawing.ink import Line
from k8stui.tui.drawn import Drawn
from k8stui.tui.frame import View, body_at, body_height, framed, row_of
from k8stui.tui.sheet import Sheet

Source = Callable[[int, int], Sheet]
"""(inner width, outer height) → the sheet to show now."""

_WHEEL_ROWS = 3


class Pane(Drawn):
    """One of the four views, or a list in front of them."""

    @dataclass(eq=False, repr=False)
    class Clicked(Message):
        """A row of the body was clicked."""

        pane: Pane
        row: int
        """-1: the frame, or beside the body."""
        column: int

    def __init__(self, source: Source, *, id: str, focused: bool = False) -> None:  # noqa: A002
        super().__init__(id=id)
        self._source = source
        self._view = View()
        self._cursor: int | None = None
        self.is_front = focused
        self.found = ""
        """What is being looked for in this pane, in lower case."""
        self._held = 0
        """How high the pane was before it lent rows; 0: it lends none."""
        self._above = 0
        """Rows of the body that are lent at its top."""
        self.sheet: Sheet | None = None

    def draw(self, width: int, height: int) -> list[Line]:
        inner = max(0, width - 2)
        whole = max(height, self._held)
        sheet = self._source(inner, whole)
        room = body_height(sheet, whole)
        if sheet.cursor != self._cursor or self.sheet is None:
            self._view.keep(sheet, inner, room)
            self._cursor = sheet.cursor
        self._view.scroll(sheet, 0, room)
        self.sheet = sheet
        lines = framed(sheet, self._view, width, whole, focused=self.is_front, found=self.found)
        lent = whole - height
        if not lent:
            self._above = 0
            return lines
        # What stands there stays where it is; at its lower end the packet itself is not covered.
        seen = row_of(sheet, self._view, room)
        self._above = lent if seen is not None and seen >= room - lent else 0
        first = 1 + len(sheet.head) + self._above
        end = len(lines) - 1 - len(sheet.foot) - (lent - self._above)
        body = lines[first:end]
        return [*lines[: 1 + len(sheet.head)], *body, *lines[len(lines) - 1 - len(sheet.foot) :]]

    @property
    def drawn_rows(self) -> int:
        """How high the frame is drawn for, whether or not it lends some of its rows."""
        return max(self.size.height, self._held)

    def lend(self, *, lends: bool) -> None:
        """From now on what is drawn keeps its place though the pane gets lower; or no more."""
        if not lends:
            self._held = 0
        elif not self._held:
            self._held = self.size.height

    def shift(self, rows: int) -> None:
        """Keep what is seen where it is, though so many rows more (or less) are above it now.

        At the very top the new rows are what one sees.
        """
        if self._view.top:
            self._view.top = max(0, self._view.top + rows)
            self._cursor = None if self._cursor is None else self._cursor + rows

    def look_again(self) -> None:
        """Bring the cursor into view at the next drawing, even if it did not move."""
        self._cursor = None
        self.sheet = None

    @property
    def page(self) -> int:
        """Rows of the body that are seen at once."""
        return body_height(self.sheet, self.size.height) if self.sheet else 1

    def scroll_by(self, rows: int) -> None:
        """Scroll the body without moving anything else."""
        if self.sheet is not None:
            self._view.scroll(self.sheet, rows, self.page)
            self.redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(_WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-_WHEEL_ROWS)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        column, row = 0, -1
        if self.sheet is not None:
            size = (self.size.width, max(self.size.height, self._held))
            at = (event.x, event.y + self._above)
            column, row = body_at(self.sheet, self._view, at, size)
        self.post_message(self.Clicked(self, row, column))
