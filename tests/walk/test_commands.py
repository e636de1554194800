"""The commands beside each step: the right ones, and none that could run something else."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import Interface, LinkKind, Socket
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import (
    BridgeCause,
    Cause,
    ConntrackCause,
    DeviceCause,
    Direction,
    NeighbourCause,
    RouteCause,
    RuleCause,
    SocketCause,
    StepKind,
    SysctlCause,
)
from k8stui.nodes.options import NodeOptions
from k8stui.walk.commands import Command, commands, most_telling
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

SAMPLE = Path(__file__).parents[2] / "samples" / "webapp"


def walked(source: str, destination: str, options: NodeOptions | None = None) -> Trace:
    world = build_world([str(SAMPLE)], None, options)
    return walk(world, parse_request(world, source, destination, "default"))


@pytest.fixture(scope="module")
def node_port() -> Trace:
    return walked("outside", "node/node-1:30001")


@pytest.fixture(scope="module")
def tunnel() -> Trace:
    return walked("pod/myweb-1", "svc/mysql:3306", NodeOptions(cni="flannel-vxlan"))


def first(trace: Trace, kind: StepKind) -> TraceStep:
    return next(step for step in trace.steps if step.kind is kind)


def lines(trace: Trace, step: TraceStep) -> list[str]:
    return [one.line for one in commands(trace, step)]


def test_a_rule_is_shown_by_its_chain_on_its_node(node_port: Trace) -> None:
    found = commands(node_port, first(node_port, StepKind.DNAT))
    assert found[0] == Command(
        "node-1",
        "iptables -t nat -nvL KUBE-SEP-KO76YKHGTXLOEPNI --line-numbers",
        "the chain, with packet counters: rule 2 decided",
    )
    assert found[1].line == "conntrack -L -p tcp -d 192.168.0.11 --dport 30001"


def test_a_source_rewritten_is_found_by_both_ends(node_port: Trace) -> None:
    snat = first(node_port, StepKind.SNAT)
    assert "conntrack -L -p tcp -s 203.0.113.10 -r 10.244.2.2 --sport 40000" in lines(
        node_port, snat
    )


def test_a_route_is_asked_for_as_the_kernel_looked_it_up(node_port: Trace) -> None:
    routes = [step for step in node_port.steps if step.kind is StepKind.ROUTE]
    asked = [lines(node_port, step) for step in routes]
    ask = [next((line for line in each if "route get" in line), "") for each in asked]
    assert ask == [
        "ip route get 192.168.0.11 from 203.0.113.10",
        "",  # the nodes' router is no machine of the cluster
        "ip route get 10.244.2.2 from 203.0.113.10 iif eth0 mark 0x4000",
        "ip route get 10.244.2.2 from 192.168.0.11 iif eth0",
        "ip route get 10.244.2.2 from 192.168.0.11 iif eth0",
        "ip route get 192.168.0.11 from 10.244.2.2",
        "ip route get 192.168.0.11 from 10.244.2.2 iif cni0",
        "ip route get 203.0.113.10 from 10.244.2.2 iif eth0",
        "",
        "ip route get 203.0.113.10 from 192.168.0.11 iif eth0",
    ]


def test_a_pods_namespace_is_entered_first(node_port: Trace) -> None:
    deliver = first(node_port, StepKind.DELIVER)
    entering, listening, *_ = commands(node_port, deliver)
    assert entering.where == "pod default/myweb-1 on node-2"
    assert entering.line.startswith('nsenter -n -t "$(crictl inspectp ')
    assert "--name '^myweb-1$'" in entering.line
    assert listening.line == "ss -lntp 'sport = :8080'"
    telling = most_telling(node_port, deliver)
    assert telling is not None
    assert telling.line == listening.line


def test_a_tunnel_is_looked_for_at_its_device(tunnel: Trace) -> None:
    found = lines(tunnel, first(tunnel, StepKind.ENCAPSULATE))
    assert found[:2] == ["bridge fdb show dev flannel.1", "ip -d link show dev flannel.1"]
    outer = next(s for s in tunnel.steps if s.before and s.before.vni is not None)
    assert lines(tunnel, outer)[0] == "ip route get 192.168.0.11 from 192.168.0.12"
    assert any("udp port 8472" in line for line in lines(tunnel, outer))


def test_a_name_is_asked_with_kubectl(tunnel: Trace) -> None:
    found = commands(tunnel, first(tunnel, StepKind.RESOLVE))
    assert {one.where for one in found} == {"kubectl"}
    assert found[0].line == "kubectl exec -n default myweb-1 -- getent ahosts mysql.default.svc"


def test_a_bridge_shows_its_ports(tunnel: Trace) -> None:
    bridged = [s for s in tunnel.steps if s.kind is StepKind.BRIDGE and s.device == "cni0"]
    assert lines(tunnel, bridged[0])[0] == "bridge fdb show br cni0"


def test_every_step_of_every_walk_shows_something(node_port: Trace, tunnel: Trace) -> None:
    for trace in (node_port, tunnel):
        for step in trace.steps:
            assert commands(trace, step)
            assert most_telling(trace, step) is not None


def test_a_step_of_another_walk_is_refused(node_port: Trace) -> None:
    with pytest.raises(ValueError, match="no step"):
        commands(node_port, replace(node_port.steps[0], number=9_999))


# Nothing that is copied can run something else

WICKED = st.one_of(
    st.sampled_from(
        [
            "$(id)",
            "`id`",
            "a;id",
            "a b",
            "-x",
            "a\nid",
            "a'b",
            'a"b',
            "a|b",
            "\x1b[201~id\n",
            "~",
            "",
        ]
    ),
    st.text(max_size=20),
)
PACKET = Packet(
    src=Address.parse("10.244.2.2"),
    dst=Address.parse("10.244.1.2"),
    protocol=Protocol.TCP,
    sport=40000,
    dport=80,
)
REQUEST = Request(
    source="outside", destination="10.244.1.2:80", protocol=Protocol.TCP, connect=None
)
OUTCOME = Outcome(
    result=Result.CONNECTED,
    errno=None,
    seconds=0,
    decided_at="",
    reason="",
    server_pod=None,
    server_address=None,
    server_port=None,
    source_seen_by_server=None,
    origin=None,
    step=None,
)


def causes(name: str, other: str) -> list[Cause]:
    chain = Chain(name=name, policy=None, rules=())
    rule = Rule(text=f"-A {name} -m set --match-set {other} dst -j DROP")
    device = Interface(name=name, kind=LinkKind.VETH)
    return [
        RuleCause(table=other, chain=chain, index=1, rule=rule),
        RuleCause(table="nat", chain=chain, index=1, rule=rule),
        RouteCause(route=None),
        BridgeCause(bridge=name, entry=None),
        NeighbourCause(neighbour=None),
        ConntrackCause(entry=f"tcp 6 src={name} dst={other} sport={name} dport=1", state="NEW"),
        DeviceCause(interface=device),
        SocketCause(socket=Socket(protocol=Protocol.TCP, port=80, owner=name)),
        SysctlCause(name=name, value=other),
    ]


ENTERING = re.compile(
    r"""nsenter -n -t "\$\(crictl inspectp -o go-template --template '\{\{\.info\.pid\}\}' """
    r""""\$\(crictl pods -q --state ready --namespace [a-z0-9.-]+ """
    r"""--name '\^[a-z0-9.\[\]-]+\$'\)"\)\""""
)


