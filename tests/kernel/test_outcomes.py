"""The catalogue of docs/facts/outcomes.md, section 2: drops, REJECT, route types, NodePorts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from kernel.nets import (
    CLIENT,
    SERVER_1,
    SERVER_2,
    Broken,
    ip,
    rules,
    special,
    standard,
    via,
)

from k8stui.kernel import save
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.namespace import BridgePort, PolicyRule, RouteType
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect

TCP, UDP, PING = Protocol.TCP, Protocol.UDP, Protocol.ICMP
REFUSED = ("refused", "ECONNREFUSED", 0.0)
CONNECTED = ("connected", None, 0.0)
TIMEOUT = ("timeout", "ETIMEDOUT", 134.0)
NOTHING = ("timeout", None, 5.0)
ARP_FAILED = ("unreachable", "EHOSTUNREACH", 3.06)
NO_NET = ("unreachable", "ENETUNREACH", 0.0)
NO_HOST = ("unreachable", "EHOSTUNREACH", 0.0)
EPERM = ("unreachable", "EPERM", 0.0)


def ask(network: Broken, source: str, target: str, protocol: Protocol = TCP) -> Exchange:
    address, _, port = target.rpartition(":")
    request = Connect(namespace=source, destination=ip(address), port=int(port), protocol=protocol)
    return connect(network.spaces, request)


@dataclass(frozen=True)
class Row:
    name: str
    network: Callable[[], Broken]
    source: str
    target: str
    felt: tuple[str, str | None, float]
    decided: str
    protocol: Protocol = TCP


def _arp_cold() -> Broken:
    return standard(warm=False)


ROWS = [
    Row("closed port by pod IP", standard, CLIENT, "10.244.1.3:81", REFUSED, SERVER_1),
    Row("closed port by ClusterIP", standard, CLIENT, "10.96.0.14:80", REFUSED, SERVER_2),
    Row("closed port by NodePort", standard, "outside", "192.168.0.11:30014", REFUSED, SERVER_2),
    Row("closed UDP port", standard, CLIENT, "10.96.0.55:53", REFUSED, SERVER_2, UDP),
    Row("nobody on own bridge", standard, CLIENT, "10.244.1.99:80", ARP_FAILED, CLIENT),
    Row("nobody on own bridge, UDP", standard, CLIENT, "10.244.1.99:53", NOTHING, CLIENT, UDP),
    Row("nobody on the other bridge", standard, CLIENT, "10.244.2.99:80", ARP_FAILED, "node-2"),
    Row("nobody behind NodePort", standard, "outside", "192.168.0.11:30015", ARP_FAILED, "node-2"),
    Row("node never spoken to", standard, CLIENT, "10.244.3.2:80", ARP_FAILED, "node-1"),
    Row(
        "no route in the pod",
        lambda: standard().without_route(CLIENT, "0.0.0.0/0"),
        CLIENT,
        "10.96.0.12:80",
        NO_NET,
        CLIENT,
    ),
    Row(
        "no route in the pod, UDP",
        lambda: standard().without_route(CLIENT, "0.0.0.0/0"),
        CLIENT,
        "10.96.0.53:53",
        NO_NET,
        CLIENT,
        UDP,
    ),
    Row(
        "no route on the node",
        lambda: standard().without_route("node-1", "0.0.0.0/0"),
        CLIENT,
        "203.0.113.10:9100",
        NO_NET,
        "node-1",
    ),
    Row("no route on the router", standard, CLIENT, "10.96.0.99:80", NO_NET, "router"),
    Row(
        "ip_forward 0",
        lambda: standard().sysctl("node-1", ip_forward=False),
        CLIENT,
        "10.96.0.12:80",
        TIMEOUT,
        "node-1",
    ),
    Row(
        "ip_forward 0, same bridge by pod IP",
        lambda: standard().sysctl("node-1", ip_forward=False),
        CLIENT,
        "10.244.1.3:8080",
        CONNECTED,
        SERVER_1,
    ),
    Row(
        "ip_forward 0, same-node ClusterIP",
        lambda: standard().sysctl("node-1", ip_forward=False),
        CLIENT,
        "10.96.0.11:80",
        TIMEOUT,
        "node-1",
    ),
    Row(
        "ip_forward 0, DNAT to the node itself",
        lambda: standard().sysctl("node-1", ip_forward=False),
        CLIENT,
        "10.96.0.20:80",
        CONNECTED,
        "node-1",
    ),
    Row("no endpoints, ClusterIP", standard, CLIENT, "10.96.0.17:80", REFUSED, "node-1"),
    Row("no endpoints, NodePort", standard, "outside", "192.168.0.11:30017", REFUSED, "node-1"),
    Row("no endpoints, own process", standard, "node-1", "10.96.0.17:80", REFUSED, "node-1"),
    Row("no endpoints, UDP", standard, CLIENT, "10.96.0.57:53", REFUSED, "node-1", UDP),
    Row("no endpoints, own UDP", standard, "node-1", "10.96.0.57:53", EPERM, "node-1", UDP),
    Row("DROP in INPUT", standard, "outside", "192.168.0.11:30018", TIMEOUT, "node-1"),
    Row(
        "DROP in FORWARD",
        lambda: standard().filters(1, "-A FORWARD -p tcp -j DROP"),
        CLIENT,
        "10.96.0.12:80",
        TIMEOUT,
        "node-1",
    ),
    Row(
        "policy DROP: plain pod traffic",
        lambda: standard().filters(1, forward_policy="DROP"),
        CLIENT,
        "10.244.2.2:8080",
        TIMEOUT,
        "node-1",
    ),
    Row(
        "policy DROP: NodePort from outside carries the mark",
        lambda: standard().filters(1, forward_policy="DROP"),
        "outside",
        "192.168.0.11:30012",
        CONNECTED,
        SERVER_2,
    ),
    Row(
        "policy DROP: the ICMP error is RELATED",
        lambda: standard().filters(1, forward_policy="DROP"),
        "outside",
        "192.168.0.11:30055",
        REFUSED,
        SERVER_2,
        UDP,
    ),
    Row(
        "DROP in OUTPUT, TCP",
        lambda: standard().filters(1, "-A OUTPUT -p tcp -j DROP"),
        "node-1",
        "10.244.2.2:8080",
        TIMEOUT,
        "node-1",
    ),
    Row(
        "DROP in OUTPUT, UDP",
        lambda: standard().filters(1, "-A OUTPUT -p udp -j DROP"),
        "node-1",
        "10.244.2.2:53",
        EPERM,
        "node-1",
        UDP,
    ),
    Row(
        "rp_filter strict",
        lambda: (
            standard()
            .sysctl("node-2", rp_filter={"all": 1})
            .routes("node-2", via("10.244.1.0/25", "10.244.2.2", "cni0"))
        ),
        CLIENT,
        "10.244.2.2:8080",
        TIMEOUT,
        "node-2",
    ),
    Row(
        "rp_filter loose, the route back is a blackhole",
        lambda: (
            standard()
            .sysctl("node-2", rp_filter={"all": 2})
            .routes("node-2", special("10.244.1.0/25", RouteType.BLACKHOLE))
        ),
        CLIENT,
        "10.244.2.2:8080",
        TIMEOUT,
        "node-2",
    ),
    Row("ping to a ClusterIP", standard, CLIENT, "10.96.0.12:0", NO_NET, "router", PING),
    Row("ping to a pod", standard, CLIENT, "10.244.2.2:0", CONNECTED, SERVER_2, PING),
    Row(
        "hairpin mode off",
        lambda: standard(hairpin=False),
        CLIENT,
        "10.96.0.13:80",
        TIMEOUT,
        "node-1",
    ),
    Row("hairpin", standard, CLIENT, "10.96.0.13:80", CONNECTED, CLIENT),
    Row(
        "hairpin mode off, bridge-nf 0: routed",
        lambda: standard(hairpin=False, bridge_nf=False),
        CLIENT,
        "10.96.0.13:80",
        CONNECTED,
        CLIENT,
    ),
    Row(
        "same-node ClusterIP, bridge-nf 0",
        lambda: standard(bridge_nf=False),
        CLIENT,
        "10.96.0.11:80",
        TIMEOUT,
        CLIENT,
    ),
    Row(
        "pod's eth0 down",
        lambda: standard().device(CLIENT, "eth0", up=False),
        CLIENT,
        "10.244.2.2:8080",
        NO_NET,
        CLIENT,
    ),
    Row(
        "host side of the client's veth down",
        lambda: standard().device("node-1", "vethclient", up=False),
        CLIENT,
        "10.244.2.2:8080",
        ARP_FAILED,
        CLIENT,
    ),
    Row(
        "host side of the server's veth down",
        lambda: standard().device("node-2", "vethserver-2", up=False),
        CLIENT,
        "10.244.2.2:8080",
        ARP_FAILED,
        "node-2",
    ),
    Row(
        "node's eth0 down",
        lambda: standard().device("node-1", "eth0", up=False),
        CLIENT,
        "10.244.2.2:8080",
        NO_NET,
        "node-1",
    ),
    Row(
        "node's eth0 down, same-node ClusterIP",
        lambda: standard().device("node-1", "eth0", up=False),
        CLIENT,
        "10.96.0.11:80",
        CONNECTED,
        SERVER_1,
    ),
    Row(
        "own bridge without address",
        lambda: (
            standard(warm=False)
            .device("node-1", "cni0", addresses=())
            .change(
                "node-1",
                routes=tuple(
                    route for route in standard().spaces["node-1"].routes if route.device != "cni0"
                ),
            )
        ),
        CLIENT,
        "10.244.2.2:8080",
        ARP_FAILED,
        CLIENT,
    ),
    Row(
        "bridge port not forwarding",
        lambda: standard(warm=False).device(
            "node-1", "vethclient", port=BridgePort(forwarding=False)
        ),
        CLIENT,
        "10.244.2.2:8080",
        ARP_FAILED,
        CLIENT,
    ),
    Row(
        "isolated ports",
        lambda: (
            standard()
            .device("node-1", "vethclient", port=BridgePort(isolated=True))
            .device("node-1", "vethserver-1", port=BridgePort(isolated=True))
        ),
        CLIENT,
        "10.244.1.3:8080",
        TIMEOUT,
        "node-1",
    ),
    Row("own broadcast, TCP", standard, CLIENT, "10.244.1.255:80", NO_NET, CLIENT),
    Row(
        "own broadcast, UDP",
        standard,
        CLIENT,
        "10.244.1.255:53",
        ("unreachable", "EACCES", 0.0),
        CLIENT,
        UDP,
    ),
    Row("another subnet's broadcast", standard, CLIENT, "10.244.2.255:80", TIMEOUT, "node-2"),
    Row("a network address", standard, CLIENT, "10.244.2.0:80", ARP_FAILED, "node-2"),
    Row("0.0.0.0", standard, CLIENT, "0.0.0.0:8080", CONNECTED, CLIENT),  # noqa: S104
    Row("127.0.0.2", standard, CLIENT, "127.0.0.2:8080", CONNECTED, CLIENT),
    Row("127.0.0.1, closed", standard, CLIENT, "127.0.0.1:81", REFUSED, CLIENT),
    Row("multicast", standard, CLIENT, "224.0.0.1:80", NO_NET, CLIENT),
    Row("limited broadcast", standard, CLIENT, "255.255.255.255:80", NO_NET, CLIENT),
    Row("far bridge address", standard, CLIENT, "10.244.2.1:9100", CONNECTED, "node-2"),
    Row("far bridge address, closed", standard, CLIENT, "10.244.2.1:80", REFUSED, "node-2"),
    Row(
        "far bridge address, UDP answer of another address",
        standard,
        CLIENT,
        "10.244.2.1:9101",
        NOTHING,
        CLIENT,
        UDP,
    ),
    Row(
        "everything unknown: ARP finds the way",
        _arp_cold,
        CLIENT,
        "10.96.0.12:80",
        CONNECTED,
        SERVER_2,
    ),
    Row("UDP through a ClusterIP", standard, CLIENT, "10.96.0.53:53", CONNECTED, SERVER_2, UDP),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_catalogue(row: Row) -> None:
    felt = ask(row.network(), row.source, row.target, row.protocol).felt
    assert (felt.result.value, felt.errno, felt.seconds) == row.felt, felt
    assert felt.decided_at == row.decided, felt


REJECTS = [
    ("icmp-net-unreachable", "ENETUNREACH", None),
    ("icmp-host-unreachable", "EHOSTUNREACH", None),
    ("icmp-proto-unreachable", "ENOPROTOOPT", "ENOPROTOOPT"),
    ("icmp-port-unreachable", "ECONNREFUSED", "ECONNREFUSED"),
    ("icmp-net-prohibited", "ENETUNREACH", "ENETUNREACH"),
    ("icmp-host-prohibited", "EHOSTUNREACH", "EHOSTUNREACH"),
    ("icmp-admin-prohibited", "EHOSTUNREACH", "EHOSTUNREACH"),
]


@pytest.mark.parametrize(("kind", "tcp", "udp"), REJECTS, ids=[row[0] for row in REJECTS])
@pytest.mark.parametrize("target", ["10.244.2.2", "10.96.0.12", "10.96.0.53"])
def test_reject_in_forward(kind: str, tcp: str, udp: str | None, target: str) -> None:
    broken = standard().filters(1, f"-A FORWARD -d 10.244.2.2/32 -j REJECT --reject-with {kind}")
    if target != "10.96.0.53":
        port = 8080 if target.startswith("10.244") else 80
        assert ask(broken, CLIENT, f"{target}:{port}").felt.errno == tcp
    if target != "10.96.0.12":
        felt = ask(broken, CLIENT, f"{target}:53", UDP).felt
        assert (felt.errno, felt.seconds) == (udp, 0.0 if udp else 5.0)


@pytest.mark.parametrize("kind", ["icmp-port-unreachable", "icmp-net-unreachable"])
def test_reject_in_input_and_output(kind: str) -> None:
    errno = {"icmp-port-unreachable": "ECONNREFUSED", "icmp-net-unreachable": "ENETUNREACH"}[kind]
    line = f"-p tcp -m tcp --dport 9100 -j REJECT --reject-with {kind}"
    inside = standard().filters(1, f"-A INPUT {line}")
    exchange = ask(inside, "outside", "192.168.0.11:9100")
    assert exchange.felt.errno == errno
    answers = [one.packet for one in exchange.captures if one.packet.protocol is PING]
    assert {str(packet.src) for packet in answers} == {"192.168.0.11"}
    outgoing = standard().filters(1, f"-A OUTPUT {line}")
    assert ask(outgoing, "node-1", "192.168.0.12:9100").felt.errno == errno
    udp = standard().filters(1, f"-A OUTPUT -p udp -j REJECT --reject-with {kind}")
    assert ask(udp, "node-1", "10.244.2.2:53", UDP).felt.errno == "EPERM"


@pytest.mark.parametrize(
    ("source", "target", "bridge_nf", "expected"),
    [
        (CLIENT, "10.244.2.2:8080", True, REFUSED),
        ("outside", "192.168.0.11:30012", True, REFUSED),
        (CLIENT, "10.96.0.12:80", False, REFUSED),
        # Past all hooks on the bridge port: the RST keeps the pod's address.
        (CLIENT, "10.96.0.12:80", True, TIMEOUT),
    ],
)
def test_tcp_reset(
    source: str, target: str, bridge_nf: bool, expected: tuple[str, str, float]
) -> None:
    broken = standard(bridge_nf=bridge_nf).filters(
        1, "-A FORWARD -p tcp -m tcp --dport 8080 -j REJECT --reject-with tcp-reset"
    )
    felt = ask(broken, source, target).felt
    assert (felt.result.value, felt.errno, felt.seconds) == expected


def test_tcp_reset_for_all_eats_its_own_rst() -> None:
    broken = standard().filters(1, "-A OUTPUT -p tcp -j REJECT --reject-with tcp-reset")
    felt = ask(broken, "node-1", "192.168.0.12:9100").felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT


ROUTE_TYPES = [
    (RouteType.BLACKHOLE, "EINVAL", TIMEOUT),
    (RouteType.UNREACHABLE, "EHOSTUNREACH", NO_HOST),
    (RouteType.PROHIBIT, "EACCES", NO_HOST),
    (RouteType.THROW, "ENETUNREACH", NO_NET),
]


@pytest.mark.parametrize(
    ("kind", "own", "forwarded"), ROUTE_TYPES, ids=[row[0].value for row in ROUTE_TYPES]
)
def test_route_types(kind: RouteType, own: str, forwarded: tuple[str, str, float]) -> None:
    there = special("198.51.100.0/24", kind)
    felt = ask(standard().routes(CLIENT, there), CLIENT, "198.51.100.1:80").felt
    assert (felt.errno, felt.seconds) == (own, 0.0)
    felt = ask(standard().routes("node-1", there), CLIENT, "198.51.100.1:80").felt
    assert (felt.result.value, felt.errno, felt.seconds) == forwarded
    assert felt.decided_at == "node-1"


NODE_PORTS = [
    ("node-1", "192.168.0.11:30011", "10.244.1.1"),
    ("node-1", "192.168.0.11:30012", "192.168.0.11"),
    ("node-1", "192.168.0.11:30020", "192.168.0.11"),
    ("node-1", "192.168.0.11:30019", "192.168.0.11"),
    ("node-1", "127.0.0.1:30011", "10.244.1.1"),
    ("node-1", "127.0.0.1:30012", "192.168.0.11"),
    ("node-1", "127.0.0.2:30012", "192.168.0.11"),
    (CLIENT, "192.168.0.11:30011", "10.244.1.1"),
    (CLIENT, "192.168.0.11:30012", "192.168.0.11"),
    (CLIENT, "192.168.0.11:30020", "10.244.1.2"),
    (CLIENT, "192.168.0.11:30019", "192.168.0.11"),
    (CLIENT, "192.168.0.12:30011", "192.168.0.12"),
    (CLIENT, "192.168.0.12:30012", "10.244.2.1"),
    (CLIENT, "192.168.0.12:30020", "192.168.0.12"),
    (CLIENT, "192.168.0.12:30019", "192.168.0.11"),
    ("outside", "192.168.0.11:30011", "10.244.1.1"),
    ("outside", "192.168.0.11:30012", "192.168.0.11"),
    ("outside", "192.168.0.11:30020", "203.0.113.10"),
    ("outside", "192.168.0.11:30019", "192.168.0.11"),
]


@pytest.mark.parametrize(
    ("source", "target", "seen"), NODE_PORTS, ids=[f"{row[0]} {row[1]}" for row in NODE_PORTS]
)
def test_source_seen_by_the_server(source: str, target: str, seen: str) -> None:
    felt = ask(standard(), source, target).felt
    assert felt.result.value == "connected", felt
    assert str(felt.source_seen) == seen


@pytest.mark.parametrize(
    ("target", "protocol", "expected"),
    [
        ("127.0.0.1:30012", TCP, TIMEOUT),
        ("127.0.0.1:30053", UDP, ("unreachable", "EINVAL", 0.0)),
        ("127.0.0.1:30020", TCP, CONNECTED),
    ],
)
def test_localhost_without_route_localnet(
    target: str, protocol: Protocol, expected: tuple[str, str | None, float]
) -> None:
    broken = standard().sysctl("node-1", route_localnet={})
    felt = ask(broken, "node-1", target, protocol).felt
    assert (felt.result.value, felt.errno, felt.seconds) == expected


@pytest.mark.parametrize(
    ("source", "decided"), [("192.168.0.11", "node-1"), ("127.0.0.1", "router")]
)
def test_martian_source(source: str, decided: str) -> None:
    broken = standard().sysctl("node-1", route_localnet={})
    for name in ("outside", "router"):
        broken.sysctl(name, route_localnet={"all": True})
    request = Connect(
        namespace="outside", destination=ip("192.168.0.11"), port=9100, source=ip(source)
    )
    felt = connect(broken.spaces, request).felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == decided
    assert "martian source" in felt.reason


def _with_rules(broken: Broken, node: int, old: str, new: str = "") -> Broken:
    text = rules(node)
    assert old in text
    return broken.change(f"node-{node}", rulesets={4: save.parse(text.replace(old, new))})


def test_nodeport_without_masquerade_comes_back_another_way() -> None:
    broken = _with_rules(standard(), 1, "-A EXT-12 -j MARK-MASQ\n")
    felt = ask(broken, "outside", "192.168.0.11:30012").felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == "outside"


def test_hairpin_without_masquerade_is_martian() -> None:
    broken = _with_rules(standard(), 1, "-A SVC-13 -s 10.244.1.2/32 -j MARK-MASQ\n")
    felt = ask(broken, CLIENT, "10.96.0.13:80").felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == CLIENT
    assert "martian source" in felt.reason


def test_notrack_means_no_dnat() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    text = f"{raw}-A PREROUTING -d 10.96.0.12/32 -j NOTRACK\nCOMMIT\n{rules(1)}"
    broken = standard().change("node-1", rulesets={4: save.parse(text)})
    felt = ask(broken, CLIENT, "10.96.0.12:80").felt
    # Not masqueraded either: the router's error finds no way to the pod.
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == "router"


def test_a_rule_that_cannot_be_evaluated_ends_the_walk() -> None:
    broken = standard().filters(1, "-A FORWARD -m u32 --u32 0x0=0x1 -j ACCEPT")
    exchange = ask(broken, CLIENT, "10.244.2.2:8080")
    assert exchange.felt.result.value == "unknown"
    assert exchange.felt.decided_at == "node-1"
    assert exchange.steps[exchange.felt.deciding_step or 0].kind.value == "unknown"


def test_reject_of_the_reply_tells_the_server() -> None:
    broken = standard().filters(2, "-A FORWARD -p tcp -m tcp --sport 8080 -j REJECT")
    exchange = ask(broken, CLIENT, "10.244.2.2:8080")
    felt = exchange.felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == "node-2"
    told = {one.namespace for one in exchange.captures if one.packet.protocol is PING}
    assert told == {"node-2", SERVER_2}


def test_an_answer_without_its_question_is_invalid() -> None:
    # The SYN goes to node-2 at once, the SYN-ACK comes back by node-1, which saw no SYN.
    broken = standard().routes("router", via("10.244.2.0/24", "192.168.0.12"))
    broken.without_route("node-2", "0.0.0.0/0")
    broken.routes("node-2", via("0.0.0.0/0", "192.168.0.11"))
    felt = ask(broken, "outside", "10.244.2.2:8080").felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT
    assert felt.decided_at == "node-1"
    assert "filter FORWARD rule 1" in felt.reason


def test_a_mark_set_in_output_routes_again() -> None:
    broken = standard()
    table = replace(via("0.0.0.0/0", "192.168.0.12"), table="100")
    broken.routes("node-1", table)
    rule = PolicyRule(priority=100, table="100", mark=0x10)
    mangle = "*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MARK --set-xmark 0x10/0x10\nCOMMIT\n"
    broken.change(
        "node-1",
        policy_rules=(*broken.spaces["node-1"].policy_rules, rule),
        rulesets={4: save.parse(mangle + rules(1))},
    )
    exchange = ask(broken, "node-1", "203.0.113.10:9100")
    ways = [step.text for step in exchange.steps if step.kind.value == "route"]
    assert ways[:2] == [
        "default via 192.168.0.1 dev eth0",
        "default via 192.168.0.12 dev eth0",
    ]
    assert exchange.felt.errno is None


def test_a_wrong_mac_address_is_not_looked_at() -> None:
    broken = standard()
    (gateway, *others) = broken.spaces[CLIENT].neighbours
    wrong = replace(gateway, mac="02:00:00:00:00:99")
    felt = ask(broken.change(CLIENT, neighbours=(wrong, *others)), CLIENT, "10.244.2.2:8080").felt
    assert (felt.result.value, felt.errno, felt.seconds) == TIMEOUT


def test_ttl_ends_on_the_way() -> None:
    broken = standard().sysctl(CLIENT, ip_default_ttl=1)
    exchange = ask(broken, CLIENT, "10.244.2.2:8080")
    assert (exchange.felt.result.value, exchange.felt.errno) == ("unreachable", "EHOSTUNREACH")
    kinds = {
        (one.packet.icmp_type, one.packet.icmp_code)
        for one in exchange.captures
        if one.packet.protocol is PING
    }
    assert kinds == {(11, 0)}


def test_a_packet_too_long_is_answered_with_the_mtu() -> None:
    broken = standard().device("node-1", "eth0", mtu_bytes=50)
    exchange = ask(broken, CLIENT, "10.244.2.2:8080")
    errors = [one.packet for one in exchange.captures if one.packet.protocol is PING]
    assert {(packet.icmp_type, packet.icmp_code, packet.mtu_bytes) for packet in errors} == {
        (3, 4, 50)
    }


def test_three_arp_requests_then_an_error_from_the_pod_to_itself() -> None:
    exchange = ask(standard(), CLIENT, "10.244.1.99:80")
    asked = [
        one for one in exchange.captures if one.arp and one.namespace == CLIENT and not one.incoming
    ]
    assert len(asked) == 3
    decided = exchange.steps[exchange.felt.deciding_step or 0]
    assert decided.packet_number == 1
    assert decided.kind.value == "drop"
    errors = [one for one in exchange.captures if one.packet.protocol is PING and not one.arp]
    assert {(one.device, str(one.packet.src)) for one in errors} == {("lo", "10.244.1.2")}


@pytest.mark.parametrize("port", [53, 54])
def test_send_fails_at_the_rule_that_refuses(port: int) -> None:
    target = "DROP" if port == 53 else "REJECT"
    broken = standard().filters(1, f"-A OUTPUT -p udp -m udp --dport {port} -j {target}")
    exchange = ask(broken, "node-1", f"10.244.2.2:{port}", UDP)
    decided = exchange.steps[exchange.felt.deciding_step or 0]
    assert (exchange.felt.errno, decided.kind.value) == ("EPERM", target.lower())


def test_unconfirmed_entries_are_not_listed() -> None:
    assert ask(standard(), CLIENT, "10.96.0.17:80").conntrack == {}


@pytest.mark.parametrize(
    ("reject", "state"),
    [("icmp-port-unreachable", "119 SYN_SENT"), ("tcp-reset", "9 CLOSE")],
)
def test_an_entry_rejected_in_input_on_lo_stays(reject: str, state: str) -> None:
    # OUTPUT's POSTROUTING has confirmed it before (docs/facts/outcomes.md, sections 4 and 6).
    line = f"-A INPUT -p tcp -m tcp --dport 9100 -j REJECT --reject-with {reject}"
    exchange = ask(standard().filters(1, line), "node-1", "192.168.0.11:9100")
    assert exchange.felt.errno == "ECONNREFUSED"
    assert exchange.conntrack["node-1"] == (
        (
            f"tcp      6 {state} src=192.168.0.11 dst=192.168.0.11 sport=40000 dport=9100 "
            "[UNREPLIED] src=192.168.0.11 dst=192.168.0.11 sport=9100 dport=40000 mark=0 use=1"
        ),
    )


@pytest.mark.parametrize(
    ("target", "sender"), [("10.244.3.2:80", "10.244.1.1"), ("192.168.0.13:80", "192.168.0.11")]
)
def test_who_tells_that_a_node_is_down(target: str, sender: str) -> None:
    exchange = ask(standard(), CLIENT, target)
    assert (exchange.felt.errno, exchange.felt.seconds) == ("EHOSTUNREACH", 3.06)
    told = [
        str(one.packet.src)
        for one in exchange.captures
        if one.packet.protocol is PING and not one.arp and one.namespace == CLIENT
    ]
    assert set(told) == {sender}


def test_same_bridge_without_bridge_nf_leaves_no_entry() -> None:
    assert ask(standard(bridge_nf=False), CLIENT, "10.244.1.3:8080").conntrack == {}
