"""The nodes: those of the input; else those that its pods or kind's file name; else assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import table
from k8stui.apiserver.inventory import WORKLOADS, Inventory
from k8stui.cluster.addresses import pod_range
from k8stui.cluster.assumed_nodes import apart, asked_labels, labels_at
from k8stui.cluster.decode.node import decode_node
from k8stui.cluster.fields import Origins
from k8stui.cluster.kind_nodes import kind_nodes
from k8stui.cluster.model import Node
from k8stui.cluster.settings import ClusterSettings, node_address
from k8stui.cluster.well_known import HOSTNAME, OS
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin, assumed

USUAL_NUMBER = 2
_PODS_A_NODE = 100
"""The kubelet's limit is 110; some room is left for DaemonSets."""


def enough_nodes(inventory: Inventory) -> int:
    """Two nodes, or as many as the pods of the input need to have room and to stand apart."""
    pods = len(inventory.of("Pod"))
    for kind in sorted(WORKLOADS):
        for manifest in inventory.of(kind).values():
            pods += defaults.made_replicas(kind, table(manifest.data, "spec"))
    return max(USUAL_NUMBER, -(-pods // _PODS_A_NODE), apart(inventory))


def gather_nodes(
    inventory: Inventory,
    settings: ClusterSettings,
    seen: Mapping[str, Node | None],
    asked: Iterable[str],
    wanted: int,
) -> dict[str, Node]:
    """Every node of the cluster by name, complete.

    `seen`: nodes that the pods or slices of a dump stand on, with what is seen of them there.
    `asked`: names that declared pods write as nodeName: they exist where no node is known.
    `wanted`: how many to assume where the input has no Node object.
    """
    manifests = inventory.of("Node")
    nodes = [decode_node(manifest, index) for index, manifest in enumerate(manifests.values(), 1)]
    for name, part in seen.items():
        if name not in manifests:
            nodes.append(
                _assumed_node(name, len(nodes) + 1, "a pod or endpoint of the dump names it", part)
            )
    nodes = nodes or _of_kind(inventory)
    if not nodes:
        names = [f"node-{index}" for index in range(1, wanted + 1)]
        names += [name for name in dict.fromkeys(asked) if name not in names]
        labels = asked_labels(inventory)
        nodes = [
            _assumed_node(
                name, index, "the input has no Node object", None, labels_at(labels, index)
            )
            for index, name in enumerate(names, 1)
        ]
    ranges = {cidr for node in nodes for cidr in node.pod_cidrs}
    ranges |= {cidr for part in seen.values() if part is not None for cidr in part.pod_cidrs}
    return {node.name: _complete(node, settings, ranges, seen.get(node.name)) for node in nodes}


def _of_kind(inventory: Inventory) -> list[Node]:
    """Those of kind's file, with the labels that it gives them and no others."""
    return [
        Node(
            name=one.name,
            index=index,
            labels={HOSTNAME: one.name, OS: "linux", **one.labels},
            taints=one.taints,
            origin=one.origin,
            origins=dict.fromkeys(("name", "labels", "addresses", "pod_cidrs"), one.origin),
        )
        for index, one in enumerate(kind_nodes(inventory), 1)
    ]


def _assumed_node(
    name: str,
    index: int,
    reason: str,
    seen: Node | None,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Node:
    origin = assumed(reason)
    base = Node(
        name=name,
        index=index,
        labels={HOSTNAME: name, OS: "linux", **labels},
        origin=origin,
        origins=dict.fromkeys(("name", "labels", "addresses", "pod_cidrs"), origin),
    )
    if seen is None:
        return base
    return replace(base, addresses=seen.addresses, pod_cidrs=seen.pod_cidrs)


def _complete(
    node: Node, settings: ClusterSettings, ranges: set[Prefix], seen: Node | None
) -> Node:
    """Fill in addresses and pod ranges; `ranges` are those in use, and grow."""
    decided: dict[str, Origin] = {}
    changed = node
    if not node.addresses:
        found = tuple(node_address(family, node.index) for family in settings.families)
        decided["addresses"] = assumed("192.168.0.(10+N) for the N-th node", node.origin.place)
        changed = replace(changed, addresses=found)
    if not node.pod_cidrs and seen is not None and seen.pod_cidrs:
        decided["pod_cidrs"] = assumed(
            "not in the Node object: the usual size of range around a pod's address",
            node.origin.place,
        )
        changed = replace(changed, pod_cidrs=seen.pod_cidrs)
    elif not node.pod_cidrs:
        found_ranges = _free_ranges(settings.pod_cidrs.values(), node.index, ranges)
        decided["pod_cidrs"] = assumed(
            "the N-th part of the pod range for the N-th node", node.origin.place
        )
        changed = replace(changed, pod_cidrs=found_ranges)
    if not decided:
        return node
    origins = node.origins
    merged = origins.deciding(decided) if isinstance(origins, Origins) else {**origins, **decided}
    return replace(changed, origins=merged)


def _free_ranges(cluster: Iterable[Prefix], index: int, ranges: set[Prefix]) -> tuple[Prefix, ...]:
    chosen = []
    for cidr in cluster:
        place = index
        while pod_range(cidr, place) in ranges:
            place += 1
        chosen.append(pod_range(cidr, place))
        ranges.add(chosen[-1])
    return tuple(chosen)
