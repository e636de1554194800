"""Where ipvs takes a packet. What it then does (schedulers, NAT of its own) is not modelled.

net/netfilter/ipvs/ip_vs_core.c ip_vs_ops4: at LOCAL_IN behind the filter table and before SNAT, at
LOCAL_OUT behind DNAT. A packet for no virtual server goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from k8stui.kernel.hooks import Blocked, Priority, Registration, Where
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import VirtualServer
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, StepKind


def registrations(
    family: int, servers: frozenset[VirtualServer]
) -> Iterator[Registration[HookFunction]]:
    """Both hooks, in a namespace that has a virtual server of the family."""
    if any(address.version == family for address, _ in servers):
        function = partial(_take, servers)
        yield Registration(family, Hook.INPUT, Priority.IPVS_INPUT, function)
        yield Registration(family, Hook.OUTPUT, Priority.IPVS_OUTPUT, function)


def _take(servers: frozenset[VirtualServer], host: Host, skb: Skb, where: Where) -> Blocked | None:
    packet = skb.packet
    if not servers & {(packet.dst, None), (packet.dst, packet.dport)}:
        return None
    what = f"not modelled: ipvs takes what is for {packet.dst.with_port(packet.dport)}"
    host.simulation.journal.step(
        host.name, skb, StepKind.UNKNOWN, what, device=where.device, hook=where.hook
    )
    host.simulation.cannot = what
    return Blocked()
