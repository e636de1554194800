"""What a keyboard, a terminal and a shell may do to the program; none of it may end it."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from tui.test_terminal import PATIENCE, STANDS, Session, start

MAIN = "from k8stui.__main__ import main; main()"
RUN = f"exec {sys.executable} -c '{MAIN}'"


def settle(session: Session, seconds: float = 0.4) -> None:
    """Read until nothing has come for a while."""
    last = time.monotonic()
    while time.monotonic() - last < seconds:
        if select.select([session.fd], [], [], 0.05)[0]:
            try:
                session.output += os.read(session.fd, 65536)
            except OSError:
                return
            last = time.monotonic()


def shell(command: str) -> Session:
    code = f"import os; os.execv('/bin/sh', ['sh', '-c', {command!r}])"
    return Session(code)


def is_alive(session: Session) -> bool:
    return os.waitpid(session.pid, os.WNOHANG)[0] == 0


def leave(session: Session, *, status: int = 0) -> None:
    """See that it still answers, and leave as one does."""
    assert is_alive(session)
    os.write(session.fd, b"\x11")
    assert session.end() == status
    assert session.left_behind() == []
    assert b"Traceback" not in session.output


KEYS: dict[str, list[bytes]] = {
    "bytes that are no UTF-8": [b"\xff\xfe\x80\xc0"],
    "a letter in parts": [b"\xe2", b"\x82", b"\xac", b"\xe2", b"l"],
    "in the request box": [b"r", b"\xff\xff", b"\xf0\x9f"],
    "page down in the palette": [b":", b"\x1b[6~\x1b[5~"],
    "page down in a palette at once": [b":\x1b[6~zzz\x1b[6~q\x1b[5~\x1b[6~"],
    "page down where the palette has nothing": [b":zzzz", b"\x1b[6~"],
    "page down among the themes": [b":", b"theme", b"\r", b"\x1b[6~"],
    "a palette closed while it gathers": [b":z\r\r\x1b", b":\x1b:\x1b\x1b"],
    "a command chosen twice": [b":theme", b"\r\r\r\x1b"],
    "a list closed twice": [b"?\x1b?\x1b\x1b\x1b", b"r\x1b\x1b"],
    "a mouse that is nowhere": [b"\x1b[<99999999999999999999;1;1M\x1b[<;M"],
    "keys beyond Unicode": [b"\x1b[99999999999u\x1b[1114112u\x1b[55296u"],
    "a size that is none": [b"\x1b[48;a;b;c;dt\x1b[48;0;0;0;0t"],
    "a paste": [b"\x1b[200~" + b"x" * 10_000, b"\x1b[201~"],
    "sequences that are none": [b"\x1b]52;c;\xff\x07\x1bP\xff\x1b\\\x9b1m"],
    "all control characters": [
        bytes(range(0x20)).replace(b"\x03", b"").replace(b"\x11", b"").replace(b"\x1a", b"")
    ],
}


def test_no_key_ends_it() -> None:
    """One after the other, from the walk each time."""
    session = start()
    for name, keys in KEYS.items():
        for key in (*keys, b"\x1b", b"\x1b", b"\x1b"):
            os.write(session.fd, key)
            settle(session, 0.3 if key in keys else 0.1)
        assert is_alive(session), name
    leave(session)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(KEYS["in the request box"], id="bytes in the request box"),
        pytest.param(KEYS["page down among the themes"], id="page down among the themes"),
        pytest.param(KEYS["a paste"], id="a paste"),
        pytest.param([b"r", b"\x03"], id="ctrl-c in the request box"),
        pytest.param([b":", b"\x03"], id="ctrl-c in the palette"),
        pytest.param([b"?", b"\x03"], id="ctrl-c in the help"),
        pytest.param([b"/", b"\x03"], id="ctrl-c in the find bar"),
        pytest.param([b"!", b"\x03"], id="ctrl-c in the problems"),
    ],
)
def test_one_leaves_from_there(keys: list[bytes]) -> None:
    session = start()
    for key in keys:
        os.write(session.fd, key)
        settle(session, 0.3)
    leave(session)


def compute(session: Session, seconds: float) -> None:
    """Until it has computed so long, as it would by then on a core of its own, or it stands."""
    end = time.monotonic() + PATIENCE
    while session.used() < seconds and STANDS not in session.output and time.monotonic() < end:
        if select.select([session.fd], [], [], 0.005)[0]:
            try:
                session.output += os.read(session.fd, 65536)
            except OSError:
                return


def peak_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError(pid)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_a_book_typed_at_once_is_no_book_of_waiting_keys() -> None:
    session = start()
    before = peak_kilobytes(session.pid)
    text = (b"lhjk?\x1b[6~\x1b1234zz." * 2_000)[:24_000]
    written = threading.Event()

    def write() -> None:
        view = memoryview(text)
        while view:
            view = view[os.write(session.fd, view[:4096]) :]
        written.set()

    threading.Thread(target=write, daemon=True).start()
    end = time.monotonic() + PATIENCE
    while not written.is_set() and time.monotonic() < end:
        if select.select([session.fd], [], [], 0.1)[0]:
            session.output = os.read(session.fd, 65536)
    assert written.is_set()
    settle(session, 1.5)
    assert peak_kilobytes(session.pid) - before < 30_000
    leave(session)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=str)
def test_signals_in_the_first_moments(number: signal.Signals) -> None:
    for after in (0.02, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6):
        session = Session(MAIN)
        compute(session, after)
        os.kill(session.pid, number)
        # Python itself has no handler in its first moments: the shell says 128 + number of both.
        early = {-number, 1} if number is signal.SIGINT and after < 0.1 else {-number}
        assert session.end() in {128 + number, *(early if after <= 0.2 else ())}, after
        assert session.left_behind() == []
        if after > 0.2:
            assert b"Traceback" not in session.output
        os.close(session.fd)


def test_the_screen_is_not_drawn_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "errors"
    session = shell(f"{RUN} 2>{file}")
    session.read_until(STANDS)
    leave(session)
    assert file.read_bytes() == b""


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-", "</dev/null"])
def test_closed_streams(closed: str) -> None:
    session = shell(f"{RUN} {closed}")
    session.read_until(STANDS)
    leave(session)


def test_without_standard_output_nothing_is_drawn() -> None:
    session = shell(f"{RUN} >&-")
    assert session.end() == 0
    assert b"\x1b[?1049h" not in session.output
    assert b"Traceback" not in session.output


def test_a_storm_of_sizes() -> None:
    session = start()
    for turn in range(300):
        termios.tcsetwinsize(session.fd, (1 + turn * 7 % 90, 1 + turn * 13 % 250))
        if turn % 10 == 0:
            os.write(session.fd, b"l?\x1b[6~\x1b:r"[turn % 5 : turn % 5 + 2])
        while select.select([session.fd], [], [], 0)[0]:
            session.output = os.read(session.fd, 65536)
    termios.tcsetwinsize(session.fd, (24, 80))
    settle(session, 0.8)
    leave(session)
