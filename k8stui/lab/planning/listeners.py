"""Who listens in a namespace, and for whom it answers though no device of it has the address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING

from k8stui.kernel.address import Address, is_loopback
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.fib import LOOPBACK
from k8stui.kernel.header import ECHO
from k8stui.kernel.namespace import NetNamespace, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.skb import REPLY
from k8stui.kernel.step import Direction, StepKind
from k8stui.lab.errors import NotComparedError
from k8stui.lab.plan import Listener
from k8stui.lab.planning.naming import Naming

if TYPE_CHECKING:
    from k8stui.lab.passed_on import Relayed

_TRANSPORTS = (Protocol.TCP, Protocol.UDP)


def adopted(
    space: NetNamespace, naming: Naming, request: Connect, exchanges: Iterable[Exchange]
) -> Iterator[list[str]]:
    """Addresses that no device has, and that somebody here is all the same.

    Who asks may be another one beyond the router (``--from ADDRESS``). A ping and a neighbour
    solicitation are answered by a kernel for an address that it has, and there is no socket that
    could stand for it (net/ipv4/icmp.c icmp_reply, net/ipv6/ndisc.c ndisc_recv_ns).

    Raises:
        NotComparedError: who asks is asked by a router: an address of its own it asks by lo.

    """
    is_client = space.name == request.namespace
    pinged = [one for one in _pinged(space, exchanges) if _is_foreign(space, one[1])]
    if is_client and any(device != LOOPBACK for device, _ in pinged):
        raise NotComparedError("who asks stands for the one who is asked, too")
    there = dict.fromkeys(address for _, address in pinged)
    asker = [request.source] if is_client and request.source is not None else []
    solicited = ((naming(device), address) for device, address in _solicited(space, exchanges))
    for device, address in (*solicited, *((LOOPBACK, one) for one in (*there, *asker))):
        if _is_foreign(space, address):
            whole = f"{address}/{address.bits}"
            yield ["addr", "replace", whole, "dev", device, "scope", "host", "nodad"]


def _pinged(
    space: NetNamespace, exchanges: Iterable[Exchange]
) -> Mapping[tuple[str, Address], None]:
    """By which device, and for whom, the namespace has answered a ping."""
    return {
        (step.device or "", step.before.dst): None
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


def listeners(
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
