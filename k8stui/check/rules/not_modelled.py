"""A network plug-in, or a mode of kube-proxy, that the input names and that is not modelled.

What is found about the nodes then holds for the plug-in that is assumed instead; requests to
Services in such a mode of kube-proxy are not walked at all. Nothing is wrong with the input.

Nor are they where a node's dump alone shows the mode (ipvs, by its device or its sets): one
information for all such nodes.

Nor is what stands between nodes of which some have public addresses and some private ones.

Nor is what a cloud's network between the nodes does not carry: IPIP in Azure (a warning).

Of plug-ins, does not apply to nodes whose own dump is given.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.clouds import lost_in_cloud
from k8stui.nodes.internet import apart
from k8stui.nodes.kubeproxy import is_modelled
from k8stui.origin import Place
from k8stui.walk.doubts import across_the_internet, beyond_a_router

ID = "not-modelled"


def look(ground: Ground) -> Iterator[Finding]:
    for remark in ground.world.network.remarks:
        own = "give the node's own state (--iptables, --ip-addr, --ip-route)"
        yield _remark(remark.origin.place, remark.text, own)
    nodes = ground.cluster.nodes.values()
    first = next((node.origin.place for node in nodes if node.origin.place), None)
    if (far := across_the_internet(nodes)) is not None:
        why = f"{far[0]}: taken to reach each other, which they do not across NAT"
        yield _remark(first, why, far[1])
    if (routed := beyond_a_router(ground.cluster, nodes)) is not None:
        why = f"{routed[0]}: taken to be neighbours"
        yield _remark(first, why, f"nothing, if they are; else {routed[1]}")
    if (lost := lost_in_cloud(ground.cluster) or apart(ground.cluster)) is not None:
        yield Finding.of_lack(ID, "the cluster", lost)
    if is_modelled(ground.cluster):
        yield from _shown(ground)


def _remark(place: Place | None, why: str, fix: str) -> Finding:
    return Finding(
        rule=ID, severity=Severity.INFO, subject="the cluster", place=place, why=why, fix=fix
    )


def _shown(ground: Ground) -> Iterator[Finding]:
    """A mode that no configuration names: the nodes' own devices or sets are that mode's."""
    network = ground.world.network
    found = [(name, engine) for name in network.observed for engine in network[name].unmodelled]
    for name, engine in found[:1]:
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=f"Node {name}",
            place=None,
            why=f"it shows {engine.name}, which is not modelled: what goes to a Service's "
            f"addresses or node ports is not known{_more(len(found) - 1)}, all else is",
            fix="ask the pods' own addresses, or leave the node's dump out",
        )


def _more(count: int) -> str:
    return f" (nor on {count} more node{'' if count == 1 else 's'})" if count else ""


RULE = CheckRule(
    id=ID,
    summary="A plug-in or mode that is not modelled",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
