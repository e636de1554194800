"""Bridges that container runtimes bring along, for machines without a network plug-in.

The same network on every node: where a plug-in's configuration is missing, or comes later in
/etc/cni/net.d, pods get addresses of it and reach the pods of their own node alone.
"""

from __future__ import annotations

from k8stui.kernel.address import Address, Prefix
from k8stui.record import record


@record()
class OwnBridge:
    """A network of a runtime's own."""

    network: Prefix
    runtime: str
    file: str
    """In /etc/cni/net.d."""


OWN_BRIDGES = (
    OwnBridge(Prefix.parse("10.85.0.0/16"), "CRI-O", "100-crio-bridge.conflist"),
    OwnBridge(Prefix.parse("10.88.0.0/16"), "containerd or Podman", "10-containerd-net.conflist"),
)
"""cri-o/cri-o contrib/cni; containerd/containerd script/setup/install-cni; containers/common."""


def own_bridge(address: Address) -> OwnBridge | None:
    """The runtime's bridge whose network holds the address."""
    return next((one for one in OWN_BRIDGES if address in one.network), None)
