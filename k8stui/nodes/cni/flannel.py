"""flannel 0.28: its routes between the nodes, and the bridge it has set up.

Source: docs/facts/cni.md section 6 (flannel-io/flannel pkg/trafficmngr/iptables/iptables.go:
masqRules, masqIP6Rules, forwardRules; pkg/backend/hostgw, vxlan; flannel-io/cni-plugin
flannel_linux.go:doCmdAdd). Recorded in recordings-cni/flannel-host-gw and flannel-vxlan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from k8stui.because import Because
from k8stui.cluster.model import CniConfiguration, Container, Node, Pod
from k8stui.kernel.address import Address, Prefix
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
from k8stui.nodes.cni import conflist, flannel_rules, node_annotations
from k8stui.nodes.cni.between import host_gateway_route, host_gateway_routes
from k8stui.nodes.cni.bridge import style
from k8stui.nodes.cni.bridged import Bridged
from k8stui.nodes.cni.conflist import Configuration
from k8stui.nodes.cni.daemon import is_flanneld, told
from k8stui.nodes.cni.firewall import firewall
from k8stui.nodes.cni.flannel_rules import Daemon
from k8stui.nodes.cni.ipmasq import ip_masq
from k8stui.nodes.cni.portmap import portmap, route_localnet
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.names import host_mac
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import defaulted
from k8stui.record import record

_USUAL = CniConfiguration(
    name="cbr0",
    plugins=(
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap"},
    ),
    origin=defaulted("flannel's own 10-flannel.conflist"),
)
"""The bridge is cni0 all the same: the bridge plug-in's default name."""
_ETHERNET_BYTES = 1500
_VXLAN_BYTES = 50
_MORE_BYTES = {4: 0, 6: 20}
"""flannel counts 50 bytes around a packet whatever the family (encapOverhead), and gives the pods
that much. Its device gets less from the kernel where the outer header is IPv6's, for no more fits
through the device below (vxlan_config_apply)."""
_POSTROUTING = "FLANNEL-POSTRTG"
_FORWARD = "FLANNEL-FWD"


@record(kw_only=True)
class FlannelBackend:
    """What net-conf.json says of the way between the nodes."""

    vxlan: bool = False
    """Backend vxlan; else host-gw."""
    direct_routing: bool = False
    """vxlan's DirectRouting: host-gw routes to nodes of the same network."""
    vni: int = 1
    port: int = 8472
    device: str = ""
    """Of another backend, by the driver that `ip -d link` shows (wireguard, ipip, tun)."""
    mtu_bytes: int = _ETHERNET_BYTES
    """What the pods' devices are given."""
    named: str = "host-gw"