def is_harmless(line: str) -> bool:
    """Whether a shell takes the line as one command, without expansions."""
    if ENTERING.fullmatch(line):
        return True
    return line.isascii() and line.isprintable() and shlex.join(shlex.split(line)) == line


@given(WICKED, WICKED, WICKED)
def test_no_name_of_the_input_can_run_a_command(name: str, other: str, device: str) -> None:
    step = TraceStep(
        number=1,
        kind=StepKind.RULE,
        device=device,
        hook=None,
        cause=None,
        origin=None,
        before=PACKET,
        after=replace(PACKET, dport=81),
        text="",
    )
    for cause in causes(name, other):
        for place in ("node-1", f"{name}/{other}"):
            hop = Hop(
                direction=Direction.FORWARD,
                namespace=place,
                steps=(replace(step, cause=cause),),
            )
            trace = Trace(request=REQUEST, hops=(hop,), outcome=OUTCOME, probability=Fraction(1))
            for one in commands(trace, hop.steps[0]):
                assert is_harmless(one.line), one.line


@given(WICKED, WICKED)
def test_no_name_of_a_service_can_run_a_command(name: str, other: str) -> None:
    step = TraceStep(
        number=1,
        kind=StepKind.RESOLVE,
        device=None,
        hook=None,
        cause=None,
        origin=None,
        before=None,
        after=None,
        text="",
    )
    hop = Hop(direction=Direction.FORWARD, namespace=f"{other}/{name}", steps=(step,))
    request = replace(REQUEST, service=f"{name}/{other}")
    trace = Trace(request=request, hops=(hop,), outcome=OUTCOME, probability=Fraction(1))
    for one in commands(trace, step):
        assert is_harmless(one.line), one.line


@pytest.mark.parametrize("line", ["a $(id)", "a; b", "a 'b", "a > b", "a `b`", "a $b", "a\nb"])
def test_the_law_itself_sees_what_would_run(line: str) -> None:
    try:
        assert not is_harmless(line)
    except ValueError:
        assert "'" in line
