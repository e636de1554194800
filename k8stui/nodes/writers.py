"""Who writes a chain, or a rule in a chain that all share: told by names, as programs give them.

A chain of one's own is known by the beginning of its name. A rule in a built-in chain is known by
the chain that it jumps to, else by what its maker calls it. A rule that nobody is known by is the
host's own: a firewall's, or somebody's at a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.kernel.rules import BUILTIN_CHAINS, Rule, Ruleset
from k8stui.nodes.cni import chains
from k8stui.nodes.policy.chains import CHAINS as OF_POLICIES
from k8stui.nodes.policy.chains import WORDS as POLICIES_WORDS

KUBE_PROXY, KUBELET = "kube-proxy", "kubelet"
_CHAINS = {
    "KUBE-FIREWALL": KUBELET,
    "KUBE-KUBELET-CANARY": KUBELET,
    "KUBE-IPTABLES-HINT": KUBELET,
    "KUBE-MARK-DROP": KUBELET,
    **OF_POLICIES,
    **chains.CHAINS,
    "KUBE-": KUBE_PROXY,
    "ISTIO_": "Istio",
    "PROXY_INIT_": "Linkerd",
    "IP-MASQ": "ip-masq-agent",
    "ufw-": "ufw",
    "ufw6-": "ufw",
    "IN_": "firewalld",
    "FWDI_": "firewalld",
    "FWDO_": "firewalld",
    "FWD_": "firewalld",
    "FORWARD_": "firewalld",
    "INPUT_": "firewalld",
    "OUTPUT_": "firewalld",
    "PREROUTING_": "firewalld",
    "POSTROUTING_": "firewalld",
    "PRE_": "firewalld",
    "POST_": "firewalld",
    "f2b-": "fail2ban",
    "LIBVIRT_": "libvirt",
    "NETAVARK": "podman",
}
"""In the order in which they are tried: kube-proxy's beginning is everybody's."""
_WORDS = {'"NodeLocal DNS Cache: ': "node-local DNS", **POLICIES_WORDS, **chains.WORDS}
_JUMP = re.compile(r" -[jg] (\S+)")
_BUILT_IN = frozenset(name for names in BUILTIN_CHAINS.values() for name in names)


def writer_of(chain: str, rule: Rule | None = None) -> str:
    """Who wrote the rule, or made the chain; empty: nobody that is known by it."""
    if chain not in _BUILT_IN:
        return _by_name(chain)
    if rule is None:
        return ""
    target = _JUMP.search(rule.text)
    known = _by_name(target[1]) if target is not None else ""
    return known or next((who for said, who in _WORDS.items() if said in rule.text), "")


def writers(ruleset: Ruleset) -> frozenset[str]:
    """All who are known to have written something there."""
    return frozenset(_writers(ruleset)) - {""}


def _writers(ruleset: Ruleset) -> Iterator[str]:
    for table in ruleset:
        for name in table.chains:
            if name not in _BUILT_IN:
                yield _by_name(name)
                continue
            for rule in table.chains[name].rules:
                yield writer_of(name, rule)


def _by_name(chain: str) -> str:
    return next((who for start, who in _CHAINS.items() if chain.startswith(start)), "")
