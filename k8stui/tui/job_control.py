"""The terminal held and given back: Ctrl-Z, fg, bg, kill, and answers that nobody waits for.

Differs from Textual's own driver (drivers/linux_driver.py): signals are attended to by the event
loop, between two of its turns, in the order in which they came, not in the middle of what is done.
Textual takes a CONT that no TSTP came before (``kill -STOP`` and ``-CONT``, a debugger) for a
start, and so keeps its own modes as those to go back to; and it stops itself by STOP, from which
nobody wakes it where there is no shell (``ssh HOST k8stui``).
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import termios
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

from textual.drivers.linux_driver import LinuxDriver

from k8stui.tui.outlet import Outlet
from k8stui.tui.terminal import ENDING, end_on_signals, give_size

if TYPE_CHECKING:
    from types import FrameType

    from textual.app import App

_GRACE_SECONDS = 2.0
"""What the app has to leave in order on a signal: the terminal may take nothing more."""
_OWN_SECONDS = 0.2
"""How long after a stop of our own a CONT is the one that ended it."""
_ALL_OFF = (
    b"\x18\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l"
    b"\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""What ends a sequence that was cut short (CAN), and every mode that Textual sets
(start_application_mode)."""


class JobControl(LinuxDriver):
    """Holds the terminal while the app is in the foreground."""

    def __init__(self, app: App[object], **how: Any) -> None:
        super().__init__(app, **how)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)  # Textual's would give back what none took
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        self.fileno = 0  # whatever `sys.__stdin__` is: it may have been closed
        self.input_tty = os.isatty(0)
        out = sys.__stdout__
        if out is None or not out.isatty():
            out = sys.__stderr__
        assert out is not None
        self._outlet = Outlet(out.fileno(), out.encoding)
        self._file = self._outlet  # type: ignore[assignment] # all that is asked of it
        self._is_held = False
        self._is_to_stop = False
        self._held_since = 0.0
        self._ended_by = 0
        """The signal that ends the app; 0: none came."""

    def start_application_mode(self) -> None:
        """Take the terminal; in the background wait, stopped, for the foreground."""
        self._await_foreground()
        self._is_held = True
        for number in ENDING:
            self._loop.add_signal_handler(number, self._leave, number)
            signal.signal(number, self._end_soon)  # too: where the loop does not get to it
        signal.signal(signal.SIGALRM, self._end_now)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop_asked_for)
        self._loop.add_signal_handler(signal.SIGCONT, self._continued)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._held_since = monotonic()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was; all of it is written when this returns."""
        super().stop_application_mode()
        self.close()
        self._is_held = False
        self._loop.remove_signal_handler(signal.SIGTSTP)
        self._loop.remove_signal_handler(signal.SIGCONT)
        end_on_signals()

    def disable_input(self) -> None:
        """Read no more keys; what was not read is thrown away where modes are gone back to."""
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._disable_mouse_support()
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)

    def _get_terminal_size(self) -> tuple[int, int]:
        give_size(self.fileno)  # also when it becomes 0 × 0 while it is ours
        return super()._get_terminal_size()

    def _query_in_band_window_resize(self) -> None:
        """Do not ask: WINCH tells when the size changes, wherever this runs."""

    def write(self, data: str) -> None:
        """Draw; nothing is drawn on a terminal that was given back."""
        if self._is_held:
            super().write(data)

    def _stop_asked_for(self) -> None:
        self._is_to_stop = True
        self._loop.call_soon(self._stop)  # behind a CONT that came with it: that takes it back

    def _stop(self) -> None:
        if not self._is_to_stop:
            return
        self._is_to_stop = False
        self.stop_application_mode()
        if self._ended_by:
            os._exit(128 + self._ended_by)
        # By the default action: a process group that no shell looks after is not stopped (POSIX,
        # orphaned process groups).
        signal.raise_signal(signal.SIGTSTP)
        self._take_again()

    def _continued(self) -> None:
        """Take the terminal anew where somebody else stopped us: it may be a shell's by now."""
        if self._is_to_stop:
            self._is_to_stop = False
        elif self._is_held and monotonic() - self._held_since > _OWN_SECONDS:
            self._await_foreground()
            # The modes to go back to are those of the first start. Nor are they gone back to in
            # between: Ctrl-Q would be the terminal's own then (IXON), and what is typed is ours.
            before, self.attrs_before = self.attrs_before, None
            self.stop_application_mode()
            self._take_again()
            self.attrs_before = before

    def _take_again(self) -> None:
        self.start_application_mode()
        self._app.refresh(layout=True)

    def _await_foreground(self) -> None:
        """Stop (TTOU) while we are in the background, as whoever sets a terminal's modes does."""
        while os.isatty(self.fileno):
            try:
                modes = termios.tcgetattr(self.fileno)
                termios.tcsetattr(self.fileno, termios.TCSANOW, modes)
            except termios.error as error:
                if self._ended_by:
                    self._end_now()
                if error.args[0] == errno.EINTR:
                    continue
            return

    def _leave(self, number: int) -> None:
        self._app.exit(128 + number, return_code=128 + number)

    def _end_soon(self, number: int, _: FrameType | None) -> None:
        """See to it that the app ends, though it waits for a terminal that takes nothing."""
        self._ended_by = number
        signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)

    def _end_now(self, *_: object) -> NoReturn:
        """Leave the terminal as well as it can be, and the process."""
        with suppress(OSError, termios.error):
            if self.attrs_before is not None and os.tcgetpgrp(self.fileno) == os.getpgrp():
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        self._outlet.cut_short(_ALL_OFF)
        os._exit(128 + self._ended_by)
