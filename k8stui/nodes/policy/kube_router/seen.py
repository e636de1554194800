"""What a dump says of kube-router: which chain is whose.

The names of its chains hash the time of a sync, so that no one can work them out; but the rules say
in comments for whom a chain is.

Source: pod.go podFirewallChainName, policy.go networkPolicyChainName, comments.go;
docs/facts/policy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.kernel.rules import Chain, Ruleset

POD, POLICY = "KUBE-POD-FW-", "KUBE-NWPLCY-"
_TO = re.compile(r" -j (KUBE-(?:POD-FW|NWPLCY)-[A-Z2-7]{16})$")
_PODS = (
    re.compile(
        r'--comment "rule to jump traffic .* POD name:(?P<name>\S+) namespace: (?P<in>\S+) '
    ),
    re.compile(r'--comment "(?P<in>[^/ "]+)/(?P<name>\S+) (?:in|out)"'),
)
"""Rules that jump to a pod's chain: as k3s has them, and upstream."""
_POLICIES = (
    re.compile(
        r'--comment "rule to ACCEPT .* policy name:? (?P<name>\S+) namespace (?P<in>[^"]+)"'
    ),
    re.compile(r'--nflog-prefix "DROP by policy (?P<in>[^/ "]+)/(?P<name>[^"]+)"'),
    re.compile(r'--comment "(?P<in>[^/ "]+)/(?P<name>\S+) (?:ingress|egress) '),
)
"""Rules in a policy's chain."""
_CALLED = (
    re.compile(r'--comment "run through nw policy (?P<name>[^"]+)"'),
    re.compile(r'--comment "(?P<in>[^/ "]+)/(?P<name>\S+) policy"'),
)
"""Rules in a pod's chain that jump to a policy's."""

Names = Mapping[tuple[str, str, str], str]
"""(`POD` or `POLICY`, namespace, name) → the chain."""


def names(ruleset: Ruleset | None) -> Names:
    """For whom each of the dump's chains is, as far as its rules say."""
    table = ruleset.tables.get("filter") if ruleset is not None else None
    return dict(_named(table.chains)) if table is not None else {}


def _named(chains: Mapping[str, Chain]) -> Iterator[tuple[tuple[str, str, str], str]]:
    namespaces: dict[str, str] = {}
    for name in chains:
        if name.startswith("KUBE-ROUTER-"):
            for rule in chains[name].rules:
                to, pod = _TO.search(rule.text), _first(_PODS, rule.text)
                if to and pod:
                    namespaces[to[1]] = pod["in"]
                    yield (POD, pod["in"], pod["name"]), to[1]
    for name in chains:
        if name.startswith(POD):
            for rule in chains[name].rules:
                to, policy = _TO.search(rule.text), _first(_CALLED, rule.text)
                if to and policy:
                    namespace = policy.groupdict().get("in") or namespaces.get(name, "")
                    yield (POLICY, namespace, policy["name"]), to[1]
        elif name.startswith(POLICY):
            found = (_first(_POLICIES, rule.text) for rule in chains[name].rules)
            policy = next(filter(None, found), None)
            if policy:
                yield (POLICY, policy["in"], policy["name"]), name


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> re.Match[str] | None:
    return next(filter(None, (one.search(text) for one in patterns)), None)
