"""What the Internet carries: no packet to a private address.

RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291. A node that others know by its public address
alone reaches none that is known by a private one: NAT brings back what was asked from inside only.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.model import Cluster, Lack, Node
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Packet
from k8stui.nodes.cni import node_annotations
from k8stui.origin import OriginKind

PRIVATE = {
    4: tuple(
        map(
            Prefix.parse,
            ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        )
    ),
    6: tuple(map(Prefix.parse, ("fc00::/7", "fe80::/10"))),
}
"""By family."""


def private_range(address: Address) -> Prefix | None:
    """The range that the Internet never brings anything from or to, and the address is in."""
    return next((one for one in PRIVATE[address.version] if address in one), None)


def is_private(address: Address) -> bool:
    """Whether the Internet never brings anything from or to the address."""
    return private_range(address) is not None


MEND = (
    "give each node the address at which the others find it (k3s: --node-external-ip, with "
    "--flannel-external-ip and --flannel-backend=wireguard-native), or a VPN's"
)


def uncarried(cluster: Cluster, packet: Packet) -> Lack | None:
    """Why the Internet brings nothing from a node with a public address to a private one's."""
    known = _sides.of(cluster)
    source, target = known.get(packet.src), known.get(packet.dst)
    return _lack(source, target) if source is not None and target is not None else None


def apart(cluster: Cluster) -> Lack | None:
    """The same of the first two nodes that are so."""
    nodes = tuple(dict.fromkeys(node.name for node in _sides.of(cluster).values()))
    known = [cluster.nodes[name] for name in nodes]
    public = next((n for n in known if (a := n.address(4)) and not is_private(a)), None)
    private = next((n for n in known if (a := n.address(4)) and is_private(a)), None)
    return _lack(public, private) if public is not None and private is not None else None


def _lack(source: Node, target: Node) -> Lack | None:
    own, far = source.address(4), target.address(4)
    if own is None or far is None or is_private(own) or not is_private(far):
        return None
    told = node_annotations.public_address(target, 4)
    return Lack(
        f"{source.name} has a public address ({own}) and {target.name} a private one ({far}), "
        "which the Internet does not carry: behind NAT nobody reaches it",
        MEND,
        node_annotations.public_origin(target, 4)
        if told == far
        else target.origins.get("addresses", target.origin),
    )


def on_both_sides(cluster: Cluster) -> Mapping[Address, Node]:
    """Of a cluster with nodes of both sorts: whose each address is, its pods' too; else nothing."""
    return _sides.of(cluster)


def _find_sides(cluster: Cluster) -> Mapping[Address, Node]:
    nodes = [n for n in cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED]
    sides = {is_private(one) for node in nodes if (one := node.address(4)) is not None}
    if len(sides) < 2:
        return {}
    found = {one: node for node in nodes if (one := node.address(4)) is not None}
    for pod in cluster.pods.values():
        node = cluster.nodes.get(pod.node_name or "")
        if node is not None and not pod.host_network:
            found |= dict.fromkeys(pod.addresses, node)
    return found


_sides = Derived(_find_sides)
