"""Slow work in a thread that does not hold the process back when the screen is left."""

from __future__ import annotations

import asyncio
import builtins
import gc
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from threading import Lock, RLock, Thread
from types import ModuleType
from typing import Any

_MUCH = 100_000
"""New objects from which those that live are worth keeping out of later collections."""
_SOME = 10_000
"""The same while little is kept out: what the first walk needs stays, and to look at it again in
the middle of one takes 0.05 s."""


def in_thread(job: Callable[[], object]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Make what a worker runs of `job`: to wait for it, in a thread of its own.

    A daemon: Textual's thread workers are `asyncio`'s, and these are waited for at the end of the
    process, whatever they do (a check of a big cluster, standard input that never ends).

    No coroutine, which is never awaited where one leaves now; and no `partial`: Textual writes down
    the `repr` of what a worker runs (worker_manager.py WorkerManager._new_worker), and that of a
    cluster of 1,000 nodes takes a minute in which no key is answered.
    """

    async def wait() -> None:
        builtins.__import__ = _one_by_one
        await _in_thread(job)

    return wait


async def _in_thread(job: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def work() -> None:
        try:
            with _uncollected:
                job()
        finally:
            with suppress(RuntimeError):  # the loop is closed: the screen was left
                loop.call_soon_threadsafe(done.set)

    Thread(target=copy_context().run, args=(work,), daemon=True).start()
    await done.wait()


_import = builtins.__import__
_importing = RLock()


def _one_by_one(
    name: str,
    globals: Mapping[str, object] | None = None,  # noqa: A002 - as __import__ has it
    locals: Mapping[str, object] | None = None,  # noqa: A002
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """Import, while no other thread does.

    Python locks a module before its package, and a package before what it imports of its own: of
    two threads that come to both at a time one fails (importlib._bootstrap: _DeadlockError, or
    KeyError), and a key that needs a module is as likely as what works in the background.
    What is there already is not waited for.
    """
    found = sys.modules.get(name)
    is_whole = not getattr(getattr(found, "__spec__", None), "_initializing", True)
    if is_whole and not level and all(hasattr(found, one) for one in fromlist or ()):
        return _import(name, globals, locals, fromlist)
    with _importing:
        return _import(name, globals, locals, fromlist, level)


class _Uncollected:
    """No garbage is looked for while any thread works.

    To look at all objects of a big cluster, or of a node's rules for it, takes 0.1 to 0.3 s in
    which no key is answered; and they are no garbage.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = True
        self._kept = 0
        """Objects, about. gc.get_freeze_count() counts one by one: 0.1 s of ten millions."""

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            new = gc.get_count()[0]
            if new > (_MUCH if self._kept > _MUCH else _SOME):
                gc.freeze()
                self._kept += new
            if self._before and not self._inside:
                gc.enable()


_uncollected = _Uncollected()
