"""Whatever comes in: no traceback and no long wait, from the bytes to the topology as text.

The same examples at every run; `benchmarks/soak_load.py` looks for new ones, by the hundred
thousand.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import mutants

POOL = mutants.sources()
LONGEST = 20.0
"""CPU seconds of one input; of 5,000 the longest took 0.9, and a busy machine counts double."""
SEEDS = st.integers(0, 2**32)


def in_time(raw: bytes) -> None:
    start = time.process_time()
    mutants.journey(raw)
    assert time.process_time() - start < LONGEST


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SEEDS)
def test_mutants_of_real_files(seed: int) -> None:
    in_time(mutants.mutant(seed, POOL))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SEEDS)
def test_objects_that_are_right_by_type_alone(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    in_time(json.dumps(mutants.an_object(rng)).encode())


def test_services_of_an_ipv6_64() -> None:
    """Found by seed 4139 of the soak run; servers take ranges of /64 and longer."""
    in_time(
        b"apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\n"
        b'spec: {cidrs: ["fd00:10:96::/64"]}\n---\n'
        b"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n"
    )
