"""By which names of chains, and by which words in comments, policy engines' rules are known.

Sources: kube-router pkg/controllers/netpol (network_policy_controller.go, policy.go, pod.go);
Calico felix/rules/rule_defs.go; weave npc/constants.go; Azure npm/pkg/dataplane.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8stui.kernel.rules import Rule

CHAINS: Mapping[str, str] = {
    "KUBE-ROUTER-": "kube-router",
    "KUBE-POD-FW-": "kube-router",
    "KUBE-NWPLCY-": "kube-router",
    "cali-": "calico",
    "WEAVE-NPC": "Weave Net's policies",
    "AZURE-NPM": "Azure's policies",
}
"""Beginnings of the names of chains."""

WORDS: Mapping[str, str] = {
    '"KUBE-ROUTER rule ': "kube-router",
    '"kube-router netpol ': "kube-router",
    '"cali:': "calico",
}
"""What stands in rules of built-in chains that jump to no chain of theirs."""

_OF_A_POLICY = re.compile(r" -j KUBE-NWPLCY-(?!COMMON$|DEFAULT$|TAIL$)")


def interchangeable(chain: str, rule: Rule) -> str:
    """Of which group a rule is that may stand before or behind the others of its kind; else empty.

    kube-router takes pods, and the policies of each, from maps (pod.go, policy.go).
    """
    if chain.startswith("KUBE-ROUTER-"):
        return (rule.reason.pod or "") if rule.reason is not None else ""
    is_jump = chain.startswith("KUBE-POD-FW-") and _OF_A_POLICY.search(rule.text)
    return rule.text if is_jump else ""
