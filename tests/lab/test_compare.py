"""The comparison itself: a kernel that does what the walk says, and kernels that do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from k8stui.export.lab import lab_json, verdict
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.header import WITH_PORTS, changed
from k8stui.kernel.packet import Packet, TcpFlags
from k8stui.kernel.simulate import connect
from k8stui.lab.comparing.compare import BranchComparison, compare
from k8stui.lab.experiment import Experiment
from k8stui.lab.passed_on import QuestionBranch
from k8stui.lab.plan import Seen, Sight, Tools
from k8stui.lab.trial import Trial, tried
from k8stui.walk.request import parse_request
from k8stui.walk.world import World


def frame(packet: Packet, space: str = "", device: str = "", *, incoming: bool = False) -> Sight:
    ports = packet.protocol in WITH_PORTS
    return Sight(
        namespace=space, device=device, incoming=incoming,
        src=str(packet.src), dst=str(packet.dst), protocol=int(packet.protocol),
        sport=packet.sport if ports else 0, dport=packet.dport if ports else 0,
        ttl=packet.ttl, smac=packet.smac, dmac=packet.dmac, flags=int(packet.flags),
        icmp_type=packet.icmp_type, icmp_code=packet.icmp_code,
        sequence=int(bool(packet.flags & TcpFlags.PSH)),
        length=packet.length_bytes, dont_fragment=packet.dont_fragment,
        mss=packet.mss_bytes if ports else 0, mtu=packet.mtu_bytes,
        inner=frame(packet.inner) if packet.inner else None,
    )  # fmt: skip


def as_walked(exchange: Exchange) -> Seen:
    """What a kernel shows that agrees: namespace by namespace, stamped in the walk's order."""
    frames = []
    for n, c in enumerate(exchange.captures):
        shown = frame(c.packet, c.namespace, c.device, incoming=c.incoming)
        frames.append(replace(shown, time_ns=n))
    frames.sort(key=lambda f: f.namespace)
    felt = exchange.felt
    served = {
        "space": felt.server or "",
        "address": str(felt.server_address),
        "port": felt.server_port or 0,
        "source": str(felt.source_seen),
        "source_port": felt.source_port_seen or 0,
    }
    return Seen(
        errno=felt.errno or "",
        answered=felt.result == "connected",
        seconds=felt.seconds,
        served=[served],  # type: ignore[list-item]
        frames=frames,
        left_out=[],
        build_seconds=0.0,
        earlier_seconds=0.0,
        conntrack={name: list(lines) for name, lines in exchange.conntrack.items()},
        passed={},
        counted=[],
    )


@pytest.fixture(scope="module")
def exchange(guestbook: World) -> Exchange:
    """From outside to a node port whose endpoint is on that node: masqueraded."""
    request = parse_request(guestbook, "outside", "node/node-1:30080").connect
    assert request is not None
    return connect(guestbook.network, request)


def test_the_same_agrees(exchange: Exchange) -> None:
    found = compare(exchange, as_walked(exchange))
    assert found.agrees
    assert len(found.rows) == len(exchange.captures)


def _random(frames: list[Sight], new: Callable[[int], int]) -> None:
    for n, one in enumerate(frames):
        ends = {"sport": one.sport, "dport": one.dport}
        random = {end: new(port) for end, port in ends.items() if port not in (40000, 30080, 80)}
        frames[n] = replace(one, **random)  # type: ignore[arg-type]


