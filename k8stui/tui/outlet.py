"""The terminal as a file that takes what is drawn, whatever has become of it."""

from __future__ import annotations

import os
import select
import termios
from contextlib import suppress
from time import monotonic, sleep

_CHUNK = 4096
"""Bytes that are written at once: after a flush a terminal has room for them."""
_LAST_SECONDS = 0.2
"""How long a terminal that took nothing is given for the last words."""


class Outlet:
    """What Textual's writing thread writes into; that thread must never end with an exception.

    Then nobody takes what is drawn any more, and the app waits for ever once its queue is full.
    Two things end it with Python's own file: another program has made the terminal non-blocking
    (the flag belongs to all who share it: ssh and node leave it so), or the terminal has gone.
    Where the terminal can be opened anew, what waits for it waits outside of a write: a write that
    blocks keeps everybody else's out (tty_io.c tty_write_lock).
    """

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
            self._descriptor = os.open(os.ttyname(descriptor), flags)
        except OSError:  # of another user (su), of another mount namespace
            self._descriptor = descriptor
        self._encoding = encoding
        self._parts: list[str] = []
        self._is_gone = False

    def write(self, text: str) -> int:
        """Keep it until `flush`."""
        self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Hand over what was written; waits as long as the terminal takes nothing."""
        data = memoryview("".join(self._parts).encode(self._encoding, "replace"))
        self._parts.clear()
        while data and not self._is_gone:
            try:
                data = data[os.write(self._descriptor, data[:_CHUNK]) :]
            except BlockingIOError:
                self._await_room()
            except OSError:
                self._is_gone = True

    def cut_short(self, last: bytes) -> None:
        """Throw away all that waits, in the terminal too, and write `last` if it takes that."""
        self._is_gone = True
        end = monotonic() + _LAST_SECONDS
        with suppress(OSError, termios.error):
            os.set_blocking(self._descriptor, False)
            while last and monotonic() < end:
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
                try:
                    last = last[os.write(self._descriptor, last) :]
                except BlockingIOError:
                    sleep(_LAST_SECONDS / 10)
            os.set_blocking(self._descriptor, True)  # it may be everybody's

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def _await_room(self) -> None:
        room = select.poll()
        room.register(self._descriptor, select.POLLOUT)
        room.poll()
