"""Random keys on a terminal, a few hundred: benchmarks/key_soak.py has the long run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "key_soak.py"


@pytest.mark.parametrize(
    ("seed", "size", "arguments"),
    [
        ("11", "80x24", ["samples/guestbook"]),
        ("12", "120x34", ["samples/webapp", "--against", "samples/guestbook"]),
    ],
)
def test_random_keys_leave_the_terminal_as_it_was(
    seed: str, size: str, arguments: list[str], tmp_path: Path
) -> None:
    command = [sys.executable, str(SOAK), "--size", size, "300", f"{seed}-{seed}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "no fault" in done.stdout
