"""A pod's end of the cable between it and its node, as plug-ins that route set it up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Interface, LinkKind
from k8stui.nodes.names import mac
from k8stui.nodes.part import interface_address

_ETHERNET_BYTES = 1500


def pod_end(
    node: Node,
    pod: Pod,
    device: str,
    addresses: Iterable[tuple[Address, int]],
    because: Callable[[Pod, str], Because],
    *,
    mtu_bytes: int = _ETHERNET_BYTES,
) -> Interface:
    """``eth0``. `device`: the node's end; `addresses`: each with its prefix length in bits."""
    return Interface(
        name="eth0",
        kind=LinkKind.VETH,
        mac=mac(pod.addresses[0]),
        mtu_bytes=mtu_bytes,
        addresses=tuple(
            interface_address(address, bits, because(pod, f"address of {pod.key}"))
            for address, bits in addresses
        ),
        peer=(node.name, device),
        reason=because(pod, f"the pod's end of {device} on {node.name}"),
    )