class Flannel:
    """flannel as the input runs it, else as its own manifest does: ``--ip-masq``."""

    def __init__(self, site: Site, backend: FlannelBackend) -> None:
        self._site = site
        self._backend = backend
        self._daemon = _daemon(site)
        self._list = _delegated(site)
        self._style = replace(
            style("flannel", self._list), mtu_bytes=self._list.mtu_bytes or backend.mtu_bytes
        )
        self._bridged = Bridged(site, self._style)
        self._delegate_masquerades = self._list.says("ipMasq", otherwise=not self._daemon.ip_masq)

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site, bridge = self._site, self._bridged.attachment(node).bridge
        part = self._bridged.node_part(node) + route_localnet(site, node, bridge, self._list)
        between = self.between(node)
        return between + part if between.interfaces else part + between

    def between(self, node: Node) -> Part:
        """What flanneld itself puts there: the ways to the other nodes' pods, with their device."""
        if self._backend.device:
            return self._other_tunnel(node)
        if not self._backend.vxlan:
            return host_gateway_routes(self._site, node, "flannel")
        return self._overlay(node)

    @property
    def mtu_bytes(self) -> int:
        """Of pods' devices."""
        return self._backend.mtu_bytes

    def rules(self, node: Node, version: int) -> Contribution | None:
        """What flanneld itself writes; None: nothing."""
        return flannel_rules.rules(self._site, node, version, self._daemon)

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
                    gateway=self._style.gateway_of(network),
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
        site, configuration = self._site, self._list
        bridge = self._bridged.attachment(node).bridge
        made = [
            self.rules(node, version),
            ip_masq(site, node, version, configuration.name, "bridge plug-in")
            if self._delegate_masquerades
            else None,
            portmap(site, node, version, configuration),
            firewall(site, node, version, configuration, bridge),
        ]
        return [one for one in made if one]

    def _other_tunnel(self, node: Node) -> Part:
        """A device of another backend, and the routes into it; all but ipip is not modelled.

        Source: flannel pkg/backend/wireguard (flannel-wg, a route each), ipip (flannel.ipip, onlink
        by the node), udp (flannel0, one route for all).
        """
        site, backend = self._site, self._backend
        name, is_ipip = _DEVICES[backend.device], backend.device == "ipip"
        because = Because(
            text=f"flannel's tunnel to the other nodes, backend {backend.named}",
            origin=defaulted(f"flannel's {backend.named} backend"),
            owner="flannel",
        )
        part = Part()
        for mine in site.networks(node):
            if mine.address.version == 4:
                address = InterfaceAddress(
                    address=mine.address, prefix_length=mine.address.bits, reason=because
                )
                part += Part(
                    interfaces=(
                        Interface(
                            name=name,
                            kind=LinkKind.IPIP if is_ipip else LinkKind.OTHER,
                            ipip=Ipip(local=node.address(4)) if is_ipip else None,
                            driver="" if is_ipip else backend.device,
                            mtu_bytes=backend.mtu_bytes,
                            addresses=(address,),
                            reason=because,
                        ),
                    )
                )
        behind = [
            (other, prefix)
            for other in site.cluster.nodes.values()
            if other.name != node.name and part.interfaces
            for prefix in site.behind(other)
            if prefix.address.version == 4
        ]
        for other, prefix in behind:
            via = other.address(4) if is_ipip else None
            part += Part(
                routes=(
                    Route(
                        destination=prefix,
                        device=name,
                        gateway=via,
                        onlink=via is not None,
                        scope="global" if via is not None else "link",
                        reason=replace(because, text=f"the pods of {other.name}, by {name}"),
                    ),
                )
            )
        return part

    def _overlay(self, node: Node) -> Part:
        """The vxlan device, and per other node a neighbour, a forwarding entry and a route."""
        site = self._site
        part = Part()
        for mine in site.networks(node):
            local = self._met_at(node, mine.address.version)
            if local is not None:
                version = mine.address.version
                vni = self._vni(node, version)
                device = f"flannel{'-v6' if version == 6 else ''}.{vni}"
                part += Part(interfaces=(self._device(node, device, mine, local),))
                for other in site.cluster.nodes.values():
                    if other.name != node.name:
                        part += self._tunnel(node, device, other, mine.address.version)
        return part

    def _met_at(self, node: Node, version: int) -> Address | None:
        """Where the tunnels of the others lead: flannel's annotation, else the node's own address.

        An annotated address that neither the Node nor its devices show may be a card of its own
        (``--iface``), which is not known here: then the node's own address stands for it. But not
        where two nodes say the same, nor on the nodes' own network: a node would have it there.
        """
        told, own = node_annotations.public_address(node, version), node.address(version)
        if told is None or told == own:
            return own
        site = self._site
        is_shared = told in self._shared or site.lan.network_of(told) is not None
        cards = (a for up in site.uplinks(node) for a in site.addresses_on(node, up))
        return told if is_shared or told in cards else own

    @cached_property
    def _shared(self) -> frozenset[Address]:
        return node_annotations.shared(self._site.cluster.nodes.values())

    def _device(self, node: Node, device: str, network: Prefix, local: Address) -> Interface:
        site, backend = self._site, self._backend
        address = network.address
        vni = self._vni(node, local.version)
        return Interface(
            name=device,
            kind=LinkKind.VXLAN,
            mac=self._mac(node, device, network),
            mtu_bytes=backend.mtu_bytes - _MORE_BYTES[local.version],
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
            vxlan=Vxlan(vni=vni, local=local, port=backend.port, device=site.uplink(node).device),
            reason=Because(
                text=f"flannel's tunnel to the other nodes, vxlan id {vni}",
                origin=defaulted("flannel's vxlan backend"),
                owner="flannel",
            ),
        )

    def _vni(self, node: Node, version: int) -> int:
        """As the node's own flanneld wrote it, which began with the net-conf.json of that time."""
        return node_annotations.vni(node, version) or self._backend.vni

    def _mac(self, node: Node, device: str, network: Prefix) -> str:
        """As annotated; else as a dump shows it, else made up: flannel draws it at random."""
        told = node_annotations.vtep_mac(node, network)
        return told or self._site.seen_mac(node, device) or host_mac(network.address)

    def _tunnel(self, node: Node, device: str, other: Node, version: int) -> Part:
        site = self._site
        remote = self._met_at(other, version)
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
    """With the backend of net-conf.json, else of the Nodes' annotations; host-gw without any."""
    backend = (site.cluster.flannel or {}).get("Backend")
    told = backend.get("Type") if isinstance(backend, Mapping) else None
    told = told or node_annotations.backend_type(site.cluster.nodes.values())
    if told == "vxlan":
        return overlay(site)
    if isinstance(told, str) and told in _OTHER_BACKENDS:
        return _other(site, told, backend)
    return host_gateway(site)


