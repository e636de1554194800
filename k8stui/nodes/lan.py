"""The address plan of what lies between the nodes and beyond them.

Manifests say nothing of it. Assumed: all nodes on one switch, whose network is the shortest
prefix that holds every node's address, and one router at the first address there that nobody has,
no host that somebody wrote into endpoints either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain, islice

from k8stui.cluster.model import Cluster
from k8stui.cluster.policy import Direction, Policy, read_range
from k8stui.kernel.address import Address, Prefix
from k8stui.nodes.names import mac
from k8stui.record import record

LONGEST = {4: 24, 6: 64}
"""The network is never taken to be smaller than this."""
_SHORTEST = {4: 8, 6: 16}
"""Nodes that share fewer bits are no neighbours: each keeps a network of its own on the switch."""

_OUTSIDE = {
    4: ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "100.64.0.0/24", "9.9.9.0/24"),
    6: ("2001:db8:203:113::/64", "2001:db8:198:51::/64", "2001:db8:192:0::/64"),
}
"""Where the client beyond the router may live: the networks for documentation first (RFC 5737,
RFC 3849); the first that nothing in the cluster uses."""


SWITCH = "lan"
"""The switch between the nodes, and the router's leg on it."""


@record()
class LanNetwork:
    """One network with the router's address in it."""

    prefix: Prefix
    router: Address
    switch: str = SWITCH
    """Networks of one name share a switch: whoever is in one hears the others' ARP."""
    router_mac: str = ""
    """As nodes were seen to know the router; empty: nobody was."""


@record()
class Lan:
    """The networks on the switch, and those beyond the router."""

    networks: tuple[LanNetwork, ...]
    outside: tuple[LanNetwork, ...]
    """One per IP version; the client there is `client`."""

    def router_mac(self, switch: str) -> str:
        """The router's on one switch: as nodes know it, else one that is made of its address."""
        networks = [net for net in self.networks if net.switch == switch]
        seen = next((net.router_mac for net in networks if net.router_mac), "")
        return seen or (mac(networks[0].router) if networks else "02:00:00:00:00:00")

    def network_of(self, address: Address) -> LanNetwork | None:
        """The network on the switch that `address` is in."""
        return next((net for net in self.networks if address in net.prefix), None)


def client(network: LanNetwork) -> Address:
    """The address of the client beyond the router: 203.0.113.10."""
    return client_of(network.prefix)


def client_of(prefix: Prefix) -> Address:
    """The client's address in a network beyond the router."""
    return prefix.nth(10 if prefix.address.version == 4 else 0x10)


def plan(cluster: Cluster, seen: Sequence[LanNetwork] = ()) -> Lan:
    """Lay out the networks for the nodes of `cluster`. Costs one pass over nodes and Services.

    `seen`: those that nodes were seen in; only what is in none of them is laid out.
    """
    taken = {address for node in cluster.nodes.values() for address in node.addresses}
    taken |= hand_written(cluster).keys()
    networks = list(seen)
    outside: list[LanNetwork] = []
    for version in (4, 6):
        addresses = [a for node in cluster.nodes.values() if (a := node.address(version))]
        if not addresses:
            continue
        mine = [net for net in seen if net.prefix.address.version == version]
        others = [a for a in addresses if not any(a in net.prefix for net in mine)]
        if others:
            laid = [LanNetwork(prefix, free_address(prefix, taken)) for prefix in _prefixes(others)]
            networks += laid
            mine += laid
        used = [net.prefix for net in mine] + list(_used(cluster, version))
        free = [
            prefix
            for prefix in map(Prefix.parse, _OUTSIDE[version])
            if not any(_overlap(prefix, other) for other in used)
        ]
        told = list(_told(cluster, version)) if free else []
        # Whoever somebody names is not just anybody: the client is in none of those ranges.
        plain = (p for p in free if not any(client_of(p) in other for other in told))
        outside += (LanNetwork(p, p.nth(1)) for p in islice(chain(plain, free), 1))
    return Lan(tuple(networks), tuple(outside))


def hand_written(cluster: Cluster) -> Mapping[Address, str]:
    """Addresses of hosts that somebody wrote into endpoints, with a Service that they are of."""
    return {
        address: key
        for key, service in cluster.services.items()
        if service.selector is None
        for slice_ in cluster.endpoint_slices.get(key, ())
        for endpoint in slice_.endpoints
        if endpoint.pod is None
        for address in endpoint.addresses
    }


def covering(prefixes: Iterable[Prefix], longest: int) -> Prefix:
    """The longest prefix, at most `longest` bits, that holds all of `prefixes` (one at least)."""
    return reduce(_common, (Prefix.of(p.address, min(p.length, longest)) for p in prefixes))


def _common(one: Prefix, other: Prefix) -> Prefix:
    differing = (one.address.value ^ other.address.value).bit_length()
    length = min(one.length, other.length, one.address.bits - differing)
    return Prefix.of(one.address, length)


def _prefixes(addresses: list[Address]) -> list[Prefix]:
    version = addresses[0].version
    hosts = [Prefix(address, address.bits) for address in addresses]
    whole = covering(hosts, LONGEST[version])
    if whole.length >= _SHORTEST[version]:
        return [whole]
    return sorted({Prefix.of(address, LONGEST[version]) for address in addresses})


def free_address(prefix: Prefix, taken: Collection[Address]) -> Address:
    """The first address of a network that nobody has."""
    n = 1
    while prefix.nth(n) in taken:
        n += 1
    return prefix.nth(n)


def _used(cluster: Cluster, version: int) -> Iterator[Prefix]:
    """What the client's network must not overlap, each range once."""
    for prefix in (cluster.pod_cidr, cluster.service_cidr):
        if prefix.address.version == version:
            yield prefix
    for node in cluster.nodes.values():
        yield from (p for p in node.pod_cidrs if p.address.version == version)
        yield from (Prefix(a, a.bits) for a in node.addresses if a.version == version)
    addresses = {one for service in cluster.services.values() for one in service.cluster_ips}
    for service in cluster.services.values():
        if service.external_ips or service.load_balancer_ingress:
            addresses.update(service.external_ips)
            addresses.update(entry.ip for entry in service.load_balancer_ingress if entry.ip)
    start, bits = cluster.service_cidr.address, cluster.service_cidr.length
    end = start.value + (1 << (start.bits - bits))
    for one in addresses:
        within = one.version == start.version and start.value <= one.value < end
        if one.version == version and not within:
            yield Prefix(one, one.bits)


def _told(cluster: Cluster, version: int) -> Iterator[Prefix]:
    """Ranges of clients that the input lets in or keeps out by name; "everybody" is none."""
    texts = (t for s in cluster.services.values() for t in s.load_balancer_source_ranges)
    ranges = [read_range(text.strip()) for text in texts]
    policies: tuple[Policy, ...] = (*cluster.policies, *cluster.calico_policies)
    for policy in policies:
        for rule in chain.from_iterable(map(policy.rules, Direction)):
            ranges += (peer.block.cidr for peer in rule.peers if peer.block is not None)
            if rule.conditions is not None:
                ranges += (net for end in rule.conditions.ends for net in end.ranges)
    ranges += (net for one in cluster.network_sets for net in one.nets)
    for one in ranges:
        prefix = one.prefix
        if prefix is not None and prefix.address.version == version and prefix.length:
            yield prefix


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.address in other or other.address in one
