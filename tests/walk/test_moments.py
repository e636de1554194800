"""The places of a walk, its conntrack tables and its kernel tables, moment by moment."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import ConntrackCause, RouteCause, StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.landmarks import Landmark, landmarks
from k8stui.walk.offers import first_offer
from k8stui.walk.request import parse_request
from k8stui.walk.tables import asked, row, tables
from k8stui.walk.trace import Trace
from k8stui.walk.tracked import tracked
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

SAMPLES = Path(__file__).parents[2] / "samples"


def world_of(sample: str, mode: str | None = None, plugin: str = "flannel") -> World:
    options = ClusterOptions(proxy_mode=mode)
    return build_world([str(SAMPLES / sample)], options, NodeOptions(cni=plugin))


def walked(world: World, source: str, destination: str) -> Trace:
    return walk(world, parse_request(world, source, destination, "default"))


@pytest.fixture(scope="module")
def webapp() -> World:
    return world_of("webapp")


@pytest.fixture(scope="module")
def node_port(webapp: World) -> Trace:
    return walked(webapp, "outside", "node/node-1:30001")


def test_landmarks_in_the_order_of_the_walk(node_port: Trace) -> None:
    found = landmarks(node_port)
    assert [(each.landmark, node_port.steps[each.index].kind) for each in found] == [
        (Landmark.DESTINATION, StepKind.DNAT),
        (Landmark.SOURCE, StepKind.SNAT),
        (Landmark.SERVER, StepKind.DELIVER),
        (Landmark.REPLY, StepKind.ROUTE),
    ]
    assert all(before.index < after.index for before, after in pairwise(found))


def test_where_chance_chose_is_the_rule_it_chose() -> None:
    trace = walked(world_of("guestbook"), "outside", "node/node-1:30080")
    at = next(each.index for each in landmarks(trace) if each.landmark is Landmark.FORK)
    assert trace.probability != 1
    assert "p = 1/3" in trace.steps[at].text


def test_where_it_failed_is_the_step_that_decided() -> None:
    for path in sorted((SAMPLES / "broken").iterdir()):
        world = build_world([str(path)])
        offer = first_offer(world)
        if offer is None:
            continue
        trace = walk(world, offer.request)
        marks = {each.landmark: each.index for each in landmarks(trace)}
        failed = trace.outcome.result is not Result.CONNECTED and bool(trace.steps)
        assert (Landmark.FAILURE in marks) is failed
        if failed and trace.outcome.step is not None:
            assert trace.steps[marks[Landmark.FAILURE]].number == trace.outcome.step


def test_an_entry_is_confirmed_when_the_packet_has_left(node_port: Trace) -> None:
    dnat = next(step for step in node_port.steps if step.kind is StepKind.DNAT)
    snat = next(step for step in node_port.steps if step.kind is StepKind.SNAT)
    (on_the_way,) = tracked(node_port, dnat.number)["node-1"]
    assert not on_the_way.is_confirmed
    assert "[UNREPLIED] src=10.244.2.2 dst=203.0.113.10 sport=8080" in on_the_way.line
    (left,) = tracked(node_port, snat.number + 1)["node-1"]
    assert left.is_confirmed
    assert "[UNREPLIED] src=10.244.2.2 dst=192.168.0.11 sport=8080" in left.line
    assert tracked(node_port, 1) == {}


@pytest.mark.parametrize("mode", ["iptables", "userspace"])
@pytest.mark.parametrize("plugin", ["flannel", "flannel-vxlan", "docker0"])
@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("outside", "node/node-1:30001"),
        ("pod/myweb-1", "svc/mysql:3306"),
        ("pod/mysql-1", "svc/mysql:3306"),
        ("node/node-1", "svc/myweb:8080"),
    ],
)
def test_what_the_entry_foretells_is_what_the_answer_finds(
    mode: str, plugin: str, source: str, destination: str
) -> None:
    """Both directions as they were derived when the first packet left stand there at the reply."""
    world = world_of("webapp", mode, plugin)
    trace = walked(world, source, destination)
    for hop in trace.hops:
        for step in hop.steps:
            cause = step.cause
            if not isinstance(cause, ConntrackCause) or "[UNREPLIED]" in cause.entry:
                continue
            sides = " ".join(word for word in cause.entry.split() if "=" in word)
            before = tracked(trace, step.number - 1).get(hop.namespace, ())
            known = [
                " ".join(word for word in one.line.split() if "=" in word)
                for one in before
                if one.is_confirmed
            ]
            assert sides in known, (step.number, sides, known)


def test_the_row_that_decided_is_lit(webapp: World, node_port: Trace) -> None:
    for hop in node_port.hops:
        for step in hop.steps:
            found = tables(webapp.network[hop.namespace], step)
            lit = [each.rows[each.decided] for each in found if each.decided is not None]
            if isinstance(step.cause, RouteCause):
                assert len(lit) == 1
                assert lit[0].split(" dev ")[0] in step.detail
            assert len(lit) <= 1


def test_the_table_that_decided_is_one_of_them(webapp: World, node_port: Trace) -> None:
    """The screen's pane asks for one table; `R` shows them all."""
    decided = set()
    for hop in node_port.hops:
        for step in hop.steps:
            namespace = webapp.network[hop.namespace]
            found = asked(namespace, step)
            lit = [each for each in tables(namespace, step) if each.decided is not None]
            if found is None:
                assert not lit
                continue
            command, rows = found
            decided.add(command)
            for each in lit:
                assert each.command == command
                assert each.rows == tuple(row(command, cause) for cause in rows)
    assert {"ip route show", "ip route show table local", "bridge fdb show br cni0"} <= decided


def test_tables_are_headed_by_what_shows_them(webapp: World, node_port: Trace) -> None:
    step = next(one for one in node_port.steps if one.kind is StepKind.DNAT)
    shown = {each.command: each.rows for each in tables(webapp.network["node-1"], step)}
    assert "ip route show" in shown
    assert "ip neigh" in shown
    assert "bridge fdb show br cni0" in shown
    assert all(" table " not in row for row in shown["ip route show table local"])
