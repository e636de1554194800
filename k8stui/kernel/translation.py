"""NAT at the hooks: the first packet of a connection asks the engines, the others follow it.

net/netfilter/nf_nat_core.c (nf_nat_inet_fn, nf_nat_register_fn): NAT stands at its hooks once, and
asks what the engines have registered there in the order of *their* priorities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from k8stui.kernel.binding import NAT, BindingPoint, binding, kind_of
from k8stui.kernel.conntrack import CtState, Entry
from k8stui.kernel.header import WITH_PORTS
from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration, Registry
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.nat import Manip, apply, set_up
from k8stui.kernel.packet import Packet
from k8stui.kernel.passage import ended, unknown
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook
from k8stui.kernel.tracking import MANIP, rerouted, rewrite, write_down
from k8stui.kernel.traverse import Accept, CannotEvaluate, Drop, Traversal

Lookup = Callable[[Host, Skb, HookState], Traversal]
"""What an engine says about the first packet of a connection."""

PRIORITY = {Manip.DESTINATION: Priority.NAT_DESTINATION, Manip.SOURCE: Priority.NAT_SOURCE}
"""Of NAT itself, and of iptables' nat table where NAT asks it (iptable_nat.c nf_nat_ipv4_ops)."""


def registrations(
    family: int, lookups: Iterable[Registration[Lookup]]
) -> Iterator[Registration[HookFunction]]:
    """NAT at all its hooks; `lookups` are what it asks there."""
    registry = Registry(lookups)
    for hook, manip in MANIP.items():
        asked = tuple(one.function for one in registry.at(family, hook))
        yield Registration(family, hook, PRIORITY[manip], partial(_nat, asked))


def _nat(lookups: tuple[Lookup, ...], host: Host, skb: Skb, where: HookState) -> Blocked | None:
    entry = skb.entry
    if entry is None or skb.ct_state in (CtState.INVALID, CtState.UNTRACKED):
        return None
    manip = MANIP[where.hook]
    before = skb.packet
    done = entry.destination_done if manip is Manip.DESTINATION else entry.source_done
    if skb.ct_state is CtState.NEW and not done:
        blocked = _bind(lookups, host, skb, where, entry)
        if blocked:
            return blocked
    else:
        rewrite(skb, where)
        if skb.packet is not before:
            write_down(host, skb, where, before)
    return rerouted(before, skb, where)


def _bind(
    lookups: tuple[Lookup, ...], host: Host, skb: Skb, where: HookState, entry: Entry
) -> Blocked | None:
    """Ask the engines until one of them translates, and bind the connection."""
    result: Traversal | None = None
    for lookup in lookups:
        result = lookup(host, skb, where)
        if isinstance(result.verdict, Drop):
            ended(host, skb, where, result, "dropped")
            return Blocked()
        if isinstance(result.verdict, CannotEvaluate):
            unknown(host, skb, where, result, result.verdict)
            return Blocked()
        if isinstance(result.verdict, NAT):
            break
    verdict = result.verdict if result else Accept()
    manip = MANIP[where.hook]
    decision = skb.decision
    found = binding(
        verdict,
        skb.packet,
        BindingPoint(
            manip=manip,
            routing=host.routing,
            is_output=where.hook is Hook.OUTPUT,
            in_device=where.in_device or "",
            out_device=where.out_device or "",
            next_hop=(decision.next_hop if decision else None) or skb.packet.dst,
        ),
    )
    if found is None:
        ended(host, skb, where, result, "no address of this node fits: dropped")
        return Blocked()
    free = set_up(
        host.conntrack,
        entry,
        manip,
        found.addresses,
        found.ports,
        random=found.random,
        persistent=found.persistent,
        base_port=found.base_port,
    )
    if not free:
        ended(host, skb, where, None, "NAT finds no free port")
        return Blocked()
    if entry.snat or entry.dnat or isinstance(verdict, NAT):
        _translated(host, skb, where, entry, result if isinstance(verdict, NAT) else None)
    return None


def _translated(
    host: Host, skb: Skb, where: HookState, entry: Entry, decided: Traversal | None
) -> None:
    """Carry out the binding on the packet at hand. `decided`: by which rule, if by one."""
    manip = MANIP[where.hook]
    before = skb.packet
    packet = skb.packet = apply(before, entry, manip, reply=False)
    if decided is not None:
        is_source = manip is Manip.SOURCE
        end = "source" if is_source else "destination"
        old, new = _end(before, source=is_source), _end(packet, source=is_source)
        host.simulation.journal.step(
            host.name,
            skb,
            kind_of(manip),
            f"{end} {old} → {new}",
            cause=decided.cause,
            device=where.device,
            hook=where.hook,
            before=before,
        )
    elif packet is not before:
        write_down(host, skb, where, before)


def _end(packet: Packet, *, source: bool) -> str:
    address = packet.src if source else packet.dst
    port = packet.sport if source else packet.dport
    return address.with_port(port) if packet.protocol in WITH_PORTS else str(address)
