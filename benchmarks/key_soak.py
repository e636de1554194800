"""Random keys on a terminal: nothing may end the screen, hang it, or leave the terminal changed.

    python benchmarks/key_soak.py [--size CxR] [--begin KEYS]... [KEYS] [SEEDS] [ARGUMENT...]

KEYS a seed and a size (default 2,500: with 5 seeds and 4 sizes 50,000); ARGUMENTs are the
program's. SEEDS is a number, or FIRST-LAST. It runs on a terminal of its own, and gets what one can
send it: keys, bytes that are no UTF-8, pastes with and without brackets, mouse reports, answers of
a terminal, sizes down to 1×1 and 0×0, Ctrl-C, Ctrl-Z, stop and continue. Where a key leaves, it is
started anew, in the workbench, in story mode, in a replay or in a comparison. Keys that write a
file are left out. --begin: what is pressed first at each start, in place of these (``p``, ``pt``,
``w``: story, replay on the stage, comparison). Ends with status 1 at the first fault, and prints
the last keys before it.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sys
import tempfile
import termios
import time
from collections import deque
from itertools import product
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
sys.path[0] = str(_ROOT / "tests")  # in place of this folder, which has a tui.py of its own
sys.path.insert(0, str(_ROOT))  # this checkout's, whatever is installed

from tui.test_terminal import Session  # noqa: E402 - once it is found

SIZES = ((80, 24), (40, 10), (120, 34), (200, 50))
ODD_SIZES = ((1, 1), (0, 0), (3, 80), (80, 2), (1, 50), (300, 1), (2, 2), (300, 80), (17, 5))
LETTERS = "abcdefghijklmnoprstuvxyzBDFGNORSXY0123456789/?:!.,-_+[]{}()<>'\"= "
STRANGE = ["\x00", "\x7f", "\x85", "\u202e", "網", "\U0001f980", "e\u0301", "\u200d", "\ufeff"]
NAMED = (  # CSI and SS3 sequences as xterm sends them
    *(f"\x1b[{letter}" for letter in "ABCDHFZPQRS"),
    *(f"\x1bO{letter}" for letter in "ABCDHFPQRS"),
    *(f"\x1b[{number}~" for number in (1, 2, 3, 4, 5, 6, 11, 12, 13, 15, 17, 18, 19, 20, 21, 24)),
    *(f"\x1b[1;{modifier}{letter}" for modifier in (2, 3, 5, 6) for letter in "ABCDHF"),
    "\r", "\r", "\t", "\x1b", "\x1b\x1b", "\x1bx", "\x1b[200~", "\x1b[201~",
    *(chr(number) for number in range(1, 27) if chr(number) not in "\x03\x11\x17"),
)  # fmt: skip
WORDS = (
    "rmyweb\rmysql\r", "/^(a+)+$\r", "/!node", "/-l app=web\r", ":theme\r\r", ":svc my\r", "t>>>>a",
    "p..  ",
    "i\x1b[B\r", "oX", "oD", "f\r", "b\r", "m\x1b", "x\r", "s\x1b", "c\x1b", "RO", "[[]]",
    ":what if\r", ":walk myweb -> mysql\r", "?/step\r", "tO<>", "uuu", "ffff", ":ask again\r",
    "z\\z",
)  # fmt: skip
BROKEN = (
    b"\xff", b"\xfe\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
    b"\x1b[\xff", b"\x1b]52;c;\xff\x07", b"\x1bP\xff\x1b\\", b"\x9b1m", b"\x1b[99999999999u",
    b"\x1b[48;a;b;c;dt", b"\x1b[48;0;0;0;0t", b"\x1b[?2026;2$y", b"\x1b[?2048;1$y", b"\x1b[I\x1b[O",
    b"\x1b[?2048;2$y", b"\x1b[;;;;;;;;;u", b"\x1b[<", b"\x1b[1114112u", b"\x1b[1;1:3A",
    b"\x1b_Gi=1\x1b\\",
)  # fmt: skip
BEGINS = (b"", b"p", b"t", b"w", b"v", b"i", b"r", b":")
"""What leads to each of the screens in which a start may begin."""
_TELLS = """
import asyncio, gc, signal
said = sys.stderr
def tell(*_):
    for task in asyncio.all_tasks():
        task.print_stack(limit=4, file=said)
    for one in gc.get_objects():
        if type(one).__name__ in {"Ahead", "Keyboard"}:
            print(type(one).__name__, vars(one), file=said)
        elif type(one).__name__ == "K8sTuiApp":
            print(one.screen_stack, one.focused, one.size, file=said)
