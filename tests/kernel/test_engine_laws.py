"""Laws that hold for every walk, whatever is broken on the way."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel.nets import CLIENT, PODS, SERVER_1, SERVER_2, Broken, ip, rules, standard

from k8stui.kernel import save
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.fib import LOOPBACK
from k8stui.kernel.namespace import RouteType
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Direction, RouteCause, StepKind

SOURCES = ["outside", "node-1", "node-2", CLIENT, SERVER_1, SERVER_2]
TARGETS = [
    *[f"10.96.0.{n}:80" for n in (11, 12, 13, 14, 15, 16, 17, 19, 20)],
    *[f"192.168.0.1{node}:{30000 + n}" for node in (1, 2) for n in (11, 12, 13, 15, 17, 18, 20)],
    *[f"{address}:8080" for address, _ in PODS.values()],
    "203.0.113.10:9100",
    "10.244.1.99:80",
    "10.244.2.255:80",
    "127.0.0.1:30012",
    "224.0.0.1:53",
    "0.0.0.0:8080",
]
DEVICES = [
    ("node-1", "eth0"),
    ("node-1", "cni0"),
    ("node-1", "vethclient"),
    ("node-2", "vethserver-2"),
    (CLIENT, "eth0"),
    ("wire", "node-2"),
    ("router", "eth1"),
]


@st.composite
def networks(draw: st.DrawFn) -> Broken:
    broken = standard(
        warm=draw(st.booleans()), bridge_nf=draw(st.booleans()), hairpin=draw(st.booleans())
    )
    for name, device in draw(st.lists(st.sampled_from(DEVICES), max_size=2, unique=True)):
        broken.device(name, device, up=False)
    for node in ("node-1", "node-2", "router"):
        fields = {
            "ip_forward": draw(st.sampled_from([True, True, True, False])),
            "rp_filter": {"all": draw(st.integers(0, 2))},
            "ip_default_ttl": draw(st.sampled_from([64, 2])),
        }
        broken.sysctl(node, **fields)
    return broken


@st.composite
def requests(draw: st.DrawFn) -> Connect:
    address, port = draw(st.sampled_from(TARGETS)).rsplit(":", 1)
    return Connect(
        namespace=draw(st.sampled_from(SOURCES)),
        destination=ip(address),
        port=int(port),
        protocol=draw(st.sampled_from([Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.SCTP])),
    )


@settings(max_examples=150, deadline=None)
@given(networks(), requests())
def test_a_walk_ends_and_is_the_same_every_time(broken: Broken, request: Connect) -> None:
    first = connect(broken.spaces, request)
    assert first == connect(broken.spaces, request)
    assert first.felt.reason
    assert first.felt.reason != "frames circle for ever"
    assert first.felt.decided_at in broken.spaces
    if first.felt.deciding_step is not None:
        assert first.steps[first.felt.deciding_step].namespace == first.felt.decided_at


@settings(max_examples=100, deadline=None)
@given(networks(), requests())
def test_no_packet_leaves_a_device_that_is_down(broken: Broken, request: Connect) -> None:
    for capture in connect(broken.spaces, request).captures:
        device = broken.spaces[capture.namespace].interface(capture.device)
        assert device is not None
        assert device.up


@settings(max_examples=100, deadline=None)
@given(networks(), requests())
def test_the_answer_mirrors_the_question(broken: Broken, request: Connect) -> None:
    exchange = connect(broken.spaces, request)
    if exchange.felt.result is not Result.CONNECTED or request.namespace == exchange.felt.server:
        return
    asked = next(one.packet for one in exchange.captures if not one.arp)
    answers = [
        one.packet
        for one in exchange.captures
        if one.direction is Direction.REPLY
        and not one.arp
        and one.namespace == request.namespace
        and one.incoming
        and one.device in (LOOPBACK, "eth0")
        and (one.packet.src, one.packet.sport) != (asked.src, asked.sport)
    ]
    # A node's own question is captured after its own NAT; the client feels it before.
    if request.namespace.startswith("node-"):
        return
    last = answers[-1]
    assert (last.src, last.dst) == (asked.dst, asked.src)
    if request.protocol is not Protocol.ICMP:
        assert (last.sport, last.dport) == (asked.dport, asked.sport)


def _routed(exchange: Exchange, number: int) -> int:
    """How often the packet was routed on: where it came in by a cable, not where it was sent.

    The sender may be among them, when another node sends the packet back to it.
    """
    return sum(
        step.packet_number == number
        and step.kind is StepKind.ROUTE
        and isinstance(step.cause, RouteCause)
        and step.cause.route is not None
        and step.cause.route.type is RouteType.UNICAST
        and step.before.smac not in {"", "00:00:00:00:00:00"}
        for step in exchange.steps
    )


@settings(max_examples=100, deadline=None)
@given(networks(), requests())
@example(  # to another node's node port, whose endpoint is at home: the sender routes it as well
    standard(), Connect(namespace="node-1", destination=ip("192.168.0.12"), port=30011)
)
def test_ttl_falls_by_one_each_time_it_is_routed_on(broken: Broken, request: Connect) -> None:
    exchange = connect(broken.spaces, request)
    if request.protocol is not Protocol.TCP or not exchange.felt.server:
        return
    server = exchange.felt.server
    arrived = next(
        step
        for step in exchange.steps
        if step.namespace == server and step.kind is StepKind.DELIVER and step.packet_number == 1
    )
    ttl = broken.spaces[request.namespace].sysctls.ip_default_ttl
    assert arrived.after.ttl == ttl - _routed(exchange, 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.sampled_from(SOURCES), st.sampled_from(["10.96.0.12", "10.244.2.2"]))
def test_probabilities_sum_to_one(endpoints: int, source: str, target: str) -> None:
    lines = [
        f"-A SVC-12 -m statistic --mode random --probability {1 / left:.11f} "
        "-p tcp -m tcp -j DNAT --to-destination 10.244.2.2:8080"
        for left in range(endpoints, 1, -1)
    ]
    old = "-A SVC-12 -s 10.244.2.2/32 -j MARK-MASQ\n"
    broken = standard()
    for node in (1, 2):
        text = rules(node).replace(old, old + "".join(f"{line}\n" for line in lines))
        broken.change(f"node-{node}", rulesets={4: save.parse(text)})
    port = 80 if target == "10.96.0.12" else 8080
    found = list(
        branches(broken.spaces, Connect(namespace=source, destination=ip(target), port=port))
    )
    assert sum(one.probability for one in found) == Fraction(1)
    asked = target == "10.96.0.12" and source != "outside"
    assert len(found) == (endpoints if asked else 1)
    if asked:
        assert {one.probability for one in found} == {Fraction(1, endpoints)}
