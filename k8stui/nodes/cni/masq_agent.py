"""A masquerading agent's chain: what goes to its ranges keeps its address, all else does not.

Source: kubernetes-sigs/ip-masq-agent cmd/ip-masq-agent/ip-masq-agent.go (NewMasqConfig,
syncMasqRules, postroutingJumpComment). kindnetd's masq.go and the start-up of GCE's nodes
(kubernetes cluster/gce/gci/configure-helper.sh config-ip-firewall) write the same under names of
their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.because import Because
from k8stui.kernel.address import Prefix
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.origin import Origin


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
