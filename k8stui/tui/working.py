"""Slow work that a screen has done in threads, and what comes of it.

Keys that are typed while work goes on that somebody asked for are meant for what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.worker import Worker

from k8stui.tui.threads import in_thread

if TYPE_CHECKING:
    from textual.screen import Screen

    _Mixin = Screen[Any]
else:
    _Mixin = object  # a widget's looks come from its first base that is a widget


class Working(_Mixin):
    """Mixin of screens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began: dict[Worker[Any], float] = {}
        """Work that somebody asked for, and when it was begun."""

    def work(self, group: str, job: Callable[[], object], *, is_asked: bool = True) -> None:
        """Do slow work; only the last of a group is waited for.

        `is_asked`: somebody asked for it, and keys typed meanwhile are meant for what comes of it.
        """
        worker: Worker[Any] = self.run_worker(
            in_thread(job), exclusive=True, group=group, exit_on_error=False
        )
        if is_asked:
            self.await_work(worker)

    def await_work(self, worker: Worker[Any]) -> None:
        """Take note of work that somebody asked for and that begins now."""
        self._began[worker] = monotonic()

    @property
    def busy_since(self) -> float:
        """When work was begun that was asked for and goes on (s, monotonic); -inf: none."""
        for worker in [worker for worker in self._began if worker.is_finished]:
            del self._began[worker]
        return max(self._began.values(), default=-inf)

    def post(self, message: Message) -> None:
        """Take a message from a thread."""
        with suppress(RuntimeError):  # the loop is closed: the screen was left
            self.post_message(message)

    def mistake(self, error: Exception) -> str:
        """What the user did wrong, in words; a bug of ours is raised."""
        from k8stui.errors import explain_mistake  # noqa: PLC0415 - after the first frame

        said = explain_mistake(error)
        if said is None:
            raise error
        return said
