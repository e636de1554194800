"""The screen on a page in a browser, as textual-serve drives it over standard streams.

Differs from Textual's own driver (drivers/web_driver.py) as keyboard.py does: keys are handled one
after the other, and nothing that comes ends the reading of them. When the server has gone, so has
the page, and the process ends.
"""

from __future__ import annotations

import signal
from codecs import getincrementaldecoder
from contextlib import suppress

from textual._xterm_parser import XTermParser
from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver, _ExitInput

from k8stui.tui.keyboard import InOrder


class Page(InOrder, WebDriver):
    """Reads packets of keys and sizes from standard input, sends what is drawn as packets."""

    def write(self, data: str) -> None:
        """Draw; when the server has gone, nobody sees it."""
        with suppress(BrokenPipeError):
            super().write(data)

    def write_meta(self, data: dict[str, object]) -> None:
        """Tell the server something, if it is still there."""
        with suppress(BrokenPipeError):
            super().write_meta(data)

    def run_input_thread(self) -> None:
        """Wait for packets and pass on what they mean, until the program ends."""
        self._parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        packets = ByteStream()
        for data in self._input_reader:
            for kind, payload in packets.feed(data) if data else ():
                if kind == "D":
                    self.take(decode(payload))
                elif not self._told(kind, payload):
                    return
            self.tick()
        if not self.exit_event.is_set():
            status = 128 + signal.SIGHUP
            with suppress(RuntimeError):  # the loop is closed: the screen was left
                self._loop.call_soon_threadsafe(lambda: self._app.exit(status, return_code=status))

    def _told(self, kind: str, payload: bytes) -> bool:
        """Do what the server says about the page; False: it wants nothing read any more."""
        try:
            self._on_meta(kind, payload)
        except _ExitInput:
            return False
        except (ValueError, KeyError, TypeError):  # what no version we know says
            pass
        return True
