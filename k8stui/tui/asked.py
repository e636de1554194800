"""Work that somebody asked for: keys that are typed meanwhile are meant for what comes of it."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any

from textual.worker import Worker


class Asked:
    """Workers that were begun because of a key, and the moments when they were."""

    def __init__(self) -> None:
        self._began: dict[Worker[Any], float] = {}

    def add(self, worker: Worker[Any]) -> None:
        """Take up a worker that begins now."""
        self._began[worker] = monotonic()

    @property
    def since(self) -> float:
        """When the last of those that go on was begun (s, monotonic); -inf: none goes on."""
        for worker in [worker for worker in self._began if worker.is_finished]:
            del self._began[worker]
        return max(self._began.values(), default=-inf)
