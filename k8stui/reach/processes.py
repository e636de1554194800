"""Walks shared out among processes.

A walk is a function of the world and of who asks whom: whoever makes it, it is the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Job = TypeVar("Job")
Done = TypeVar("Done")

_WORTH_WHILE = 100
"""So many walks at once take longer than to start a process."""
_MOST = 4
"""Each may come to need as much memory as the first."""


def available() -> int:
    """How many processes may walk at once: one for each processor that this one may use.

    Beside other threads there is no more than one: a forked process has none of them, but their
    locks (fork(2), pthread_atfork(3)).
    """
    if not hasattr(os, "sched_getaffinity") or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


class Processes(Generic[Job, Done]):
    """Does work in this process, and in others like it from the first time that there is much.

    They end with it. `work` must not change what later work depends on.
    """

    def __init__(self, work: Callable[[Job], Done], most: int) -> None:
        self._work, self._most = work, most
        self._others: list[Connection] = []

    def do(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Done]]:
        """Each job with what came of it."""
        if len(jobs) >= _WORTH_WHILE and not self._others:
            self._start()
        others = list(self._others)
        own, *shares = (jobs[place :: len(others) + 1] for place in range(len(others) + 1))
        for other, share in zip(others, shares, strict=True):
            with suppress(OSError):
                other.send(share)
        yield from ((job, self._work(job)) for job in own)
        for other, share in zip(others, shares, strict=True):
            yield from zip(share, self._done(other, share), strict=True)

    def _done(self, other: Connection, share: Sequence[Job]) -> Sequence[Done]:
        try:
            found: Sequence[Done] = other.recv()
        except (EOFError, OSError):
            # It is gone: somebody has ended it, or what it met ends this one too.
            self._others.remove(other)
            self._most -= 1
            return [self._work(job) for job in share]
        return found

    def _start(self) -> None:
        from multiprocessing import get_context  # noqa: PLC0415 - 15 ms, where there is much to do

        fork = get_context("fork")
        for _ in range(1, self._most):
            here, there = fork.Pipe()
            others = (*self._others, here)
            fork.Process(target=_serve, args=(self._work, there, others), daemon=True).start()
            there.close()
            self._others.append(here)


def _serve(work: Callable[[Job], Done], asked: Connection, not_mine: Sequence[Connection]) -> None:
    """Work until nobody asks any more. An interrupt is for the process that was started first."""
    import signal  # noqa: PLC0415 - as above

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in not_mine:
        each.close()
    with suppress(Exception):
        while True:
            asked.send([work(job) for job in asked.recv()])
