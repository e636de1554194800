"""Programs that judge packets by rules of their own, where they meet them.

An eBPF program on a device, a switch outside of the kernel, a process behind a queue: what they
know is not netfilter's, what they do to a packet is. Each remembers the connections that it let
through; here connection tracking does that for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import Judge, JudgesAt
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, JudgeCause, StepKind

_HOOKS: Mapping[JudgesAt, Mapping[Hook, Priority]] = {
    JudgesAt.DEVICES: {
        Hook.PREROUTING: Priority.JUDGE_INCOMING,
        Hook.POSTROUTING: Priority.JUDGE_OUTGOING,
    },
    JudgesAt.POSTROUTING: {Hook.POSTROUTING: Priority.JUDGE_QUEUE},
}
_KINDS = {True: StepKind.RULE, False: StepKind.REJECT, None: StepKind.UNKNOWN}


def registrations(family: int, judges: Iterable[Judge]) -> Iterator[Registration[HookFunction]]:
    """Judges at the hooks where they meet packets."""
    for one in judges:
        for hook, priority in _HOOKS[one.at].items():
            yield Registration(family, hook, priority, partial(_judge, one))


def bridged(host: Host, skb: Skb, in_device: str, out_device: str) -> Blocked | None:
    """A frame that a bridge passes on without br_netfilter: judges on devices see it all the same.

    None: it may go on.
    """
    judges = [one for one in host.namespace.judges if one.at is JudgesAt.DEVICES]
    if not judges or skb.arp:
        return None
    found = host.conntrack.look_up(skb.packet, host.simulation.events.now)
    if found.state is not CtState.NEW:
        return None
    for one in judges:
        for hook in _HOOKS[one.at]:
            where = HookState(hook, in_device, out_device)
            blocked = _ask(one, host, skb, where)
            if blocked:
                return blocked
    if found.entry is not None:
        host.conntrack.confirm(found.entry)
    return None


def _judge(judge: Judge, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    """What begins a connection and only goes through is judged."""
    packet = skb.packet
    if skb.ct_state is not CtState.NEW:
        return None
    is_local = host.routing.address_type
    if is_local(packet.dst, None) == "LOCAL" or is_local(packet.src, None) == "LOCAL":
        return None
    return _ask(judge, host, skb, where)


def _ask(judge: Judge, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    journal = host.simulation.journal
    for said in judge.says(skb.packet, where.hook is Hook.PREROUTING):
        cause = JudgeCause(name=judge.name, reason=said.reason)
        if said.passes is False and said.reject is None:
            journal.loss(
                host.name, skb, said.text, cause=cause, device=where.device, hook=where.hook
            )
            return Blocked()
        kind = _KINDS[said.passes]
        journal.step(
            host.name, skb, kind, said.text, cause=cause, device=where.device, hook=where.hook
        )
        if said.passes is None:
            host.simulation.cannot = said.text
            return Blocked()
        if not said.passes:
            return Blocked(reject=said.reject)
    return None
