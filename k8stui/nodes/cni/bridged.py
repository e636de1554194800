"""Pods behind one bridge: a cable from each to a port of it, the gateway's address on it.

What the bridge plug-in puts where: docs/facts/cni.md section 1
(plugins:plugins/main/bridge/bridge.go), recorded in recordings-cni/bridge and bridge-ipmasq.
flannel and docker0 have the same with other names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    LinkKind,
    Neighbour,
    Route,
)
from k8stui.nodes.cni.conflist import StaticRoute
from k8stui.nodes.cni.host_local import gateway
from k8stui.nodes.names import host_mac, mac, veth_name
from k8stui.nodes.part import DEFAULT_ROUTE, Part, interface_address
from k8stui.nodes.site import Site
from k8stui.origin import Origin, assumed, defaulted
from k8stui.record import record


class _Together(NamedTuple):
    """The pods of one network as neighbours, and which of them are whose: begin and end."""

    all: list[Neighbour]
    of: dict[str, tuple[int, int]]


@record(kw_only=True)
class BridgeStyle:
    """How a plug-in names and sets up its bridge and the pods' veth pairs."""

    owner: str
    """The program, for reasons: flannel, bridge plug-in, docker."""
    device: str = "cni0"
    veth_digits: int = 8
    mac_lead: str = "02:00"
    """First two bytes of the MAC addresses of bridge and pods; the IPv4 address follows."""
    hairpin: bool = True
    """Of the bridge ports, where no option says otherwise."""
    stands_empty: bool = False
    """Whether the bridge is there before the first pod (docker0 is)."""
    mtu_bytes: int = 1500
    gateway: bool = True
    """Whether the bridge has an address: isGateway."""
    default_route: bool = True
    """Whether it is everybody's way out: isDefaultGateway."""
    routes: tuple[StaticRoute, ...] = ()
    """ipam's, in the pod."""
    gateways: tuple[tuple[Prefix, Address], ...] = ()
    """Of networks whose range names another one than the first address."""
    isolated: bool = False
    """portIsolation (plug-ins since 1.7): pods of one node do not reach each other."""

    def gateway_of(self, network: Prefix) -> Address:
        return dict(self.gateways).get(network) or gateway(network)


@record()
class _Attachment:
    """How the pods of one node are plugged in."""

    bridge: str
    bridge_mac: str
    veths: Mapping[str, str]
    """Pod key → name of the host's end."""


