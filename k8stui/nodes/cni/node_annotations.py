"""What flannel and Calico write on Nodes, judged where it is read: a manifest is anybody's text.

Source: flannel-io/flannel pkg/subnet/kube/annotations.go; Documentation/kubernetes.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from k8stui.cluster.fields import Origins, prefixes
from k8stui.cluster.model import Cluster, Node, Remark
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.link import mac_address
from k8stui.origin import Origin

_PREFIX = "flannel.alpha.coreos.com/"
_DATA = {4: "backend-data", 6: "backend-v6-data"}
_PUBLIC = {4: "public-ip", 6: "public-ipv6"}
_BGP = {4: "projectcalico.org/IPv4Address", 6: "projectcalico.org/IPv6Address"}
"""Calico's (libcalico-go lib/backend/k8s/resources/node.go)."""
_TUNNEL_ENDS = tuple(
    f"projectcalico.org/{name}"
    for name in ("IPv4IPIPTunnelAddr", "IPv4VXLANTunnelAddr", "IPv6VXLANTunnelAddr")
)
_NEAR = {4: 24, 6: 64}
"""Bits that addresses of one network have in common, where nothing says how long it is."""


def public_address(node: Node, version: int) -> Address | None:
    """Where flanneld tells the others to send the tunnel's packets; None: it says nothing."""
    try:
        return _public_address(node, version)
    except ValueError:
        return None


def public_origin(node: Node, version: int) -> Origin:
    """Where that is said."""
    return _origin(node, _PREFIX + _PUBLIC[version])


def shared(nodes: Iterable[Node]) -> frozenset[Address]:
    """Addresses at which two nodes are to be found."""
    told = Counter(a for node in nodes for v in _PUBLIC if (a := public_address(node, v)))
    return frozenset(address for address, times in told.items() if times > 1)


def vtep_mac(node: Node, network: Prefix) -> str | None:
    """From the node's annotation: what flanneld on the other nodes goes by."""
    try:
        return _vtep_mac(node, network.address.version)
    except ValueError:
        return None


def vni(node: Node, version: int) -> int | None:
    """The number of the network that the node's flanneld has; None: it says none."""
    try:
        data = json.loads(node.annotations.get(_PREFIX + _DATA[version], "null"))
    except (ValueError, RecursionError):
        return None
    found = data.get("VNI") if isinstance(data, dict) else None
    return found if isinstance(found, int) and 0 < found < 1 << 24 else None


def vtep_origin(node: Node, version: int) -> Origin:
    """Where that is said."""
    return _origin(node, _PREFIX + _DATA[version])


def backend_type(nodes: Iterable[Node]) -> str:
    """The backend that flanneld on the nodes runs, as the first of them has it; empty: none does.

    A node's flanneld writes what its own net-conf.json says (pkg/subnet/kube AcquireLease).
    """
    key = _PREFIX + "backend-type"
    return next((told for node in nodes if (told := node.annotations.get(key))), "")


def strays(node: Node, address: Address) -> bool:
    """Whether a pod's address is none that flannel has routes for, where it runs on the node."""
    cidr = node.pod_cidr(address.version)
    return bool(backend_type((node,))) and cidr is not None and address not in cidr


def wrong(node: Node) -> Iterator[Remark]:
    """The annotations that say nothing usable: each costs only itself."""
    for reads, names in ((_public_address, _PUBLIC), (_vtep_mac, _DATA)):
        for version, name in names.items():
            try:
                reads(node, version)
            except ValueError as error:
                text = f"node {node.name}: annotation {_PREFIX}{name}: {error}; it is not used"
                yield Remark(text=text, origin=_origin(node, _PREFIX + name))


def tunnels_apart(nodes: Iterable[Node]) -> Iterator[tuple[Node, str, Origin]]:
    """Nodes between which flannel's tunnel carries nothing, by what they write: (node, why, where).

    A clone's device has the MAC address of the machine's that it was made from (systemd-udevd
    derives it from machine-id), and the kernel takes what comes from there for its own
    (drivers/net/vxlan vxlan_set_mac); a flanneld that was not restarted has another VNI.
    """
    macs: dict[tuple[int, str], Node] = {}
    first: dict[int, tuple[Node, int]] = {}
    for node in nodes:
        for version in _DATA:
            mac, number = _told_mac(node, version), vni(node, version)
            other = macs.setdefault((version, mac), node) if mac is not None else node
            if other is not node:
                why = f"its tunnel's device has the MAC address {mac}, as that of {other.name} has"
                yield node, f"{why}: each takes what comes from the other for its own", vtep_origin(
                    node, version)  # fmt: skip
            if number is None:
                continue
            known, its = first.setdefault(version, (node, number))
            if its != number:
                why = f"its tunnel has VNI {number}, that of {known.name} has {its}"
                yield node, f"{why}: neither takes out what the other puts in", vtep_origin(
                    node, version)  # fmt: skip


