"""Rows and columns that say the same are one, and only those."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.fold import Fold, Folding, Group, mark_of
from k8stui.reach.reach import Reach, reach
from k8stui.walk.world import World, build_world

MILL = str(Path(__file__).parent / "data" / "mill.yaml")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([MILL], node_options=NodeOptions(policy_engine="calico"))


@pytest.fixture(scope="module")
def found(world: World) -> Reach:
    return reach(world, list(askers(world)), list(asked(world)))


def names(groups: list[Group]) -> list[str]:
    return [group.name for group in groups]


def test_pods_of_a_workload_are_one_where_they_fare_alike(world: World, found: Reach) -> None:
    folding = Folding(world.cluster, found)
    assert names(folding.rows(Fold.WORKLOADS)) == [
        "outside",
        "pod/barn/silo-0",  # it answers itself, whatever a policy says
        "pod/barn/silo-1",
        "deploy/mill/gate ×3",
        "pod/mill/wheel-1",
        "pod/mill/wheel-2",
        "node/node-1",
        "node/node-2",
    ]
    assert "node/*:30080 ×2" in names(folding.columns(Fold.WORKLOADS))
    assert "deploy/mill/gate:8080 ×3" in names(folding.columns(Fold.WORKLOADS))


@pytest.mark.parametrize("fold", Fold)
def test_what_is_one_says_the_same(world: World, found: Reach, fold: Fold) -> None:
    folding = Folding(world.cluster, found)
    rows, columns = folding.rows(fold), folding.columns(fold)
    assert sorted(n for row in rows for n in row.places) == list(range(len(found.askers)))
    assert sorted(n for each in columns for n in each.places) == list(range(len(found.asked)))
    for row in rows:
        for column in columns:
            marks = {
                mark_of(found.classes[found.cell(asker, one).number].felt)
                for asker in row.places
                for one in column.places
            }
            assert len(marks) == 1


def test_whoever_is_alike_is_one_row(world: World, found: Reach) -> None:
    rows = Folding(world.cluster, found).rows(Fold.ALIKE)
    lines = [
        tuple(
            mark_of(found.classes[found.cell(row.places[0], n).number].felt)
            for n in range(len(found.asked))
        )
        for row in rows
    ]
    assert len(set(lines)) == len(lines)
    assert rows[0].name == "outside"


def test_who_fails(world: World, found: Reach) -> None:
    folding = Folding(world.cluster, found)
    for place in range(len(found.asked)):
        for asker in range(len(found.askers)):
            mark = mark_of(found.classes[found.cell(asker, place).number].felt)
            fails = bool(folding.failing(place) >> asker & 1)
            assert fails is (mark is None or mark.value != "connected")
