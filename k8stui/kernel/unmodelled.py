"""Engines that take packets and are not modelled: what becomes of such a packet is not known.

Of a connection only the first packet is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.header import ECHO
from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import TakesAt, Unmodelled
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


def _take(engine: Unmodelled, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """End the walk, unknown, where `engine` takes the packet."""
    packet = skb.packet
    if skb.ct_state not in (None, CtState.NEW):
        return None
    if engine.takes_at is TakesAt.AS_IPVS and packet.protocol in ECHO:
        # ip_vs_in_hook: ipvs has no servers of ICMP; who has the address answers a ping.
        return None
    why = engine.addresses.get(packet.dst)
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