def test_another_random_port_is_the_same(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    _random(seen["frames"], lambda port: port + 1)
    seen["served"][0]["source_port"] += 1
    assert compare(exchange, seen).agrees


def test_what_data_is_cut_into_is_claimed_of_its_first_segment_alone(guestbook: World) -> None:
    """A kernel that is told of a smaller MTU cuts what it has sent; the rest may arrive alone."""
    request = parse_request(guestbook, "outside", "node/node-1:30080", data_bytes=100).connect
    assert request is not None
    exchange = connect(guestbook.network, request)
    seen = as_walked(exchange)
    data = next(one for one in seen["frames"] if one.flags & TcpFlags.PSH)
    for sequence, agrees in ((1, False), (81, True)):
        rest = replace(data, sequence=sequence, device="elsewhere")
        assert compare(exchange, {**seen, "frames": [*seen["frames"], rest]}).agrees is agrees


def test_a_branch_is_done_again_when_somebody_elses_port_was_drawn(
    guestbook: World, exchange: Exchange, some_tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells it from a packet that nobody has translated."""
    asked = parse_request(guestbook, "outside", "node/node-1:30080").connect
    assert asked is not None
    clash, other = as_walked(exchange), as_walked(exchange)
    _random(clash["frames"], lambda _: 30080)
    assert compare(exchange, clash).drew_known
    _random(other["frames"], lambda port: port + 1)
    other["served"][0]["source_port"] += 1
    way = QuestionBranch(network=guestbook.network, exchange=exchange)
    for seen, agrees in (([clash, other], True), ([clash, clash, other], False)):
        drawn = iter(seen)
        monkeypatch.setattr("k8stui.lab.trial.run", lambda _, drawn=drawn: next(drawn))
        assert tried(way, asked, some_tools).comparison.agrees is agrees


def test_a_random_port_that_changes_under_way_is_not(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    changing = iter(range(20000, 30000))
    _random(seen["frames"], lambda _: next(changing))
    assert not compare(exchange, seen).agrees


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_says_a_random_port_in_its_digits(guestbook: World, more: int) -> None:
    """All but that is as long to the byte."""
    request = parse_request(guestbook, "pod/client", "8.8.8.8:53/udp").connect
    assert request is not None
    exchange = connect(guestbook.network, request)
    seen = as_walked(exchange)
    port, other = exchange.felt.source_port_seen, 4711
    assert port is not None
    assert port > 9999
    seen["served"][0]["source_port"] = other
    _random(seen["frames"], lambda one: other if one == port else one)
    for n, one in enumerate(seen["frames"]):
        bytes_more = more - 1 if one.src == "8.8.8.8" else more
        seen["frames"][n] = replace(one, length=one.length + bytes_more)
    assert compare(exchange, seen).agrees is (not more)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("device", "eth9"),
        ("incoming", None),
        ("src", "1.2.3.4"),
        ("dst", "1.2.3.4"),
        ("sport", 1),
        ("dport", 1),
        ("ttl", 9),
        ("smac", "02:00:00:00:00:99"),
        ("dmac", "02:00:00:00:00:99"),
        ("flags", 4),
        ("protocol", 17),
        ("length", 1500),
        ("dont_fragment", False),
    ],
)
def test_every_field_counts(exchange: Exchange, field: str, value: object) -> None:
    seen = as_walked(exchange)
    one = seen["frames"][3]
    other = {field: not one.incoming if value is None else value}
    seen["frames"][3] = replace(one, **other)  # type: ignore[arg-type]
    found = compare(exchange, seen)
    assert not found.agrees
    assert any(field in row.differs or None in (row.walk, row.kernel) for row in found.rows)


def test_a_packet_that_the_kernel_has_not_got(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    gone = seen["frames"].pop(5)
    (row,) = (row for row in compare(exchange, seen).rows if not row.is_equal)
    assert row.kernel is None
    assert row.walk is not None
    assert (row.walk.namespace, row.walk.device) == (gone.namespace, gone.device)


def test_a_packet_that_only_the_kernel_has(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["frames"].insert(5, replace(seen["frames"][5], device="eth9"))
    (row,) = (row for row in compare(exchange, seen).rows if not row.is_equal)
    assert row.walk is None
    assert row.kernel is not None
    assert row.kernel.device == "eth9"


def test_repeats_count_once(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["frames"] += [one for one in seen["frames"] if one.flags == 2]
    assert compare(exchange, seen).agrees


def test_the_way_from_device_to_device_counts(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    frames = seen["frames"]
    syns = [n for n, one in enumerate(frames) if one.flags == 2]
    first, second = sorted(syns, key=lambda n: frames[n].time_ns)[:2]
    times = frames[first].time_ns, frames[second].time_ns
    frames[first] = replace(frames[first], time_ns=times[1])
    frames[second] = replace(frames[second], time_ns=times[0])
    found = compare(exchange, seen)
    assert found.order == "the walk passes outside eth0 out where the kernel passes wire eth1 in"
    assert not found.agrees


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"answered": False, "errno": "ECONNREFUSED"}, "result"),
        ({"answered": False, "errno": "EHOSTUNREACH"}, "errno"),
        ({"answered": False}, "result"),
        ({"served": []}, "server"),
    ],
    ids=["refused", "unreachable", "silence", "another-server"],
)
def test_what_is_felt_counts(exchange: Exchange, change: dict[str, object], differs: str) -> None:
    seen = cast("Seen", as_walked(exchange) | change)
    found = compare(exchange, seen)
    assert differs in found.felt_differs
    assert not found.agrees


@pytest.mark.parametrize(
    ("change", "only"),
    [
        (lambda lines: lines[1:], "walk"),
        (lambda lines: [*lines, "udp 17 29 src=1.2.3.4 dst=1.2.3.5 sport=1 dport=2"], "kernel"),
        (lambda lines: [one.replace("ESTABLISHED", "SYN_RECV") for one in lines], "walk"),
        (lambda lines: [one.replace("[ASSURED] ", "") for one in lines], "walk"),
        (lambda lines: [one.replace("src=10.244.1.3", "src=10.244.1.4") for one in lines], "walk"),
        (lambda lines: [one.replace("sport=80", "sport=81") for one in lines], "walk"),
    ],
    ids=["gone", "more", "state", "assured", "address", "port"],
)
def test_what_is_tracked_counts(
    exchange: Exchange, change: Callable[[list[str]], list[str]], only: str
) -> None:
    seen = as_walked(exchange)
    seen["conntrack"]["node-1"] = change(seen["conntrack"]["node-1"])
    found = compare(exchange, seen)
    assert not found.agrees
    assert (found.tracked[0].namespace, found.tracked[0].by) == ("node-1", only)


def test_time_outs_and_random_ports_of_what_is_tracked_do_not_count(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["conntrack"]["node-1"] = [
        "ipv4     2 " + re.sub(r"dport=5\d+ ", "dport=1 ", one).replace("431999", "431000")
        for one in seen["conntrack"]["node-1"]
    ]
    assert compare(exchange, seen).agrees


@pytest.mark.parametrize(("seconds", "agrees"), [(0.0, True), (1.0, True), (3.1, False)])
def test_how_long_it_took_counts(exchange: Exchange, seconds: float, agrees: bool) -> None:
    seen = as_walked(exchange)
    seen["seconds"] = seconds
    assert compare(exchange, seen).agrees is agrees


def test_the_port_that_the_server_saw_counts(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["served"][0]["source_port"] = 4711
    assert compare(exchange, seen).felt_differs == ("source_port_seen",)


def _experiment(world: World, exchange: Exchange, comparison: BranchComparison) -> Experiment:
    return Experiment(
        request=parse_request(world, "outside", "node/node-1:30080"),
        branch=1,
        probability=exchange.probability,
        trial=Trial(
            exchange=exchange, comparison=comparison, namespaces=4, build_seconds=0.0, notes=()
        ),
    )


def test_the_last_line(guestbook: World, exchange: Exchange) -> None:
    seen = as_walked(exchange)
    same = _experiment(guestbook, exchange, compare(exchange, seen))
    assert verdict([same]) == "kernel and walk agree: 24 packets on 8 devices"
    seen["frames"][3] = replace(seen["frames"][3], ttl=9)
    other = _experiment(guestbook, exchange, compare(exchange, seen))
    assert verdict([same, other]).startswith(
        "kernel and walk differ: outside → node/node-1:30080, packet "
    )
    assert lab_json([same])["agree"] is True
    told = lab_json([same, other])
    assert told["agree"] is False
    assert [walk["agree"] for walk in told["walks"]] == [True, False]


def _other_connection(seen: Seen, port: int, conntrack: bool) -> None:
    """One more SYN, of a connection that the client made before, as it is after NAT."""
    at = next(n for n, one in enumerate(seen["frames"]) if one.namespace == "node-1")
    seen["frames"].insert(at, replace(seen["frames"][at], sport=port))
    if conntrack:
        seen["conntrack"].setdefault("node-1", []).append(
            "tcp 6 60 SYN_SENT src=203.0.113.10 dst=192.168.0.11 sport=39998 dport=30080 "
            f"src=10.244.1.2 dst=10.244.1.1 sport=80 dport={port} mark=0 use=1"
        )


@pytest.mark.parametrize("former", [(), (39998,)])
def test_a_late_packet_of_a_connection_before(exchange: Exchange, former: tuple[int, ...]) -> None:
    seen = as_walked(exchange)
    _other_connection(seen, 39998, conntrack=False)
    assert compare(exchange, seen, former_ports=former).agrees is bool(former)


def test_it_is_known_behind_nat_too(exchange: Exchange) -> None:
    """By the entry of conntrack, which says what has become of its port."""
    for told in (False, True):
        seen = as_walked(exchange)
        _other_connection(seen, 51234, conntrack=told)
        found = compare(exchange, seen, former_ports=(39998,))
        assert all(row.is_equal for row in found.rows) is told


def test_ports_of_the_request_itself_are_not_left_out(exchange: Exchange) -> None:
    """30080 may be a client's port, too; and then a packet that is missing is missed."""
    seen = as_walked(exchange)
    del seen["frames"][0]
    assert not compare(exchange, seen, former_ports=(30080, 80, 40000)).agrees


def test_what_timers_do_when_the_client_knows(guestbook: World) -> None:
    """It may be seen, or not; anything else that follows may not."""
    request = parse_request(guestbook, "pod/client", "pod/frontend-1:80").connect
    assert request is not None
    now = connect(guestbook.network, request)
    last = now.captures[-1]
    later = replace(last, packet=changed(last.packet, ttl=9))
    afterwards = replace(now, captures=(*now.captures, later))
    seen = as_walked(now)
    seen["frames"].append(frame(later.packet, later.namespace, later.device, incoming=True))
    assert not compare(now, seen).agrees
    assert compare(now, seen, afterwards=afterwards).agrees
    assert compare(now, as_walked(now), afterwards=afterwards).agrees
    seen["frames"].append(replace(seen["frames"][-1], ttl=8))
    assert not compare(now, seen, afterwards=afterwards).agrees
