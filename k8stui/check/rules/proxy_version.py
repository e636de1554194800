"""The rules of a real node are not of the kube-proxy that its Node reports.

An upgrade that did not reach the node's kube-proxy, or an older one's rules that nobody renews: the
rules of both versions work, but what a later one mended is not there, and what changes from now on
may not get there. Told by shapes that only some versions write.

A warning. Does not apply where the Node reports no version (status.nodeInfo), nor to nodes without
rules of kube-proxy's in iptables mode.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.state import seen_at
from k8stui.cluster.versions import minor
from k8stui.nodes.kubeproxy.dialect import dialect_of
from k8stui.nodes.kubeproxy.program import version_said

ID = "proxy-version"


def look(ground: Ground) -> Iterator[Finding]:
    network = ground.world.network
    for name in network.observed:
        node = ground.cluster.nodes[name]
        program, said = version_said(ground.cluster, node)
        version = minor(said)
        seen = network.observed_ruleset(node, 4) or network.observed_ruleset(node, 6)
        dialect = dialect_of(seen) if seen is not None else None
        if version is None or dialect is None or version in dialect:
            continue
        why = dialect.chain.rules[0].reason if dialect.chain.rules else None
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Node {name}",
            place=seen_at(ground, name, why),
            why=f"its rules are those of kube-proxy {dialect} (chain {dialect.chain.name}), and "
            f"the node reports {program} {said}",
            fix=f"look which kube-proxy runs on {name} (the image of its pod), and whether it is "
            "still the one that writes there",
        )


RULE = CheckRule(
    id=ID,
    summary="A node's rules are of another version of kube-proxy",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