class Bridged:
    """The bridges of all nodes."""

    def __init__(self, site: Site, style: BridgeStyle) -> None:
        self.site = site
        self.style = style
        self._attachments: dict[str, _Attachment] = {}
        self._known: dict[tuple[str, Prefix], _Together] = {}

    def recognises(self, node: Node) -> bool:
        """Whether the node's dump has this bridge, with an address of the node's pod networks."""
        bridge = self._observed_bridge(node)
        return bridge is not None and bridge.name == self.style.device

    def addresses(self, node: Node) -> Sequence[Address]:
        style = self.style
        if not style.gateway or not (self.site.pods(node.name) or style.stands_empty):
            return ()
        return tuple(map(style.gateway_of, self.site.networks(node)))

    def attachment(self, node: Node) -> _Attachment:
        """Names on the node's side of its pods' cables; a dump's own where there is one.

        Which veth is whose neighbours and the FDB tell. Other ports and pods are matched in their
        order (assumed), which is the order in which both were made.
        """
        found = self._attachments.get(node.name)
        if found is None:
            found = self._attachments[node.name] = self._attach(node)
        return found

    def _attach(self, node: Node) -> _Attachment:
        site, style = self.site, self.style
        bridge = self._observed_bridge(node)
        observed_ports = [
            port.name
            for port in site.observed(node).interfaces or ()
            if bridge is not None and port.master == bridge.name and port.kind is LinkKind.VETH
        ]
        pods = site.pods(node.name)
        told = {pod.key: port for pod in pods if (port := site.bridged_to(node, pod))}
        taken = set(told.values())
        free = iter([port for port in observed_ports if port not in taken])
        veths = {
            pod.key: told.get(pod.key) or next(free, None) or veth_name(pod, style.veth_digits)
            for pod in pods
        }
        if bridge is not None:
            return _Attachment(bridge.name, bridge.mac, veths)
        first = next(map(style.gateway_of, site.networks(node)), None)
        bridge_mac = mac(first, style.mac_lead) if first else f"{style.mac_lead}:00:00:00:00"
        if not style.gateway:  # nothing pins it: the lowest of the ports' (br_stp_if.c)
            ports = (host_mac(pod.addresses[0]) for pod in site.pods(node.name))
            bridge_mac = min(ports, default=bridge_mac)
        return _Attachment(style.device, bridge_mac, veths)

    def _observed_bridge(self, node: Node) -> Interface | None:
        """The bridge in the node's dump that has an address of its pod networks."""
        networks = self.site.networks(node)
        for interface in self.site.observed(node).interfaces or ():
            if interface.kind is LinkKind.BRIDGE and any(
                entry.address in network for entry in interface.addresses for network in networks
            ):
                return interface
        return None

    def node_part(self, node: Node) -> Part:
        """The bridge, its ports, and what it knows of the pods; empty on a node without pods.

        Neighbours and forwarding entries are warm, as if everybody had spoken to everybody before
        (assumed; golden-walks/README.md).
        """
        site, style = self.site, self.style
        pods = site.pods(node.name)
        if not pods and not style.stands_empty:
            return Part()
        at = self.attachment(node)
        hairpin = style.hairpin if site.options.hairpin is None else site.options.hairpin
        bridge = Interface(
            name=at.bridge,
            kind=LinkKind.BRIDGE,
            mac=at.bridge_mac,
            mtu_bytes=style.mtu_bytes,
            carrier=bool(pods),
            addresses=tuple(
                interface_address(
                    style.gateway_of(network),
                    network.length,
                    Because(
                        text=f"gateway of the pods of {node.name}: the first address of {network}",
                        origin=site.pod_network_origin(node),
                        owner=style.owner,
                    ),
                )
                for network in site.networks(node)
                if style.gateway
            ),
            reason=Because(
                text=f"{at.bridge}, the bridge that joins the pods of {node.name}",
                origin=defaulted(f"the name that {style.owner} gives it"),
                owner=style.owner,
            ),
        )
        ports = tuple(
            Interface(
                name=at.veths[pod.key],
                kind=LinkKind.VETH,
                mac=host_mac(pod.addresses[0]),
                mtu_bytes=style.mtu_bytes,
                master=at.bridge,
                peer=(pod.key, "eth0"),
                port=BridgePort(hairpin=hairpin, isolated=style.isolated),
                reason=Because(
                    text=f"host end of the cable to pod {pod.key}",
                    origin=assumed("a real node draws the name at random", pod.origin.place),
                    owner=style.owner,
                    pod=pod.key,
                ),
            )
            for pod in pods
        )
        return Part(
            interfaces=(bridge, *ports),
            routes=tuple(
                Route(
                    destination=Prefix(address, address.bits),
                    device=at.bridge,
                    scope="link",
                    reason=Because(
                        text=f"pod {pod.key} of this node, outside its pod network",
                        origin=pod.origins.get("addresses", pod.origin),
                        owner=style.owner,
                        pod=pod.key,
                    ),
                )
                for pod, address in site.strays(node)
            ),
            neighbours=tuple(
                Neighbour(
                    address=address, device=at.bridge, mac=mac(pod.addresses[0], style.mac_lead)
                )
                for pod in pods
                for address in pod.addresses
            ),
            fdb=(
                *(
                    (FdbEntry(mac=at.bridge_mac, device=at.bridge, permanent=True),)
                    if style.gateway
                    else ()
                ),
                *(entry for pod in pods for entry in _learned(pod, at.veths[pod.key], style)),
            ),
        )

    def _beside(self, node: Node, network: Prefix, pod: Pod) -> Sequence[Neighbour]:
        """The other pods of a node in one of its networks, as this one of them knows them."""
        key = (node.name, network)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _Together([], {})
            for each in self.site.pods(node.name):
                begins = len(found.all)
                lead = self.style.mac_lead
                found.all.extend(
                    Neighbour(address=address, device="eth0", mac=mac(each.addresses[0], lead))
                    for address in each.addresses
                    if address in network
                )
                found.of[each.key] = (begins, len(found.all))
        begins, ends = found.of[pod.key]
        return found.all[:begins] + found.all[ends:]

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """eth0 and default routes; the pod knows the gateway and the pods beside it."""
        site, style = self.site, self.style
        at = self.attachment(node)
        origin = pod.origins.get("addresses", pod.origin)
        addresses = []
        routes = []
        neighbours = []
        for address in pod.addresses:
            network = site.network_of(node, address)
            inside = network is not None and address in network
            addresses.append(
                interface_address(
                    address,
                    network.length if network and inside else address.bits,
                    Because(
                        text=f"address of pod {pod.key}",
                        origin=origin,
                        owner=style.owner,
                        pod=pod.key,
                    ),
                )
            )
            if network is None:
                continue
            way_out = style.gateway_of(network)
            routes += [
                Route(
                    destination=static.destination,
                    gateway=static.gateway or way_out,
                    device="eth0",
                    onlink=not inside,
                    reason=Because(
                        text=f"{_what(static)} goes to {at.bridge} of {node.name}",
                        origin=_said(static),
                        owner=style.owner,
                        pod=pod.key,
                    ),
                )
                for static in self._static(address.version)
            ]
            if style.gateway:
                neighbours.append(Neighbour(address=way_out, device="eth0", mac=at.bridge_mac))
            if inside:
                neighbours += self._beside(node, network, pod)
        eth0 = Interface(
            name="eth0",
            kind=LinkKind.VETH,
            mac=mac(pod.addresses[0], style.mac_lead),
            mtu_bytes=style.mtu_bytes,
            addresses=tuple(addresses),
            peer=(node.name, at.veths[pod.key]),
            reason=Because(
                text=f"the pod's end of {at.veths[pod.key]} on {node.name}",
                origin=defaulted("every pod has one interface, eth0", pod.origin.place),
                owner=style.owner,
                pod=pod.key,
            ),
        )
        return Part(interfaces=(eth0,), routes=tuple(routes), neighbours=tuple(neighbours))

    def _static(self, version: int) -> Sequence[StaticRoute]:
        """The pod's routes of one family, the default one once (bridge.go:cmdAdd)."""
        found = [r for r in self.style.routes if r.destination.address.version == version]
        default = DEFAULT_ROUTE[version]
        if self.style.default_route and all(r.destination != default for r in found):
            found.append(StaticRoute(destination=default))
        return found


def _said(static: StaticRoute) -> Origin:
    default = not static.destination.length
    return defaulted("isDefaultGateway: true" if default else "one of ipam's routes")


def _what(static: StaticRoute) -> str:
    return str(static.destination) if static.destination.length else "everything else"


def _learned(pod: Pod, veth: str, style: BridgeStyle) -> tuple[FdbEntry, FdbEntry]:
    first = pod.addresses[0]
    return (
        FdbEntry(mac=mac(first, style.mac_lead), device=veth),
        FdbEntry(mac=host_mac(first), device=veth, permanent=True),
    )
