"""What the walk touched → the plan of a lab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from k8stui.kernel.address import Address, is_loopback
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.header import ECHO
from k8stui.kernel.namespace import Interface, NetNamespace, Network, Route, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.skb import REPLY
from k8stui.kernel.step import Direction, Fork, StepKind
from k8stui.lab import nftables, sets
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.naming import Naming
from k8stui.lab.plan import ClientPlan, Listener, Plan, Space, Tools
from k8stui.lab.restore import decided, restore_text
from k8stui.lab.spaces import Building, Nowhere

if TYPE_CHECKING:
    from k8stui.lab.passed_on import Relayed

MAX_NAMESPACES = 64
"""A walk touches about six; a flood over a node's ports every pod of it."""
MAX_STAND_INS = 128
"""Cables of one namespace into namespaces that are not built. A bridge takes 1024 ports."""
_TRANSPORTS = (Protocol.TCP, Protocol.UDP)


def touched(request: Connect, exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """Names of the namespaces that a packet of these exchanges got to, in that order.

    Raises:
        LabError: more than `MAX_NAMESPACES`.

    """
    found = {request.namespace: None}
    for exchange in exchanges:
        found |= dict.fromkeys(step.namespace for step in exchange.steps)
        found |= dict.fromkeys(capture.namespace for capture in exchange.captures)
    if len(found) > MAX_NAMESPACES:
        raise LabError(
            f"the packets of this request get to {len(found)} namespaces;"
            f" a lab has {MAX_NAMESPACES} at most",
            "ask for one request with --from and --to, in a smaller part of the cluster",
        )
    return tuple(found)


def plan(
    network: Network,
    request: Connect,
    exchange: Exchange,
    tools: Tools,
    patience_seconds: float,
    *,
    earlier: Sequence[Exchange] = (),
    earlier_patience_seconds: Sequence[float] = (),
    relayed: Relayed | None = None,
    others: Sequence[Exchange] = (),
    tries: int = 0,
) -> tuple[Plan, tuple[str, ...]]:
    """The lab in which the kernel shall do what the walk says in `exchange`.

    With `tries` it is asked that often, and chance is left to the kernel: `others` are the further
    branches. `earlier`: what was asked before, each as the walk has it; `relayed`: what the process
    does that takes the connection. Also what the lab leaves
    out, in sentences.
    """
    exchanges = (exchange, *earlier, *others)
    if relayed is not None:
        exchanges = (*exchanges, *relayed.exchanges, *relayed.before)
    forks = (*(fork for one in earlier for fork in one.forks), *exchange.forks)
    speaks = request.data_bytes is not None and request.protocol is Protocol.TCP
    names = touched(request, exchanges)
    notes: list[str] = []
    spaces = {name: _trimmed(network[name], names, notes) for name in names}
    indexes = {name: index for index, name in enumerate(names)}
    buildings = {
        name: Building(space, indexes, () if tries else _taken_hops(forks, name))
        for name, space in spaces.items()
    }
    naming = {name: building.naming for name, building in buildings.items()}
    vxlan_ports = sorted(
        {i.vxlan.port for space in spaces.values() for i in space.interfaces if i.vxlan}
    )
    planned = []
    nowhere = Nowhere(len(names))
    for name, building in buildings.items():
        space = spaces[name]
        asked = sets.asked(space.rulesets.values())
        made, refused = sets.restore_text(asked, space.sets)
        notes += [f"{name}: not handed to ipset: {one}" for one in refused]
        if made:
            _needs(tools["ipset"], name, "rules that ask for ipsets", "ipset")
        rules = {}
        for version, ruleset in space.rulesets.items():
            is_asked = version == request.destination.version
            if version == 6 and not (building.has_ipv6 or is_asked):
                continue
            chosen = decided(forks, name) if is_asked and not tries else {}
            rules[str(version)], refused = restore_text(ruleset, chosen, made)
            notes += [f"{name}: not handed to iptables: {text}" for text in refused]
        own, refused = "", ()
        if space.nft is not None and space.nft.tables:
            _needs(tools["nft"], name, "tables of nftables' own", "nftables")
            drawn = nftables.decided(forks, name) if not tries else {}
            own, refused = nftables.text(space.nft, drawn, [one.name for one in space.interfaces])
            notes += [f"{name}: not handed to nft: {text}" for text in refused]
        planned.append(
            Space(
                name=name,
                settings=building.settings(),
                links=building.links(naming, spaces, nowhere),
                ip=[
                    *building.ip(),
                    *(building.whole_segments() if speaks else ()),
                    *_adopted(space, building.naming, request, exchanges),
                ],
                ip6=building.ip6(),
                device_settings=building.device_settings(),
                bridge=building.bridge(),
                sets=dict(made),
                rules=rules,
                nft=own,
                listeners=_listeners(space, request, exchanges, relayed),
                devices=building.naming.changed,
                vxlan_ports=vxlan_ports,
            )
        )
    planned.append(nowhere.space())
    asker = ClientPlan(
        space=indexes[request.namespace],
        protocol=int(request.protocol),
        version=request.destination.version,
        source="" if request.source is None else str(request.source),
        source_port=request.port_of(request.earlier),
        destination=str(request.destination),
        port=request.port,
        patience_seconds=patience_seconds,
        hears_at_once=_is_from_elsewhere(network, request, exchange),
        unconnected=request.unconnected,
        data_bytes=-1 if request.data_bytes is None else request.data_bytes,
        earlier=[request.port_of(turn) for turn in range(request.earlier)],
        earlier_patience_seconds=list(earlier_patience_seconds),
        pause_seconds=request.pause_seconds,
        tries=tries,
    )
    return Plan(spaces=planned, asker=asker, tools=tools), tuple(notes)


def _needs(tool: str, name: str, what: str, package: str) -> None:
    if not tool:
        raise NotComparedError(
            f"{name} has {what}, and {package} is not installed",
            f"apt install {package}, or dnf install {package}",
        )


def _is_from_elsewhere(network: Network, request: Connect, exchange: Exchange) -> bool:
    """Whether what says no to a client's connect() has been to another machine."""
    felt, mine = exchange.felt, network[request.namespace]
    if felt.errno is None or felt.established:
        return False
    been = {capture.namespace for capture in exchange.captures}
    return not all(network[name].shares_kernel(mine) for name in been)


def _trimmed(space: NetNamespace, built: tuple[str, ...], notes: list[str]) -> NetNamespace:
    """The namespace without most of its cables to those that are not built: nothing uses them."""
    kept: list[Interface] = []
    left = 0
    for interface in space.interfaces:
        stands_in = interface.peer is not None and interface.peer[0] not in built
        if stands_in and not interface.addresses:
            left += 1
            if left > MAX_STAND_INS:
                continue
        kept.append(interface)
    if left > MAX_STAND_INS:
        notes.append(f"{space.name}: {left - MAX_STAND_INS} unused cables are left out")
    return replace(space, interfaces=tuple(kept)) if left > MAX_STAND_INS else space


def _adopted(
    space: NetNamespace, naming: Naming, request: Connect, exchanges: Iterable[Exchange]
) -> Iterator[list[str]]:
    """Addresses that no device has, and that somebody here is all the same.

    Who asks may be another one beyond the router (``--from ADDRESS``). A ping and a neighbour
    solicitation are answered by a kernel for an address that it has, and there is no socket that
    could stand for it (net/ipv4/icmp.c icmp_reply, net/ipv6/ndisc.c ndisc_recv_ns).
    """
    is_client = space.name == request.namespace
    pinged = [one for one in _pinged(space, exchanges) if _is_foreign(space, one)]
    if pinged and is_client:
        raise NotComparedError("who asks stands for the one who is asked, too")
    asker = [request.source] if is_client and request.source is not None else []
    solicited = ((naming(device), address) for device, address in _solicited(space, exchanges))
    for device, address in (*solicited, *(("lo", one) for one in (*pinged, *asker))):
        if _is_foreign(space, address):
            whole = f"{address}/{address.bits}"
            yield ["addr", "replace", whole, "dev", device, "scope", "host", "nodad"]


def _pinged(space: NetNamespace, exchanges: Iterable[Exchange]) -> Mapping[Address, None]:
    """For whom the namespace has answered a ping."""
    return {
        step.before.dst: None
        for exchange in exchanges
        for step in exchange.steps
        if step.namespace == space.name
        and step.kind is StepKind.DELIVER
        and step.before.protocol in ECHO
        and step.direction is Direction.FORWARD
        and step.before.inner is None
    }


def _solicited(
    space: NetNamespace, exchanges: Iterable[Exchange]
) -> Mapping[tuple[str, Address], None]:
    """Where the namespace has said that it is somebody whom an IPv6 neighbour asked for."""
    macs = {interface.name: interface.mac for interface in space.interfaces}
    return {
        (capture.device, capture.packet.src): None
        for exchange in exchanges
        for capture in exchange.captures
        if capture.namespace == space.name
        and capture.arp
        and not capture.incoming
        and capture.packet.smac == macs.get(capture.device)
        and capture.packet.protocol is Protocol.ICMPV6
        and capture.packet.icmp_type == REPLY
    }


def _listeners(
    space: NetNamespace,
    request: Connect,
    exchanges: Iterable[Exchange],
    relayed: Relayed | None,
) -> list[Listener]:
    """Listening sockets; where every port answers, those that the walk knocks at."""
    wanted = {
        (step.before.protocol, step.before.dst, step.before.dport)
        for exchange in exchanges
        for step in exchange.steps
        if step.namespace == space.name and step.packet_number == 1
    } | {(request.protocol, request.destination, request.port)}
    found: dict[tuple[int, int, str, int], Listener] = {}
    held = {request.port_of(turn) for turn in range(request.earlier + 1)}
    onward = (
        one.steps[0].before.dst for one in (relayed.exchanges if relayed else ()) if one.steps
    )
    versions = {one.version for one in (request.destination, *onward)}
    for version, socket in product(sorted(versions), space.sockets):
        if socket.protocol not in _TRANSPORTS or not _speaks(socket, version):
            continue
        passes_on = relayed and (relayed.namespace, relayed.socket) == (space.name, socket)
        for address, port in _bound(socket, wanted):
            # Who listens on every port still cannot have the one that the client holds.
            is_held = space.name == request.namespace and port in held and socket.port is None
            if port and not is_held:
                text = "" if address is None else str(address)
                found.setdefault(
                    (version, int(socket.protocol), text, port),
                    Listener(
                        protocol=int(socket.protocol),
                        version=version,
                        address=text,
                        port=port,
                        answers_as_asked=socket.answers_as_asked,
                        stands_for=socket.answers_as_asked or _is_foreign(space, address),
                        passes_on=bool(passes_on),
                        onward=[
                            None if turn is None else list(turn)
                            for turn in (relayed.onward if relayed and passes_on else ())
                        ],
                    ),
                )
    return list(found.values())


def _bound(
    socket: Socket, wanted: Iterable[tuple[Protocol, Address, int]]
) -> Iterator[tuple[Address | None, int]]:
    """What to bind to; a socket for all addresses but some is one for each that is asked."""
    asked = [
        (address, port)
        for protocol, address, port in wanted
        if protocol is socket.protocol
        and port not in socket.but_not_ports
        and not (port in socket.not_on_loopback and is_loopback(address))
    ]
    if socket.but_not:
        yield from (one for one in asked if one[0] not in socket.but_not)
    elif socket.port is not None:
        yield socket.address, socket.port
    else:
        yield from ((socket.address, port) for _, port in asked)


def _is_foreign(space: NetNamespace, address: Address | None) -> bool:
    """Whether this is an address that no device of the namespace has."""
    if address is None or is_loopback(address):
        return False
    return all(one.address != address for i in space.interfaces for one in i.addresses)


def _speaks(socket: Socket, version: int) -> bool:
    bound = socket.version if socket.address is None else socket.address.version
    return bound in (None, version)


def _taken_hops(forks: tuple[Fork, ...], namespace: str) -> frozenset[Route]:
    """Of routes with several next hops those that were taken in one branch."""
    return frozenset(
        fork.hop for fork in forks if fork.namespace == namespace and fork.hop is not None
    )
