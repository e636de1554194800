"""The objects of the input by kind: of several with one name the last wins, as with kubectl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

KINDS = {
    "Node": "",
    "Pod": "",
    "Service": "",
    "Endpoints": "",
    "EndpointSlice": "discovery.k8s.io",
    "ConfigMap": "",
    "ReplicationController": "",
    "Deployment": "apps",
    "ReplicaSet": "apps",
    "StatefulSet": "apps",
    "DaemonSet": "apps",
    "Job": "batch",
    "ServiceCIDR": "networking.k8s.io",
    "KubeProxyConfiguration": "kubeproxy.config.k8s.io",
    "ClusterConfiguration": "kubeadm.k8s.io",
}
"""The kinds that decide about the cluster, with their API group."""

_CLUSTER_SCOPED = frozenset({"Node", "ServiceCIDR"})
_CONFIGURATION = frozenset({"KubeProxyConfiguration", "ClusterConfiguration"})
WORKLOADS = (
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "Pod",
)


def namespace_of(manifest: Manifest) -> str:
    """``default`` where none is written (kubectl's own namespace is not known)."""
    return manifest.namespace or "default"


def key_of(manifest: Manifest) -> str:
    """``namespace/name``."""
    return f"{namespace_of(manifest)}/{manifest.name}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every object that counts, by kind and key, in the order of the input."""

    by_kind: Mapping[str, Mapping[str, Manifest]]

    def of(self, kind: str) -> Mapping[str, Manifest]:
        return self.by_kind.get(kind, {})

    def has_observed(self, *kinds: str) -> bool:
        """Whether a dump in the input holds objects of one of `kinds`."""
        return any(m.observed for kind in kinds for m in self.of(kind).values())


def take_stock(objects: Iterable[Manifest]) -> Inventory:
    """Sort `objects` by kind; unknown kinds and groups are left out.

    A later object replaces an earlier one of the same name but keeps its place in the order: it
    updates an object that exists already (`kubectl apply`).
    """
    by_kind: dict[str, dict[str, Manifest]] = {}
    for manifest in objects:
        kind = manifest.kind
        if KINDS.get(kind) != manifest.group:
            continue
        of_kind = by_kind.setdefault(kind, {})
        if kind in _CONFIGURATION:
            of_kind[f"{len(of_kind)}"] = manifest
        elif kind in _CLUSTER_SCOPED:
            of_kind[manifest.name] = manifest
        else:
            of_kind[key_of(manifest)] = manifest
    return Inventory(by_kind)
