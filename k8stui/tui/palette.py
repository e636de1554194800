"""Textual's command palette, without the keys that end it."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual.binding import Binding
from textual.command import CommandPalette
from textual.css.query import NoMatches


class Palette(CommandPalette):
    """The palette; keys that mean nothing just now do nothing, and Ctrl-C closes it."""

    BINDINGS: ClassVar = [
        Binding(
            "ctrl+c",
            "escape",
            "close",
            id="palette-break",
            tooltip="Close the palette",
            priority=True,
        ),
        Binding("ctrl+q", "app.leave", "quit", id="palette-quit", tooltip="Leave k8stui"),
    ]

    def _action_command_list(self, action: str) -> None:
        # Its list knows its lines once it is drawn. Before (while it is hidden, or in the moment
        # after a letter was typed) page down looks for a line that is not there
        # (widgets/_option_list.py OptionList._move_page: KeyError, IndexError).
        with suppress(LookupError, NoMatches):
            super()._action_command_list(action)
