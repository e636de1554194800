"""Typing what is to be shown, in the lowest line of a screen: each letter filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from k8stui.export.drawing.ink import Ink, Line, fit, join, run
from k8stui.tui.drawn import Bar

if TYPE_CHECKING:
    from textual.screen import Screen

    _Mixin = Screen[object]
else:
    _Mixin = object  # a widget's looks come from its first base that is a widget


class Filtering(_Mixin):
    """Mixin of screens with a lowest line ``#keys``."""

    needle = ""
    """What is shown is filtered by this; empty: all is shown."""
    types = False
    """Whether it is being typed."""
    typed_hint = ""
    """What can be typed, where that needs to be said."""

    def filter(self, needle: str) -> None:
        """Show only what holds `needle`; keeps it."""
        raise NotImplementedError

    def typed_line(self, width: int) -> Line:
        """The lowest line while one types."""
        said = f"   Enter keeps   Esc all   {self.typed_hint}"
        typed = (run(" /", Ink.KEY), run(self.needle, Ink.STRONG), run(" ", Ink.CURSOR))
        return fit(join((*typed, run(said, Ink.DIM))), width)

    def action_filter(self) -> None:
        """Type what is to be shown."""
        self.types = True
        self.filter("")

    def on_key(self, event: events.Key) -> None:
        """While one types, letters are letters."""
        if not self.types or event.key in ("up", "down", "pageup", "pagedown"):
            return
        if event.key == "escape":
            self.types = False
            self.filter("")
        elif event.key == "enter":
            self.types = False
            self.query_one("#keys", Bar).redraw()
        elif event.key == "backspace":
            self.filter(self.needle[:-1])
        elif event.is_printable and event.character:
            self.filter(self.needle + event.character)
        else:
            return
        event.stop()
        event.prevent_default()
