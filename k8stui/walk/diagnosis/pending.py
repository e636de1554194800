"""A pod that got no node, or that its node refused: what is said, and what would mend it.

The scheduler's words are those of pkg/scheduler/framework/plugins (`cluster.scheduler`).
"""

from __future__ import annotations

from k8stui.cluster.model import Pod
from k8stui.origin import Origin, OriginKind

_CLAIMS = "PersistentVolumeClaims"
_SELECTOR = "node affinity/selector"
_MENDS = {
    _SELECTOR: "label a node as the pod wants it (kubectl label node NODE KEY=VALUE), or mend the "
    "pod's nodeSelector or affinity",
    "untolerated taint": "give the pod a toleration for the taint, or take the taint off a node "
    "(kubectl taint node NODE KEY-)",
    "were unschedulable": "kubectl uncordon the nodes that are cordoned",
    "Insufficient": "ask for less (resources.requests), or add nodes",
    "topology spread": "mend topologySpreadConstraints, or set whenUnsatisfiable: ScheduleAnyway",
    "pod affinity rules": "mend podAffinity: no node runs a pod with the labels that it asks for; "
    "or make it a preference",
    "anti-affinity": "have no more replicas than nodes, or make podAntiAffinity a preference",
    "PersistentVolume's node affinity": "let the pod run where its volume is (the volume's "
    "nodeAffinity says where; a node there is needed), or make the claim and its volume anew",
    "volume zone": "add a node in the volume's zone, or make the claim and its volume anew",
    _CLAIMS: "give the claim a StorageClass that there is (kubectl get storageclass), or write a "
    "PersistentVolume that fits it, one for each claim",
    "free ports": "one node gives a hostPort to one pod only: have no more replicas than nodes (a "
    "DaemonSet), or leave hostPort out; a rollout needs maxSurge: 0",
}


_BY_ITS_WORDS = (_SELECTOR, "untolerated taint", "Insufficient")
"""What `Pod.pending_mends` says better, where it says anything."""
_REFUSED = {
    "NodePorts": "take another hostPort, or leave nodeName out: the scheduler gives a hostPort to "
    "one pod of a node only",
    "Evicted": "give the node more of what it ran out of (kubectl describe node), ask for it in "
    "resources.requests, and let a workload make the pod anew",
    "OutOf": "ask for less (resources.requests), or leave nodeName out",
    "NodeAffinity": "mend the pod's nodeSelector or affinity, or leave nodeName out",
}
"""Reasons of a kubelet (pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/eviction)."""


def instead_of(pod: Pod) -> str:
    """What helps where a pod has finished, and a Service means it."""
    found = (mend for said, mend in _REFUSED.items() if said in pod.unready_reason)
    return next(found, "select pods that go on running")


def closing_field(pod: Pod) -> Origin:
    """The field that keeps a Pending pod from its nodes."""
    if pod.node_name is not None and pod.pending_mends:
        return pod.origins["pending_reason"]
    if pod.node_name is not None and pod.unready_mend:
        return pod.origins.get("unready_reason", pod.origin)
    field = "node_selector" if _SELECTOR in pod.pending_reason else "claims"
    return pod.origins.get(field, pod.origin)


def waits_for_claim(pod: Pod) -> bool:
    """Whether it is no matter of nodes: a claim of the pod is never bound."""
    return _CLAIMS in pod.pending_reason


def room(pod: Pod) -> str:
    """What would give a Pending pod a node."""
    if pod.node_name is not None and not pod.addresses and pod.origin.kind is OriginKind.OBSERVED:
        if pod.unready_mend:
            return pod.unready_mend
        space = "" if pod.namespace == "default" else f" -n {pod.namespace}"
        return (
            "look why its network is not there yet (the image, a volume, the network plug-in of "
            f"{pod.node_name}): kubectl describe pod {pod.name}{space}"
        )
    if pod.node_name is not None and not pod.addresses:
        if pod.pending_mends:
            return "; ".join(pod.pending_mends)
        return "give the node a larger podCIDR, or let it run fewer pods"
    found = [*pod.pending_mends]
    for said, mend in _MENDS.items():
        if said in pod.pending_reason and not (found and said in _BY_ITS_WORDS):
            found.append(mend)
    return "; ".join(found) or "make room for the pod, or mend what keeps it from a node"
