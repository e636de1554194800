"""A route with several next hops: which of them it is, a hash says that nobody can foretell.

Its key is drawn when the kernel starts (net/ipv4/fib_semantics.c fib_multipath_hash_seed…): each
flow has a fork of its own, in the shares of the weights, and all its packets take the same way.
After net/ipv4/route.c (fib_multipath_hash) and fib_semantics.c (fib_select_multipath, as of Linux
6.16: the next hop to which the source address belongs is preferred).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from k8stui.kernel.address import Address
from k8stui.kernel.fib import NO_PORTS, Ports
from k8stui.kernel.host import Host
from k8stui.kernel.namespace import Route
from k8stui.kernel.packet import Packet
from k8stui.kernel.routing import Decision, Fate
from k8stui.kernel.step import Fork, Way

_LAYER_4, _FIELDS = 1, 3
"""Values of fib_multipath_hash_policy."""


def incoming(host: Host, packet: Packet, device: str) -> Decision:
    """Decide about a packet that came in (ip_mkroute_input: by the hash alone)."""
    ports = Ports.of(packet)
    found = host.routing.incoming(packet.dst, packet.src, device, packet.mark, ports)
    route = found.route
    if route is None or not route.hops or found.fate is not Fate.FORWARD:
        return found
    shares = _shares(route.hops)
    hop = _chosen(host, route, shares, _key(host, packet.src, packet.dst, ports))
    return found._replace(route=hop, device=hop.device or "", next_hop=hop.gateway or packet.dst)


def outgoing(
    host: Host,
    destination: Address,
    source: Address | None = None,
    mark: int = 0,
    ports: Ports = NO_PORTS,
    *,
    carried: Packet | None = None,
) -> Decision:
    """Decide about a packet of the node's own (fib_select_path).

    `carried`: what a tunnel puts into it, where that counts too (flowi4_multipath_hash).
    """
    found = host.routing.outgoing(destination, source, mark, ports)
    route = found.route
    if route is None or not route.hops:
        return found
    shares = _shares(route.hops)
    if source is not None and source.version == 4:
        own = [host.routing.hop_source(hop) == source for hop in route.hops]
        shares = _preferred(shares, own)
    inner = () if carried is None else (carried.src, carried.dst, Ports.of(carried))
    hop = _chosen(host, route, shares, (*_key(host, source, destination, ports), *inner))
    found = host.routing.along(hop, destination, source)._replace(rule=found.rule)
    if source is None and found.source is not None:
        # ip_route_connect asks again with the address that it has got: this hop's.
        host.hops[id(route), _key(host, found.source, destination, ports)] = hop
    return found


def _chosen(host: Host, route: Route, shares: Sequence[Fraction], key: tuple[object, ...]) -> Route:
    known = host.hops.get((id(route), key))
    if known is not None:
        return known
    possible = [(hop, share) for hop, share in zip(route.hops, shares, strict=True) if share]
    fork = Fork(
        namespace=host.name,
        hops=tuple(hop for hop, _ in possible),
        ways=tuple(Way(None, share) for _, share in possible),
    )
    if len(possible) > 1:
        fork = replace(fork, chosen=host.simulation.choose(fork))
        host.simulation.journal.forks.append(fork)
    chosen = host.hops[id(route), key] = fork.hops[fork.chosen]
    return chosen


def _key(
    host: Host, source: Address | None, destination: Address, ports: Ports
) -> tuple[object, ...]:
    """What the hash is made of (fib_multipath_hash, rt6_multipath_hash)."""
    sysctls = host.namespace.sysctls
    is_ipv4 = destination.version == 4
    policy = sysctls.multipath_hash if is_ipv4 else sysctls.multipath_hash_ipv6
    if policy == _LAYER_4:
        return (source, destination, ports)
    if policy == _FIELDS:
        each = (source, destination, ports.protocol, None, ports.source, ports.destination)
        fields = sysctls.multipath_fields
        return tuple(one for bit, one in enumerate(each) if fields & (1 << bit))
    return (source, destination)


def _shares(hops: Sequence[Route]) -> tuple[Fraction, ...]:
    """How often the hash comes to each (fib_rebalance)."""
    whole = sum(hop.weight or 1 for hop in hops)
    return tuple(Fraction(hop.weight or 1, whole) for hop in hops)


def _preferred(shares: Sequence[Fraction], own: Sequence[bool]) -> tuple[Fraction, ...]:
    """The shares where the source address belongs to some of the hops.

    Each takes all hashes up to its bound; what lies beyond the last one's is the first one's.
    """
    if not any(own):
        return tuple(shares)
    found = [Fraction(0)] * len(shares)
    bound = below = Fraction(0)
    for place, share in enumerate(shares):
        bound += share
        if own[place]:
            found[place], below = bound - below, bound
    found[own.index(True)] += 1 - below
    return tuple(found)
