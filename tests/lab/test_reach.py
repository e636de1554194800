"""The kernel is asked about cells of `reach`: pairs drawn from classes, walked or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import Asked, Asker, asked, askers
from k8stui.reach.reach import Class, Reach, reach
from k8stui.reach.relations import bits
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

POLICIES = Path(__file__).with_name("policies.yaml")
CELLS = 8


def drawn(found: Reach, dice: random.Random) -> Iterator[tuple[Asker, Asked, Class]]:
    """A pair of each class, in an order of its own."""
    pairs: dict[int, list[tuple[int, int]]] = {}
    for place, column in enumerate(found.columns):
        for cell in column:
            pairs.setdefault(cell.number, []).extend((one, place) for one in bits(cell.askers))
    numbers = sorted(pairs)
    dice.shuffle(numbers)
    for number in numbers:
        asker, one = dice.choice(pairs[number])
        yield found.askers[asker], found.asked[one], found.classes[number]


def by_kernel(world: World, asker: Asker, one: Asked, tools: Tools) -> dict[str, Fraction]:
    """What the client feels in the kernel, over all branches."""
    shares: dict[str, Fraction] = {}
    request = parse_request(world, asker.name, one.name)
    for done in experiments(world, request, tools, every=True):
        result = str(done.comparison.kernel.result)
        shares[result] = shares.get(result, Fraction(0)) + done.probability
    return shares


@pytest.mark.parametrize("engine", ["kube-router", "none"])
def test_cells_are_what_the_kernel_does(nft: Tools, engine: str) -> None:
    world = build_world([str(POLICIES)], node_options=NodeOptions(policy_engine=engine))
    found = reach(world, list(askers(world)), list(asked(world)))
    compared = 0
    for asker, one, known in drawn(found, random.Random(1)):  # noqa: S311 - to be had again
        try:
            shares = by_kernel(world, asker, one, nft)
        except NotComparedError:
            continue
        expected = {result.value: share for result, share in known.felt.shares.items()}
        assert shares == expected, f"{asker.name} -> {one.name}"
        compared += 1
        if compared == CELLS:
            break
    assert compared == CELLS
