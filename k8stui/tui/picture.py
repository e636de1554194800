"""The drawing alone on the screen, without a frame."""

from __future__ import annotations

from textual import events

from k8stui.export.drawing.ink import Line, fit
from k8stui.tui.frame import body, body_at
from k8stui.tui.pane import Pane


class Picture(Pane):
    """The drawing on all there is, without a frame."""

    def draw(self, width: int, height: int) -> list[Line]:
        sheet = self._source(width, height + 2)
        if sheet.cursor != self._cursor or self.sheet is None:
            self._view.keep(sheet, width, height)
            self._cursor = sheet.cursor
        self._view.scroll(sheet, 0, height)
        self.sheet = sheet
        return [fit(line, width) for line in body(sheet, self._view, width, height)]

    @property
    def page(self) -> int:
        return self.size.height

    def on_click(self, event: events.Click) -> None:
        event.stop()
        column, row = 0, -1
        if self.sheet is not None:
            size = (self.size.width + 2, self.size.height + 2)
            column, row = body_at(self.sheet, self._view, (event.x + 1, event.y + 1), size)
        self.post_message(self.Clicked(self, row, column))
