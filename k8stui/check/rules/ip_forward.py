"""A node does not forward packets: its pods reach nobody beyond it, and nobody reaches them.

A pod of the node's own network sets net.ipv4.ip_forward to 0, as scripts that harden hosts do
(``sysctl -w``). kubeadm's preflight wants 1 (cmd/kubeadm/app/preflight/checks_linux.go).

One finding a container, with the first node. Does not apply to nodes without pods of their own
network namespace.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.nodes.sysctl import IP_FORWARD, written
from k8stui.walk.source import OUTSIDE

ID = "ip-forward"


def look(ground: Ground) -> Iterator[Finding]:
    told: set[object] = set()
    senders = {p.node_name: p for pods in ground.senders.values() for p in pods}
    setters = [pod for pod in ground.cluster.pods.values() if pod.host_network]
    for pod in setters:
        found = written([pod], IP_FORWARD)
        client = senders.get(pod.node_name)
        if found is None or found.value != "0" or client is None:
            continue
        origin = found.container.origin
        if origin in told:
            continue
        told.add(origin)
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject=f"Pod {pod.key}",
            place=origin.place,
            why=f"container {found.container.name} sets {IP_FORWARD} to 0 on {pod.node_name}: "
            "the node forwards nothing from or to its pods",
            fix="take that line out",
            claim=Claim(pod_source(client), f"{OUTSIDE}:80"),
        )


RULE = CheckRule(
    id=ID,
    summary="A pod keeps its node from forwarding packets",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
