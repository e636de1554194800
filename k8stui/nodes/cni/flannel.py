"""flannel 0.28: its rules, its routes between the nodes, and the bridge it has set up.

Source: docs/facts/cni.md section 6 (flannel-io/flannel pkg/trafficmngr/iptables/iptables.go:
masqRules, masqIP6Rules, forwardRules; pkg/backend/hostgw, vxlan; flannel-io/cni-plugin
flannel_linux.go:doCmdAdd). Recorded in recordings-cni/flannel-host-gw and flannel-vxlan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    Route,
    Vxlan,
)
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni import node_annotations
from k8stui.nodes.cni.between import host_gateway_route, host_gateway_routes
from k8stui.nodes.cni.bridged import Bridged, BridgeStyle
from k8stui.nodes.cni.host_local import gateway
from k8stui.nodes.cni.ipmasq import MULTICAST
from k8stui.nodes.cni.portmap import portmap, route_localnet
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.names import host_mac
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted
from k8stui.record import record

NETWORK_NAME = "cbr0"
"""The name in flannel's 10-flannel.conflist; the bridge is cni0 all the same."""
_HOST_GATEWAY = BridgeStyle(owner="flannel")
_OVERLAY = BridgeStyle(owner="flannel", mtu_bytes=1450)
"""eth0's 1500 less what vxlan puts around a packet."""
_POSTROUTING = "FLANNEL-POSTRTG"
_FORWARD = "FLANNEL-FWD"


@record(kw_only=True)
class Backend:
    """What net-conf.json says of the way between the nodes."""

    vxlan: bool = False
    """Backend vxlan; else host-gw."""
    direct_routing: bool = False
    """vxlan's DirectRouting: host-gw routes to nodes of the same network."""
    vni: int = 1
    port: int = 8472


class Flannel:
    """flannel as kubeadm clusters run it: ``--ip-masq --kube-subnet-mgr``."""

    def __init__(self, site: Site, backend: Backend) -> None:
        self._site = site
        self._backend = backend
        self._style = _OVERLAY if backend.vxlan else _HOST_GATEWAY
        if site.cluster.flannel_hairpin is not None:
            self._style = replace(self._style, hairpin=site.cluster.flannel_hairpin)
        self._bridged = Bridged(site, self._style)

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site, bridge = self._site, self._bridged.attachment(node).bridge
        part = self._bridged.node_part(node) + route_localnet(site, node, bridge)
        if not self._backend.vxlan:
            return part + host_gateway_routes(site, node, "flannel")
        return self._overlay(node) + part

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """With the route of host-local's ``routes``: the whole pod network by the gateway."""
        site = self._site
        routes = []
        for address in pod.addresses:
            network = site.network_of(node, address)
            if network is None or address not in network:
                continue
            routes.append(
                Route(
                    destination=site.pod_network(address.version),
                    gateway=gateway(network),
                    device="eth0",
                    reason=Because(
                        text="the pods of all nodes, by this node's bridge",
                        origin=defaulted("flannel hands host-local a route to FLANNEL_NETWORK"),
                        owner="flannel",
                        pod=pod.key,
                    ),
                )
            )
        return self._bridged.pod_part(node, pod) + Part(routes=tuple(routes))

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        site = self._site
        own = next((net for net in site.networks(node) if net.address.version == version), None)
        made = [_flanneld(site, node, own) if own else None]
        made.append(portmap(site, node, version, NETWORK_NAME))
        return [one for one in made if one]

    def _overlay(self, node: Node) -> Part:
        """The vxlan device, and per other node a neighbour, a forwarding entry and a route."""
        site = self._site
        part = Part()
        for mine in site.networks(node):
            local = node_annotations.public_address(node, mine.address.version)
            if local is not None:
                device = f"flannel{'-v6' if mine.address.version == 6 else ''}.{self._backend.vni}"
                part += Part(interfaces=(self._device(node, device, mine, local),))
                for other in site.cluster.nodes.values():
                    if other.name != node.name:
                        part += self._tunnel(node, device, other, mine.address.version)
        return part

    def _device(self, node: Node, device: str, network: Prefix, local: Address) -> Interface:
        site, backend = self._site, self._backend
        address = network.address
        return Interface(
            name=device,
            kind=LinkKind.VXLAN,
            mac=self._mac(node, device, network),
            mtu_bytes=self._style.mtu_bytes,
            addresses=(
                InterfaceAddress(
                    address=address,
                    prefix_length=address.bits,
                    reason=Because(
                        text=f"the tunnel end of {node.name}: the first address of {network}",
                        origin=site.pod_network_origin(node),
                        owner="flannel",
                    ),
                ),
            ),
            vxlan=Vxlan(
                vni=backend.vni, local=local, port=backend.port, device=site.uplink(node).device
            ),
            reason=Because(
                text=f"flannel's tunnel to the other nodes, vxlan id {backend.vni}",
                origin=defaulted("flannel's vxlan backend"),
                owner="flannel",
            ),
        )

    def _mac(self, node: Node, device: str, network: Prefix) -> str:
        """As annotated; else as a dump shows it, else made up: flannel draws it at random."""
        told = node_annotations.vtep_mac(node, network)
        seen = self._site.observed(node).interfaces or ()
        found = told or next((one.mac for one in seen if one.name == device), None)
        return found or host_mac(network.address)

    def _tunnel(self, node: Node, device: str, other: Node, version: int) -> Part:
        site = self._site
        remote = node_annotations.public_address(other, version)
        part = Part()
        for prefix in site.behind(other):
            if prefix.address.version != version or remote is None:
                continue
            direct = host_gateway_route(site, node, other, prefix, "flannel")
            if self._backend.direct_routing and direct and not direct.onlink:
                part += Part(routes=(direct,))
                continue
            vtep, far_mac = prefix.address, self._mac(other, device, prefix)
            part += Part(
                neighbours=(Neighbour(address=vtep, device=device, mac=far_mac),),
                fdb=(FdbEntry(mac=far_mac, device=device, permanent=True, destination=remote),),
                routes=(
                    Route(
                        destination=prefix,
                        gateway=vtep,
                        device=device,
                        onlink=True,
                        reason=Because(
                            text=f"the pods of {other.name}, through the tunnel to {remote}",
                            origin=site.pod_network_origin(other),
                            owner="flannel",
                        ),
                    ),
                ),
            )
        return part


