"""Tables of iptables-nft beside those of nftables' own (iptables/nft.c xtables_ipv4).

iptables-nft-save shows them whole. ``nft list ruleset`` shows of their rules what it can put into
its own words: a match or a target that it cannot is left out of the line, or is ``xt match …``.
"""

from __future__ import annotations

from k8stui.kernel.nft_ruleset import NftRuleset, NftTable
from k8stui.kernel.rules import BUILTIN_CHAINS

_NAMES = frozenset({*BUILTIN_CHAINS, "security"})
IP_VERSIONS = {"ip": 4, "ip6": 6}
"""By the families that iptables' tables are of."""
_CHAINS = frozenset({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})


def is_of_iptables(table: NftTable) -> bool:
    """Whether iptables-nft made a table: its names, its built-in chains, and no sets."""
    return (
        table.family in IP_VERSIONS
        and table.name in _NAMES
        and not len(table.sets)
        and all(chain.name in _CHAINS for chain in table.base_chains)
    )


def of_iptables(ruleset: NftRuleset) -> tuple[NftTable, ...]:
    """The tables that iptables-nft made."""
    return tuple(one for one in ruleset.tables if is_of_iptables(one))


def own(ruleset: NftRuleset) -> NftRuleset:
    """The tables of nftables' own."""
    return NftRuleset(tuple(one for one in ruleset.tables if not is_of_iptables(one)))


def leaves_out(text: str) -> bool:
    """Whether something of a rule is not shown: nothing stands between two blanks."""
    if text != text.strip():
        return True
    return "  " in "x".join(text.split('"')[::2])
