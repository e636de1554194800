"""Calico's tunnels between the nodes: IPIP by tunl0, VXLAN by vxlan.calico; of a pool, all or some.

A pool of addresses says which (``ipipMode``, ``vxlanMode``): Always, or CrossSubnet: to nodes of
another subnet alone. Source: docs/facts/cni.md section 8 (felix/dataplane/linux/ipip_mgr.go,
vxlan_mgr.go; felix/calc/vxlan_resolver.go; libcalico-go/lib/backend/k8s/resources/node.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.cluster.fields import addresses, prefixes
from k8stui.cluster.model import CalicoPool, Node
from k8stui.digest import sha1
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.link import mac_address
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    InterfaceAddress,
    Ipip,
    LinkKind,
    Neighbour,
    Route,
    Vxlan,
)
from k8stui.nodes.cni.between import host_gateway_route
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site

IPIP_DEVICE = "tunl0"
VXLAN_DEVICES = {4: "vxlan.calico", 6: "vxlan-v6.calico"}
"""By IP version (felix/dataplane/linux/dataplanedefs)."""
_OWNER = "calico"
_VNI, _PORT = 4096, 4789
_ETHERNET_BYTES = 1500
_OVERHEAD_BYTES = {("IPIP", 4): 20, ("VXLAN", 4): 50, ("VXLAN", 6): 70}
_ANNOTATION = "projectcalico.org/"
_ADDRESSES = {
    ("IPIP", 4): "IPv4IPIPTunnelAddr",
    ("VXLAN", 4): "IPv4VXLANTunnelAddr",
    ("VXLAN", 6): "IPv6VXLANTunnelAddr",
}
"""Annotations of a node that calico-node keeps there (allocateip.go)."""
_MACS = {4: "VXLANTunnelMACAddr", 6: "VXLANTunnelMACAddrV6"}
_CROSS_SUBNET = "crosssubnet"


class Tunnels:
    """Of one cluster."""

    def __init__(self, site: Site) -> None:
        self._site = site
        calico = site.cluster.calico
        pools = calico.pools if calico is not None else ()
        self._pools = [one for one in pools if (one.tunnel, one.version) in _OVERHEAD_BYTES]

    @property
    def mtu_bytes(self) -> int:
        """Of pods' devices: what fits into the largest of the tunnels (calculateMTU)."""
        sizes = (_OVERHEAD_BYTES[one.tunnel, one.version] for one in self._pools)
        return _ETHERNET_BYTES - max(sizes, default=0)

    def part(self, node: Node) -> Part:
        """The devices of a node, and the ways to what is behind the others."""
        pools = {(one.tunnel, one.version): one for one in reversed(self._pools)}
        ways = [
            self._way(node, other, prefix)
            for other in self._site.cluster.nodes.values()
            if other.name != node.name and pools
            for prefix in self._site.behind(other)
        ]
        return Part(
            interfaces=tuple(filter(None, (self._device(node, one) for one in pools.values()))),
            routes=tuple(route for way in ways for route in way.routes),
            neighbours=tuple(known for way in ways for known in way.neighbours),
            fdb=tuple(entry for way in ways for entry in way.fdb),
        )

    def _pool_of(self, prefix: Prefix) -> CalicoPool | None:
        """The pool that a node's addresses are of; one without a range is that of the pods."""
        version = prefix.address.version
        mine = [one for one in self._pools if one.version == version]
        held = (one for one in mine if one.cidr is not None and prefix.address in one.cidr)
        return next(held, next((one for one in mine if one.cidr is None), None))

    def _way(self, node: Node, other: Node, prefix: Prefix) -> Part:
        direct = host_gateway_route(self._site, node, other, prefix, "calico's BGP")
        pool = self._pool_of(prefix)
        if direct is None:
            return Part()
        if pool is None or direct.gateway is None:
            return Part(routes=(direct,))
        subnet = _subnet(node, prefix.address.version)
        is_near = direct.gateway in subnet if subnet is not None else not direct.onlink
        if is_near and pool.mode.lower() == _CROSS_SUBNET:
            return Part(routes=(direct,))
        because = Because(
            text=f"the pods of {other.name}, through the tunnel to {direct.gateway}",
            origin=pool.origin,
            owner=_OWNER,
        )
        if pool.tunnel == "IPIP":
            return Part(
                routes=(
                    replace(
                        direct,
                        device=IPIP_DEVICE,
                        onlink=True,
                        protocol="bird",
                        reason=because,
                    ),
                )
            )
        version = prefix.address.version
        device, vtep = VXLAN_DEVICES[version], self._address(other, pool)
        if vtep is None:
            return Part()
        far_mac = self._mac(other, version)
        return Part(
            neighbours=(Neighbour(address=vtep, device=device, mac=far_mac),),
            fdb=(FdbEntry(mac=far_mac, device=device, permanent=True, destination=direct.gateway),),
            routes=(
                Route(
                    destination=prefix,
                    gateway=vtep,
                    device=device,
                    onlink=True,
                    protocol="80",
                    reason=because,
                ),
            ),
        )

    def _device(self, node: Node, pool: CalicoPool) -> Interface | None:
        own, version = self._address(node, pool), pool.version
        local = node.address(version)
        if own is None or local is None:
            return None
        because = Because(
            text=f"Calico's tunnel to the other nodes: {pool.tunnel} of pool {pool.name} "
            f"({pool.mode})",
            origin=pool.origin,
            owner=_OWNER,
        )
        is_ipip = pool.tunnel == "IPIP"
        address = InterfaceAddress(
            address=own,
            prefix_length=own.bits,
            reason=replace(because, text=f"the tunnel end of {node.name}"),
        )
        return Interface(
            name=IPIP_DEVICE if is_ipip else VXLAN_DEVICES[version],
            kind=LinkKind.IPIP if is_ipip else LinkKind.VXLAN,
            mac="00:00:00:00:00:00" if is_ipip else self._mac(node, version),
            mtu_bytes=_ETHERNET_BYTES - _OVERHEAD_BYTES[pool.tunnel, version],
            addresses=(address,),
            ipip=Ipip() if is_ipip else None,
            vxlan=None
            if is_ipip
            else Vxlan(vni=_VNI, local=local, port=_PORT, device=self._site.uplink(node).device),
            reason=because,
        )

    def _address(self, node: Node, pool: CalicoPool) -> Address | None:
        """As annotated; else the first of the node's range, which no pod has."""
        told = node.annotations.get(_ANNOTATION + _ADDRESSES[pool.tunnel, pool.version])
        found = _read(told, pool.version) if told else None
        own = (one.address for one in self._networks(node, pool.version))
        return found or next(own, None)

    def _networks(self, node: Node, version: int) -> Sequence[Prefix]:
        return [one for one in self._site.networks(node) if one.address.version == version]

    def _mac(self, node: Node, version: int) -> str:
        """As annotated, or as a dump shows it; else Felix' of the node's name (vtepMACForHost)."""
        told = node.annotations.get(_ANNOTATION + _MACS[version])
        if told:
            try:
                return mac_address(told)
            except ValueError:
                pass  # Felix would not start with it; its own is the better guess
        name = node.name if version == 4 else f"{node.name}-v6"
        usual = f"66:{sha1(name.encode()).digest()[:5].hex(':')}"
        return self._site.seen_mac(node, VXLAN_DEVICES[version]) or usual


def _subnet(node: Node, version: int) -> Prefix | None:
    """The network of the node's own address, as calico-node has found it (``IPv4Address``)."""
    told = node.annotations.get(f"{_ANNOTATION}IPv{version}Address", "")
    found = prefixes((told,) if "/" in told else ())
    return next((one for one in found if one.address.version == version), None)


def _read(told: str, version: int) -> Address | None:
    return next((one for one in addresses((told,)) if one.version == version), None)