def configured(site: Site) -> Flannel:
    """With the backend of the input's net-conf.json; host-gw without one."""
    backend = (site.cluster.flannel or {}).get("Backend")
    vxlan = isinstance(backend, Mapping) and backend.get("Type") == "vxlan"
    return overlay(site) if vxlan else host_gateway(site)


def host_gateway(site: Site) -> Flannel:
    """The host-gw backend, whatever the input says."""
    return Flannel(site, Backend())


def overlay(site: Site) -> Flannel:
    """The vxlan backend with what net-conf.json says of it."""
    vxlan = Backend(vxlan=True)
    written = (site.cluster.flannel or {}).get("Backend")
    if not isinstance(written, Mapping):
        return Flannel(site, vxlan)
    vni, port = written.get("VNI"), written.get("Port")
    return Flannel(
        site,
        replace(
            vxlan,
            direct_routing=written.get("DirectRouting") is True,
            vni=_number(vni, vxlan.vni, 0xFFFFFF),
            port=_number(port, vxlan.port, 0xFFFF),
        ),
    )


def _number(value: object, default: int, largest: int) -> int:
    """A number of net-conf.json; the default where there is none that the kernel takes."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= largest
    return int(value) if usable and isinstance(value, int) else default


def _flanneld(site: Site, node: Node, own: Prefix) -> Contribution:
    """The rules of the daemon itself; the jumps are appended (flannel 0.21.5 and later)."""
    version = own.address.version
    pods = site.pod_network(version)
    masq_comment = '-m comment --comment "flanneld masq"'
    forward_comment = '-m comment --comment "flanneld forward"'
    network = site.pod_network_origin(node)

    def because(text: str, origin: Origin = network) -> Because:
        return Because(text=text, origin=origin, owner="flannel")

    lines = (
        (
            f"-m mark --mark 0x4000/0x4000 {masq_comment} -j RETURN",
            "kube-proxy has marked the packet and masquerades it itself",
        ),
        (
            f"-s {own} -d {pods} {masq_comment} -j RETURN",
            f"a pod of {node.name} talks to a pod: it keeps its address",
        ),
        (
            f"-s {pods} -d {own} {masq_comment} -j RETURN",
            f"a pod talks to a pod of {node.name}: it keeps its address",
        ),
        (
            f"! -s {pods} -d {own} {masq_comment} -j RETURN",
            f"others talk to a pod of {node.name}: they keep their address",
        ),
        (
            f"-s {pods} ! -d {MULTICAST[version]} {masq_comment} -j MASQUERADE --random-fully",
            "a pod talks to somebody beyond the pod network: with the node's address",
        ),
        (
            f"! -s {pods} -d {pods} {masq_comment} -j MASQUERADE --random-fully",
            "others talk to a pod of another node by way of this one: with this node's address",
        ),
    )
    posting = Chain(
        _POSTROUTING,
        tuple(Rule(f"-A {_POSTROUTING} {match}", because(text)) for match, text in lines),
    )
    forwarding = Chain(
        _FORWARD,
        tuple(
            Rule(
                f"-A {_FORWARD} {side} {pods} {forward_comment} -j ACCEPT",
                because("what pods send and get may be forwarded, whatever FORWARD's policy is"),
            )
            for side in ("-s", "-d")
        ),
    )
    masq = because("flannel masquerades", defaulted("flanneld --ip-masq, as its DaemonSet runs it"))
    forward = because("flannel lets pods through", defaulted("flanneld --iptables-forward-rules"))
    return Contribution(
        "flannel",
        {
            "nat": TablePart(
                chains={_POSTROUTING: posting},
                jumps=(
                    Jump(
                        "POSTROUTING",
                        Rule(f"-A POSTROUTING {masq_comment} -j {_POSTROUTING}", masq),
                    ),
                ),
            ),
            "filter": TablePart(
                chains={_FORWARD: forwarding},
                jumps=(
                    Jump("FORWARD", Rule(f"-A FORWARD {forward_comment} -j {_FORWARD}", forward)),
                ),
            ),
        },
    )
