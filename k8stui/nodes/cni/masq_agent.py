"""A masquerading agent's chain: what goes to its ranges keeps its address, all else does not.

Source: kubernetes-sigs/ip-masq-agent cmd/ip-masq-agent/ip-masq-agent.go (NewMasqConfig,
syncMasqRules, postroutingJumpComment, linkLocalCIDR); Azure/ip-masq-agent-v2, which merges all its
ConfigMaps. kindnetd's masq.go and the start-up of GCE's nodes
(kubernetes cluster/gce/gci/configure-helper.sh config-ip-firewall) write the same under names of
their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8stui.apiserver.fields import texts
from k8stui.because import Because
from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Cluster
from k8stui.kernel.address import Prefix
from k8stui.kernel.rules import Chain, Rule
from k8stui.manifests.embedded import embedded
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.origin import Origin

AGENT = "ip-masq-agent"
_LINK_LOCAL = "169.254.0.0/16"


def configured_ranges(cluster: Cluster) -> tuple[Sequence[Prefix], Origin] | None:
    """The IPv4 ranges that the agent's ConfigMaps keep; None: the input has none of them.

    The link-local one is the first, unless masqLinkLocal.
    """
    maps = [one for key, one in cluster.config_maps.items() if AGENT in key]
    found = [each for one in maps for key in one.data for each in embedded(one.manifest, key)]
    if not found:
        return None
    masks = any(one.data.get("masqLinkLocal") is True for one in found)
    written = [text for one in found for text in texts(one.data, "nonMasqueradeCIDRs")]
    ranges = prefixes(dict.fromkeys([*([] if masks else [_LINK_LOCAL]), *written]))
    return [one for one in ranges if one.address.version == 4], found[0].origin()


def masq_agent(
    owner: str,
    agent: str,
    chain: str,
    kept: Iterable[Prefix],
    origin: Origin,
    *,
    comments_first: bool = True,
) -> Contribution:
    """The chain and its jump. `agent`: what its comments begin with; `kept`: its ranges.

    `comments_first`: of the jump's matches.
    """

    def rule(text: str, why: str) -> Rule:
        return Rule(text, Because(text=why, origin=origin, owner=owner))

    def said(text: str) -> str:
        return f'-m comment --comment "{agent}: {text}"'

    rules = [
        rule(
            f"-A {chain} -d {prefix} {said('local traffic is not subject to MASQUERADE')} "
            "-j RETURN",
            f"what goes to {prefix} keeps its address",
        )
        for prefix in kept
    ]
    outbound = said("outbound traffic is subject to MASQUERADE (must be last in chain)")
    rules.append(
        rule(f"-A {chain} {outbound} -j MASQUERADE", "all else leaves with the node's address")
    )
    directs = said(
        "ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom "
        f"{chain} chain"
    )
    matches = [directs, "-m addrtype ! --dst-type LOCAL"]
    jump = rule(
        f"-A POSTROUTING {' '.join(matches if comments_first else reversed(matches))} -j {chain}",
        f"{owner} masquerades what leaves for others",
    )
    part = TablePart(chains={chain: Chain(chain, tuple(rules))}, jumps=(Jump("POSTROUTING", jump),))
    return Contribution(owner, {"nat": part})
