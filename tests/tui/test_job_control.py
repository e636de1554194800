"""Ctrl-Z, fg, bg, kill: in whatever is on the screen, the terminal is given back as it was."""

from __future__ import annotations

import os
import re
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tui.test_keyboard import settle
from tui.test_terminal import NORMAL, PATIENCE, STANDS, Session, start

SHELL = str(Path(__file__).with_name("job_shell.py"))
MODES: dict[str, tuple[list[str], list[bytes]]] = {
    "workbench": ([], []),
    "story": (["--presentation"], []),
    "replay": ([], [b"t", b">"]),
    "compare": (["--against", "samples/webapp", "samples/guestbook"], []),
    "two walks": (["--against", "samples/webapp", "samples/guestbook"], [b"\r"]),
    "tour": (["present", "samples/tours/row-1.yaml"], []),
    "watch": (["--watch", "samples/guestbook"], []),
    "palette": ([], [b":"]),
    "request": ([], [b"r", b"web"]),
    "help": ([], [b"?"]),
    "find": ([], [b"/", b"node"]),
}
FIRST = {"tour": b"quit", "compare": b"versions", "two walks": b"versions"}
"""What stands there first, where that is not the workbench: another input opens its table."""
LATE_ANSWER = b"\x1b[?2048;1$y"
"""What a terminal says that can tell its size within the stream (DECRPM for mode 2048)."""


