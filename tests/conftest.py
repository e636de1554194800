"""Shared by all tests: the tests folder itself is importable (`import truth`).

Hypothesis looks for new examples at every run here, and goes through the same ones in CI: what
lands is judged by the change, not by chance. No example has a deadline: timings are for benchmarks.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
