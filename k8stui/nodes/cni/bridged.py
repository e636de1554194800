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
from k8stui.nodes.cni.host_local import gateway
from k8stui.nodes.names import host_mac, mac, veth_name
from k8stui.nodes.part import DEFAULT_ROUTE, Part, interface_address
from k8stui.nodes.site import Site
from k8stui.origin import assumed, defaulted
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
        if not self.site.pods(node.name) and not self.style.stands_empty:
            return ()
        return tuple(gateway(network) for network in self.site.networks(node))

    def attachment(self, node: Node) -> _Attachment:
        """Names on the node's side of its pods' cables; a dump's own where there is one.

        A dump does not say which veth is whose: ports and pods are matched in their order
        (assumed), which is the order in which both were made.
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
        veths = {
            pod.key: observed_ports[i]
            if i < len(observed_ports)
            else veth_name(pod, style.veth_digits)
            for i, pod in enumerate(site.pods(node.name))
        }
        if bridge is not None:
            return _Attachment(bridge.name, bridge.mac, veths)
        first = next((gateway(network) for network in site.networks(node)), None)
        bridge_mac = mac(first, style.mac_lead) if first else f"{style.mac_lead}:00:00:00:00"
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
                    gateway(network),
                    network.length,
                    Because(
                        text=f"gateway of the pods of {node.name}: the first address of {network}",
                        origin=site.pod_network_origin(node),
                        owner=style.owner,
                    ),
                )
                for network in site.networks(node)
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
                port=BridgePort(hairpin=hairpin),
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
                FdbEntry(mac=at.bridge_mac, device=at.bridge, permanent=True),
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
            routes.append(
                Route(
                    destination=DEFAULT_ROUTE[address.version],
                    gateway=gateway(network),
                    device="eth0",
                    onlink=not inside,
                    reason=Because(
                        text=f"everything else goes to {at.bridge} of {node.name}",
                        origin=defaulted("isDefaultGateway: true"),
                        owner=style.owner,
                        pod=pod.key,
                    ),
                )
            )
            neighbours.append(Neighbour(address=gateway(network), device="eth0", mac=at.bridge_mac))
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


def _learned(pod: Pod, veth: str, style: BridgeStyle) -> tuple[FdbEntry, FdbEntry]:
    first = pod.addresses[0]
    return (
        FdbEntry(mac=mac(first, style.mac_lead), device=veth),
        FdbEntry(mac=host_mac(first), device=veth, permanent=True),
    )
