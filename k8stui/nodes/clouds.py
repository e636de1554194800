"""A cloud's network between its machines: a switch that carries less than a plain one.

So is the Internet, where nodes are on both sides of NAT (`internet`).
A load balancer that takes no node for healthy, or finds no port of theirs, is of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.clouds import lost_in_cloud, unheard_in_cloud
from k8stui.cluster.load_balancers.azure import probed_in_vain
from k8stui.cluster.load_balancers.instances import lacks_node_ports
from k8stui.cluster.model import Cluster, Lack, ServiceType
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.namespace import Judge, Judged, JudgesAt
from k8stui.kernel.packet import Packet, Protocol
from k8stui.nodes.internet import on_both_sides, uncarried

OWNER = "the cloud's network"


class _Uncarried(NamedTuple):
    """What a cluster's cloud does not carry, and why."""

    ipip: Lack | None
    to: Mapping[Address, Lack]


def judges(cluster: Cluster) -> tuple[Judge, ...]:
    """What stands in the switch's place and drops; none where it carries everything."""
    known = _uncarried.of(cluster)
    apart = on_both_sides(cluster)
    if known.ipip is None and not known.to and not apart:
        return ()

    def says(packet: Packet, _incoming: bool) -> Iterator[Judged]:
        lack = lost(cluster, packet)
        if lack is not None:
            reason = Because(text=lack.why, origin=lack.origin, owner=OWNER)
            yield Judged(passes=False, text=lack.why, reason=reason)

    def about(address: Address) -> Hashable:
        side = apart.get(address)
        return address in known.to, side.name if side is not None else None

    return (Judge(name=OWNER, says=says, at=JudgesAt.DEVICES, about=about),)


def lost(cluster: Cluster, packet: Packet) -> Lack | None:
    """Why the network between the nodes does not carry a packet."""
    known = _uncarried.of(cluster)
    lack = known.ipip if packet.protocol is Protocol.IPIP else known.to.get(packet.dst)
    return lack or uncarried(cluster, packet)


def _look(cluster: Cluster) -> _Uncarried:
    found = {
        address: lack
        for address, by in cluster.announced.items()
        if (lack := unheard_in_cloud(cluster, by)) is not None
    }
    for service in cluster.services.values():
        held = [one.ip for one in service.load_balancer_ingress if one.ip is not None]
        if held and service.type is ServiceType.LOAD_BALANCER:
            lack = probed_in_vain(service, cluster) or lacks_node_ports(service, cluster)
            found |= dict.fromkeys(held, lack) if lack is not None else {}
    return _Uncarried(lost_in_cloud(cluster), found)


_uncarried = Derived(_look)
