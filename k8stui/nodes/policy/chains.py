"""By which names of chains, and by which words in comments, policy engines' rules are known.

Sources: kube-router pkg/controllers/netpol (network_policy_controller.go, policy.go, pod.go);
Calico felix/rules/rule_defs.go; weave npc/constants.go; Azure npm/pkg/dataplane.
"""

from __future__ import annotations

from collections.abc import Mapping

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
