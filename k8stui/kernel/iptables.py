"""The tables of iptables at the hooks, each built-in chain with its table's priority.

net/ipv4/netfilter/iptable_{raw,mangle,filter,nat}.c and their likes of IPv6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from k8stui.kernel.hooks import Priority, Registration
from k8stui.kernel.host import HookFunction
from k8stui.kernel.passage import carried_out, passed, routed_again
from k8stui.kernel.rules import BUILTIN_CHAINS, Ruleset, Table
from k8stui.kernel.step import Hook
from k8stui.kernel.tracking import MANIP
from k8stui.kernel.translation import PRIORITY, Lookup

_PRIORITIES = {"raw": Priority.RAW, "mangle": Priority.MANGLE, "filter": Priority.FILTER}
_NAT = "nat"


def registrations(family: int, ruleset: Ruleset) -> Iterator[Registration[HookFunction]]:
    """Each chain that has something to say, but those of the nat table."""
    for hook, table in _speaking(ruleset):
        if table.name in _PRIORITIES:
            # iptable_mangle.c ipt_mangle_out
            is_route = table.name == "mangle" and hook is Hook.OUTPUT
            function = partial(routed_again if is_route else carried_out, partial(passed, table))
            yield Registration(family, hook, _PRIORITIES[table.name], function)


def nat_lookups(family: int, ruleset: Ruleset) -> Iterator[Registration[Lookup]]:
    """What NAT asks (iptable_nat.c nf_nat_ipv4_ops)."""
    for hook, table in _speaking(ruleset):
        if table.name == _NAT and hook in MANIP:
            yield Registration(family, hook, PRIORITY[MANIP[hook]], partial(passed, table))


def _speaking(ruleset: Ruleset) -> Iterator[tuple[Hook, Table]]:
    for table in ruleset:
        for name in BUILTIN_CHAINS.get(table.name, ()):
            chain = table.chains.get(name)
            if chain is not None and (chain.policy == "DROP" or len(chain.rules)):
                yield Hook(name), table
