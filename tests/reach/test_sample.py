"""The sample with policies: three tiers, each asked by the one before alone; and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "policies"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(SAMPLE)])


@pytest.mark.parametrize(
    ("asks", "asked", "result"),
    [
        ("outside", "node/node-1:30070", Result.CONNECTED),
        ("pod/web-1", "api:80", Result.CONNECTED),
        ("pod/api-2", "db:5432", Result.CONNECTED),
        ("pod/web-1", "svc/db", Result.REFUSED),
        ("pod/db-0", "svc/api", Result.REFUSED),
    ],
)
def test_each_tier_is_asked_by_the_one_before(
    world: World, asks: str, asked: str, result: Result
) -> None:
    assert walk(world, parse_request(world, asks, asked)).outcome.result is result


def test_the_permission_is_wanted_where_it_is_particular(world: World) -> None:
    outcome = walk(world, parse_request(world, "pod/web-1", "svc/db")).outcome
    assert outcome.advice.endswith("in egress of NetworkPolicy web"), "not of deny-all, for all"
