"""The bridge plug-in: a bridge with the gateway's address, one veth pair per pod.

What it puts where: shared/cni-facts.md section 1 (plugins:plugins/main/bridge/bridge.go), recorded
in recordings-cni/bridge and bridge-ipmasq. flannel and docker0 build their devices with it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from k8stui.cluster.model import Node, Pod
from k8stui.digest import sha512
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    Route,
)
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.plugin import BridgeStyle, Part
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.names import host_mac, mac
from k8stui.nodes.reason import Because
from k8stui.origin import assumed, defaulted
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.nodes.site import Site

DEFAULT_ROUTE = {4: Prefix.parse("0.0.0.0/0"), 6: Prefix.parse("::/0")}
MULTICAST = {4: "224.0.0.0/4", 6: "ff00::/8"}


@record(kw_only=True)
class Bridge:
    """``"type": "bridge"`` with isDefaultGateway, host-local and portmap."""

    style: BridgeStyle
    network_name: str = "k8s-pod-network"
    """``name`` of the CNI configuration: chain names are hashed from it."""
    ip_masq: bool = False

    def node_part(self, site: Site, node: Node) -> Part:
        return bridge_part(site, node, self.style) + host_gateway_routes(
            site, node, "the node's set-up"
        )

    def pod_part(self, site: Site, node: Node, pod: Pod) -> Part:
        return pod_part(site, node, pod, self.style)

    def contributions(self, site: Site, node: Node, version: int) -> Sequence[Contribution]:
        made = [
            ip_masq(site, node, version, self.network_name) if self.ip_masq else None,
            portmap(site, node, version, self.network_name),
        ]
        return [one for one in made if one]


def interface_address(
    address: Address, prefix_length: int, reason: Because | None
) -> InterfaceAddress:
    """An address as `ip` gets it with ``brd +``: IPv4 networks have a broadcast address."""
    network = Prefix.of(address, prefix_length)
    return InterfaceAddress(
        address=address,
        prefix_length=prefix_length,
        broadcast=network.nth(-1) if address.version == 4 and prefix_length < 31 else None,
        reason=reason,
    )


def gateway(network: Prefix) -> Address:
    """host-local's gateway: the first address behind the network's own."""
    return network.nth(1)


def bridge_part(site: Site, node: Node, style: BridgeStyle) -> Part:
    """The bridge, its ports, and what it knows of the pods; empty on a node without pods.

    Neighbours and forwarding entries are warm, as if everybody had spoken to everybody before
    (assumed; golden-walks/README.md).
    """
    pods = site.pods(node.name)
    if not pods and not style.stands_empty:
        return Part()
    at = site.attachment(node)
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
            Neighbour(address=address, device=at.bridge, mac=mac(pod.addresses[0], style.mac_lead))
            for pod in pods
            for address in pod.addresses
        ),
        fdb=(
            FdbEntry(mac=at.bridge_mac, device=at.bridge, permanent=True),
            *(entry for pod in pods for entry in _learned(pod, at.veths[pod.key], style)),
        ),
    )


def _learned(pod: Pod, veth: str, style: BridgeStyle) -> tuple[FdbEntry, FdbEntry]:
    first = pod.addresses[0]
    return (
        FdbEntry(mac=mac(first, style.mac_lead), device=veth),
        FdbEntry(mac=host_mac(first), device=veth, permanent=True),
    )


def pod_part(site: Site, node: Node, pod: Pod, style: BridgeStyle) -> Part:
    """The pod's eth0 and default routes; its neighbours are the gateway and the pods beside it."""
    at = site.attachment(node)
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
                    text=f"address of pod {pod.key}", origin=origin, owner=style.owner, pod=pod.key
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
        neighbours += [
            Neighbour(address=beside, device="eth0", mac=mac(other.addresses[0], style.mac_lead))
            for other in site.pods(node.name)
            if other.key != pod.key
            for beside in other.addresses
            if inside and beside in network
        ]
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


def host_gateway_routes(site: Site, node: Node, owner: str) -> Part:
    """``10.244.2.0/24 via 192.168.0.12 dev eth0`` for every other node, in the cluster's order."""
    return Part(
        routes=tuple(
            route
            for other in site.cluster.nodes.values()
            if other.name != node.name
            for prefix in site.behind(other)
            if (route := host_gateway_route(site, node, other, prefix, owner))
        )
    )


def host_gateway_route(
    site: Site, node: Node, other: Node, prefix: Prefix, owner: str
) -> Route | None:
    """The route to what is behind `other`; None where a node has no address of that family."""
    via = other.address(prefix.address.version)
    mine = node.address(prefix.address.version)
    if via is None or mine is None:
        return None
    return Route(
        destination=prefix,
        gateway=via,
        device=site.uplink(node).device,
        onlink=site.lan.network_of(via) != site.lan.network_of(mine),
        reason=Because(
            text=f"the pods of {other.name} are behind {via}",
            origin=site.pod_network_origin(other),
            owner=owner,
        ),
    )


def ip_masq(site: Site, node: Node, version: int, network_name: str) -> Contribution | None:
    """``ipMasq: true``: one nat chain a pod.

    Source: plugins:pkg/ip/ipmasq_linux.go:SetupIPMasq; recordings-cni/bridge-ipmasq. The ACCEPT
    covers the node's own pod network only.
    """
    chains: dict[str, Chain] = {}
    jumps: list[Jump] = []
    for pod, address, network in _pod_addresses(site, node, version):
        because = Because(
            text=f"pod {pod.key} leaves the node with the node's address",
            origin=defaulted("ipMasq: true", pod.origin.place),
            owner="bridge plug-in",
            pod=pod.key,
            setting="ipMasq: true",
        )
        comment = f'-m comment --comment "name: \\"{network_name}\\" id: \\"{pod.container_id}\\""'
        digest = sha512(f"{network_name}{pod.container_id}".encode()).hexdigest()
        name = f"CNI-{digest}"[:28]
        chains[name] = Chain(
            name,
            (
                Rule(f"-A {name} -d {network} {comment} -j ACCEPT", because),
                Rule(f"-A {name} ! -d {MULTICAST[version]} {comment} -j MASQUERADE", because),
            ),
        )
        host = Prefix(address, address.bits)
        jumps.append(
            Jump("POSTROUTING", Rule(f"-A POSTROUTING -s {host} {comment} -j {name}", because))
        )
    if not jumps:
        return None
    return Contribution("bridge plug-in", {"nat": TablePart(chains=chains, jumps=tuple(jumps))})


def _pod_addresses(site: Site, node: Node, version: int) -> Iterator[tuple[Pod, Address, Prefix]]:
    for pod in site.pods(node.name):
        for address in pod.addresses:
            network = site.network_of(node, address)
            if address.version == version and network is not None:
                yield pod, address, network
