"""Chains of nftables that packets of an exchange were in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.nft_ruleset import NftChain, NftTable
from k8stui.kernel.step import RuleCause, Step


def visited(
    space: NetNamespace, steps: Iterable[Step]
) -> Iterator[tuple[NftTable, NftChain, bool]]:
    """The base chains, and what rules led to; True: packets were there on behalf of nat alone.

    `steps`: those in that namespace count.
    """
    leads: dict[tuple[str, str], dict[str, None]] = {}
    for step in steps:
        cause = step.cause
        if isinstance(cause, RuleCause) and step.namespace == space.name and cause.leads:
            leads.setdefault((cause.table, cause.chain.name), {})[cause.leads] = None
    for table in space.nft.tables if space.nft is not None else ():
        known: dict[str, bool] = {}
        left = [
            (one.name, one.base is not None and one.base.type == "nat")
            for one in (table.base_chains if table.versions else ())
        ]
        while left:
            name, is_nat = left.pop()
            if name in known and (is_nat or not known[name]):
                continue
            known[name] = is_nat
            left += [(other, is_nat) for other in leads.get((table.called, name), ())]
        for name, is_nat in known.items():
            found = table.chains.get(name)
            if found is not None:
                yield table, found, is_nat
