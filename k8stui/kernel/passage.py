"""One packet through one table at a hook, written down: the steps, the forks, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.hooks import Blocked, HookState
from k8stui.kernel.host import Host
from k8stui.kernel.packet import Packet
from k8stui.kernel.routing import Decision, Fate
from k8stui.kernel.rules import Table
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.kernel.traverse import (
    Accept,
    CannotEvaluate,
    PacketContext,
    Reject,
    Traversal,
    traverse,
)

Asked = Callable[[Host, Skb, HookState], Traversal]
"""What a chain says of a packet at a hook."""


def passed(table: Table, host: Host, skb: Skb, where: HookState) -> Traversal:
    """Send the packet through the table's chain of the hook; it keeps what the rules did to it."""
    result = traverse(table, where.hook.value, skb.packet, context_of(host, skb, where))
    return kept(result, host, skb, where)


def kept(result: Traversal, host: Host, skb: Skb, where: HookState) -> Traversal:
    """Write down what a chain did, and keep on the packet what its rules set."""
    journal = host.simulation.journal
    visits = result.visits
    is_ended = not isinstance(result.verdict, Accept)
    if is_ended and visits and visits[-1].cause is result.cause:
        # The rule with the verdict gets a step of its own, with what came of it.
        visits = visits[:-1]
    for visit in visits:
        skb.packet = visit.after
        journal.step(
            host.name,
            skb,
            visit.kind,
            visit.cause.rule.text if visit.cause.rule else "",
            cause=visit.cause,
            device=where.device,
            hook=where.hook,
            before=visit.before,
        )
    skb.packet = result.packet
    journal.forks.extend(result.forks)
    if skb.entry:
        skb.entry.mark = result.ct_mark
    if result.untracked and skb.ct_state is None:
        skb.ct_state = CtState.UNTRACKED
    return result


def carried_out(asked: Asked, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """Do what a chain that does not translate says."""
    result = asked(host, skb, where)
    verdict = result.verdict
    if isinstance(verdict, Accept):
        return None
    if isinstance(verdict, Reject):
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.REJECT,
            f"rejected with {verdict.with_}",
            cause=result.cause,
            device=where.device,
            hook=where.hook,
        )
        return Blocked(reject=verdict.with_)
    if isinstance(verdict, CannotEvaluate):
        unknown(host, skb, where, result, verdict)
    else:
        ended(host, skb, where, result, "dropped")
    return Blocked()


def routed_again(asked: Asked, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """The same, and the node's own packet is routed again if its mark has changed.

    Of what a route depends on, a rule can change the mark (ip_route_me_harder).
    """
    before = skb.packet
    blocked = carried_out(asked, host, skb, where)
    if blocked or where.reroute is None or before.mark == skb.packet.mark:
        return blocked
    errno = where.reroute()
    return Blocked(errno=errno) if errno else None


def context_of(host: Host, skb: Skb, where: HookState) -> PacketContext:
    """What netfilter knows of a packet at a hook besides its header."""
    entry = skb.entry

    way = skb.decision
    if way is None or way.device != where.out_device:
        way = Decision(Fate.FORWARD, device=where.out_device or "")  # a bridge's fake_rtable
    context = PacketContext(
        hook=where.hook,
        namespace=host.name,
        in_device=where.in_device,
        out_device=where.out_device,
        physical_in=skb.physical_in,
        physical_out=where.physical_out,
        address_type=host.routing.address_type,
        reverse_path=partial(host.routing.leads_back, device=where.in_device),
        stranger=host.namespace.stranger,
        sets=host.namespace.sets,
        recent=host.recent,
        path_mtu=partial(_path_mtu, host, way),
        choose=host.simulation.choose,
        ct_state=(skb.ct_state or CtState.INVALID).value,
    )
    asker, uid = host.simulation.asker
    if uid is not None and skb.device is None and asker == host.name and skb.is_asked:
        context.socket_uid = context.socket_gid = uid
    if entry is not None:
        context.ct_dnat = entry.dnat
        context.ct_snat = entry.snat
        context.ct_seen_reply = entry.seen_reply
        context.ct_assured = entry.assured
        context.ct_confirmed = entry.confirmed
        context.ct_mark = entry.mark
        context.ct_reply = skb.ct_reply
        context.original = entry.first
    return context


def _path_mtu(host: Host, way: Decision, packet: Packet) -> int:
    """Of the way out and of that back to the sender (xt_TCPMSS.c tcpmss_reverse_mtu)."""
    ways = (way, host.routing.outgoing(packet.src))
    return min(filter(None, map(host.mtu, ways)), default=0)


def ended(host: Host, skb: Skb, where: HookState, result: Traversal | None, what: str) -> None:
    """Write down that the packet ends here, and by which rule if by one."""
    cause = result.cause if result else None
    text = f"{what} by {_place(cause)}" if cause else what
    host.simulation.journal.loss(
        host.name, skb, text, cause=cause, device=where.device, hook=where.hook
    )


def unknown(
    host: Host, skb: Skb, where: HookState, result: Traversal, verdict: CannotEvaluate
) -> None:
    """Write down what cannot be evaluated; the walk ends with that."""
    cause = verdict.cause
    text = f"cannot evaluate {verdict.what}"
    host.simulation.journal.step(
        host.name,
        skb,
        StepKind.UNKNOWN,
        text,
        cause=result.cause or cause,
        device=where.device,
        hook=where.hook,
    )
    host.simulation.cannot = f"{text}: {cause.rule.text}" if cause.rule else text


def _place(cause: RuleCause) -> str:
    chain = f"{cause.table} {cause.chain.name}"
    return f"{chain} rule {cause.index}" if cause.rule else f"the policy of {chain}"
