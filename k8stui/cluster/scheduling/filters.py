"""The filters of kube-scheduler: what closes a node to a pod, in its order and in its words.

Source: pkg/scheduler/framework/plugins; docs/facts/control-plane.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import Object
from k8stui.cluster.draft import Draft
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import ANY, HostPort, Needs
from k8stui.cluster.scheduling.placed import Placed
from k8stui.cluster.scheduling.pod_topology import TopologyView
from k8stui.cluster.scheduling.refusal import Refusal
from k8stui.cluster.selectors import tolerates
from k8stui.cluster.well_known import UNSCHEDULABLE
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.scheduling.claims import Mounts

USUAL_PODS = 110
"""The kubelet's maxPods."""

_UNSCHEDULABLE = "node(s) were unschedulable"
_TAINT = "node(s) had untolerated taint(s)"
_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
_LEFT_OUT = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
_PORTS = "node(s) didn't have free ports for the requested pod ports"


@record(frozen=False)
class NodeInfo:
    """A node as the filters see it: what it offers, and what is used of that."""

    node: Node
    allocatable: Mapping[str, int] | None
    """In billionths; None where the input does not say: then only pods are counted."""
    used: Counter[str] = field(default_factory=Counter)
    ports: set[HostPort] = field(default_factory=set)
    pods: int = 0
    max_pods: int = USUAL_PODS
    placed: dict[Draft, Placed] = field(default_factory=dict)
    priorities: Counter[int] = field(default_factory=Counter)
    """Of the pods that may be sent away."""

    def __post_init__(self) -> None:
        if self.allocatable is not None and "pods" in self.allocatable:
            self.max_pods = self.allocatable["pods"] // quantity.parse(1)


def amounts(written: Object | None) -> Mapping[str, int] | None:
    """What a node offers, in billionths by resource; None where nothing is written."""
    if not written:
        return None
    return {name: quantity.parse(amount) for name, amount in written.items()}


def closed(needs: Needs, node: Node) -> Refusal | None:
    """The filters that look at the node's own words, in the scheduler's order."""
    if needs.only_nodes is not None and node.name not in needs.only_nodes:
        return Refusal((_LEFT_OUT,), final=True)
    if node.unschedulable and not any(
        tolerates(needs.tolerations, taint) for taint in node.taints if _is_cordon(taint.key)
    ):
        return Refusal((_UNSCHEDULABLE,), final=True)
    for taint in node.taints:
        if taint.effect in ("NoSchedule", "NoExecute") and not tolerates(needs.tolerations, taint):
            return Refusal((_TAINT,), final=True)
    if not needs.nodes.matches(node):
        return Refusal((_AFFINITY,), final=True)
    return None


def refuse(
    needs: Needs, host: NodeInfo, mounts: Mounts | None, view: TopologyView
) -> Refusal | None:
    """The filters that look at what else there is, in the scheduler's order."""
    return lacks(needs, host) or elsewhere(host, mounts, view)


def elsewhere(host: NodeInfo, mounts: Mounts | None, view: TopologyView) -> Refusal | None:
    """Those that look at more than what is used on the node."""
    return (None if mounts is None else mounts.refuse(host.node)) or view.refuse(host.node)


def _is_cordon(key: str) -> bool:
    return key == UNSCHEDULABLE


def conflicts(wanted: Iterable[HostPort], used: set[HostPort]) -> bool:
    """Source: pkg/scheduler/framework HostPortInfo: 0.0.0.0 conflicts with every address."""
    for ip, protocol, port in wanted:
        for used_ip, used_protocol, used_port in used:
            if (protocol, port) == (used_protocol, used_port) and (
                ip == used_ip or ANY in (ip, used_ip)
            ):
                return True
    return False


def lacks(needs: Needs, host: NodeInfo) -> Refusal | None:
    """Why what is left of the node is not enough: ports, pods, resources.

    Source: noderesources/fit.go fitsRequest; more than the whole node has is final.
    """
    if needs.host_ports and conflicts(needs.host_ports, host.ports):
        return Refusal((_PORTS,), final=False)
    if host.pods < host.max_pods and (not needs.resources or host.allocatable is None):
        return None
    reasons = []
    final = False
    if host.pods + 1 > host.max_pods:
        reasons.append("Too many pods")
    if host.allocatable is not None:
        for name, asked in needs.resources.items():
            offered = host.allocatable.get(name, 0)
            if asked and asked > offered - host.used[name]:
                reasons.append(f"Insufficient {name}")
                final = final or asked > offered
    return Refusal(tuple(reasons), final) if reasons else None
