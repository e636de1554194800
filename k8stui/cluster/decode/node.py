"""Node objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, flag, labels, table, text, texts
from k8stui.cluster.fields import Origins, addresses, prefixes
from k8stui.cluster.model import Node, Taint
from k8stui.cluster.well_known import HOSTNAME, UNSCHEDULABLE
from k8stui.kernel.address import Prefix

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

PATHS: dict[str, tuple[str | int, ...]] = {
    "name": ("metadata", "name"),
    "labels": ("metadata", "labels"),
    "annotations": ("metadata", "annotations"),
    "addresses": ("status", "addresses"),
    "pod_cidrs": ("spec", "podCIDR"),
    "taints": ("spec", "taints"),
    "unschedulable": ("spec", "unschedulable"),
    "ready": ("status", "conditions"),
    "kubelet_version": ("status", "nodeInfo", "kubeletVersion"),
    "proxy_version": ("status", "nodeInfo", "kubeProxyVersion"),
}

"""Taint that the node lifecycle controller puts on a cordoned node."""


def decode_node(manifest: Manifest, index: int) -> Node:
    """A Node with what is written; addresses and pod CIDRs may still be missing."""
    spec = table(manifest.data, "spec")
    found = [
        (text(entry, "type"), text(entry, "address"))
        for entry in array(manifest.data, "status", "addresses")
    ]
    cordoned = flag(spec, "unschedulable") or False
    node_labels = labels(manifest.data, "metadata", "labels")
    # The kubelet writes this label when it registers; hand-written Nodes leave it out.
    node_labels.setdefault(HOSTNAME, manifest.name)
    return Node(
        name=manifest.name,
        index=index,
        labels=node_labels,
        annotations=labels(manifest.data, "metadata", "annotations"),
        addresses=addresses(
            (
                *(address for kind, address in found if kind == "InternalIP"),
                *(address for kind, address in found if kind == "ExternalIP"),
            )
        ),
        pod_cidrs=pod_cidrs(spec),
        taints=_taints(spec, cordoned),
        unschedulable=cordoned,
        runtime=text(manifest.data, "status", "nodeInfo", "containerRuntimeVersion"),
        cloud=text(spec, "providerID").partition("://")[0],
        kubelet_version=text(manifest.data, "status", "nodeInfo", "kubeletVersion"),
        proxy_version=text(manifest.data, "status", "nodeInfo", "kubeProxyVersion"),
        ready=ready(array(manifest.data, "status", "conditions"), default=True),
        origin=manifest.origin(),
        origins=Origins(manifest, PATHS),
    )


def ready(conditions: object, *, default: bool) -> bool:
    """Status of the condition ``Ready``; `default` when there is none."""
    for condition in conditions if isinstance(conditions, list) else ():
        if text(condition, "type") == "Ready":
            return text(condition, "status") == "True"
    return default


def pod_cidrs(spec: Object) -> tuple[Prefix, ...]:
    """``podCIDRs``, or ``podCIDR`` alone as Nodes before 1.16 have it."""
    return prefixes(texts(spec, "podCIDRs") or filter(None, (text(spec, "podCIDR"),)))


def _taints(spec: Object, cordoned: bool) -> tuple[Taint, ...]:
    found = [
        Taint(key=text(entry, "key"), value=text(entry, "value"), effect=text(entry, "effect"))
        for entry in array(spec, "taints")
    ]
    if cordoned and not any(taint.key == UNSCHEDULABLE for taint in found):
        found.append(Taint(key=UNSCHEDULABLE, effect="NoSchedule"))
    return tuple(found)
