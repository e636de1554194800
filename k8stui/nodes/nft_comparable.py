"""Tables of nftables in the shape in which rulesets are compared: a set is a chain of its elements.

The chains of Services come in Go's map order (kube-proxy pkg/proxy/nftables/proxier.go): which one
comes first tells nothing. What packets put into a dynamic set is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from k8stui.kernel.nft_ruleset import NftRuleset, NftTable
from k8stui.kernel.rules import Chain, Ruleset, Table


def comparable(ruleset: NftRuleset, version: int | None = None) -> Ruleset:
    """By the names that steps have: ``ip kube-proxy``, ``@service-ips``."""
    return Ruleset(
        {
            one.called: Table(one.called, {chain.name: chain for chain in _chains(one)})
            for one in ruleset.tables
            if version is None or version in one.versions
        }
    )


def _chains(table: NftTable) -> Iterator[Chain]:
    for one in table.sets.values():
        yield replace(one, elements=()).chain if "dynamic" in one.flags else one.chain
    for chain in table.chains.values():
        yield Chain(chain.name, chain.chain.rules, reason=chain.chain.reason)
