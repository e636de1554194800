"""What a table of kube-proxy's in a dump tells of its configuration.

Source: pkg/proxy/nftables/proxier.go (syncProxyRules: the rule about @cluster-ips; setupNFTables:
the ranges of the Services).
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.kernel.address import Prefix
from k8stui.kernel.nft import mentions
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.expressions.meta import Meta
from k8stui.kernel.nft.expressions.payload import Payload
from k8stui.kernel.nft.literal import Beginning, Literal, Network
from k8stui.kernel.nft.statements.match import Match
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.rules import Rule
from k8stui.nodes.kubeproxy.outsiders import Outsiders

_CLUSTER_IPS = "cluster-ips"


def outsiders(table: NftTable, dispatch: Sequence[Rule]) -> Outsiders | None:
    """What its first chain says; None where it knows no Service."""
    ips = table.sets.get(_CLUSTER_IPS)
    if ips is None or not ips.elements:
        return None
    for rule in dispatch:
        if _CLUSTER_IPS in mentions.sets(rule.text):
            return _told(rule)
    return Outsiders(rule=dispatch[0], are_none=True)


def _told(rule: Rule) -> Outsiders:
    for test in statements(rule.text):
        if not isinstance(test, Match) or test.operator != "!=":
            continue
        match test.left, test.right:
            case Payload(field="saddr"), Network(prefix=prefix):
                return Outsiders(rule=rule, beyond=str(prefix))
            case Meta(key="iifname"), Literal(raw=str(name)):
                return Outsiders(rule=rule, not_by=name)
            case Meta(key="iifname"), Beginning(text=name):
                return Outsiders(rule=rule, not_by=name, is_start=True)
    return Outsiders(rule=rule)


def service_ranges(rules: Sequence[Rule]) -> dict[Prefix, Rule]:
    """The networks of which the chain ``cluster-ips-check`` drops what no Service has."""
    return {network: rule for rule in rules for network in mentions.networks(rule.text)}
