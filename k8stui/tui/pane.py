"""A pane: a framed sheet that scrolls. It draws what it is given and says what was clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.message import Message

from k8stui.export.drawing.ink import Line
from k8stui.tui.drawn import Drawn
from k8stui.tui.frame import View, body_at, body_height, framed
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
        self.sheet: Sheet | None = None

    def draw(self, width: int, height: int) -> list[Line]:
        inner = max(0, width - 2)
        sheet = self._source(inner, height)
        room = body_height(sheet, height)
        if sheet.cursor != self._cursor or self.sheet is None:
            self._view.keep(sheet, inner, room)
            self._cursor = sheet.cursor
        self._view.scroll(sheet, 0, room)
        self.sheet = sheet
        return framed(sheet, self._view, width, height, focused=self.is_front, found=self.found)

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
            size = (self.size.width, self.size.height)
            column, row = body_at(self.sheet, self._view, (event.x, event.y), size)
        self.post_message(self.Clicked(self, row, column))
