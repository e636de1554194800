"""nftables at the hooks: each base chain with its own priority; NAT asks those of type nat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from k8stui.kernel.hooks import Blocked, HookState, Priority, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.nft.traverse import traverse
from k8stui.kernel.nft_ruleset import NftChain, NftRuleset, NftTable
from k8stui.kernel.passage import carried_out, context_of, kept, routed_again
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook, RuleCause
from k8stui.kernel.tracking import MANIP
from k8stui.kernel.translation import Lookup
from k8stui.kernel.traverse import Traversal
from k8stui.kernel.verdict import CannotEvaluate

_TRACKING = re.compile(r"(?<![\w-])(?:ct|dnat|snat|masquerade|redirect)(?![\w-])")
_HOOKS = {hook.value.lower(): hook for hook in Hook}
_AT_A_DEVICE = {
    "ingress": (Hook.PREROUTING, -(2**31)),
    "egress": (Hook.POSTROUTING, Priority.CONNTRACK_CONFIRM),
}
"""Before all that IP does, and after (include/linux/netfilter_netdev.h)."""
_NO_DEVICE = "at which device it stands is not said (nft -j leaves it out)"


def registrations(family: int, ruleset: NftRuleset) -> Iterator[Registration[HookFunction]]:
    """Base chains that filter."""
    for table, chain in _in_order(family, ruleset):
        base = chain.base
        assert base is not None
        asked = partial(_passed, table, chain)
        if base.hook in _AT_A_DEVICE:
            hook, priority = _AT_A_DEVICE[base.hook]
            function = partial(_at_a_device, asked, base.devices)
            if not base.devices:
                function = partial(carried_out, partial(_not_known, table, chain, _NO_DEVICE))
            yield Registration(family, hook, priority, function)
        elif base.hook in _HOOKS and base.type != "nat":
            hook = _HOOKS[base.hook]
            is_route = base.type == "route" and hook is Hook.OUTPUT
            function = partial(routed_again if is_route else carried_out, asked)
            yield Registration(family, hook, base.priority, function)


def nat_lookups(family: int, ruleset: NftRuleset) -> Iterator[Registration[Lookup]]:
    """Base chains that NAT asks."""
    for table, chain in _in_order(family, ruleset):
        base = chain.base
        assert base is not None
        hook = _HOOKS.get(base.hook)
        if base.type == "nat" and hook is not None and hook in MANIP:
            asked = partial(_passed, table, chain)
            yield Registration(family, hook, base.priority, asked)


def not_modelled(family: int, ruleset: NftRuleset) -> Iterator[Registration[HookFunction]]:
    """Base chains of the families `bridge` and `arp`: what they make of a frame is not known."""
    for table, chain in _in_order(family, ruleset):
        base = chain.base
        assert base is not None
        hook = _HOOKS.get(base.hook)
        if hook is not None:
            asked = partial(_not_known, table, chain, f"family {table.family} is not modelled")
            yield Registration(family, hook, base.priority, partial(carried_out, asked))


def _not_known(
    table: NftTable, chain: NftChain, why: str, _: Host, skb: Skb, __: HookState
) -> Traversal:
    rule = next(iter(chain.chain.rules), None)
    cause = RuleCause(table=table.called, chain=chain.chain, index=int(rule is not None), rule=rule)
    verdict = CannotEvaluate(cause, f"chain {table.called} {chain.name}: {why}")
    return Traversal(verdict=verdict, cause=cause, packet=skb.packet, ct_mark=0)


def _in_order(family: int, ruleset: NftRuleset) -> Sequence[tuple[NftTable, NftChain]]:
    """Of two with one priority the later comes first (nf_hook_entries_grow)."""
    return [*ruleset.base_chains(family)][::-1]


def needs_tracking(ruleset: NftRuleset) -> bool:
    """Whether a rule needs connection tracking (nft_ct_get_init, nft_nat_init …)."""
    return any(map(_needs_tracking, ruleset.tables))


def _needs_tracking(table: NftTable) -> bool:
    if any(chain.base is not None and chain.base.type == "nat" for chain in table.base_chains):
        return True  # nf_tables_register_hook: nf_nat registers, and takes conntrack along
    return any(
        _TRACKING.search(rule.text.partition(' comment "')[0])
        for chain in table.chains.values()
        for rule in chain.chain.rules
    )


def _at_a_device(
    asked: Lookup, devices: tuple[str, ...], host: Host, skb: Skb, where: HookState
) -> Blocked | None:
    # A port of a bridge takes a frame in before the bridge does.
    if {where.device, skb.physical_in}.isdisjoint(devices):
        return None
    return carried_out(asked, host, skb, where)


def _passed(table: NftTable, chain: NftChain, host: Host, skb: Skb, where: HookState) -> Traversal:
    result = traverse(table, chain, skb.packet, context_of(host, skb, where))
    return kept(result, host, skb, where)
