"""Decisions, and the walk as a rail of them."""

from __future__ import annotations

from typing import Any

import pytest

from k8stui.export.drawing.decisions import decision, is_decision
from k8stui.export.drawing.ink import Ink, line_width, text_of
from k8stui.export.drawing.rail import rail
from k8stui.kernel.step import Direction, StepKind
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import build_world, sample

LIT = {Ink.HERE, Ink.BACK, Ink.STOP}


@pytest.fixture(scope="module", name="webapp")
def _webapp() -> Any:
    world = build_world([str(sample("webapp"))])
    return world, walk(world, parse_request(world, "outside", "node/node-1:30001", "default"))


@pytest.fixture(scope="module", name="guestbook")
def _guestbook() -> Any:
    world = build_world([str(sample("guestbook"))])
    return world, [*walks(world, parse_request(world, "outside", "node/node-1:30080", "default"))]


def words(trace: Any) -> list[str]:
    return [sign.word for step in trace.steps if (sign := decision(step, trace)) is not None]


def test_a_walk_through_a_node_port_in_its_decisions(webapp: Any) -> None:
    _, trace = webapp
    there_and_back = ["Cluster", "mark", "DNAT", "SNAT", "deliver", "un-SNAT", "un-DNAT", "deliver"]
    assert words(trace) == there_and_back


def test_no_plain_route_is_a_decision(webapp: Any) -> None:
    _, trace = webapp
    plain = (StepKind.ROUTE, StepKind.BRIDGE, StepKind.ARP)
    assert not any(is_decision(step, trace) for step in trace.steps if step.kind in plain)


def test_the_fork_is_a_decision_and_says_what_chance_chose(guestbook: Any) -> None:
    _, traces = guestbook
    assert len(traces) > 1
    for number, trace in enumerate(traces, start=1):
        assert f"{number} of {len(traces)}" in words(trace)


def test_places_of_the_way_back_stand_under_those_of_the_way_there(webapp: Any) -> None:
    world, trace = webapp
    there, back = map(text_of, rail(trace, world.cluster, 0, 118))
    for name in ("outside", "node-1", "node-2", "myweb-1"):
        # What is lit has a blank on each side.
        assert abs(there.index(name) - back.index(name)) <= 1


@pytest.mark.parametrize("width", [20, 40, 78, 118])
def test_at_every_step_one_thing_is_lit_and_in_sight(webapp: Any, width: int) -> None:
    world, trace = webapp
    ways = [hop.direction for hop in trace.hops for _ in hop.steps]
    for index, way in enumerate(ways):
        lines = rail(trace, world.cluster, index, width)
        assert [line_width(line) for line in lines] == [width, width]
        lit = [sum(ink in LIT for _, ink in line) for line in lines]
        assert lit == ([1, 0] if way is Direction.FORWARD else [0, 1])


def test_a_request_that_nobody_answers_says_so_on_the_way_back() -> None:
    world = build_world([str(sample("webapp"))])
    trace = walk(world, parse_request(world, "outside", "node/node-1:31999", "default"))
    _, back = map(text_of, rail(trace, world.cluster, len(trace.steps) - 1, 118))
    assert "refused" in back
