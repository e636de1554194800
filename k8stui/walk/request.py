"""What the user typed → a `Request`: SOURCE and DESTINATION of the command line contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.errors import value_of
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import DEFAULT_SOURCE_PORT, Connect
from k8stui.kernel.namespace import LinkKind, Scope
from k8stui.kernel.packet import Protocol
from k8stui.walk.destination import Destination, parse_destination
from k8stui.walk.error import RequestError
from k8stui.walk.source import OUTSIDE, Source, parse_source
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World

__all__ = ["RequestError", "parse_request"]


def parse_request(
    world: World,
    source: str,
    destination: str,
    namespace: str = "default",
    *,
    source_port: int | None = None,
    data_bytes: int | None = None,
    unconnected: bool = False,
) -> Request:
    """Understand who asks whom.

    `source` is ``pod/NAME``, ``deploy/NAME`` …, ``node/NAME``, ``outside`` or an address;
    `destination` is ``svc/NAME:PORT``, ``pod/NAME:PORT``, ``node/NAME:NODEPORT``,
    ``ADDRESS:PORT``, ``DNSNAME:PORT`` or ``localhost:PORT``, with ``/udp`` or ``/sctp`` behind
    it; with ``/icmp`` instead of a port it is a ping.

    `source_port`: the client's own port, else one that the kernel could draw; `data_bytes` and
    `unconnected`: see `k8stui.kernel.exchange.Connect`.

    Raises:
        RequestError: with what was probably meant and what there is to choose from.

    """
    beyond = outside_addresses(world)
    with value_of("--from"):
        asker = parse_source(world.cluster, source, namespace, beyond)
    if asker.namespace not in world.network:
        raise RequestError(
            f"{asker.canonical} has no network namespace here",
            hint=f"its node {asker.pod.node_name} is not known" if asker.pod else "",
        )
    with value_of("--to"):
        asked = parse_destination(world.cluster, asker, destination, namespace, beyond)
    connects = tuple(
        Connect(
            namespace=asker.namespace,
            destination=address,
            port=asked.port,
            protocol=_of_family(asked.protocol, address),
            source=asker.bound,
            source_port=source_port or DEFAULT_SOURCE_PORT,
            data_bytes=data_bytes,
            unconnected=unconnected,
        )
        for address in _addresses(asker, asked)
    )
    return Request(
        source=asker.canonical,
        destination=asked.canonical,
        protocol=connects[0].protocol if connects else asked.protocol,
        connect=connects[0] if connects else None,
        alternatives=connects[1:],
        names=asked.names,
        service=asked.service,
        origin=asked.origin,
    )


def _of_family(protocol: Protocol, address: Address) -> Protocol:
    """A ping of IPv6 is another protocol than one of IPv4."""
    return Protocol.ICMPV6 if protocol is Protocol.ICMP and address.version == 6 else protocol


def outside_addresses(world: World) -> tuple[Address, ...]:
    """Addresses of the client beyond the router: its uplink's, not its loopback's."""
    return tuple(
        a.address
        for device in world.network[OUTSIDE].interfaces
        if device.kind is not LinkKind.LOOPBACK
        for a in device.addresses
        if a.scope is Scope.GLOBAL
    )


def _addresses(asker: Source, asked: Destination) -> tuple[Address, ...]:
    """Addresses of a family that the client has too, else all; the first, unless any will do."""
    families = {a.version for a in asker.addresses} or {4}
    usable = tuple(a for a in asked.addresses if a.version in families) or asked.addresses
    first = usable[:1]
    if not asked.any_of:
        return first
    return tuple(a for a in usable if a.version == first[0].version) if first else ()
