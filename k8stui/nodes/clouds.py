"""A cloud's network between its machines: a switch that carries less than a plain one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from k8stui.because import Because
from k8stui.cluster.clouds import lost_in_cloud, unheard_in_cloud
from k8stui.cluster.model import Cluster, Lack
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Judge, Judged, JudgesAt
from k8stui.kernel.packet import Packet, Protocol

OWNER = "the cloud's network"


def judges(cluster: Cluster) -> tuple[Judge, ...]:
    """What stands in the switch's place and drops; none where it carries everything."""
    ipip = lost_in_cloud(cluster)
    announced = {
        address: lack
        for address, by in cluster.announced.items()
        if (lack := unheard_in_cloud(cluster, by)) is not None
    }
    if ipip is None and not announced:
        return ()

    def says(packet: Packet, _incoming: bool) -> Iterator[Judged]:
        lack = ipip if packet.protocol is Protocol.IPIP else announced.get(packet.dst)
        if lack is not None:
            reason = Because(text=lack.why, origin=lack.origin, owner=OWNER)
            yield Judged(passes=False, text=lack.why, reason=reason)

    def about(address: Address) -> Hashable:
        return address in announced

    return (Judge(name=OWNER, says=says, at=JudgesAt.DEVICES, about=about),)


def lost(cluster: Cluster, packet: Packet) -> Lack | None:
    """Why the network between the nodes does not carry a packet."""
    if packet.protocol is Protocol.IPIP:
        return lost_in_cloud(cluster)
    by = cluster.announced.get(packet.dst)
    return unheard_in_cloud(cluster, by) if by is not None else None
