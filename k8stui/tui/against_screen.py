"""The box that names another input: a path, completed as one types; what is wrong stands below."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from k8stui.neutralise import neutralise
from k8stui.tui.fitted import Fitted
from k8stui.tui.jobs import Jobs
from k8stui.tui.messages import OtherFailed, OtherRead
from k8stui.tui.once import Once
from k8stui.tui.paths import completions, given
from k8stui.tui.working import Working

_KEYS = "↑↓ choose   Tab takes it   Enter reads it   Esc back"


class AgainstScreen(Fitted, Once, Working, ModalScreen[bool]):
    """Gives back whether another input was read: it is the jobs' other one then."""

    BINDINGS: ClassVar = [
        Binding("escape", "close", "close", id="against-close", tooltip="Back, as it was"),
        Binding(
            "ctrl+c",
            "close",
            "close",
            id="against-break",
            tooltip="Back, as it was",
            priority=True,
        ),
        Binding("ctrl+q", "app.leave", "quit", id="against-quit", tooltip="Leave k8stui"),
        Binding("down", "move(1)", "down", id="against-down", tooltip="To the next path"),
        Binding("up", "move(-1)", "up", id="against-up", tooltip="To the path before"),
        Binding(
            "tab",
            "complete",
            "complete",
            id="against-complete",
            tooltip="Take the path that is marked, else the first one",
            priority=True,
        ),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, jobs: Jobs, typed: str = "", *, at_once: bool = False) -> None:
        """`typed`: what stands there at first; `at_once`: it is read without being asked for."""
        super().__init__()
        self._jobs = jobs
        self._typed = typed or next(iter(jobs.against), "")
        self._at_once = at_once
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static("Against what?   a file or a folder: this input after a change")
            yield Input(self._typed, placeholder="PATH")
            candidates = OptionList(id="candidates", markup=False, compact=True)
            candidates.can_focus = False
            yield candidates
            yield Static(_KEYS, id="trouble", markup=False)

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Another input"
        self._field.cursor_blink = False  # nothing is sent while nothing changes
        self._suggest()
        if self._at_once:
            self._read()

    @property
    def _field(self) -> Input:
        return self.query_one(Input)

    # The candidates

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(_KEYS)
        self._suggest()

    def _suggest(self) -> None:
        self._shown = completions(self._field.value)
        options = self.query_one("#candidates", OptionList)
        options.set_options([Content(neutralise(each)) for each in self._shown])
        options.highlighted = None

    def action_move(self, by: int) -> None:
        if not self._shown:
            return
        options = self.query_one("#candidates", OptionList)
        at = options.highlighted
        to = (0 if by > 0 else len(self._shown) - 1) if at is None else at + by
        options.highlighted = max(0, min(to, len(self._shown) - 1))

    def action_complete(self) -> None:
        """Write out the marked path, or the first one; a folder's own are listed then."""
        at = self.query_one("#candidates", OptionList).highlighted
        if self._shown:
            self._field.value = self._shown[at or 0]
            self._field.action_end()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_complete()

    # Reading

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.query_one("#candidates", OptionList).highlighted is not None:
            self.action_complete()
        self._read()

    def _read(self) -> None:
        path = given(self._field.value)
        if not path or "\0" in path:
            self._say("this is no path" if path else "a path is missing", is_wrong=True)
            return
        self._say(f"reading {path} …")
        self.work("read", partial(self._jobs.read_other, [path], self.post))

    def on_other_read(self, event: OtherRead) -> None:
        event.stop()
        self.dismiss(result=True)

    def on_other_failed(self, event: OtherFailed) -> None:
        event.stop()
        self._say(self.mistake(event.error), is_wrong=True)

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        trouble = self.query_one("#trouble", Static)
        trouble.set_class(is_wrong, "-wrong")
        trouble.update(text)

    def action_close(self) -> None:
        self.dismiss(result=False)
