"""The line in which one types what to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input


class FindBar(Input):
    """Finds as one types; Enter keeps what is found, Esc forgets it."""

    BINDINGS: ClassVar = [
        Binding("escape,ctrl+c", "forget", "forget", id="find-forget", tooltip="Stop finding"),
        Binding("down", "move(1)", "down", id="find-down", tooltip="To the next found"),
        Binding("up", "move(-1)", "up", id="find-up", tooltip="To the one found before"),
    ]

    @dataclass(eq=False, repr=False)
    class Typed(Message):
        """Another letter: find this, live."""

        text: str

    @dataclass(eq=False, repr=False)
    class Moved(Message):
        """Up or down among what was found."""

        by: int

    @dataclass(eq=False, repr=False)
    class Closed(Message):
        """Done: with what was found, or (Esc) without."""

        is_kept: bool

    def __init__(self) -> None:
        super().__init__(
            placeholder="find   ^pattern$   !not   -l app=web", id="find", compact=True
        )
        self.cursor_blink = False  # nothing is sent while nothing changes

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(is_kept=True))

    def action_move(self, by: int) -> None:
        self.post_message(self.Moved(by))

    def action_forget(self) -> None:
        self.post_message(self.Closed(is_kept=False))
