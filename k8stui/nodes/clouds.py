"""A cloud's network between its machines: a switch that carries less than a plain one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.clouds import lost_in_cloud, unheard_in_cloud
from k8stui.cluster.model import Cluster, Lack
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.namespace import Judge, Judged, JudgesAt
from k8stui.kernel.packet import Packet, Protocol

OWNER = "the cloud's network"


class _Uncarried(NamedTuple):
    """What a cluster's cloud does not carry, and why."""

    ipip: Lack | None
    announced: Mapping[Address, Lack]


def judges(cluster: Cluster) -> tuple[Judge, ...]:
    """What stands in the switch's place and drops; none where it carries everything."""
    known = _uncarried.of(cluster)
    if known.ipip is None and not known.announced:
        return ()

    def says(packet: Packet, _incoming: bool) -> Iterator[Judged]:
        lack = lost(cluster, packet)
        if lack is not None:
            reason = Because(text=lack.why, origin=lack.origin, owner=OWNER)
            yield Judged(passes=False, text=lack.why, reason=reason)

    def about(address: Address) -> Hashable:
        return address in known.announced

    return (Judge(name=OWNER, says=says, at=JudgesAt.DEVICES, about=about),)


def lost(cluster: Cluster, packet: Packet) -> Lack | None:
    """Why the network between the nodes does not carry a packet."""
    known = _uncarried.of(cluster)
    return known.ipip if packet.protocol is Protocol.IPIP else known.announced.get(packet.dst)


def _look(cluster: Cluster) -> _Uncarried:
    found = {
        address: lack
        for address, by in cluster.announced.items()
        if (lack := unheard_in_cloud(cluster, by)) is not None
    }
    return _Uncarried(lost_in_cloud(cluster), found)


_uncarried = Derived(_look)
