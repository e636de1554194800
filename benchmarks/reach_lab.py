"""Random cells of `reach` in random clusters with policies: the kernel must say the same.

    nice python benchmarks/reach_lab.py [CELLS] [SEED] [SECONDS]

Needs what `k8stui lab` needs. Each cluster is one of `lab_requests.py`, with NetworkPolicies that
kube-router enforces and kube-proxy in iptables mode. Of a few classes one pair each is drawn,
mostly another than the one that was walked; all its branches are asked in a lab. Prints each
difference, and ends with status 1 if there was one.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from lab_requests import setting, world_of

from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.lab.run import find_tools
from k8stui.reach.ends import asked, askers
from k8stui.reach.reach import reach
from k8stui.reach.relations import bits
from k8stui.walk.request import parse_request
from k8stui.walk.world import World

_PER_CLUSTER = 8
_MOST_ASKED = 40


def drawn(world: World, dice: random.Random) -> list[tuple[str, str, dict[str, Fraction]]]:
    """Pairs of some classes, and what the class says of them."""
    rows, columns = tuple(askers(world)), list(asked(world))
    dice.shuffle(columns)
    found = reach(world, rows, columns[:_MOST_ASKED])
    pairs: dict[int, list[tuple[str, str]]] = {}
    for place, column in enumerate(found.columns):
        for cell in column:
            some = [(rows[one].name, columns[place].name) for one in bits(cell.askers)]
            pairs.setdefault(cell.number, []).extend(some)
    chosen = dice.sample(sorted(pairs), min(_PER_CLUSTER, len(pairs)))
    return [
        (
            *dice.choice(pairs[number]),
            {one.value: share for one, share in found.classes[number].felt.shares.items()},
        )
        for number in chosen
    ]


def by_kernel(world: World, pair: tuple[str, str], tools: Tools) -> dict[str, Fraction]:
    """What the client feels in the kernel, over all branches."""
    shares: dict[str, Fraction] = {}
    for done in experiments(world, parse_request(world, *pair), tools, every=True):
        result = str(done.comparison.kernel.result)
        shares[result] = shares.get(result, Fraction(0)) + done.probability
    return shares


def main(count: int = 1_000, seed: int = 1, seconds: float = 1e9) -> int:
    tools, _ = find_tools()
    done: Counter[str] = Counter()
    differ = 0
    ends = time.monotonic() + seconds
    number = seed * 1_000_000
    with tempfile.TemporaryDirectory() as name:
        while done.total() < count and time.monotonic() < ends:
            number += 1
            dice = random.Random(number)  # noqa: S311 - to be had again
            like = replace(setting(dice), mode="iptables", engine="kube-router", mtu=None)
            world = world_of(dice, like, Path(name))
            for source, destination, known in drawn(world, dice):
                try:
                    shares = by_kernel(world, (source, destination), tools)
                except NotComparedError:
                    continue
                except LabError as error:
                    print(f"cluster {number}: {source} -> {destination}: {error}")
                    continue
                done["+".join(sorted(shares))] += 1
                if shares != known:
                    differ += 1
                    print(f"cluster {number}: {source} -> {destination}: {shares}, not {known}")
                if time.monotonic() > ends:
                    break
    print(f"{done.total()} cells in {number - seed * 1_000_000} clusters: {dict(done)}")
    print(f"{differ} of them differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
