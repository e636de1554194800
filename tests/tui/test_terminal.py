"""What is left of the terminal when the program is gone, and what it may be shown."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from k8stui.tui.terminal import Terminal, look

ROOT = Path(__file__).resolve().parents[2]
LOCAL_MODES = 3
"""Of what tcgetattr gives."""
PATIENCE = 240.0
"""Seconds until a test gives up: many programs may start at once on few cores."""
STANDS = b"tep 1/"
"""Of what the screen says once it stands. ("so far" may have stood there: only cells that differ
are sent.)"""
MUST_BE_OFF = {
    1: "application cursor keys",
    1000: "mouse",
    1002: "mouse",
    1003: "mouse",
    1004: "focus events",
    1006: "mouse",
    1015: "mouse",
    1016: "mouse in pixels",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronised output",
    2048: "in-band resize",
}
CRASHING = """
import sys
from k8stui.tui import app, screen

def crash(self, by):
    secret = "hunter2"
    raise ZeroDivisionError("made to crash")

screen.WalkScreen.action_step = crash
from k8stui.cli import run
sys.exit(run([]))
"""
NORMAL = "import sys; from k8stui.cli import run; sys.exit(run([]))"
ENDLESS = """
import os, sys, threading, time
reader, writer = os.pipe()
os.dup2(reader, 0)
sys.stdin = open(0, closefd=False)

def write():
    while True:
        os.write(writer, b"# more to come" + b"\\n")
        time.sleep(0.05)

threading.Thread(target=write, daemon=True).start()
from k8stui.cli import run
sys.exit(run(["-"]))
"""


class Session:
    """The program on a terminal of its own."""

    def __init__(self, code: str, size: tuple[int, int] = (24, 80), **environ: str) -> None:
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
            os.environ.update(environ)
            os.execv(sys.executable, [sys.executable, "-c", code])  # noqa: S606 - on the new pty
        termios.tcsetwinsize(self.fd, size)
        self.before = termios.tcgetattr(self.fd)

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.fd, (rows, columns))

    def read_until(self, text: bytes, seconds: float = PATIENCE) -> None:
        """Until `text` was sent or the program has gone."""
        end = time.monotonic() + seconds
        while text not in self.output and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    return
                if not data:
                    return
                self.output += data
        assert text in self.output or text == b"\0", self.output[-2000:]

    def read_until_held(self) -> None:
        """Until the screen is on, and keys are the program's: a Ctrl-C before is a signal."""
        self.read_until(b"\x1b[?1049h")  # Textual writes it first, and sets the modes then
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.fd)[LOCAL_MODES] & (termios.ICANON | termios.ISIG):
            assert time.monotonic() < end, "the terminal's modes are not set"
            time.sleep(0.001)

    def end(self, seconds: float = PATIENCE / 2, last: int = signal.SIGKILL) -> int:
        """Read the rest, for so long at most; the exit status. Then `last` is sent."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if select.select([self.fd], [], [], 0.02)[0]:
                with contextlib.suppress(OSError):
                    self.output += os.read(self.fd, 65536)
            if pid:
                while select.select([self.fd], [], [], 0.05)[0]:
                    try:
                        self.output += os.read(self.fd, 65536)
                    except OSError:
                        break
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, last)
        raise AssertionError("it does not end")

    def used(self) -> float:
        """Seconds that the program has computed. On Linux; elsewhere 0."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kitty_pushed(self) -> int:
        """How often it has asked for keys in kitty's way; for how much is Textual's own affair."""
        return len(re.findall(rb"\x1b\[>\d+u", self.output))

    def left_behind(self) -> list[str]:
        """Modes that are still as the program set them."""
        modes: dict[int, bool] = {}
        for match in re.finditer(rb"\x1b\[\?([\d;]+)([hl])", self.output):
            for number in match[1].split(b";"):
                modes[int(number)] = match[2] == b"h"
        dirty = [name for number, name in MUST_BE_OFF.items() if modes.get(number)]
        if modes.get(25) is False:
            dirty.append("hidden cursor")
        if modes.get(7) is False:
            dirty.append("no line wrap")
        kitty = self.kitty_pushed() - self.output.count(b"\x1b[<u")
        if kitty > 0:
            dirty.append("kitty keys")
        return dirty


def start(code: str = NORMAL, **environ: Any) -> Session:
    session = Session(code, **environ)
    session.read_until(STANDS)
    return session


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param("q", 0, id="q"),
        pytest.param("\x11", 0, id="ctrl-q"),
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 129, id="SIGHUP"),
    ],
)
def test_the_terminal_is_as_it_was(end: Any, status: Any) -> None:
    session = start()
    assert session.output.count(b"\x1b[?1049h") == 1
    if isinstance(end, signal.Signals):
        os.kill(session.pid, end)
    else:
        os.write(session.fd, end.encode())
    assert session.end() == status
    assert session.left_behind() == []
    assert b"Traceback" not in session.output


@pytest.mark.parametrize("key", [b"q", b"\x03", b"\x11"], ids=["q", "ctrl-c", "ctrl-q"])
def test_one_leaves_at_once_though_standard_input_has_no_end(key: bytes) -> None:
    session = Session(ENDLESS)
    session.read_until(b"standard input")
    os.write(session.fd, key)
    assert session.end() == 0
    assert session.left_behind() == []
    assert b"Traceback" not in session.output
    assert b"Fatal" not in session.output


