"""nftables at the hooks: each base chain with its own priority; NAT asks those of type nat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from k8stui.kernel.hooks import HookState, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.iptables import carried_out
from k8stui.kernel.nft.traverse import traverse
from k8stui.kernel.nft_ruleset import NftChain, NftRuleset, NftTable
from k8stui.kernel.passage import context_of, kept
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook
from k8stui.kernel.tracking import MANIP
from k8stui.kernel.translation import Lookup
from k8stui.kernel.traverse import Traversal

_TRACKING = frozenset({"ct", "dnat", "snat", "masquerade", "redirect"})


def registrations(family: int, ruleset: NftRuleset) -> Iterator[Registration[HookFunction]]:
    """Base chains that filter."""
    for table, chain in ruleset.base_chains(family):
        if not chain.is_nat:
            asked = partial(_passed, table, chain)
            function = partial(carried_out, asked)
            yield Registration(family, Hook(chain.hook or ""), chain.priority, function)


def nat_lookups(family: int, ruleset: NftRuleset) -> Iterator[Registration[Lookup]]:
    """Base chains that NAT asks."""
    for table, chain in ruleset.base_chains(family):
        hook = Hook(chain.hook or "")
        if chain.is_nat and hook in MANIP:
            asked = partial(_passed, table, chain)
            yield Registration(family, hook, chain.priority, asked)


def needs_tracking(ruleset: NftRuleset) -> bool:
    """Whether a rule needs connection tracking (nft_ct_get_init, nft_nat_init …)."""
    return any(
        _speaks_of(statement)
        for table in ruleset.tables
        for chain in table.chains.values()
        for rule in chain.rules
        for statement in rule
    )


def _speaks_of(said: object) -> bool:
    if isinstance(said, Mapping):
        return any(key in _TRACKING or _speaks_of(value) for key, value in said.items())
    if isinstance(said, Sequence) and not isinstance(said, str):
        return any(map(_speaks_of, said))
    return False


def _passed(table: NftTable, chain: NftChain, host: Host, skb: Skb, where: HookState) -> Traversal:
    result = traverse(table, chain, skb.packet, context_of(host, skb, where))
    return kept(result, host, skb, where)
