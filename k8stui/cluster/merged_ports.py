"""Ports that a client-side ``kubectl apply`` loses: it merges them by their number.

The patch merge key of ServiceSpec.ports is ``port`` (staging/src/k8s.io/api/core/v1/types.go):
two ports of one number, TCP and UDP, are one to it. An object that is made new has both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, number, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.model import Remark
from k8stui.origin import Origin
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


@record()
class MergedPorts:
    """Two ports of a manifest that are one to a client-side apply."""

    service: str
    """``namespace/name``."""
    first: str
    second: str
    """Their names, or protocols."""
    number: int
    origin: Origin
    """Of the second one's number."""

    @property
    def why(self) -> str:
        return (
            f"ports {self.first} and {self.second} have one number, {self.number}, and kubectl "
            "apply merges the ports of a live Service by number: one of the two is lost"
        )


def merged_ports(inventory: Inventory) -> Iterator[MergedPorts]:
    """Those of Services that a dump holds and a manifest behind it changes."""
    for kind, key in inventory.replaced:
        if kind == "Service":
            yield from _same_number(inventory.of(kind)[key], key)


def _same_number(manifest: Manifest, key: str) -> Iterator[MergedPorts]:
    first: dict[int | None, str] = {}
    for index, port in enumerate(array(manifest.data, "spec", "ports")):
        asked = number(port, "port")
        named = text(port, "name") or text(port, "protocol") or "TCP"
        other = first.setdefault(asked, named)
        if other != named and asked is not None:
            origin = manifest.origin("spec", "ports", index, "port")
            yield MergedPorts(key, other, named, asked, origin)


def lost_by_apply(inventory: Inventory) -> Iterator[Remark]:
    """What is walked is the manifest as it is written; with client-side apply it may not be so."""
    for found in merged_ports(inventory):
        yield Remark(
            text=f"Service {found.service}: {found.why}; walked as if both stood (kubectl apply "
            "--server-side, or kubectl replace)",
            origin=found.origin,
        )