def host_gateway(site: Site) -> Flannel:
    """The host-gw backend, whatever the input says."""
    return Flannel(site, FlannelBackend())


def overlay(site: Site) -> Flannel:
    """The vxlan backend with what net-conf.json says of it."""
    vxlan = FlannelBackend(vxlan=True, mtu_bytes=_ETHERNET_BYTES - _VXLAN_BYTES, named="vxlan")
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
            mtu_bytes=_mtu(written, _VXLAN_BYTES),
        ),
    )


def wireguard(site: Site) -> Flannel:
    """The wireguard backend: named, and not modelled behind its device."""
    return _other(site, "wireguard", None)


def _other(site: Site, named: str, backend: object) -> Flannel:
    driver, around = _OTHER_BACKENDS[named]
    mtu_bytes = _mtu(backend, around)
    return Flannel(site, FlannelBackend(device=driver, mtu_bytes=mtu_bytes, named=named))


def _mtu(backend: object, around: int) -> int:
    """Inside a tunnel: net-conf.json says that of the device below it (backend/vxlan, ipip)."""
    told = backend.get("MTU") if isinstance(backend, Mapping) else None
    return (conflist.mtu(told, around) or _ETHERNET_BYTES) - around


_OTHER_BACKENDS = {"wireguard": ("wireguard", 80), "ipip": ("ipip", 20), "udp": ("tun", 28)}
"""By Type: the driver of the device, and what it puts around a packet."""
_DEVICES = {"wireguard": "flannel-wg", "ipip": "flannel.ipip", "tun": "flannel0"}


def _daemon(site: Site) -> Daemon:
    """By the arguments of the input's flannel pods, and net-conf.json's EnableNFTables.

    Source: flannel main.go (flags --ip-masq, default false; --iptables-forward-rules, true).
    """
    nftables = (site.cluster.flannel or {}).get("EnableNFTables") is True
    found = site.running(_is_its)
    if found is None:
        return Daemon(nftables=nftables)
    return Daemon(
        ip_masq=told(found.spoken, "ip-masq", otherwise=False),
        forward_rules=told(found.spoken, "iptables-forward-rules", otherwise=True),
        nftables=nftables,
        origin=found.origin,
    )


def _is_its(pod: Pod, container: Container) -> bool:
    del pod
    return is_flanneld(container)


def _delegated(site: Site) -> Configuration:
    """The list that flannel's plug-in makes for its delegate (flannel_linux.go:doCmdAdd)."""
    found = conflist.configured(site, "flannel") or conflist.of(_USUAL)
    delegate = found.main.get("delegate")
    told = delegate if isinstance(delegate, Mapping) else {}
    return replace(found, main={"isGateway": True, **told})


def _number(value: object, default: int, largest: int) -> int:
    """A number of net-conf.json; the default where there is none that the kernel takes."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= largest
    return int(value) if usable and isinstance(value, int) else default
