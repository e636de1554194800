"""Who made a pod that a dump holds: its owner at the top.

Source: metadata.ownerReferences, with controller true: Pod → ReplicaSet → Deployment
(docs/facts/control-plane.md section 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, text
from k8stui.apiserver.inventory import Inventory, namespace_of

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def controller(manifest: Manifest) -> tuple[str, str] | None:
    """(kind, name) of the object's controlling owner."""
    for reference in array(manifest.data, "metadata", "ownerReferences"):
        if isinstance(reference, dict) and reference.get("controller") is True:
            return text(reference, "kind"), text(reference, "name")
    return None


def top_owner(pod: Manifest, inventory: Inventory) -> tuple[str, str] | None:
    """(kind, name) of the workload that `pod` belongs to: Deployment, not ReplicaSet.

    Where the dump does not hold the ReplicaSet, its name gives the Deployment away: it ends with
    the hash that the pod carries as label. A static pod's owner is its node: no workload.
    """
    owner = controller(pod)
    if owner is None or owner[0] == "Node":
        return None
    kind, name = owner
    if kind != "ReplicaSet":
        return owner
    replica_set = inventory.of("ReplicaSet").get(f"{namespace_of(pod)}/{name}")
    if replica_set is not None:
        return controller(replica_set) or owner
    template_hash = text(pod.data, "metadata", "labels", "pod-template-hash")
    if template_hash and name.endswith(f"-{template_hash}"):
        return "Deployment", name.removesuffix(f"-{template_hash}")
    return owner
