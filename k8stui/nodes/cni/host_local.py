"""host-local: which address of a node's pod network is whose (plugins/ipam/host-local)."""

from __future__ import annotations

from k8stui.kernel.address import Address, Prefix


def gateway(network: Prefix) -> Address:
    """host-local's gateway: the first address behind the network's own."""
    return network.nth(1)
