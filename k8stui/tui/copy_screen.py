"""A list of things to be copied: commands, table rows. One key copies the line under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding

from k8stui.export.drawing.ink import Ink, Line, cut, run
from k8stui.tui.listing import ListScreen, Told


class CopyLine(NamedTuple):
    """A line of the list."""

    line: Line
    text: str
    """What is copied: all of it, where `line` may be cut."""
    about: str = ""
    """Said below, when the cursor is on it."""


class CopyScreen(ListScreen):
    """Shows entries; y or Enter copies one, and the list stays."""

    BINDINGS: ClassVar = [
        Binding("y,enter", "copy", "copy", id="copy-list-copy", tooltip="Copy this line"),
    ]

    choosing: ClassVar = "or y copy"

    def __init__(
        self,
        title: str,
        entries: Sequence[CopyLine],
        copy: Callable[[str], None],
        *,
        at: int = 0,
    ) -> None:
        """`copy` takes what is to be copied; `at`: the entry that the cursor is on at first."""
        super().__init__(
            title,
            lambda width: [cut(entry.line, width) for entry in entries],
            choices=range(len(entries)),
            at=at,
            foot=self._about,
        )
        self._entries = entries
        self._copy = copy

    def _about(self, row: int) -> list[Told]:
        """The whole line, however long, and what it is."""
        entry = self._entries[row]
        lead = run(" ")
        return [Told(lead, entry.text, Ink.TEXT, 5), Told(lead, entry.about, Ink.DIM, 1)]

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        if self._at is not None and self._entries:
            self._copy(self._entries[self._at].text)

    def action_choose(self) -> None:
        self.action_copy()
