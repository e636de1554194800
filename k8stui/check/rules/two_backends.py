"""A real node has rules of both of iptables' back ends: legacy ones beside those of nft.

The kernel asks both, and no tool shows both: what one program has written, the other does not see,
so a DROP or an old DNAT in the tables that nobody looks at stays for ever. kube-proxy and plug-ins
choose a back end each in their own image (iptables-wrapper).

A warning where one program's rules stand in both: those of one are left over, and nobody renews
them. Else an information. Does not apply where the other back end's tables are empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.state import seen_at, state_place
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.writers import writers

ID = "two-backends"


def look(ground: Ground) -> Iterator[Finding]:
    network = ground.world.network
    for name in network.observed:
        others = network[name].other_rulesets
        for version, other in others.items():
            if _is_used(other):
                yield _finding(ground, name, version, other)
        said = network.remarks_of(ground.cluster.nodes[name])
        if not others and any("legacy tables present" in one for one in said):
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=f"Node {name}",
                place=state_place(ground, name),
                why="iptables-legacy tables are present beside these rules, and were not collected",
                fix=f"look at them on {name}: iptables-legacy-save",
            )


def _is_used(ruleset: Ruleset) -> bool:
    return any(
        chain.rules or chain.policy == "DROP"
        for table in ruleset
        for chain in table.chains.values()
    )


def _finding(ground: Ground, name: str, version: int, other: Ruleset) -> Finding:
    node = ground.cluster.nodes[name]
    seen = ground.world.network.observed_ruleset(node, version)
    both = sorted(writers(other) & (writers(seen) if seen is not None else frozenset()))
    count = sum(len(chain.rules) for table in other for chain in table.chains.values())
    reasons = (chain.reason for table in other for chain in table.chains.values())
    whose = f": {' and '.join(both)} wrote into both" if both else ""
    return Finding(
        rule=ID,
        severity=Severity.WARNING if both else Severity.INFO,
        subject=f"Node {name}",
        place=seen_at(ground, name, next(filter(None, reasons), None)),
        why=f"iptables' other back end has {count} rules too, and packets meet both{whose}",
        fix="what is not renewed is left over: take it out with the tool of its own back end "
        "(iptables-legacy-save, iptables-nft-save show which is which), or start the node again",
    )


RULE = CheckRule(
    id=ID,
    summary="A node has rules of both of iptables' back ends",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
