"""What the terminal can show, from its environment."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from k8stui.export.charset import wants_ascii

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the program; its status is 128 and their number, as shells have it."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to draw on this terminal."""

    is_ansi: bool = False
    """Use the terminal's own 16 colours (none at all with NO_COLOR)."""
    is_ascii: bool = False
    """Draw lines and marks in ASCII."""
    is_page: bool = False
    """It is a page in a browser (page.py)."""


def look(environ: Mapping[str, str], *, ascii: bool | None = None) -> Terminal:  # noqa: A002
    """Decide from the environment; `ascii` overrides what the locale says.

    ``NO_COLOR`` (no-color.org) and terminals of 16 colours get the terminal's own colours.
    """
    if environ.get("TEXTUAL_DRIVER"):  # what textual-serve sets; the rest is of its own terminal
        return Terminal(bool(environ.get("NO_COLOR")), bool(ascii), is_page=True)
    term = environ.get("TERM", "")
    few = term in ("linux", "screen", "vt100", "vt220", "ansi", "xterm") and not environ.get(
        "COLORTERM"
    )
    is_ansi = bool(environ.get("NO_COLOR")) or few
    return Terminal(is_ansi=is_ansi, is_ascii=wants_ascii(environ) if ascii is None else ascii)


def give_size(descriptor: int) -> None:
    """Make a terminal that reports 0 × 0 (a fresh pty, a serial line) one of 80 × 24.

    As ``stty columns 80 rows 24`` does; ``COLUMNS`` and ``LINES`` say another size. Textual takes
    its size from two places whose fallbacks differ (80 × 24 and 80 × 25) and then draws for ever.
    After that only the terminal is asked: where a container or a wrapper has set these variables,
    Textual would never see a new size. What is no terminal is left alone.
    """
    try:
        rows, columns = termios.tcgetwinsize(descriptor)
        if not (rows and columns):
            size = (rows or _told("LINES", 24), columns or _told("COLUMNS", 80))
            termios.tcsetwinsize(descriptor, size)
    except (termios.error, OSError):
        return
    for name in ("LINES", "COLUMNS"):
        os.environ.pop(name, None)


def _told(name: str, usual: int) -> int:
    value = os.environ.get(name, "")
    is_number = value.isascii() and value.isdigit() and len(value) <= len("9999")
    return (int(value) if is_number else 0) or usual


def leave_with(descriptor: int, grace_seconds: float = 1.0) -> None:
    """End the process when its terminal goes away.

    Where it is the controlling terminal, SIGHUP says so and the app leaves by itself. Where it is
    not (a wrapper made the session), nothing says so, and Textual reads end-of-file in a loop for
    ever. There is nothing left to restore then.
    """

    def watch() -> None:
        gone = select.poll()
        gone.register(descriptor, 0)  # hang-up and errors are told without being asked for
        gone.poll()
        threading.Event().wait(grace_seconds)
        os._exit(128 + signal.SIGHUP)

    if os.isatty(descriptor):
        threading.Thread(target=watch, name="terminal-gone", daemon=True).start()


def end_on_signals() -> None:
    """End at once on a signal, while the terminal is as it was: nothing has to be restored."""
    for number in ENDING:
        signal.signal(number, lambda number, _: os._exit(128 + number))


def leave(status: int) -> NoReturn:
    """End the process, now that the terminal is restored.

    Python would first wait for nobody, but free the objects of a big cluster one by one: 0.7 s.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
