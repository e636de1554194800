"""Textual's command palette, without the keys that end it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from textual.binding import Binding
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.widgets import Input
from textual.worker import Worker

from k8stui.tui.fitted import Fitted
from k8stui.tui.once import Once
from k8stui.tui.working import Working


class Palette(Fitted, Once, Working, CommandPalette):
    """The palette; keys that mean nothing just now do nothing, and Ctrl-C closes it."""

    # In a terminal of three columns no column is left for a line of its list, and the toolkit
    # wraps at width 0 (widgets/_option_list.py OptionList.get_content_height: ValueError).
    DEFAULT_CSS = "Palette CommandList { min-width: 12; }"
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

    def run_worker(self, *args: Any, **kwargs: Any) -> Worker[Any]:
        """Gather the commands; where the palette is closed meanwhile, that ends the gathering.

        It looks for a list that is gone then (command.py CommandPalette._gather_commands:
        NoMatches), and by itself would take the app with it.
        """
        worker = super().run_worker(*args, **{**kwargs, "exit_on_error": False})
        self.await_work(worker)
        return worker

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False  # nothing is sent while nothing changes

    def _action_command_list(self, action: str) -> None:
        # Its list knows its lines once it is drawn. Before (while it is hidden, or in the moment
        # after a letter was typed) page down looks for a line that is not there
        # (widgets/_option_list.py OptionList._move_page: KeyError, IndexError).
        with suppress(LookupError, NoMatches):
            super()._action_command_list(action)
