"""Watches a load from inside its thread, and tells the screen: seldom, and what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from k8stui.tui.found_rows import FoundRow, row_of
from k8stui.tui.messages import ReachOn, ReadOn
from k8stui.tui.reading import LoadPhase, LoadProgress

if TYPE_CHECKING:
    from k8stui.manifests.progress import Progress

_SILENT_SECONDS = 0.15
"""A load that is done by then shows no progress: it would only flicker."""
_PAUSE_SECONDS = 0.25
"""Between two updates: each is some hundred bytes, over SSH too."""


class CalledOff(Exception):  # noqa: N818 - nothing went wrong
    """The screen was left: nobody waits for the load any more."""


class Lookout:
    """Is called by the load, and by standard input (`came`)."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._next = time.monotonic() + _SILENT_SECONDS
        self.objects = 0
        self._rows: list[FoundRow] = []
        self._input = 0
        """Bytes that came from standard input: the loader cannot know how many it will be."""
        self._has_told = False
        self.is_called_off = False

    def came(self, count: int) -> None:
        """Take note of how much of standard input there is."""
        self._input = count
        self._tell(LoadProgress(LoadPhase.COMING, count))

    def __call__(self, progress: Progress) -> None:
        """Take note of how far the load is (`k8stui.manifests.progress.Watch`).

        Raises:
            CalledOff: the screen was left.

        """
        if self.is_called_off:
            raise CalledOff
        objects = progress.objects
        count = len(objects)
        for n in range(self.objects, count):
            row = row_of(objects[n])
            if row is not None:
                self._rows.append(row)
        self.objects = count
        total = progress.total or self._input
        self._tell(LoadProgress(LoadPhase.READING, progress.done, total, count, progress.waiting))

    def read(self) -> None:
        """Take note that everything is read: what comes now is the cluster."""
        if self._has_told:
            self._post(ReadOn(LoadProgress(LoadPhase.BUILDING, objects=self.objects), self._rows))

    def _tell(self, reading: LoadProgress) -> None:
        now = time.monotonic()
        if now >= self._next or reading.waiting:
            self._next = now + _PAUSE_SECONDS
            self._has_told = True
            self._post(ReadOn(reading, self._rows))
            self._rows = []


class Patience:
    """Waits for the work, and can end it; in the thread that works."""

    def __init__(self) -> None:
        self.is_over = False
        self._next = 0.0

    def told(self, total: int, post: Callable[[Message], object], done: int, walks: int) -> None:
        """Take note of how far the work is.

        Raises:
            CalledOff: nobody waits for it any more.

        """
        if self.is_over:
            raise CalledOff
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE_SECONDS
            post(ReachOn(done, total, walks))
