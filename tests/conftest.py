"""Shared by all tests: the tests folder itself is importable (`import truth`)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
