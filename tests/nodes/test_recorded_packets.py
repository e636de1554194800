"""Truth: what the kernel did with packets under each plug-in, against packets.json.

The lab's outside is on the nodes' own switch, with 192.168.0.1 and 203.0.113.10 (recordings-cni/
README.md); here such a host stands at the switch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from nodes.plugin_cases import Case, cases

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import (
    BridgePort,
    Interface,
    InterfaceAddress,
    LinkKind,
    NetNamespace,
    Route,
    Socket,
    Sysctls,
)
from k8stui.kernel.packet import Protocol
from k8stui.kernel.save import parse
from k8stui.kernel.simulate import connect
from k8stui.nodes.contribution import Contribution, TablePart, compose
from k8stui.nodes.host_ports import host_ports
from k8stui.nodes.network import ClusterNetwork
from k8stui.nodes.part import Part
from k8stui.nodes.standing import loopback, standing_routes
from k8stui.nodes.wire import OUTSIDE, WIRE

SOURCE_PORT = 40000
_HOSTS = ("outside", "node-1", "node-2")
"""Listeners with more than one address: but for those that a label says, bound to the one asked."""


class Lab(Mapping[str, NetNamespace]):
    """The case's nodes and pods, with the recording's own rules of others, and its outside."""

    def __init__(self, case: Case, listener: str, socket: Socket, *, to_pods: str | None) -> None:
        self._made = case.network
        self._given: dict[str, NetNamespace] = {
            WIRE: _switch(),
            OUTSIDE: _outside(self._made, to_pods),
        }
        for name in case.cluster.nodes:
            self._given[name] = replace(
                self._made[name],
                rulesets={4: _rules(case, name)},
                sockets=_onward(self._made[name]),
            )
        listens = self[listener]
        self._given[listener] = replace(listens, sockets=(*_onward(listens), socket))

    def __getitem__(self, name: str) -> NetNamespace:
        return self._given.get(name) or self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._made,))

    def __len__(self) -> int:
        return len(self._made)


def _onward(namespace: NetNamespace) -> tuple[Socket, ...]:
    return tuple(one for one in namespace.sockets if one.onward)


@cache
def _rules(case: Case, node: str) -> Any:
    """The plug-in's, generated, over what stood there before: a policy, kube-proxy's rules."""
    ours = case.network.ruleset(case.cluster.nodes[node], 4, "cni")
    there = parse(case.text(f"{node}.iptables") or "")
    before = {}
    for table in there:
        chains = {name: chain for name, chain in table.chains.items() if name.startswith("KUBE-")}
        for name in ("FORWARD", "POSTROUTING"):
            found = table.chains.get(name)
            if found is not None:
                kept = tuple(rule for rule in found.rules if " -j KUBE-" in rule.text)
                chains[name] = replace(found, rules=kept)
        policies = {
            name: chain.policy
            for name, chain in table.chains.items()
            if chain.policy == "DROP" and not case.containers  # Docker sets it itself
        }
        before[table.name] = TablePart(chains=chains, policies=policies)
    made = {
        table.name: TablePart(
            chains={n: c for n, c in table.chains.items() if c.rules or c.policy is None},
            policies={n: c.policy for n, c in table.chains.items() if c.policy == "DROP"},
        )
        for table in ours
    }
    return compose([Contribution("before", before), Contribution("plug-in", made)])


def _switch() -> NetNamespace:
    ports = tuple(
        Interface(
            name=name,
            kind=LinkKind.VETH,
            mac=f"06:00:00:00:00:0{number}",
            master="lan",
            peer=(name, "eth0"),
            port=BridgePort(),
        )
        for number, name in enumerate((OUTSIDE, "node-1", "node-2"))
    )
    bridge = Interface(name="lan", kind=LinkKind.BRIDGE, mac="06:00:00:00:00:00")
    return NetNamespace(
        name=WIRE,
        interfaces=(loopback(), bridge, *ports),
        sysctls=Sysctls(bridge_nf_call_iptables=False),
    )


def _outside(made: ClusterNetwork, to_pods: str | None) -> NetNamespace:
    router = next(
        one.mac
        for one in made["node-1"].neighbours
        if one.device == "eth0" and str(one.address) == "192.168.0.1"
    )
    addresses = (
        InterfaceAddress(address=Address.parse("192.168.0.1"), prefix_length=24),
        InterfaceAddress(address=Address.parse("203.0.113.10"), prefix_length=32),
    )
    eth0 = Interface(
        name="eth0", kind=LinkKind.VETH, mac=router, peer=(WIRE, OUTSIDE), addresses=addresses
    )
    routes = []
    if to_pods is not None:
        pods, via = to_pods.split(" via ")
        routes.append(
            Route(destination=Prefix.parse(pods), gateway=Address.parse(via), device="eth0")
        )
    part = Part(interfaces=(loopback(), eth0), routes=tuple(routes))
    return NetNamespace(name=OUTSIDE, interfaces=part.interfaces, routes=standing_routes(part))


def _name(case: Case, name: str) -> str:
    return name if name in (*case.cluster.nodes, "outside") else f"default/{name}"


def _to_pods(packet: Mapping[str, Any]) -> str | None:
    """The route to pods that outside has in this test, if its label says so."""
    what, address = packet["what"], packet["to"].partition(":")[0]
    if "routed through node-1" in what:
        return "10.244.2.0/24 via 192.168.0.11"
    if "with a route to the pod CIDR" in what:
        number = address.split(".")[2]
        return f"10.244.{number}.0/24 via 192.168.0.1{number}"
    return None


def ask(case: Case, packet: Mapping[str, Any]) -> Exchange:
    asked, _, rest = packet["to"].partition(":")
    number, _, protocol = rest.partition("/")
    what = packet["what"]
    is_bound = "is bound to 0" not in what and "bridge address" not in what
    socket = Socket(
        protocol=Protocol[protocol.upper()],
        port=_server_port(case, packet, int(number)),
        address=Address.parse(asked) if is_bound and packet["listener"] in _HOSTS else None,
    )
    lab = Lab(case, _name(case, packet["listener"]), socket, to_pods=_to_pods(packet))
    request = Connect(
        namespace=_name(case, packet["from"]),
        destination=Address.parse(asked),
        port=int(number),
        protocol=socket.protocol,
        source_port=SOURCE_PORT,
    )
    made = connect(lab, request)
    onward = _taken_on(lab, made)
    if onward is None:
        return made
    where, (address, port) = onward
    # docker-proxy connects to the container itself: a new connection, from a port of its own.
    again = Connect(namespace=where, destination=address, port=port, source_port=SOURCE_PORT + 1)
    return connect(lab, again)


def _taken_on(lab: Lab, made: Exchange) -> tuple[str, tuple[Address, int]] | None:
    """Where a proxy that has answered connects to, and from which namespace."""
    where = made.felt.server
    if made.felt.result is not Result.CONNECTED or where is None or where not in lab:
        return None
    proxies = (one for one in lab[where].sockets if one.onward)
    found = (one.onward for one in proxies if one.port == made.felt.server_port)
    onward = next(found, None)
    return (where, onward) if onward is not None else None


def _server_port(case: Case, packet: Mapping[str, Any], asked: int) -> int:
    """The port that the server had: behind a hostPort the container's."""
    listener = case.cluster.pods.get(_name(case, packet["listener"]))
    mapped = host_ports(listener) if listener is not None else ()
    found = next((one.number for one in mapped if one.host_port == asked), asked)
    return int(packet.get("server port", found))