def test_a_crash_restores_the_terminal_says_one_line_and_writes_a_report(tmp_path: Any) -> None:
    session = start(CRASHING, TMPDIR=str(tmp_path))
    os.write(session.fd, b"l")
    assert session.end() != 0
    assert session.left_behind() == []
    after = session.output.rpartition(b"\x1b[?1049l")[2].decode()
    said = [
        line for line in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", after).splitlines() if line.strip()
    ]
    assert len(said) == 1
    assert "ZeroDivisionError" in said[0]
    assert "hunter2" not in session.output.decode(errors="replace")
    (report,) = tmp_path.glob("k8stui-crash-*")
    assert "made to crash" in report.read_text()
    assert "hunter2" not in report.read_text().replace('secret = "hunter2"', "")


def test_no_colour_sends_no_colour() -> None:
    session = start(NO_COLOR="1")
    os.write(session.fd, b"lllq")
    session.end()
    numbers = {
        int(number)
        for codes in re.findall(rb"\x1b\[([\d;]*)m", session.output)
        for number in codes.split(b";")
        if number
    }
    assert not numbers & (set(range(30, 39)) | set(range(40, 49)) | set(range(90, 108)))
    assert 7 in numbers


def test_sixteen_colours_only_on_a_terminal_of_sixteen() -> None:
    session = start(TERM="linux", COLORTERM="")
    os.write(session.fd, b"lllq")
    session.end()
    assert b"38;2;" not in session.output
    assert b"48;2;" not in session.output


@pytest.mark.parametrize(
    "environ", [{"LANG": "C"}, {"LC_ALL": "C"}, {"LC_CTYPE": "C"}, {"TERM": "linux"}], ids=str
)
def test_what_holds_no_lines_gets_none(environ: dict[str, str]) -> None:
    """Python sets LC_CTYPE to C.UTF-8 where it is C (PEP 538), for the program too."""
    session = start(**{"LC_ALL": "", "LC_CTYPE": "", "COLORTERM": "", **environ})
    os.write(session.fd, b"llppq")
    session.end()
    assert session.output.isascii()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, Terminal()),
        ({"LANG": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "1"}, Terminal(is_ansi=True)),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, Terminal(is_ansi=True, is_ascii=True)),
        ({"LANG": "C", "TERM": "xterm-256color"}, Terminal(is_ascii=True)),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8", "TERM": "foot"}, Terminal(is_ascii=True)),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C", "TERM": "foot"}, Terminal()),
        ({"LANG": "C.UTF-8", "TERM": "screen", "COLORTERM": "truecolor"}, Terminal()),
        ({"LANG": "de_DE.ISO-8859-1", "TERM": "xterm-256color"}, Terminal(is_ascii=True)),
        ({"LC_ALL": "en_US.ascii", "TERM": "tmux-256color"}, Terminal(is_ascii=True)),
        ({"LANG": "C.UTF-8", "TERM": "foot", "K8STUI_ASCII": "1"}, Terminal(is_ascii=True)),
    ],
    ids=[
        "plain",
        "NO_COLOR",
        "console",
        "C",
        "POSIX",
        "type",
        "screen",
        "latin-1",
        "ascii",
        "asked",
    ],
)
def test_the_environment_decides(environ: Any, expected: Any) -> None:
    assert look(environ) == expected


def test_the_option_overrides_the_environment() -> None:
    assert look({"LANG": "C.UTF-8"}, ascii=True).is_ascii
    assert not look({"LANG": "C"}, ascii=False).is_ascii


@pytest.mark.parametrize(
    ("told", "size"),
    [({}, (24, 80)), ({"LINES": "30", "COLUMNS": "100"}, (30, 100)), ({"LINES": "²"}, (24, 80))],
    ids=str,
)
def test_a_terminal_without_a_size_gets_one(told: dict[str, str], size: tuple[int, int]) -> None:
    session = Session(NORMAL, size=(0, 0), **{"LINES": "", "COLUMNS": "", **told})
    session.read_until(b"frontend")
    assert termios.tcgetwinsize(session.fd) == size
    os.write(session.fd, b"q")
    assert session.end() == 0
    assert len(session.output) < 100_000


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (30, 0)], ids=str)
def test_a_terminal_that_loses_its_size_is_not_drawn_for_ever(size: tuple[int, int]) -> None:
    session = start()
    session.resize(30, 100)
    session.read_until(b"quit")
    session.resize(*size)
    time.sleep(0.5)
    while select.select([session.fd], [], [], 0.5)[0]:
        session.output += os.read(session.fd, 65536)
        assert len(session.output) < 500_000
    assert all(termios.tcgetwinsize(session.fd))
    os.write(session.fd, b"q")
    assert session.end() == 0


@pytest.mark.parametrize("said", [b"0;0;0;0", b"30;100;0;0", b"1;1;1;1"], ids=repr)
def test_a_size_that_comes_as_keys_is_none(said: bytes) -> None:
    session = start()
    os.write(session.fd, b"\x1b[48;%bt" % said)
    session.output = b""
    time.sleep(0.5)
    while select.select([session.fd], [], [], 0.5)[0]:
        session.output += os.read(session.fd, 65536)
        assert len(session.output) < 200_000
    os.write(session.fd, b"q")
    assert session.end() == 0


def test_a_new_size_is_seen_though_the_environment_says_another() -> None:
    session = start(LINES="24", COLUMNS="80")
    session.resize(30, 100)
    session.read_until(b"\x1b[30;1H")
    os.write(session.fd, b"q")
    assert session.end() == 0


def test_a_terminal_that_goes_away_without_a_word_ends_it() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(  # a session of its own, so that no SIGHUP comes
        [sys.executable, "-c", NORMAL],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(theirs)
    output = b""
    while b"frontend" not in output:
        output += os.read(ours, 65536)
    os.close(ours)
    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGHUP
