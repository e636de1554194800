"""DaemonSets: which nodes get a pod, and how the pod is pinned to its node.

Source: pkg/controller/daemon/daemon_controller.go NodeShouldRunDaemonPod, daemon/util
AddOrUpdateDaemonPodTolerations and ReplaceDaemonSetPodNodeNameNodeAffinity.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.apiserver.fields import Object, array, flag, table, text
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import REQUIRED, NodeChoice
from k8stui.cluster.selectors import tolerates
from k8stui.cluster.well_known import UNSCHEDULABLE

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    (UNSCHEDULABLE, "NoSchedule"),
)


def _tolerations(spec: Object) -> list[object]:
    added: list[object] = [
        {"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED
    ]
    if flag(spec, "hostNetwork"):
        added.append(
            {
                "key": "node.kubernetes.io/network-unavailable",
                "operator": "Exists",
                "effect": "NoSchedule",
            }
        )
    return [*array(spec, "tolerations"), *added]


def daemon_nodes(spec: Object, nodes: Iterable[Node]) -> list[Node]:
    """Nodes that get a pod. Resources and host ports are not looked at."""
    tolerations = _tolerations(spec)
    named = text(spec, "nodeName")
    choice = NodeChoice.of(spec)
    return [
        node
        for node in nodes
        if (not named or named == node.name)
        and choice.matches(node)
        and all(
            tolerates(tolerations, taint)
            for taint in node.taints
            if taint.effect in ("NoSchedule", "NoExecute")
        )
    ]


def daemon_spec(spec: Object, node_name: str) -> Object:
    """The template's spec for the pod of one node: the node replaces all written terms."""
    only = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node_name]}]}
    affinity = table(spec, "affinity")
    return {
        **spec,
        "tolerations": _tolerations(spec),
        "affinity": {
            **affinity,
            "nodeAffinity": {
                **table(affinity, "nodeAffinity"),
                REQUIRED: {"nodeSelectorTerms": [only]},
            },
        },
    }
