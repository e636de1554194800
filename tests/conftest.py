"""Shared by all tests: the tests folder itself is importable (`import truth`).

Hypothesis looks for new examples at every run here, and goes through the same ones in CI: what
lands is judged by the change, not by chance. No example has a deadline: timings are for benchmarks.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

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
