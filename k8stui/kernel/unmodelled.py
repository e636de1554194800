"""Engines that take packets and are not modelled: what becomes of such a packet is not known.

Of a connection only the first packet is taken; ipvs asks not conntrack which that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.header import ECHO
from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import TakesAt, Unmodelled
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, StepKind, UnmodelledCause

_HOOKS: Mapping[TakesAt, Mapping[Hook, Priority]] = {
    TakesAt.BEFORE_ROUTING: {
        Hook.PREROUTING: Priority.NAT_DESTINATION,
        Hook.OUTPUT: Priority.NAT_DESTINATION,
    },
    TakesAt.AS_IPVS: {Hook.INPUT: Priority.IPVS_INPUT, Hook.OUTPUT: Priority.IPVS_OUTPUT},
}


def registrations(
    family: int, engines: Iterable[Unmodelled]
) -> Iterator[Registration[HookFunction]]:
    """Engines at the hooks where they would take a packet."""
    for engine in engines:
        for hook, priority in _HOOKS[engine.takes_at].items():
            yield Registration(family, hook, priority, partial(_take, engine))


def _begins(packet: Packet) -> bool:
    """Whether ipvs takes it for a connection's first, whatever conntrack knows of it.

    ip_vs_proto_tcp.c tcp_conn_schedule: a SYN, a SYN-ACK too; ip_vs_proto_udp.c: any datagram that
    belongs to no connection of its own. So it takes an answer to a port of the node's own that is
    a node port as well.
    """
    if packet.protocol is Protocol.TCP:
        return bool(packet.flags & TcpFlags.SYN)
    return packet.protocol is Protocol.UDP


def _take(engine: Unmodelled, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """End the walk, unknown, where `engine` takes the packet."""
    packet = skb.packet
    is_ipvs = engine.takes_at is TakesAt.AS_IPVS
    if is_ipvs and packet.protocol in ECHO:
        # ip_vs_in_hook: ipvs has no servers of ICMP; who has the address answers a ping.
        return None
    if skb.ct_state not in (None, CtState.NEW) and not (is_ipvs and _begins(packet)):
        return None
    why = engine.addresses.get(packet.dst)
    only = engine.only.get(packet.dst) if is_ipvs else None
    if only is not None and (packet.protocol, packet.dport) not in only:
        return None
    if why is None:
        why = engine.ports.get((packet.protocol, packet.dport))
        if why is None or host.routing.address_type(packet.dst) != "LOCAL":
            return None
    text = f"not modelled: {engine.name}, which takes this packet ({why.text})"
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.UNKNOWN,
        text,
        cause=UnmodelledCause(name=engine.name, reason=why),
        device=where.device,
        hook=where.hook,
    )
    host.simulation.cannot = text
    return Blocked()
