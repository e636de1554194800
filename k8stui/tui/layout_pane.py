"""Layout: the network of the walk, drawn; the packet at its place, its way so far lit."""

from __future__ import annotations

from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.header import what
from k8stui.export.drawing.ink import Ink, Line, join, run
from k8stui.export.drawing.words import place_sign
from k8stui.tui.sheet import Sheet
from k8stui.tui.state import State


class LayoutSheet(Sheet):
    """The Layout pane at one step."""

    centred = True

    def __init__(self, film: Film, state: State) -> None:
        self._film = film
        self.title = join((run("2 ", Ink.KEY), run("Layout", Ink.STRONG)))
        frame = film.frame(state.index)
        self._lines = frame.lines()
        self.width = frame.drawing.canvas.width
        if frame.eye is not None:
            self.column, self.cursor = frame.eye
        step, hop = state.step, state.hop
        if step is not None and hop is not None and step.after is not None:
            self.note = run(f"{place_sign(step, hop.direction).glyph} {what(step.after)}")

    def next_at(self, column: int, row: int, index: int) -> int | None:
        """The next step (round the end) whose packet is in the place on a cell."""
        return self._film.next_at((column, row), index)

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, row: int) -> Line:
        return self._lines[row]
