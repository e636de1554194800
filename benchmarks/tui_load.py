"""The screen while a big dump is read, and its keys when it is there.

For each path: when the first frame and the first entries of the tree are on the screen, what a key
takes while the dump is read (``down`` in the tree: until a row's text comes back; the first presses
are left out, for there is only one row then), what is sent while nobody types, when the walk is
there, what keys take after that (CPU, time and bytes, through `terminal`: filter letter by letter,
cursor, half pages, a Service opened and closed, a step), the peak of memory, and how long leaving
takes. Prints JSON.

    benchmarks/tui_load.py d10000.yaml d10000.json

Dumps: benchmarks/dump.py --services 10000 --endpoints 2 --nodes 100.
On two busy cores, Python 3.11, 83 MB of YAML (167 MB of JSON): frame after 0.2 s, first entries
0.3-0.4 s later, the walk after 5.4 (4.4) s, a key while it loads 4 ms (p95 16-27), peak 390 (616)
MiB, leaving 0.25 s (0.2 of it Textual's); when it is there, a letter of the filter 6 ms, a cursor
key 2, a Service opened 5, a step 3.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import select
import statistics
import sys
import tempfile
import termios
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tui import K8STUI, ROOT, bench

_ROW = rb"node-\d|svc|/"
_SKIPPED = 5
"""Presses before there are rows to move over."""
_PATIENCE_SECONDS = 120.0

KEYS = {
    "filter": {"warm": "1,/,wait:0.3", "press": "p,r,i,c,e,-,v,1,backspace,backspace,backspace"},
    "cursor": {"warm": "1,wait:0.3", "press": "down"},
    "half pages": {"warm": "1,wait:0.3", "press": "ctrl+d,ctrl+u"},
    "a Service": {
        "warm": "1,/,wait:0.3,text:price-v127,wait:0.3,enter,wait:0.3",
        "press": "enter",
    },
    "step": {"warm": "wait:0.3", "press": "right"},
}


class Session:
    """The program on a terminal of its own."""

    def __init__(self, path: str, size: str) -> None:
        columns, rows = map(int, size.split("x"))
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", COLORTERM="truecolor")
            os.environ["PYTHONPATH"] = str(ROOT)
            os.execv(sys.executable, [sys.executable, "-m", "k8stui", path])  # noqa: S606
        termios.tcsetwinsize(self.fd, (rows, columns))
        self.start = time.monotonic()

    def passed(self) -> float:
        return time.monotonic() - self.start

    def pump(self, seconds: float) -> None:
        if select.select([self.fd], [], [], max(0.0, seconds))[0]:
            try:
                self.output += os.read(self.fd, 65536)
            except OSError:
                return

    def until(self, pattern: bytes, seconds: float, start: int = 0) -> float:
        """Milliseconds until `pattern` comes."""
        begin = time.monotonic()
        while not re.search(pattern, self.output[start:]) and time.monotonic() - begin < seconds:
            self.pump(0.05)
        return 1000 * (time.monotonic() - begin)


def progress_bytes(path: str, size: str) -> int:
    """Bytes a second that are sent while nobody types and the dump is read; the pane's first
    filling (all of its cells, once) is left out."""
    session = Session(path, size)
    session.until(rb"\d objects", _PATIENCE_SECONDS)
    session.until(rb"building", 0.6)
    begin, at = session.passed(), len(session.output)
    session.until(rb"building", _PATIENCE_SECONDS, at)
    sent = len(session.output) - at
    seconds = session.passed() - begin
    os.write(session.fd, b"q")
    while not os.waitpid(session.pid, os.WNOHANG)[0]:
        session.pump(0.01)
    return round(sent / max(0.1, seconds))


def while_loading(path: str, size: str) -> dict[str, Any]:
    """Press keys while it loads."""
    session = Session(path, size)
    session.until(rb"Layout", _PATIENCE_SECONDS)
    frame = session.passed()
    session.until(rb"\d objects|tep 1/", _PATIENCE_SECONDS)
    entries = session.passed()
    latencies: list[float] = []
    loaded = rb"tep 1/"
    while not re.search(loaded, session.output) and session.passed() < _PATIENCE_SECONDS:
        at = len(session.output)
        os.write(session.fd, b"\x1b[B")
        latencies.append(session.until(_ROW + rb"|" + loaded, 1.0, at))
        pause = time.monotonic() + 0.06
        while time.monotonic() < pause:
            session.pump(pause - time.monotonic())
    walk = session.passed()
    status = Path(f"/proc/{session.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s*(\d+)", status)
    os.write(session.fd, b"q")
    left = time.monotonic()
    while not os.waitpid(session.pid, os.WNOHANG)[0]:
        session.pump(0.01)
    leaving = time.monotonic() - left
    measured = sorted(latencies[_SKIPPED:-1])
    return {
        "frame_s": round(frame, 2),
        "entries_after_frame_s": round(entries - frame, 2),
        "walk_s": round(walk, 2),
        "keys": len(measured),
        "key_ms": {
            "median": round(statistics.median(measured), 1) if measured else None,
            "p95": round(measured[int(0.95 * len(measured))], 1) if measured else None,
            "max": round(measured[-1], 1) if measured else None,
        },
        "idle_bytes_s": progress_bytes(path, size),
        "peak_rss_mib": round(int(peak[1]) / 1024) if peak else None,
        "leaving_s": round(leaving, 2),
    }


def when_loaded(args: argparse.Namespace, path: str) -> dict[str, Any]:
    """CPU and bytes of a key when the walk is on the screen."""
    script = Path(args.script)
    found = {}
    for name, keys in KEYS.items():
        how = SimpleNamespace(**vars(args))
        run = bench(how, script, [path], ready="step 1/", timeout=60.0, idle=0.0, **keys)
        found[name] = {key: run.get(key) for key in ("key_cpu_ms", "key_first_ms", "key_bytes")}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("paths", nargs="+")
    args = parser.parse_args()
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "mine.py"
        script.write_text(K8STUI)
        args.script = script
        for path in args.paths:
            report[path] = {
                "loading": while_loading(path, args.size),
                "loaded": when_loaded(args, path),
            }
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
