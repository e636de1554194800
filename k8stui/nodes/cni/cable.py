"""The two ends of the cable between a pod and its node, as plug-ins that route set them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour, Route
from k8stui.nodes.host_ports import host_ports
from k8stui.nodes.names import mac
from k8stui.nodes.part import Part, interface_address
from k8stui.origin import Origin, defaulted

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


def node_end(
    end: Interface,
    pod: Pod,
    addresses: Iterable[Address],
    because: Callable[[Pod, str], Because],
    *,
    scope: str = "link",
    localnet: bool = True,
) -> Part:
    """`end`, the way by it to each of the pod's `addresses`, and who is behind it.

    `localnet`: what localhost sends to the pod's hostPorts may leave there.
    """
    known = tuple(addresses)
    return Part(
        interfaces=(end,),
        routes=tuple(
            Route(
                destination=Prefix(one, one.bits),
                device=end.name,
                scope=scope,
                reason=because(pod, f"pod {pod.key} of this node"),
            )
            for one in known
        ),
        neighbours=tuple(
            Neighbour(address=one, device=end.name, mac=mac(pod.addresses[0])) for one in known
        ),
        route_localnet=frozenset((end.name,) if localnet and any(host_ports(pod)) else ()),
    )


def usual(
    pod: Pod, text: str, origin: Origin | None = None, *, owner: str, set_up_by: str
) -> Because:
    """Why something stands there for a pod: `owner` has set it up as it always does."""
    return Because(
        text=text,
        origin=origin or defaulted(f"as {set_up_by} sets it up", pod.origin.place),
        owner=owner,
        pod=pod.key,
    )