def arrival(case: Case, packet: Mapping[str, Any], made: Exchange) -> Any:
    """The packet as the server's socket got it; None: it got none."""
    felt = made.felt
    if felt.source_seen is None:
        return None
    listener = _name(case, packet["listener"])
    return next(
        (
            one.packet
            for one in made.captures
            if one.namespace == listener
            and str(one.packet.src) == str(felt.source_seen)
            and one.packet.dport == packet.get("server port", one.packet.dport)
        ),
        None,
    )


PACKETS = [
    (case, number, packet["what"])
    for case in cases(with_file="packets.json")
    for number, packet in enumerate(case.json("packets.json"))
]


@pytest.mark.parametrize(
    ("case", "number"),
    [pytest.param(case, number, id=f"{case.name}: {what}") for case, number, what in PACKETS],
)
def test_packet(case: Case, number: int) -> None:
    packet = case.json("packets.json")[number]
    made = ask(case, packet)
    felt = made.felt
    if felt.result is Result.UNKNOWN:
        assert "cannot tell" in felt.reason
        return
    assert felt.result in _felt(packet)
    if packet.get("source seen") is None:
        assert packet.get("arrived", False) is False
        return
    got = arrival(case, packet, made)
    assert got is not None
    assert str(got.src) == packet["source seen"]
    assert packet["source port"] == ("kept" if got.sport == SOURCE_PORT else "changed")
    assert str(got.dst) == packet["destination seen"].partition(":")[0]
    if "ttl seen" in packet:
        assert got.ttl == packet["ttl seen"]


def _felt(packet: Mapping[str, Any]) -> tuple[Result, ...]:
    """What the client may have felt, as Python's errors tell it."""
    said = packet.get("client") or packet.get("reply") or packet["error"]
    if said in ("connected", "received"):
        return (Result.CONNECTED,)
    if "Refused" in said:
        return (Result.REFUSED,)
    if said.startswith("OSError"):
        return (Result.UNREACHABLE,)
    # Where it did not arrive, the listener's patience is what the recording tells.
    return (Result.TIMEOUT,) if packet.get("arrived", True) else (Result.TIMEOUT, Result.REFUSED)
