"""Configuration documents inside the ConfigMaps that kubeadm makes.

Sources: cmd/kubeadm/app/componentconfigs (ConfigMap ``kube-proxy``, key ``config.conf``) and
app/constants (``kubeadm-config``, key ``ClusterConfiguration``), both in kube-system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table
from k8stui.apiserver.inventory import Inventory
from k8stui.manifests.embedded import embedded

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def embedded_in(inventory: Inventory, kind: str) -> Iterator[Manifest]:
    """Documents of `kind` inside ConfigMaps, observed when their ConfigMap is."""
    for config_map in inventory.of("ConfigMap").values():
        for key, written in table(config_map.data, "data").items():
            if isinstance(written, str) and f"kind: {kind}" in written:
                yield from (
                    replace(inner, observed=config_map.observed)
                    for inner in embedded(config_map, key)
                    if inner.kind == kind
                )
