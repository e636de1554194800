"""The terminal as Textual drives it, made safe against what a keyboard and a shell may do.

Differs from Textual's own drivers in these points: bytes that are no UTF-8 are shown as such and
end nothing, nor do sequences that its parser cannot read; a key waits until the one before it is
done with (ahead.py), and no more of them than a person can have typed ahead; the screen is drawn on
the terminal that the keys come from, wherever standard error goes (job_control.py); end-of-file is
not read again and again.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message
from textual.messages import InBandWindowResize

from k8stui.tui.ahead import LEAVING, Ahead
from k8stui.tui.job_control import JobControl

if TYPE_CHECKING:
    from textual.app import App
    from textual.driver import Driver

    _Mixin = Driver
else:
    _Mixin = object

_CHUNK = 4096
"""Bytes that are read at once: a Linux terminal holds no more (n_tty.c N_TTY_BUF_SIZE)."""
_AHEAD = 1024
"""Keys that may wait to be handled; what is typed beyond them is lost, as a terminal loses it."""
_TICK_SECONDS = 0.1
"""How often it is looked whether the program ends; the time that Textual takes, too."""


class InOrder(_Mixin):
    """Mixin of drivers: keys, mouse and pastes are handled one after the other."""

    def __init__(self, app: App[object], **how: Any) -> None:
        super().__init__(app, **how)
        self._ahead = Ahead(app)
        self._on_their_way: deque[tuple[Callable[[Message], object], Message]] = deque()
        """What the reading thread has handed over and the app's thread not yet taken, and how."""
        self._is_called = False
        """Whether the app's thread is told of it, and has not looked yet."""
        self._parser = XTermParser(self._debug)

    def take(self, text: str) -> None:
        """Pass on what `text` means; in the reading thread."""
        if not text:  # a part of a character; to the parser it would be the end
            return
        try:
            for message in self._parser.feed(text):
                self.process_message(message)
        except Exception:  # noqa: BLE001 - whatever bytes it cannot read, they are no keys
            self._parser = XTermParser(self._debug)

    def tick(self) -> None:
        """Pass on what was waited for: Esc, where nothing follows it."""
        for message in self._parser.tick():
            self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Pass on a message, but for what a terminal says of its size: nobody asked it.

        Such an answer would turn modes on, while the terminal is given back too; and a size that is
        not the terminal's is drawn for ever, for Textual asks that too.
        """
        if not isinstance(message, InBandWindowResize | events.Resize):
            super().process_message(message)

    def send_message(self, message: Message) -> None:
        """Hand a message over to the app's thread; keys only while not too many wait.

        How many do is looked at from another thread: about right is enough.
        """
        deliver: Callable[[Message], object] = self._deliver
        waiting = len(self._on_their_way) + len(self._ahead)
        if waiting >= _AHEAD and isinstance(message, events.InputEvent | events.Paste):
            if not (isinstance(message, events.Key) and message.key in LEAVING):
                return
            deliver = self._cut_short
        self._on_their_way.append((deliver, message))
        # One call for all: each writes a byte to the pipe by which signals wake the loop, too; of
        # single bytes it takes a few hundred (sock_alloc_send_pskb counts the buffers), and where
        # it is full signals are lost.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is closed: the screen was left
                self._loop.call_soon_threadsafe(self._take_over)

    def _take_over(self) -> None:
        self._is_called = False  # first: what comes from now on calls again
        while self._on_their_way:
            deliver, message = self._on_their_way.popleft()
            deliver(message)

    def _deliver(self, message: Message) -> None:
        if isinstance(message, events.InputEvent | events.Paste):
            self._ahead.take(message)
        else:
            self._app.post_message(message)

    def _cut_short(self, message: Message) -> None:
        if isinstance(message, events.Key):
            self._ahead.cut_short(message)


class Keyboard(InOrder, JobControl):
    """Reads keys from file descriptor 0, draws on a terminal."""

    def __init__(self, app: App[object], **how: Any) -> None:
        super().__init__(app, **how)
        self._woken, self._wakes = os.pipe()
        """Ends the wait for a key at once when the app is left."""

    def disable_input(self) -> None:
        """Wake the thread that reads them, to end it."""
        os.write(self._wakes, b"\0")
        super().disable_input()
        os.read(self._woken, 1)

    def run_input_thread(self) -> None:
        """Wait for input and pass on what it means, until the program ends."""
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        self._parser = XTermParser(self._debug)
        # What was typed before the terminal was ours: it has made line feeds of Enter (ICRNL).
        is_first = True
        while not self.exit_event.is_set():
            ready = [descriptor for descriptor, _ in poll.poll(_TICK_SECONDS * 1000)]
            if self._woken in ready:
                return
            if ready:
                data = self._read()
                if not data:
                    # The terminal has gone; whoever sees to that ends the program.
                    self.exit_event.wait(_TICK_SECONDS)
                    continue
                if is_first:
                    data = data.replace(b"\n", b"\r")
                self.take(decode(data))
            is_first = False
            self.tick()

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""
