"""A widget that is drawn by hand, line by line, and sends only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from k8stui.export.drawing.ink import Ink, Line, fit, hang, run, to_ascii, width_of
from k8stui.tui import themes

_MOST_SAID = 3
"""Rows for something that is said for a while."""
_KEPT = 4096
"""Strips kept for reuse; a screen of 200×50 shows 200."""


class Drawn(Widget):
    """Lines in inks → strips in styles of the theme."""

    ALLOW_SELECT = False

    is_ascii: ClassVar[bool] = False
    """For terminals without box-drawing characters."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._drawn_size = Size(0, 0)
        self._strips: dict[Line, Strip] = {}
        self._styles: dict[Ink, Style] = {}

    def draw(self, width: int, height: int) -> list[Line]:
        """All lines of the widget, each as wide as it is."""
        raise NotImplementedError

    @property
    def shown_text(self) -> list[str]:
        """What stands there now, as text."""
        return ["".join(text for text, _ in line) for line in self._lines]

    def redraw(self) -> None:
        """Draw anew; ask for a repaint of those cells only that are different."""
        size = self.size if self.is_on_screen_now else Size(0, 0)
        if not size:
            self._drawn_size = size
            return
        if size != self._drawn_size:
            self._drawn_size = Size(0, 0)
            self.refresh()
            return
        old = self._lines
        self._lines = self.draw(*size)[: size.height]
        regions = [
            region
            for y, (before, after) in enumerate(zip(old, self._lines, strict=False))
            if before != after and (region := _difference(before, after, y))
        ]
        if regions:
            self.refresh(*regions)

    @property
    def is_on_screen_now(self) -> bool:
        return self.is_mounted and self.display

    def render_line(self, y: int) -> Strip:
        if self._drawn_size != self.size:
            self._drawn_size = self.size
            self._lines = self.draw(*self.size)[: self.size.height]
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self._style(Ink.TEXT))
        line = self._lines[y]
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            strip = self._strips[line] = self._strip(line)
        return strip

    def _strip(self, line: Line) -> Strip:
        shown = to_ascii if self.is_ascii else str
        runs: list[tuple[str, Style]] = []
        for text, ink in line:
            style = self._style(ink)
            if runs and text.isspace() and _is_same_ground(runs[-1][1], style):
                runs[-1] = (runs[-1][0] + text, runs[-1][1])
            else:
                runs.append((shown(text), style))
        segments = [Segment(text, style) for text, style in runs]
        return Strip(segments, sum(width_of(text) for text, _ in line))

    def _style(self, ink: Ink) -> Style:
        style = self._styles.get(ink)
        if style is None:
            app = self.app
            style = self._styles[ink] = themes.style(
                ink,
                app.theme_variables,
                Style(bgcolor=self.rich_style.bgcolor),
                is_ansi=app.native_ansi_color,
            )
        return style

    def notify_style_update(self) -> None:
        """Forget strips of another theme."""
        self._strips.clear()
        self._styles.clear()
        super().notify_style_update()

    def on_resize(self, _: events.Resize) -> None:
        self.redraw()


class Bar(Drawn):
    """A strip of one or a few lines that somebody else fills."""

    def __init__(self, source: Callable[[int, int], list[Line]], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._source = source

        self._said: tuple[str, Ink] | None = None
        self._forgets: Timer | None = None

    def draw(self, width: int, height: int) -> list[Line]:
        if self._said is None:
            lines = self._source(width, height)
        else:
            text, ink = self._said
            lines = hang(run(" "), text, width, ink, indent=1, rows=height)
        return [fit(line, width) for line in lines]

    def say(self, text: str, ink: Ink, seconds: float) -> None:
        """Say something here for a while, in place of what stands here; as high as it needs."""
        if self._forgets is not None:
            self._forgets.stop()
        self._said = (text, ink)
        self.styles.height = min(_MOST_SAID, len(hang(run(" "), text, self.size.width, indent=1)))
        self._forgets = self.set_timer(seconds, self._forget)
        self.redraw()

    def _forget(self) -> None:
        self._said = None
        self.styles.clear_rule("height")
        self.redraw()


def _is_same_ground(one: Style, other: Style) -> bool:
    """Whether a blank looks alike in both: then it needs no escape code of its own."""
    return one.bgcolor == other.bgcolor and not (
        one.reverse or other.reverse or one.underline or other.underline
    )


def _difference(before: Line, after: Line, y: int) -> Region | None:
    """The part of a row in which two lines differ."""
    old = [(char, ink) for text, ink in before for char in text]
    new = [(char, ink) for text, ink in after for char in text]
    if len(old) != len(new) or not all(text.isascii() or _narrow(text) for text, _ in after):
        return Region(0, y, sum(width_of(text) for text, _ in after), 1)
    first = next((n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b), None)
    if first is None:
        return None
    last = len(new) - 1
    while old[last] == new[last]:
        last -= 1
    return Region(first, y, last - first + 1, 1)


def _narrow(text: str) -> bool:
    return width_of(text) == len(text)
