"""A Node without a range for its pods, among others that have theirs.

Flannel, kindnet and all that give out spec.podCIDR do not start there ("pod cidr not assigned"),
so the node's pods get no network and stay in ContainerCreating. The controller manager gives a
range to each node (--allocate-node-cidrs), as long as its own (--cluster-cidr) has one left.
A kubeadm without podSubnet starts it so that it gives none at all.

Does not apply where no Node of the input has one, nor to plug-ins with addresses of their own
(Calico, Cilium, clouds), nor where pods of the node have addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.walk.doubts import without_pod_cidr, without_pod_subnet

ID = "no-pod-cidr"


def look(ground: Ground) -> Iterator[Finding]:
    cluster, network = ground.cluster, ground.world.network
    told = without_pod_subnet(cluster)
    for node in without_pod_cidr(cluster, network):
        if told is not None:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject="ClusterConfiguration",
                place=told.place,
                why="it has no podSubnet, so no node gets a podCIDR: "
                f"{network.plugin_of(node)} does not start, and pods get no network",
                fix="write networking: podSubnet, the range of the plug-in's own configuration "
                "(kubeadm init --pod-network-cidr=10.244.0.0/16 as flannel has it)",
            )
            return
        patch = f'kubectl patch node {node.name} -p \'{{"spec":{{"podCIDR":"RANGE"}}}}\''
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Node {node.name}",
            place=node.origin.place,
            why=f"it has no podCIDR, as other nodes have: {network.plugin_of(node)} does not start "
            "there, and its pods get no network",
            fix="let the controller manager give it one (--allocate-node-cidrs, and a "
            f"--cluster-cidr with room for one more), or do so by hand: {patch}",
        )


RULE = CheckRule(
    id=ID,
    summary="A node without a range for its pods",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
