"""Broken manifests, through all of the loading: an answer, soon, and never a traceback."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest

from k8stui.manifests import load

sys.path.insert(0, str(Path(__file__).parent))

from broken_inputs import mutant

MOST_SECONDS = 2.0
"""Of CPU for one input; the usual one takes half a millisecond, the longest of 30,000 took 50."""


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_always_an_answer(first: int) -> None:
    for number in range(first, first + 50):
        started = time.process_time()
        found = load(["-"], stdin=io.BytesIO(mutant(number)))
        for said in (*found.problems, *found.notes):
            assert said.render(), number
        assert time.process_time() - started < MOST_SECONDS, number
