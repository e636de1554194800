"""Connection tracking at the hooks: a packet finds its entry, and confirms a new one at the end.

net/netfilter/nf_conntrack_proto.c (ipv4_conntrack_ops, ipv6_conntrack_ops).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.conntrack import CtState, is_icmp_error
from k8stui.kernel.header import endpoints
from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.nat import Manip, apply, apply_to_error
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Ruleset
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import ConntrackCause, Hook, StepKind

MANIP = {
    Hook.PREROUTING: Manip.DESTINATION,
    Hook.OUTPUT: Manip.DESTINATION,
    Hook.INPUT: Manip.SOURCE,
    Hook.POSTROUTING: Manip.SOURCE,
}
"""Which end of a packet NAT changes at which hook (HOOK2MANIP)."""

_TRACKING = (
    "conntrack", "state", "connmark", "CONNMARK", "connbytes", "helper", "CT",
    "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP",
)  # fmt: skip
"""Matches and targets that call nf_ct_netns_get (xt_conntrack.c, xt_connmark.c, xt_nat.c …)."""


def is_needed(ruleset: Ruleset) -> bool:
    """Conntrack runs in a namespace only when a rule needs it, met or not (nf_ct_netns_get).

    A nat table without one does not make it run, nor is it asked then (nf_nat_inet_fn).
    """
    # Those of nat last: most of its chains are built when somebody looks at them.
    return any(
        _asks_tracking(rule.text)
        for table in sorted(ruleset, key=lambda table: table.name == "nat")
        for chain in table.chains.values()
        for rule in chain.rules
    )


def _asks_tracking(text: str) -> bool:
    # Most rules do not even hold the words: only the others are read.
    if not any(word in text for word in _TRACKING):
        return False
    compiled = compile_rule(text)
    return compiled.target_name in _TRACKING or any(
        str(match).startswith(tuple(f"-m {name} " for name in _TRACKING))
        for match in compiled.matches
    )


def registrations(family: int) -> Iterator[Registration[HookFunction]]:
    """Conntrack at its four hooks (nf_conntrack_proto.c ipv4_conntrack_ops)."""
    for hook in (Hook.PREROUTING, Hook.OUTPUT):
        yield Registration(family, hook, Priority.CONNTRACK, _track)
    for hook in (Hook.INPUT, Hook.POSTROUTING):
        yield Registration(family, hook, Priority.CONNTRACK_CONFIRM, _confirm)


def _track(host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """Find or begin the packet's connection (nf_conntrack_in)."""
    if where.hook is Hook.PREROUTING:
        skb.put_together()  # nf_defrag_ipv4, nf_defrag_ipv6: conntrack has them switched on
    if skb.ct_state is not None:
        return None
    found = host.conntrack.look_up(skb.packet, host.simulation.events.now)
    skb.entry, skb.ct_state, skb.ct_reply = found
    before = skb.packet
    family = before.src.version
    registry = host.hooks(family)
    if _is_translated(skb) and registry.is_free(
        family, where.hook, Priority.CONNTRACK, Priority.NAT_DESTINATION
    ):
        # With nothing in between, one step shows the entry and the NAT that follows from it.
        rewrite(skb, where)
    write_down(host, skb, where, before)
    return rerouted(before, skb, where)


def _confirm(host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """Put a new entry into the table (nf_confirm)."""
    # What REJECT sends back carries the entry, but does not confirm it.
    entry = None if skb.ct_reply else skb.entry
    if entry and not host.conntrack.confirm(entry):
        host.simulation.journal.loss(
            host.name,
            skb,
            "another connection has the same addresses and ports",
            device=where.device,
            hook=where.hook,
        )
        return Blocked()
    return None


def _is_translated(skb: Skb) -> bool:
    entry = skb.entry
    return entry is not None and (skb.ct_state is not CtState.NEW or entry.destination_done)


def rewrite(skb: Skb, where: HookState) -> None:
    """Change a packet as its connection is translated already (nf_nat_packet)."""
    if skb.entry is not None:
        change = apply_to_error if is_icmp_error(skb.packet) else apply
        skb.packet = change(skb.packet, skb.entry, MANIP[where.hook], reply=skb.ct_reply)


def rerouted(before: Packet, skb: Skb, where: HookState) -> Blocked | None:
    """Route a packet of the node's own again when NAT has changed its destination.

    nf_nat_proto.c nf_nat_ipv4_local_fn: a mark alone that a rule of the nat table sets does not
    count, here it differs from mangle; raw and filter leave the route as it is.
    """
    if where.reroute is None or before.dst == skb.packet.dst:
        return None
    errno = where.reroute()
    return Blocked(errno=errno) if errno else None


def write_down(host: Host, skb: Skb, where: HookState, before: Packet) -> None:
    """Say what the packet's entry is, and what became of the packet by it."""
    entry = skb.entry
    state = skb.ct_state or CtState.INVALID
    line = entry.line(host.simulation.events.now) if entry else ""
    if before is not skb.packet:
        text = f"{state}: the entry makes it {endpoints(skb.packet)}"
    elif state is CtState.NEW:
        text = "NEW: no entry has these addresses and ports"
        if entry and entry.confirmed:
            text = "NEW: repeated, not answered yet"
    elif state is CtState.INVALID:
        text = "INVALID: it belongs to no connection and cannot begin one"
    else:
        text = f"{state}: it belongs to a known connection"
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.CONNTRACK,
        text,
        cause=ConntrackCause(entry=line, state=state.value, reason=entry.reason if entry else None),
        device=where.device,
        hook=where.hook,
        before=before,
    )
