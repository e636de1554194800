"""The terminal as Textual drives it, made safe against what a keyboard and a shell may do.

Differs from Textual's own driver (drivers/linux_driver.py) in four points: bytes that are no UTF-8
are shown as such and end nothing; no more keys wait than a person can have typed ahead; the screen
is drawn on the terminal that the keys come from, wherever standard error goes; end-of-file is not
read again and again.
"""

from __future__ import annotations

import os
import select
import sys
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App

_CHUNK = 4096
"""Bytes that are read at once: a Linux terminal holds no more (n_tty.c N_TTY_BUF_SIZE)."""
_AHEAD = 256
"""Keys that may wait to be handled; what is typed beyond them is lost, as a terminal loses it."""
_TICK_SECONDS = 0.1
"""How often it is looked whether the program ends; the time that Textual takes, too."""


class Keyboard(LinuxDriver):
    """Reads keys from file descriptor 0, draws on a terminal."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.fileno = 0  # whatever `sys.__stdin__` is: it may have been closed
        self.input_tty = os.isatty(0)
        if sys.__stdout__ is not None and sys.__stdout__.isatty():
            self._file = sys.__stdout__
        self._on_their_way = 0
        """Messages that the reading thread has handed over and the app has not yet taken."""

    def send_message(self, message: Message) -> None:
        """Hand a message over to the app's thread; keys only while not too many wait."""
        if isinstance(message, events.Key | events.MouseMove) and self._waiting() >= _AHEAD:
            return
        self._on_their_way += 1
        with suppress(RuntimeError):  # the loop is closed: the screen was left
            self._loop.call_soon_threadsafe(self._deliver, message)

    def _deliver(self, message: Message) -> None:
        self._on_their_way -= 1
        self._app.post_message(message)

    def _waiting(self) -> int:
        """How many messages are on their way, or wait in one of the queues that keys go through.

        The lengths are looked at from another thread: about right is enough.
        """
        waiting = self._on_their_way + self._app.message_queue_size
        with suppress(Exception):  # there may be no screen yet, or no longer
            screen = self._app.screen
            waiting += screen.message_queue_size
            if screen.focused is not None:
                waiting += screen.focused.message_queue_size
        return waiting

    def run_input_thread(self) -> None:
        """Wait for input and pass on what it means, until the program ends."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        try:
            while not self.exit_event.is_set():
                ready = poll.poll(_TICK_SECONDS * 1000)
                if ready:
                    data = self._read()
                    if not data:
                        # The terminal has gone; whoever sees to that ends the program.
                        self.exit_event.wait(_TICK_SECONDS)
                        continue
                    parser = self._take(parser, decode(data))
                for message in parser.tick():
                    self.process_message(message)
        finally:
            with suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass

    def _take(self, parser: XTermParser, text: str) -> XTermParser:
        """Pass on what `text` means; gives the parser for what comes next."""
        if not text:  # a part of a character; to the parser it would be the end
            return parser
        try:
            for message in parser.feed(text):
                self.process_message(message)
        except Exception:  # noqa: BLE001 - whatever bytes it cannot read, they are no keys
            return XTermParser(self._debug)
        return parser

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""