class Shell(Session):
    """The program as a job of a shell."""

    def __init__(self, says: Path, arguments: list[str]) -> None:
        self.says = says
        says.touch()
        command = [SHELL, str(says), "-m", "k8stui", *arguments]
        code = (
            f"import runpy, sys; sys.argv = {command!r}; "
            "runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        super().__init__(code, XDG_STATE_HOME=str(says.parent))
        self.job = int(self.said("pid (.*)"))

    def said(self, pattern: str, seconds: float = PATIENCE) -> str:
        """What the shell says next of this kind; what it says is read once."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            settle(self, 0.02)
            if found := re.search(pattern, self.says.read_text()):
                self.says.write_text("")
                return found[1] if found.groups() else found[0]
        raise AssertionError(f"no {pattern!r}: {self.output[-1500:]!r}")

    def left(self) -> str:
        return self.said("ended (.*)")


@pytest.fixture
def says(tmp_path: Path) -> Path:
    return tmp_path / "says"


@pytest.fixture(params=MODES)
def job(request: pytest.FixtureRequest, says: Path) -> Iterator[Shell]:
    arguments, keys = MODES[request.param]
    shell = Shell(says, arguments)
    shell.read_until(FIRST.get(request.param, STANDS))
    for key in keys:
        os.write(shell.fd, key)
        settle(shell, 0.2)
    yield shell
    for pid in (shell.job, shell.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os.close(shell.fd)


def test_control_z_and_fg_and_out(job: Shell) -> None:
    """Also that the screen stands again, all of it, when it comes back."""
    os.write(job.fd, b"\x1a")
    job.said("stopped")
    assert job.left_behind() == []
    assert termios.tcgetattr(job.fd) == job.before
    job.output = b""
    os.kill(job.pid, signal.SIGUSR1)
    job.read_until(b"\x1b[?1049h")
    end = time.monotonic() + PATIENCE
    while len(job.output) <= 1_500 and time.monotonic() < end:
        settle(job, 0.05)
    assert len(job.output) > 1_500
    os.kill(job.job, signal.SIGTERM)
    assert job.left() == "143, modes as before"
    assert job.left_behind() == []
    assert b"Traceback" not in job.output


def test_a_terminal_that_is_closed_ends_it(job: Shell) -> None:
    os.close(job.fd)
    job.fd = os.open(os.devnull, os.O_RDONLY)
    end = time.monotonic() + PATIENCE
    while Path(f"/proc/{job.job}").exists() and time.monotonic() < end:
        with suppress(ChildProcessError):
            os.waitpid(job.pid, os.WNOHANG)
        time.sleep(0.05)
    assert not Path(f"/proc/{job.job}").exists()


def test_killed_while_it_is_stopped(says: Path) -> None:
    """``kill %1``: the job is continued in the background, and has to end there."""
    job = Shell(says, [])
    job.read_until(STANDS)
    os.write(job.fd, b"\x1a")
    job.said("stopped")
    os.kill(job.pid, signal.SIGTERM)
    assert job.left() == "143, modes as before"
    assert job.left_behind() == []


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP], ids=str)
def test_in_the_background_it_waits_and_draws_nothing(says: Path, stop: signal.Signals) -> None:
    job = Shell(says, [])
    job.read_until(STANDS)
    settle(job)
    os.kill(job.job, stop)
    job.said("stopped")
    job.output = b""
    os.kill(job.pid, signal.SIGUSR2)  # bg
    job.said("stopped")  # by the terminal: TTOU
    assert job.output == b""
    os.kill(job.pid, signal.SIGUSR1)  # fg
    job.read_until(b"\x1b[?1049h")
    settle(job)
    os.write(job.fd, b"\x11")
    assert job.left() == "0, modes as before"


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP], ids=str)
@pytest.mark.parametrize("after", [0.2, 0.4])
def test_stopped_in_the_first_moments(says: Path, stop: signal.Signals, after: float) -> None:
    job = Shell(says, [])
    time.sleep(after)
    os.kill(job.job, stop)
    job.said("stopped")
    os.kill(job.pid, signal.SIGUSR1)
    job.read_until(STANDS)
    settle(job)
    os.write(job.fd, b"\x11")
    assert job.left() == "0, modes as before"
    assert job.kitty_pushed() == job.output.count(b"\x1b[<u")


def leave(session: Session, status: int = 0) -> None:
    os.write(session.fd, b"\x11")
    assert session.end() == status
    assert session.left_behind() == []
    assert termios.tcgetattr(session.fd) == session.before
    assert b"Traceback" not in session.output
    os.close(session.fd)


@pytest.mark.parametrize(
    ("numbers", "apart"),
    [
        ([signal.SIGCONT] * 3, 0.3),
        ([signal.SIGSTOP, signal.SIGCONT], 0.1),
        ([signal.SIGTSTP, signal.SIGCONT], 0.0),
        ([signal.SIGTSTP, signal.SIGCONT], 0.1),
        ([signal.SIGCONT, signal.SIGTSTP], 0.0),
        ([signal.SIGTSTP, signal.SIGCONT] * 5, 0.02),
    ],
    ids=str,
)
def test_stop_and_continue_where_no_shell_is(numbers: list[signal.Signals], apart: float) -> None:
    """An orphaned process group is not stopped by TSTP: nobody would wake it."""
    session = start()
    settle(session)
    for number in numbers:
        os.kill(session.pid, number)
        settle(session, apart)
    settle(session)
    leave(session)


SLOW_TO_JOIN = """
import threading, time
join = threading.Thread.join

def slow(self, timeout=None):
    join(self, timeout)
    time.sleep(0.4)

threading.Thread.join = slow
"""


@pytest.mark.parametrize("after", [0.2, 0.6], ids=["nobody reads", "nobody writes"])
def test_what_is_typed_while_it_is_continued_is_not_lost(after: float) -> None:
    """Neither thrown away as what nobody asked for, nor taken by the terminal itself (IXON)."""
    session = start(SLOW_TO_JOIN + NORMAL)
    settle(session)
    os.kill(session.pid, signal.SIGCONT)
    time.sleep(after)
    leave(session)


def test_continued_just_before_it_is_left() -> None:
    session = start()
    settle(session)
    os.kill(session.pid, signal.SIGCONT)
    leave(session)
    session = start()
    os.write(session.fd, b"\x11")
    os.kill(session.pid, signal.SIGCONT)
    assert session.end() in {0, -signal.SIGTSTP}
    assert session.left_behind() == []
    assert termios.tcgetattr(session.fd) == session.before


def test_answers_of_the_terminal_turn_nothing_on() -> None:
    """Nor do they while it is left; and a new size is still seen."""
    session = start()
    settle(session)
    os.write(session.fd, LATE_ANSWER)
    settle(session)
    assert b"\x1b[?2048h" not in session.output
    assert b"\x1b[?1016h" not in session.output
    session.output = b""
    session.resize(30, 90)
    session.read_until(b"quit")
    os.write(session.fd, b"\x11")
    with suppress(OSError):
        for _ in range(100):
            os.write(session.fd, LATE_ANSWER)
            settle(session, 0.0)
            time.sleep(0.002)
    assert session.end() == 0
    assert session.left_behind() == []


def test_a_terminal_that_takes_nothing_any_more() -> None:
    """A signal ends it all the same, and it leaves the terminal as well as can be."""
    session = start()
    settle(session)
    for _ in range(80):  # nobody reads: its output fills the terminal's buffer
        os.write(session.fd, b"l?")
        time.sleep(0.01)
    os.kill(session.pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        pid, status = os.waitpid(session.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(status) == 143
    assert termios.tcgetattr(session.fd) == session.before
    settle(session)
    assert session.left_behind() == []


def test_a_terminal_that_somebody_made_nonblocking() -> None:
    """The flag belongs to all who have the terminal open: what is drawn waits, and is drawn."""
    session = start(f"import os; os.set_blocking(1, False)\n{NORMAL}")
    settle(session)
    for _ in range(40):
        os.write(session.fd, b"l?\x1b\x1b")
        time.sleep(0.01)
    session.resize(70, 250)
    time.sleep(1.0)
    settle(session)
    leave(session)


def test_a_size_that_changes_at_the_end() -> None:
    session = start()
    os.write(session.fd, b"\x11")
    with suppress(OSError):
        for turn in range(60):
            session.resize(20 + turn % 9, 70 + turn)
            settle(session, 0.0)
            time.sleep(0.002)
    assert session.end() == 0
    assert session.left_behind() == []
    assert b"Traceback" not in session.output