def _told_mac(node: Node, version: int) -> str | None:
    try:
        return _vtep_mac(node, version)
    except ValueError:
        return None


def told_twice(nodes: Iterable[Node]) -> Iterator[tuple[Node, Node, str, Origin]]:
    """Nodes that say of themselves what another one says: (node, the other, what, where).

    A clone of a machine, or flanneld that took the address of a NAT'ed card: both are found at one
    address, so one of them gets the packets of both.
    """
    seen: dict[object, Node] = {}
    for node in nodes:
        for version, name in _PUBLIC.items():
            address = public_address(node, version)
            first = seen.setdefault((name, address), node) if address is not None else node
            if first is not node:
                yield node, first, f"{name} {address}", _origin(node, _PREFIX + name)


def tunnel_ends_twice(nodes: Iterable[Node]) -> Iterator[tuple[Node, Node, str, Origin]]:
    """Nodes whose Calico tunnel has the address of another one's: (node, the other, it, where).

    Source: Calico node/pkg/allocateip: an address of IPAM, one node's alone.
    """
    seen: dict[tuple[str, str], Node] = {}
    for node in nodes:
        for name in _TUNNEL_ENDS:
            if address := node.annotations.get(name):
                first = seen.setdefault((name, address), node)
                if first is not node:
                    yield node, first, address, _origin(node, name)


def bgp_address(node: Node, version: int) -> Address | None:
    """Where calico-node tells the others that the node is; None: it says nothing usable."""
    written = node.annotations.get(_BGP[version], "").partition("/")[0]
    try:
        return Address.parse(written)
    except ValueError:
        return None


def astray(cluster: Cluster) -> Mapping[str, Remark]:
    """Nodes to which calico-node leads no others: by name, with what it has found there.

    One address for two nodes, or that of a bridge which the node has for itself: the first one of
    a network in which no other node is. Its BGP sessions do not come up, so neither side knows what
    is behind the other (Calico node/pkg/lifecycle/startup/autodetection).
    """
    return _astray.of(cluster)


def _find_astray(cluster: Cluster) -> Mapping[str, Remark]:
    nodes = [*cluster.nodes.values()]
    found: dict[str, Remark] = {}
    if not any(one.name == "Calico" for one in cluster.network_plugins):
        return found
    for version, key in _BGP.items():
        told = {one.name: at for one in nodes if (at := bgp_address(one, version)) is not None}
        for node in nodes:
            address = told.get(node.name)
            if address is None or address in node.addresses:
                continue
            same = next((n for n, a in told.items() if a == address and n != node.name), "")
            taken = [a for one in nodes if one is not node for a in one.addresses]
            taken += (a for name, a in told.items() if name != node.name)
            network = next(iter(prefixes((node.annotations[key],))), None)
            if same:
                said = f"{address}, which it has found for {same} too"
            elif (
                network is not None
                and address == network.nth(1)
                and not any(one in network for one in taken)
            ):
                said = f"{address}, that of a bridge which {node.name} has for itself"
            elif network is not None and _is_virtual(network, node, taken):
                said = (
                    f"{address}, a virtual one (/{network.length}, as keepalived and kube-vip add) "
                    "that moves on to another node"
                )
            elif network is not None and any(one in network for one in node.addresses):
                said = f"{address}, which it has no more"
            else:
                continue
            found[node.name] = Remark(text=said, origin=_origin(node, key))
    return found


def _is_virtual(network: Prefix, node: Node, taken: Collection[Address]) -> bool:
    """Whether a node was found at one address alone, beside its own and no other node's."""
    address = network.address
    near = Prefix.of(address, _NEAR[address.version])
    return (
        network.length == address.bits
        and address not in taken
        and any(one in near for one in node.addresses)
    )


_astray: Derived[Cluster, Mapping[str, Remark]] = Derived(_find_astray)


def _origin(node: Node, name: str) -> Origin:
    if isinstance(node.origins, Origins):
        return node.origins.within("annotations", name)
    return node.origin


def _public_address(node: Node, version: int) -> Address | None:
    """The annotated address.

    Raises:
        ValueError: it is none of that version.

    """
    written = node.annotations.get(_PREFIX + _PUBLIC[version])
    if not written:
        return None
    found = Address.parse(written)
    if found.version != version:
        raise ValueError(f"not an IPv{version} address: {written!r}")
    return found


def _vtep_mac(node: Node, version: int) -> str | None:
    """The annotated MAC address.

    Raises:
        ValueError: not JSON, or no MAC address.

    """
    written = node.annotations.get(_PREFIX + _DATA[version])
    if not written:
        return None
    try:
        data = json.loads(written)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    found = data.get("VtepMAC") if isinstance(data, dict) else None
    if found is None:
        return None
    return mac_address(found if isinstance(found, str) else json.dumps(found))
