"""Shared by all tests: the tests folder itself is importable (`import truth`).

Hypothesis looks for new examples at every run here, and goes through the same ones in CI: what
lands is judged by the change, not by chance. No example has a deadline: timings are for benchmarks.

``-n auto`` is more workers than cores: while one waits for a terminal, another computes.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A screen that a test starts in a terminal remembers nothing: neither of the user who runs the
# tests, nor of the test before.
os.environ["XDG_STATE_HOME"] = os.devnull

# Whoever starts the tests in the background (nohup, a script's &) has these ignored, and a program
# that inherits that goes on ignoring them, as it should. The tests that send them want the usual.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


WAITING = 2
"""Workers beside one a core."""
WORKER_BYTES = 2 << 30
"""What a worker may come to hold."""


@pytest.fixture
def without_others() -> Iterator[None]:
    """Let the garbage collector see what the test makes alone: other tests' things are many."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    cores = yield
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return cores
    room = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // WORKER_BYTES
    return max(1, min(cores + WAITING, room))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a worker have files as a whole while it can: what a file sets up is set up once."""
    if config.getoption("numprocesses", default=None) and config.option.dist == "no":
        config.option.dist = "worksteal"
