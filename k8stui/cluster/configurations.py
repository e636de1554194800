"""Configuration documents: plain ones, and those inside the ConfigMaps that kubeadm makes.

Sources: cmd/kubeadm/app/componentconfigs (ConfigMap ``kube-proxy``, key ``config.conf``) and
app/constants (``kubeadm-config``, key ``ClusterConfiguration``), both in kube-system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

from k8stui.cluster.fields import table, text
from k8stui.cluster.inventory import Inventory
from k8stui.manifests import load

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def proxies(inventory: Inventory) -> tuple[Manifest, ...]:
    """KubeProxyConfigurations, those of ConfigMaps first: a plain one is the stronger word."""
    return (
        *_embedded(inventory, "KubeProxyConfiguration"),
        *inventory.of("KubeProxyConfiguration").values(),
    )


def clusters(inventory: Inventory) -> tuple[Manifest, ...]:
    """ClusterConfigurations, those of ConfigMaps first."""
    return (
        *_embedded(inventory, "ClusterConfiguration"),
        *inventory.of("ClusterConfiguration").values(),
    )


def _embedded(inventory: Inventory, kind: str) -> Iterator[Manifest]:
    for config_map in inventory.of("ConfigMap").values():
        for key, written in table(config_map.data, "data").items():
            if isinstance(written, str) and f"kind: {kind}" in written:
                yield from _read(config_map, key, kind)


@dataclass(frozen=True, slots=True)
class _InConfigMap:
    """Places of an embedded document: its key in the ConfigMap."""

    config_map: Manifest
    key: str

    def find(self, path: tuple[str | int, ...]) -> tuple[int, int]:  # noqa: ARG002
        return self.config_map.locator.find(("data", self.key))


def _read(config_map: Manifest, key: str, kind: str) -> Iterator[Manifest]:
    written = text(config_map.data, "data", key)
    for manifest in load(["-"], stdin=BytesIO(written.encode())).objects:
        if manifest.kind == kind:
            yield replace(
                manifest,
                file=config_map.file,
                observed=config_map.observed,
                locator=_InConfigMap(config_map, key),
            )