"""
"""What waits for what, told on a signal where the program hangs."""
SAYS = (b"Traceback", b"never awaited", b"Exception in thread", b"Fatal Python")
_HANGS_SECONDS = 20.0
"""Of its own CPU, after which a program that does not begin, sends nothing though its size changed,
or does not leave is held to hang."""
_STANDS_SECONDS = 120.0
"""When one that takes no CPU is held to hang: it waits for something that does not come."""
_MOVES_SECONDS = 0.02
_DEAD_SECONDS = 3_000.0
"""When anything is held to hang: beside other work a niced program waits long for its CPU."""
_HUNDRED = 100
_BEGIN, _END = 4096, 65536
"""What is kept of the output: the modes that are set at first, and taken back at last."""


def mouse(dice: random.Random) -> bytes:
    button = dice.choice((0, 1, 2, 32, 35, 64, 65, 66, 67, 128, 4, 8, 16))
    x, y = dice.choice((0, 1, 5, 40, 79, 80, 200, 9999)), dice.choice((0, 1, 3, 12, 24, 50, 9999))
    end = dice.choice("Mm")
    return f"\x1b[<{button};{x};{y}{end}".encode()


def paste(dice: random.Random) -> bytes:
    text = "".join(dice.choice((*LETTERS, "\n", "\r", *STRANGE)) for _ in range(dice.randrange(60)))
    raw = text.encode() + dice.choice((b"", b"\xff\xfe"))
    return b"\x1b[200~" + raw + dice.choice((b"\x1b[201~",) * 9 + (b"",))


def keys(dice: random.Random) -> bytes:
    """What is written at once: mostly one key, now and then a word, a paste, bytes."""
    chance = dice.random()
    if chance < 0.45:
        return dice.choice(LETTERS).encode()
    if chance < 0.75:
        return dice.choice(NAMED).encode()
    if chance < 0.83:
        return dice.choice(WORDS).encode()
    if chance < 0.87:
        return dice.choice(BROKEN)
    if chance < 0.91:
        return mouse(dice)
    if chance < 0.93:
        return paste(dice)
    if chance < 0.95:
        return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(30))).encode()
    if chance < 0.97:
        return dice.choice(STRANGE).encode()
    return dice.choice((b"\x03", b"\x1b", b"\x1b"))


class Patience:
    """How long to wait for a program; on its own clock, for others may have the machine."""

    def __init__(self, pid: int) -> None:
        self._clock = (~pid << 3) | 2  # CPUCLOCK_SCHED of a process (posix-timers.h)
        self._began, self._moved = time.monotonic(), time.monotonic()
        self._first = self._last = self._cpu()

    def _cpu(self) -> float:
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # it has gone
            return 0.0

    def is_over(self) -> bool:
        """Whether it has had what it needs."""
        now, cpu = time.monotonic(), self._cpu()
        if cpu - self._last > _MOVES_SECONDS:
            self._moved, self._last = now, cpu
        stands = now - self._moved > _STANDS_SECONDS
        return stands or cpu - self._first > _HANGS_SECONDS or now - self._began > _DEAD_SECONDS


class FaultError(Exception):
    """What is looked for."""


class Soak:
    """One program after the other on a terminal of one size, from one seed."""

    def __init__(
        self,
        seed: int,
        size: tuple[int, int],
        arguments: list[str],
        folder: Path,
        begins: tuple[bytes, ...] = BEGINS,
    ) -> None:
        self.dice = random.Random(f"{seed} {size}")  # noqa: S311 - to have it again
        self.size = size
        self.folder = folder
        self.begins = begins
        self.arguments = arguments
        self.last: deque[bytes] = deque(maxlen=60)
        self.starts = 0

    def run(self, count: int) -> None:
        done = 0
        while done < count:
            done += self._one(count - done)

    def _one(self, count: int) -> int:
        """Write keys until one leaves, or all are written; how many were."""
        errors = self.folder / "errors"
        code = (
            f"import faulthandler, sys; sys.stderr = open({str(errors)!r}, 'w', buffering=1)\n"
            f"faulthandler.register({signal.SIGUSR1:d}, sys.stderr)\n"
            f"{_TELLS}signal.signal({signal.SIGUSR2:d}, tell)\n"
            f"from k8stui.cli import run; sys.exit(run({self.arguments!r}))"
        )
        state = {"XDG_STATE_HOME": str(self.folder), "TMPDIR": str(self.folder)}
        session = Session(code, size=self.size[::-1], **state)
        self.starts += 1
        number = 0
        try:
            session.read_until(b"\x1b[?1049h", _DEAD_SECONDS)
            self._pump(session, 0.5)
            begin = self.dice.choice(self.begins)
            self.last.append(b"<start> " + begin)
            os.write(session.fd, begin)
            while number < count:
                number += 1
                self._press(session)
                if number % 10 == 0 and not self._pump(session, 0.01):
                    break
                if number % _HUNDRED == 0 and not self._answers(session):
                    break
                session.output = session.output[:_BEGIN] + session.output[_BEGIN:][-_END:]
            status = self._leave(session)
            modes = modes_of(session)
        except FaultError as fault:
            with contextlib.suppress(ProcessLookupError):
                for ask in (signal.SIGUSR1, signal.SIGUSR2):  # where it hangs
                    os.kill(session.pid, ask)
                    time.sleep(2.0)
            fault = FaultError(f"{fault}; {modes_of(session)[:4]}, before {session.before[:4]}")
            raise FaultError(f"{fault}\n{errors.read_text()}") from fault
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session.pid, signal.SIGKILL)  # where a fault is reported
            os.close(session.fd)
        said = errors.read_bytes() if errors.exists() else b""
        if status not in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGHUP):
            raise FaultError(f"status {status}: {said[-2000:].decode(errors='replace')}")
        if any(words in said for words in SAYS):
            raise FaultError(said[-3000:].decode(errors="replace"))
        if modes != session.before or session.left_behind():
            raise FaultError(
                f"the terminal is left in another mode: {session.left_behind()}, "
                f"{session.before[:4]} -> {modes[:4]}, status {status}"
            )
        return number

    def _press(self, session: Session) -> None:
        if self.dice.random() < 0.01:
            columns, rows = self.dice.choice((*SIZES, *ODD_SIZES))
            session.resize(rows, columns)
            self.last.append(f"<size {columns}x{rows}>".encode())
            return
        if self.dice.random() < 0.002:
            stop = self.dice.choice((signal.SIGTSTP, signal.SIGSTOP))
            self.last.append(f"<{stop.name}>".encode())
            with contextlib.suppress(ProcessLookupError):
                os.kill(session.pid, stop)
                self._pump(session, self.dice.choice((0.0, 0.1)))
                os.kill(session.pid, signal.SIGCONT)
            return
        pressed = keys(self.dice)
        self.last.append(pressed)
        with contextlib.suppress(OSError):
            os.write(session.fd, pressed)
        self._pump(session, 0.0)

    def _pump(self, session: Session, quiet: float) -> bool:
        """Take what was sent until nothing comes for so long; False: the program has gone."""
        while select.select([session.fd], [], [], quiet)[0]:
            try:
                session.output += os.read(session.fd, 65536)
            except OSError:
                return False
        return True

    def _answers(self, session: Session) -> bool:
        """See that it redraws when its size changes; False: it has gone, as one may."""
        self._pump(session, 0.05)
        session.resize(7, 33)
        for columns, rows in ((33, 7), self.size):
            session.resize(rows, columns)
            patience = Patience(session.pid)
            while not select.select([session.fd], [], [], 0.05)[0]:
                if patience.is_over():
                    raise FaultError("it does not answer")
            if not self._pump(session, 0.02):
                return False
        return True

    def _leave(self, session: Session) -> int:
        with contextlib.suppress(OSError):
            os.write(session.fd, b"\x1b[201~")
            self._pump(session, 0.1)
        patience = Patience(session.pid)
        while not patience.is_over():
            # Again: a Ctrl-Z that still waits throws away what is typed after it, as terminals do.
            with contextlib.suppress(OSError):
                os.write(session.fd, b"\x11")
            with contextlib.suppress(AssertionError):
                return session.end(5.0, last=0)
        raise FaultError("it does not leave on ctrl+q")


def modes_of(session: Session) -> list[Any]:
    """The modes of the terminal; as before, where it has gone."""
    try:
        return termios.tcgetattr(session.fd)
    except (termios.error, OSError):
        return session.before


def main() -> int:
    given = sys.argv[1:]
    sizes = SIZES
    if given[:1] == ["--size"]:
        columns, _, rows = given[1].partition("x")
        sizes, given = ((int(columns), int(rows)),), given[2:]
    begins: list[bytes] = []
    while given[:1] == ["--begin"]:
        begins.append(given[1].encode())
        given = given[2:]
    count = int(given[0]) if given else 2_500
    first, _, last = (given[1] if len(given) > 1 else "5").rpartition("-")
    seeds = range(int(first), int(last) + 1) if first else range(int(last))
    total, start = 0, time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="key-soak-"))
    for seed, size in product(seeds, sizes):
        soak = Soak(seed, size, given[2:], folder, tuple(begins) or BEGINS)
        try:
            soak.run(count)
        except FaultError as fault:
            print(f"seed {seed}, size {size}: {fault}\nlast keys: {list(soak.last)}")
            for report in folder.glob("k8stui-crash-*"):
                print(report.read_text())
            return 1
        total += count
        said = f"{count:,} keys, {soak.starts} starts"
        print(f"seed {seed}, size {size[0]}×{size[1]}: {said}", flush=True)
    print(f"{total:,} keys in {time.monotonic() - start:.0f} s, no fault")
    return 0


if __name__ == "__main__":
    sys.exit(main())
