"""Programs that take packets and are not modelled: what becomes of such a packet is not known.

They stand where NAT of the destination does: of a connection only the first packet is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.hooks import Blocked, Priority, Registration, Where
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import Unmodelled
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, StepKind, UnmodelledCause


def registrations(
    family: int, programs: Iterable[Unmodelled]
) -> Iterator[Registration[HookFunction]]:
    for program in programs:
        for hook in (Hook.PREROUTING, Hook.OUTPUT):
            function = partial(_take, program)
            yield Registration(family, hook, Priority.NAT_DESTINATION, function)


def _take(program: Unmodelled, host: Host, skb: Skb, where: Where) -> Blocked | None:
    """End the walk, unknown, where `program` takes the packet."""
    packet = skb.packet
    if skb.ct_state not in (None, CtState.NEW):
        return None
    why = program.addresses.get(packet.dst)
    if why is None:
        why = program.ports.get((packet.protocol, packet.dport))
        if why is None or host.routing.address_type(packet.dst) != "LOCAL":
            return None
    text = f"not modelled: {program.name}, which takes this packet ({why.text})"
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.UNKNOWN,
        text,
        cause=UnmodelledCause(name=program.name, reason=why),
        device=where.device,
        hook=where.hook,
    )
    host.simulation.cannot = text
    return Blocked()
