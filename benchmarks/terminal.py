"""A program on a terminal of its own: when it is ready, and what its keys cost.

`measure` starts it on a pseudo-terminal, waits for a text on the screen, presses keys one by one,
waits after each until nothing more is sent, and gives milliseconds, CPU, bytes and memory.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path

_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78])"
)
_QUIET_SECONDS = 0.15
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
KEYS = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "enter": b"\r",
    "backspace": b"\x7f",
    "ctrl+d": b"\x04",
    "ctrl+u": b"\x15",
}


class Terminal:
    """One run of a command."""

    def __init__(self, command: Sequence[str], size: str, environment: dict[str, str]) -> None:
        columns, rows = map(int, size.split("x"))
        self.output = b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe(command[0], list(command), environment)  # noqa: S606
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.began = time.monotonic()

    def pump(self, seconds: float) -> bool:
        """Take what comes within so long; False: nothing, or the end."""
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            read = os.read(self.fd, 1 << 16)
        except OSError:  # the program has gone
            return False
        self.output += read
        return bool(read)

    def settle(self) -> None:
        """Wait until nothing more is sent."""
        while self.pump(_QUIET_SECONDS):
            pass

    def until(self, text: str, seconds: float) -> float:
        """Wait for a text on the screen; milliseconds since the start."""
        wanted, end = text.encode(), time.monotonic() + seconds
        while wanted not in _ESCAPES.sub(b"", self.output):
            if time.monotonic() > end:
                raise TimeoutError(f"{text!r} is not on the screen after {seconds} s")
            self.pump(0.05)
        return (time.monotonic() - self.began) * 1000

    def cpu_ms(self) -> float:
        """User and system, in ticks of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_MS

    def peak_mb(self) -> float:
        found = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def key(self, name: str) -> None:
        """Press a key; ``wait:SECONDS`` and ``text:LETTERS`` are none, but may stand among them."""
        if name.startswith("wait:"):
            end = time.monotonic() + float(name[5:])
            while time.monotonic() < end:
                self.pump(end - time.monotonic())
        else:
            os.write(self.fd, KEYS.get(name) or name.removeprefix("text:").encode())

    def leave(self, key: str) -> int:
        """Press the key that quits; the exit status."""
        os.write(self.fd, key.encode())
        end = time.monotonic() + 5
        while not (done := os.waitpid(self.pid, os.WNOHANG))[0]:
            self.pump(0.01)
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                end += 5
        os.close(self.fd)
        return os.waitstatus_to_exitcode(done[1])


def measure(
    command: Sequence[str],
    *,
    size: str,
    environment: dict[str, str],
    ready: str,
    press: str,
    presses: int,
    runs: int,
    warm: str = "",
    idle: float = 1.0,
    timeout: float = 30.0,
) -> dict[str, object]:
    """Least, median and most over the runs of each figure; keys' are means of one run's presses."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        one = Terminal(command, size, environment)
        figures = {"ready_ms": one.until(ready, timeout), "ready_cpu_ms": one.cpu_ms()}
        one.settle()
        for name in filter(None, warm.split(",")):
            one.key(name)
        one.settle()
        sent, cpu, firsts = len(one.output), one.cpu_ms(), []
        names = press.split(",")
        for number in range(presses):
            start = time.monotonic()
            one.key(names[number % len(names)])
            one.pump(1.0)
            firsts.append((time.monotonic() - start) * 1000)
            one.settle()
        figures["key_first_ms"] = statistics.median(firsts)
        figures["key_cpu_ms"] = (one.cpu_ms() - cpu) / presses
        figures["key_bytes"] = (len(one.output) - sent) / presses
        sent = len(one.output)
        one.key(f"wait:{idle}")
        figures["idle_bytes_s"] = (len(one.output) - sent) / idle if idle else 0.0
        figures["peak_rss_mb"] = one.peak_mb()
        figures["exit"] = one.leave("q")
        for name, value in figures.items():
            found.setdefault(name, []).append(value)
    return {
        name: {
            "min": round(min(values), 1),
            "median": round(statistics.median(values), 1),
            "max": round(max(values), 1),
        }
        for name, values in found.items()
    }
