"""The nodes that kind's own file names: containers that it will start, each with its role.

Sources: kind pkg/cluster/internal/create/actions, pkg/cluster/nodeutils and
pkg/cluster/internal/providers/common/namer.go (``kind-control-plane``, ``kind-worker2``); a
control plane alone loses its taint (actions/kubeadminit); pkg/apis/config/v1alpha4 types.go Node.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import array, labels, text, texts
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.model import Taint
from k8stui.origin import Origin, assumed
from k8stui.record import record

_CONTROL_PLANE = "control-plane"
_ROLE = "node-role.kubernetes.io/control-plane"
_LABELS = re.compile(r"node-labels[\"']?\s*(?::|\n\s*value:)\s*[\"']?([\w./=,-]+)")
"""The kubelet's argument in a patch of kubeadm's file, in its old form or as of v1beta4."""


@record(kw_only=True)
class KindNode:
    """A node that kind makes."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    origin: Origin


def kind_nodes(inventory: Inventory) -> Iterator[KindNode]:
    """In the order of the file; one control plane where it names no nodes."""
    for manifest in inventory.of("Cluster").values():
        entries = array(manifest.data, "nodes") or ({},)
        count: Counter[str] = Counter()
        for index, entry in enumerate(entries):
            role = text(entry, "role") or _CONTROL_PLANE
            count[role] += 1
            suffix = str(count[role]) if count[role] > 1 else ""
            leads = role == _CONTROL_PLANE
            taints = (Taint(key=_ROLE, effect="NoSchedule"),) if leads and len(entries) > 1 else ()
            yield KindNode(
                name=f"{manifest.name or 'kind'}-{role}{suffix}",
                labels={**({_ROLE: ""} if leads else {}), **_labels(entry)},
                taints=taints,
                origin=assumed("kind's file names it", manifest.place("nodes", index)),
            )
        return


def _labels(entry: object) -> dict[str, str]:
    found = dict(labels(entry, "labels"))
    for patch in texts(entry, "kubeadmConfigPatches"):
        for said in _LABELS.findall(patch):
            found |= {
                key: value for key, _, value in (one.partition("=") for one in said.split(","))
            }
    return found
