"""What is assumed between the nodes, for addresses of every kind."""

from __future__ import annotations

import pytest
from nodes.clusters import ORIGIN, cluster, lab, node

from k8stui.cluster.model import Service
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import RouteType
from k8stui.kernel.packet import Protocol
from k8stui.nodes.lan import client, covering, plan
from k8stui.nodes.network import build_network


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        (["192.168.0.11", "192.168.0.12"], [("192.168.0.0/24", "192.168.0.1")]),
        (["192.168.56.11"], [("192.168.56.0/24", "192.168.56.1")]),
        (["172.18.0.2", "172.18.0.3"], [("172.18.0.0/24", "172.18.0.1")]),
        (["192.168.5.1", "192.168.5.2"], [("192.168.5.0/24", "192.168.5.3")]),
        (["10.0.1.5", "10.0.2.7"], [("10.0.0.0/22", "10.0.0.1")]),
        (["10.0.1.5", "10.200.2.7"], [("10.0.0.0/8", "10.0.0.1")]),
        (
            ["192.168.56.11", "172.18.0.3"],
            [("172.18.0.0/24", "172.18.0.1"), ("192.168.56.0/24", "192.168.56.1")],
        ),
        (["fd00:192:168::a", "fd00:192:168::b"], [("fd00:192:168::/64", "fd00:192:168::1")]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_networks(addresses: list[str], networks: list[tuple[str, str]]) -> None:
    made = plan(cluster(node(i, a, cidrs=[]) for i, a in enumerate(addresses, 1)))
    assert [(str(net.prefix), str(net.router)) for net in made.networks] == networks


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (["10.244.1.0/24", "10.244.2.0/24"], "10.244.0.0/16"),
        (["10.244.1.0/24", "10.245.2.0/24"], "10.244.0.0/15"),
        (["fd00:10:244:1::/64", "fd00:10:244:a::/64"], "fd00:10:244::/56"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_covering(prefixes: list[str], expected: str) -> None:
    longest = 16 if "." in expected else 56
    assert str(covering(map(Prefix.parse, prefixes), longest)) == expected


@pytest.mark.parametrize(
    ("address", "external", "expected"),
    [
        ("192.168.0.11", None, "203.0.113.10"),
        ("203.0.113.7", None, "198.51.100.10"),
        ("192.168.0.11", "203.0.113.80", "198.51.100.10"),
    ],
    ids=["documentation", "nodes are there", "an external IP is there"],
)
def test_client_keeps_out_of_the_way(address: str, external: str | None, expected: str) -> None:
    services: tuple[Service, ...] = ()
    if external:
        external_ips = (Address.parse(external),)
        services = (Service(namespace="d", name="s", external_ips=external_ips, origin=ORIGIN),)
    made = plan(cluster([node(1, address)], services=services))
    assert [str(client(net)) for net in made.outside] == [expected]


def test_wire() -> None:
    wire = build_network(lab())["wire"]
    shown = {
        device.name: (device.master, device.peer, [str(a.address) for a in device.addresses])
        for device in wire.interfaces
    }
    assert shown == {
        "lo": (None, None, ["127.0.0.1", "::1"]),
        "lan": (None, None, ["192.168.0.1"]),
        "node-1": ("lan", ("node-1", "eth0"), []),
        "node-2": ("lan", ("node-2", "eth0"), []),
        "hosts": ("lan", ("lan", "eth0"), []),
        "eth1": (None, ("outside", "eth0"), ["203.0.113.1"]),
    }
    assert wire.sysctls.ip_forward
    assert not wire.sysctls.bridge_nf_call_iptables
    assert [(str(r.destination), str(r.gateway)) for r in wire.routes if r.gateway] == [
        ("0.0.0.0/0", "203.0.113.10")
    ]
    thrown = [str(r.destination) for r in wire.routes if r.type is RouteType.THROW]
    assert "10.0.0.0/8" in thrown
    assert "192.168.0.0/16" in thrown
    assert {(str(n.address), n.device, n.mac) for n in wire.neighbours} == {
        ("192.168.0.11", "lan", "02:00:c0:a8:00:0b"),
        ("192.168.0.12", "lan", "02:00:c0:a8:00:0c"),
        ("203.0.113.10", "eth1", "02:00:cb:00:71:0a"),
    }


def test_outside_answers_everything() -> None:
    outside = build_network(lab())["outside"]
    assert {(s.protocol, s.port) for s in outside.sockets} == {
        (Protocol.TCP, None),
        (Protocol.UDP, None),
    }


def test_nodes_of_foreign_networks_reach_each_other_on_the_switch() -> None:
    made = cluster((node(1, "192.168.56.11"), node(2, "172.18.0.3")))
    network = build_network(made)
    route = next(r for r in network["node-1"].routes if str(r.destination) == "10.244.2.0/24")
    assert str(route.gateway) == "172.18.0.3"
    assert route.onlink
