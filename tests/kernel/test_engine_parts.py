"""The parts of the engine, each against what the kernel's own tools print."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from kernel.nets import CLIENT, SERVER_1, ip, mac, network, special, standard, via

from k8stui.kernel import iproute, iproute_json, simulate
from k8stui.kernel.address import Prefix
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.events import EventQueue, expiry
from k8stui.kernel.exchange import Connect
from k8stui.kernel.host import standing
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    RuleAction,
    Scope,
    Socket,
    Sysctls,
)
from k8stui.kernel.packet import Protocol
from k8stui.kernel.routing import Fate, route_line
from k8stui.kernel.simulate import connect, syn_delays

NODE = network()["node-1"]
ROUTING = standing(NODE).routing


@pytest.mark.parametrize(
    ("destination", "line", "source"),
    [
        ("10.244.2.2", "10.244.2.0/24 via 192.168.0.12 dev eth0", "192.168.0.11"),
        ("10.244.1.1", "local 10.244.1.1 dev cni0 src 10.244.1.1", "10.244.1.1"),
        ("10.244.1.255", "broadcast 10.244.1.255 dev cni0 src 10.244.1.1", "10.244.1.1"),
        ("10.244.1.7", "10.244.1.0/24 dev cni0 src 10.244.1.1", "10.244.1.1"),
        ("127.0.0.2", "local 127.0.0.0/8 dev lo src 127.0.0.1", "127.0.0.1"),
        ("8.8.8.8", "default via 192.168.0.1 dev eth0", "192.168.0.11"),
    ],
)
def test_ip_route_get(destination: str, line: str, source: str) -> None:
    decision = ROUTING.outgoing(ip(destination))
    assert decision.route is not None
    assert route_line(decision.route) == line
    assert str(decision.source) == source


@pytest.mark.parametrize(
    ("source", "fate"),
    [
        ("192.168.0.11", Fate.MARTIAN_SOURCE),
        ("127.0.0.1", Fate.MARTIAN_SOURCE),
        ("255.255.255.255", Fate.MARTIAN_SOURCE),
        ("224.0.0.1", Fate.MARTIAN_SOURCE),
        ("10.244.1.3", Fate.FORWARD),
        ("240.0.0.1", Fate.FORWARD),
        ("10.96.0.12", Fate.FORWARD),
        ("10.244.1.255", Fate.FORWARD),
    ],
)
def test_martians(source: str, fate: Fate) -> None:
    assert ROUTING.incoming(ip("10.244.2.2"), ip(source), "eth0").fate is fate


def test_policy_rules_and_throw() -> None:
    space = replace(
        NODE,
        routes=(
            *NODE.routes,
            replace(via("0.0.0.0/0", "192.168.0.77"), table="100"),
            replace(special("10.244.0.0/16", RouteType.THROW), table="100"),
        ),
        policy_rules=(*NODE.policy_rules, PolicyRule(priority=10, table="100", mark=0x10)),
    )
    routing = standing(space).routing
    marked = routing.look_up(ip("8.8.8.8"), mark=0x10).route
    assert marked is not None
    assert str(marked.gateway) == "192.168.0.77"
    plain = routing.look_up(ip("8.8.8.8")).route
    assert plain is not None
    assert str(plain.gateway) == "192.168.0.1"
    thrown = routing.look_up(ip("10.244.2.2"), mark=0x10).route
    assert thrown is not None
    assert str(thrown.gateway) == "192.168.0.12"


@pytest.mark.parametrize(
    ("rules", "inner", "outer", "thrown"),
    [
        ((), "10.1.0.0/16 via 192.168.0.1 dev eth0", "local 10.0.0.0/8 dev lo", None),
        (
            (PolicyRule(priority=100, table="main"),),
            "local 10.0.0.0/8 dev lo",
            "local 10.0.0.0/8 dev lo",
            "192.168.0.0/24 dev eth0",
        ),
        (
            (PolicyRule(priority=1, table="main", action=RuleAction.GOTO, goto=40_000),),
            "local 10.0.0.0/8 dev lo",
            "local 10.0.0.0/8 dev lo",
            "192.168.0.0/24 dev eth0",
        ),
    ],
    ids=["one-trie", "with-a-rule", "with-a-goto-to-nothing"],
)
def test_local_and_main_are_one_until_somebody_adds_a_rule(
    rules: tuple[PolicyRule, ...], inner: str, outer: str, thrown: str | None
) -> None:
    # as `ip route get` says on Linux 6.18
    space = NetNamespace(
        name="host",
        interfaces=(
            Interface(name="lo", kind=LinkKind.LOOPBACK),
            Interface(name="eth0", kind=LinkKind.VETH),
        ),
        routes=(
            replace(special("10.0.0.0/8", RouteType.LOCAL), table="local", device="lo"),
            replace(special("192.168.0.9/32", RouteType.THROW), table="local"),
            via("10.1.0.0/16", "192.168.0.1"),
            Route(destination=Prefix.parse("192.168.0.0/24"), device="eth0", scope="link"),
        ),
        policy_rules=(*NODE.policy_rules, *rules),
    )
    routing = standing(space).routing
    for destination, line in (("10.1.2.3", inner), ("10.2.2.3", outer), ("192.168.0.9", thrown)):
        found = routing.look_up(ip(destination))
        assert (route_line(found.route) if found.route else None) == line
        assert found.error == (None if line else "ENETUNREACH")
    assert routing.is_local(ip("10.2.2.3"))
    assert routing.is_local(ip("10.1.2.3")) == bool(rules)


def test_masquerade_takes_the_address_of_the_next_hop_s_subnet() -> None:
    # docs/facts/outcomes.md, section 7: not `src`, never a secondary one.
    addresses = (
        InterfaceAddress(address=ip("192.168.0.11"), prefix_length=24),
        InterfaceAddress(address=ip("172.20.0.11"), prefix_length=24),
        InterfaceAddress(address=ip("192.168.0.111"), prefix_length=24, secondary=True),
    )
    devices = tuple(
        replace(one, addresses=addresses) if one.name == "eth0" else one for one in NODE.interfaces
    )
    routing = standing(replace(NODE, interfaces=devices)).routing
    far = ip("8.8.8.8")
    assert str(routing.masquerade_source("eth0", ip("172.20.0.12"), far)) == "172.20.0.11"
    assert str(routing.masquerade_source("eth0", ip("10.9.9.9"), far)) == "192.168.0.11"
    # `lo` has no global address: the first global one of any device.
    assert str(routing.masquerade_source("lo", ip("192.168.0.11"), far)) == "192.168.0.11"


@pytest.mark.parametrize(
    ("device", "destination", "source"),
    [
        # A cable without an address of its own (canal): the longest common prefix of all devices.
        ("cali1", "fd00:10:244:1::4", "fd00:10:244:1::"),
        ("cali1", "2001:db8:203::9", "2001:db8::11"),
        ("eth0", "fd00:10:244:1::4", "fd00:192:168::11"),
        # The next hop counts for nothing, the destination does.
        ("eth0", "2001:db8:203::9", "2001:db8::11"),
    ],
)
def test_ipv6_speaks_from_the_address_that_fits_the_destination(
    device: str, destination: str, source: str
) -> None:
    # ipv6_dev_get_saddr, by nf_nat_masquerade_ipv6 and ip6_route_get_saddr.
    def made(name: str, *addresses: str) -> Interface:
        own = tuple(InterfaceAddress(address=ip(a), prefix_length=128) for a in addresses)
        return Interface(
            name=name, kind=LinkKind.VETH, mac=f"02:00:00:00:00:{name[-1]}0", addresses=own
        )

    node = NetNamespace(
        name="n",
        interfaces=(
            made("eth0", "fd00:192:168::11", "2001:db8::11"),
            made("flannel1", "fd00:10:244:1::"),
            made("cali1"),
        ),
        routes=(
            Route(destination=Prefix.parse("::/0"), gateway=ip("fd00:192:168::1"), device="eth0"),
            Route(destination=Prefix.parse("fd00:10:244:1::4/128"), device=device),
        ),
    )
    routing = standing(node).routing
    towards = ip(destination)
    assert str(routing.masquerade_source(device, ip("fd00:192:168::1"), towards)) == source
    found = routing.outgoing(towards)
    assert found.device != device or str(found.source) == source


def test_kernel_routes() -> None:
    device = Interface(
        name="eth0",
        kind=LinkKind.VETH,
        addresses=(
            InterfaceAddress(
                address=ip("192.0.2.1"), prefix_length=24, broadcast=ip("192.0.2.255")
            ),
            InterfaceAddress(address=ip("192.0.2.2"), prefix_length=24, secondary=True),
            InterfaceAddress(address=ip("10.0.0.0"), prefix_length=32),
            InterfaceAddress(address=ip("fd00::1"), prefix_length=64),
        ),
    )
    lines = {(one.table, route_line(one)) for one in kernel_routes([device])}
    assert lines == {
        ("local", "local 192.0.2.1 dev eth0 src 192.0.2.1"),
        ("main", "192.0.2.0/24 dev eth0 src 192.0.2.1"),
        ("local", "broadcast 192.0.2.255 dev eth0 src 192.0.2.1"),
        ("local", "local 192.0.2.2 dev eth0 src 192.0.2.1"),
        ("local", "broadcast 192.0.2.255 dev eth0 src 192.0.2.1"),
        ("local", "local 10.0.0.0 dev eth0 src 10.0.0.0"),
        ("local", "local fd00::1 dev eth0"),
        ("main", "fd00::/64 dev eth0"),
    }
    down = kernel_routes([replace(device, up=False)])
    assert {one.type for one in down} == {RouteType.LOCAL}


def test_iproute_reads_detailed_output() -> None:
    text = json.dumps(
        [
            {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "addr_info": []},
            {
                "ifname": "flannel.1",
                "flags": ["BROADCAST", "UP"],
                "mtu": 1450,
                "address": "06:00:0a:f4:01:00",
                "linkinfo": {
                    "info_kind": "vxlan",
                    "info_data": {"id": 1, "link": "eth0", "local": "192.168.0.11", "port": 8472},
                },
                "addr_info": [
                    {"family": "inet", "local": "10.244.1.0", "prefixlen": 32, "scope": "global"}
                ],
            },
            {
                "ifname": "flannel-v6.1",
                "linkinfo": {
                    "info_kind": "vxlan",
                    "info_data": {"id": 1, "local6": "fd00::11", "link": "eth0", "port": 8472},
                },
            },
            {},
        ]
    )
    lo, flannel, flannel6 = iproute.interfaces(iproute_json.load(text, "ip addr"))
    assert lo.kind is LinkKind.LOOPBACK
    assert flannel.kind is LinkKind.VXLAN
    assert flannel.vxlan is not None
    assert (flannel.vxlan.vni, str(flannel.vxlan.local)) == (1, "192.168.0.11")
    assert flannel6.vxlan is not None
    assert str(flannel6.vxlan.local) == "fd00::11"
    rules = iproute.policy_rules(
        [{"priority": 9, "src": "10.0.0.0", "srclen": 8, "fwmark": "0x10", "table": "7"}]
    )
    assert rules == (
        PolicyRule(priority=9, table="7", source=Prefix.parse("10.0.0.0/8"), mark=0x10),
    )


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]"])
def test_iproute_refuses_what_is_no_output(text: str) -> None:
    with pytest.raises(iproute_json.IprouteError, match="ip addr"):
        iproute_json.load(text, "ip addr")


def test_fdb_lines() -> None:
    found = iproute.fdb(
        [
            "02:00:0a:f4:01:02 dev veth9c3f81e7 master cni0 ",
            "02:00:0a:f4:01:01 dev cni0 master cni0 permanent",
            "06:00:0a:f4:02:00 dev flannel.1 dst 192.168.0.12 self permanent",
            "33:33:00:00:00:01 dev eth0 self permanent",
        ]
    )
    assert found == (
        FdbEntry(mac="02:00:0a:f4:01:02", device="veth9c3f81e7"),
        FdbEntry(mac="02:00:0a:f4:01:01", device="cni0", permanent=True),
        FdbEntry(
            mac="06:00:0a:f4:02:00",
            device="flannel.1",
            permanent=True,
            destination=ip("192.168.0.12"),
        ),
    )


@pytest.mark.parametrize(
    ("linear", "syns", "end"),
    [(4, [0, 1, 2, 3, 4, 5, 7, 11, 19, 36, 68], 134), (0, [0, 1, 3, 7, 15, 32, 64], 130)],
)
def test_syn_times(linear: int, syns: list[int], end: int) -> None:
    now, found = 0.0, [0.0]
    for delay in syn_delays(Sysctls(tcp_syn_linear_timeouts=linear)):
        now = expiry(now, delay)
        found.append(now)
    assert [round(one) for one in found] == [*syns, end]


def test_events_come_by_time_then_by_order() -> None:
    queue, seen = EventQueue(), []
    queue.timer(1, lambda: seen.append("first timer"))
    queue.after_hop(lambda: seen.append("packet"))
    queue.timer(1, lambda: seen.append("second timer"))
    while action := queue.next(timers=True):
        action()
    assert seen == ["packet", "first timer", "second timer"]
    queue.timer(1, lambda: seen.append("late"))
    assert queue.next(timers=False) is None


def test_a_broadcast_goes_to_the_youngest_port_first() -> None:
    exchange = connect(
        standard(warm=False).spaces,
        Connect(namespace="node-1", destination=ip("10.244.1.99"), port=80),
    )
    ports = [one.device for one in exchange.captures if one.arp and one.device.startswith("veth")]
    assert ports[:2] == ["vethserver-1", "vethclient"]


def test_the_same_address_twice_on_a_bridge() -> None:
    # The first ARP answer counts, and the youngest port answers first.
    broken = standard(warm=False)
    twin = replace(
        broken.spaces[CLIENT].interfaces[1],
        mac=mac("10.244.1.9"),
        addresses=(InterfaceAddress(address=ip("10.244.1.3"), prefix_length=24),),
    )
    broken.spaces["pod/twin"] = replace(
        broken.spaces[SERVER_1],
        name="pod/twin",
        interfaces=(
            broken.spaces[CLIENT].interfaces[0],
            replace(twin, peer=("node-1", "vethtwin")),
        ),
    )
    port = replace(
        broken.spaces["node-1"].interfaces[-1], name="vethtwin", peer=("pod/twin", "eth0")
    )
    broken.change("node-1", interfaces=(*broken.spaces["node-1"].interfaces, port))
    request = Connect(namespace=CLIENT, destination=ip("10.244.1.3"), port=8080)
    assert connect(broken.spaces, request).felt.server == "pod/twin"


def test_ping_leaves_an_entry_as_printed() -> None:
    request = Connect(
        namespace=CLIENT,
        destination=ip("203.0.113.10"),
        port=0,
        protocol=Protocol.ICMP,
        source_port=31911,
    )
    lines = connect(standard().spaces, request).conntrack["node-1"]
    assert lines == (
        (
            "icmp     1 29 src=10.244.1.2 dst=203.0.113.10 type=8 code=0 id=31911 "
            "src=203.0.113.10 dst=192.168.0.11 type=0 code=0 id=31911 mark=0 use=1"
        ),
    )


def test_unanswered_entry_as_printed() -> None:
    broken = standard().filters(2, "-A FORWARD -j DROP")
    request = Connect(namespace=CLIENT, destination=ip("10.96.0.12"), port=80, source_port=48500)
    lines = connect(broken.spaces, request).conntrack["node-1"]
    # The listing comes when the client gives up its only SYN of the simulation.
    assert lines[0].split(" SYN_SENT ")[1] == (
        "src=10.244.1.2 dst=10.96.0.12 sport=48500 dport=80 [UNREPLIED] "
        "src=10.244.2.2 dst=10.244.1.2 sport=8080 dport=48500 mark=0 use=1"
    )


def _ipv6(name: str, own: str, other: str, *, warm: bool) -> NetNamespace:
    far = "right" if name == "left" else "left"
    device = Interface(
        name="eth0",
        kind=LinkKind.VETH,
        mac="02:00:00:00:00:0" + own[-1],
        addresses=(InterfaceAddress(address=ip(own), prefix_length=64),),
        peer=(far, "eth0"),
    )
    lo = Interface(
        name="lo",
        kind=LinkKind.LOOPBACK,
        addresses=(InterfaceAddress(address=ip("::1"), prefix_length=128, scope=Scope.HOST),),
    )
    known = Neighbour(address=ip(other), device="eth0", mac="02:00:00:00:00:0" + other[-1])
    return NetNamespace(
        name=name,
        interfaces=(lo, device),
        routes=kernel_routes((lo, device)),
        neighbours=(known,) if warm else (),
        sockets=(Socket(protocol=Protocol.TCP, port=80),),
    )


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize(
    ("port", "protocol", "errno"),
    [
        (80, Protocol.TCP, None),
        (81, Protocol.TCP, "ECONNREFUSED"),
        (53, Protocol.UDP, "ECONNREFUSED"),
        (0, Protocol.ICMPV6, None),
    ],
)
def test_ipv6(port: int, protocol: Protocol, errno: str | None, *, warm: bool) -> None:
    spaces = {
        "left": _ipv6("left", "fd00::1", "fd00::2", warm=warm),
        "right": _ipv6("right", "fd00::2", "fd00::1", warm=warm),
    }
    request = Connect(namespace="left", destination=ip("fd00::2"), port=port, protocol=protocol)
    felt = connect(spaces, request).felt
    assert felt.errno == errno
    assert str(felt.source_seen) == "fd00::1"


def test_only_namespaces_on_the_way_are_looked_up() -> None:
    asked: set[str] = set()

    class Lazy(dict[str, NetNamespace]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return super().get(name, default)

    request = Connect(namespace=CLIENT, destination=ip("10.244.1.3"), port=8080)
    connect(Lazy(network()), request)
    assert asked == {CLIENT, "node-1", SERVER_1}


def test_an_unknown_namespace_is_an_error() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        connect({}, Connect(namespace="nowhere", destination=ip("192.0.2.1"), port=1))


def test_route_line_of_a_special_route() -> None:
    assert route_line(special("10.0.0.0/8", RouteType.BLACKHOLE)) == "blackhole 10.0.0.0/8"
    assert (
        route_line(Route(destination=Prefix.parse("10.0.0.1/32"), device="a")) == "10.0.0.1 dev a"
    )


def test_a_bridge_loop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two cables between two bridges and no STP: a broadcast circles for ever.
    monkeypatch.setattr(simulate, "MAX_EVENTS", 500)

    def switch(name: str, other: str) -> NetNamespace:
        ports = tuple(
            Interface(
                name=port,
                kind=LinkKind.VETH,
                mac=f"0a:00:00:00:0{port[-1]}:{len(name):02x}",
                master="br0",
                port=BridgePort(),
                peer=(other, port),
            )
            for port in ("p1", "p2")
        )
        bridge = Interface(
            name="br0",
            kind=LinkKind.BRIDGE,
            mac=f"0a:00:00:00:00:{len(name):02x}",
            addresses=(InterfaceAddress(address=ip(f"10.0.0.{len(name)}"), prefix_length=24),),
        )
        devices = (bridge, *ports)
        return NetNamespace(name=name, interfaces=devices, routes=kernel_routes(devices))

    spaces = {"a": switch("a", "bb"), "bb": switch("bb", "a")}
    felt = connect(spaces, Connect(namespace="a", destination=ip("10.0.0.9"), port=1)).felt
    assert felt.reason == "frames circle for ever"


def test_until_answered_leaves_out_the_last_ack_and_nothing_else() -> None:
    spaces = standard().spaces
    request = Connect(namespace=CLIENT, destination=ip("10.96.0.12"), port=80)
    whole = connect(spaces, request)
    short = connect(spaces, request, until_answered=True)
    assert short.felt == whole.felt
    assert short.steps == whole.steps[: len(short.steps)]
    assert len(short.captures) < len(whole.captures)
