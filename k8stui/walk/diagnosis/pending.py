"""A pod that got no node: what the scheduler says, and what would mend it.

The scheduler's words are those of pkg/scheduler/framework/plugins (`cluster.scheduler`).
"""

from __future__ import annotations

from k8stui.cluster.model import Pod
from k8stui.origin import Origin

_SELECTOR = "node affinity/selector"
_MENDS = {
    _SELECTOR: "label a node as the pod wants it (kubectl label node NODE KEY=VALUE), or mend the "
    "pod's nodeSelector or affinity",
    "untolerated taint": "give the pod a toleration for the taint, or take the taint off a node "
    "(kubectl taint node NODE KEY-)",
    "were unschedulable": "kubectl uncordon the nodes that are cordoned",
    "Insufficient": "ask for less (resources.requests), or add nodes",
    "topology spread": "mend topologySpreadConstraints, or set whenUnsatisfiable: ScheduleAnyway",
    "anti-affinity": "have no more replicas than nodes, or make podAntiAffinity a preference",
    "free ports": "one node gives a hostPort to one pod only: have no more replicas than nodes (a "
    "DaemonSet), or leave hostPort out; a rollout needs maxSurge: 0",
}


def closing_field(pod: Pod) -> Origin:
    """The field that keeps a Pending pod from its nodes."""
    field = "node_selector" if _SELECTOR in pod.pending_reason else ""
    return pod.origins.get(field, pod.origin)


def room(pod: Pod) -> str:
    """What would give a Pending pod a node."""
    if pod.node_name is not None and not pod.addresses:
        return "give the node a larger podCIDR, or let it run fewer pods"
    found = [mend for said, mend in _MENDS.items() if said in pod.pending_reason]
    return "; ".join(found) or "make room for the pod, or mend what keeps it from a node"
