"""Slow work in a thread that does not hold the process back when the screen is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from threading import Thread


async def in_thread(job: Callable[[], object]) -> None:
    """Wait for `job`, which runs in a thread of its own.

    A daemon: Textual's thread workers are `asyncio`'s, and these are waited for at the end of the
    process, whatever they do (a check of a big cluster, standard input that never ends).
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def work() -> None:
        try:
            job()
        finally:
            with suppress(RuntimeError):  # the loop is closed: the screen was left
                loop.call_soon_threadsafe(done.set)

    Thread(target=copy_context().run, args=(work,), daemon=True).start()
    await done.wait()
