"""The tables of iptables at the hooks, each built-in chain with its table's priority.

net/ipv4/netfilter/iptable_{raw,mangle,filter,nat}.c and their likes of IPv6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.passage import ended, passed, unknown
from k8stui.kernel.rules import BUILTIN_CHAINS, Ruleset, Table
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, StepKind
from k8stui.kernel.tracking import MANIP
from k8stui.kernel.translation import Lookup
from k8stui.kernel.traverse import Accept, CannotEvaluate, Reject

_PRIORITIES = {"raw": Priority.RAW, "mangle": Priority.MANGLE, "filter": Priority.FILTER}
_NAT = "nat"


def registrations(family: int, ruleset: Ruleset) -> Iterator[Registration[HookFunction]]:
    """Each chain that has something to say, but those of the nat table."""
    for hook, table in _speaking(ruleset):
        if table.name in _PRIORITIES:
            function = _mangle_out if table.name == "mangle" and hook is Hook.OUTPUT else _ask
            yield Registration(family, hook, _PRIORITIES[table.name], partial(function, table))


def nat_lookups(family: int, ruleset: Ruleset) -> Iterator[Registration[Lookup]]:
    """What NAT asks (iptable_nat.c nf_nat_ipv4_ops)."""
    for hook, table in _speaking(ruleset):
        if table.name == _NAT and hook in MANIP:
            yield Registration(family, hook, 0, partial(passed, table))


def _speaking(ruleset: Ruleset) -> Iterator[tuple[Hook, Table]]:
    for table in ruleset:
        for name in BUILTIN_CHAINS.get(table.name, ()):
            chain = table.chains.get(name)
            if chain is not None and (chain.policy == "DROP" or len(chain.rules)):
                yield Hook(name), table


def _mangle_out(table: Table, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    # iptable_mangle.c ipt_mangle_out: of what a route depends on, a rule here can change the mark.
    before = skb.packet
    blocked = _ask(table, host, skb, where)
    if blocked or where.reroute is None or before.mark == skb.packet.mark:
        return blocked
    errno = where.reroute()
    return Blocked(errno=errno) if errno else None


def _ask(table: Table, host: Host, skb: Skb, where: HookState) -> Blocked | None:
    return carried_out(partial(passed, table), host, skb, where)


def carried_out(asked: Lookup, host: Host, skb: Skb, where: HookState) -> Blocked | None:
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
