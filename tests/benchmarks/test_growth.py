"""Work grows with the input, not with its square: counted, so that a busy machine says the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GROWTH = Path(__file__).parents[2] / "benchmarks" / "growth.py"


# Several in a process: most of a case's time is the program's start.
@pytest.mark.parametrize(
    "cases",
    [
        "broken-documents crowds jumps services-of-one-port policies",
        "nodes nodes-checked missed-ports pending addresses",
        "endpoints-by-hand labels mounted subsets meshed unread",
        "config-keys missing-maps told replicas remembered",
    ],
)
def test_four_times_the_input_is_no_more_than_five_times_the_work(cases: str) -> None:
    done = subprocess.run(
        [sys.executable, str(GROWTH), *cases.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
