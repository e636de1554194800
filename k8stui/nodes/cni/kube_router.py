"""kube-router as the network plug-in: pods on kube-bridge, routes to the other nodes by BGP.

Source: kube-router daemonset/kubeadm-kuberouter.yaml (ConfigMap kube-router-cfg);
pkg/controllers/routing/network_routes_controller.go (enableForwarding, syncNodeIPSets,
injectRoute; tunnels between subnets alone), pod_egress.go. What enforces policies beside it is the
policy engine's (`k8stui.nodes.policy`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.cluster.model import Container, Node, Pod
from k8stui.kernel import ipset
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Interface, Ipip, LinkKind, Route
from k8stui.kernel.rules import Rule
from k8stui.nodes.cni.between import host_gateway_route
from k8stui.nodes.cni.bridge import style
from k8stui.nodes.cni.bridged import Bridged
from k8stui.nodes.cni.conflist import assumed_list, configured
from k8stui.nodes.cni.daemon import told
from k8stui.nodes.cni.portmap import portmap, route_localnet
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted

_OWNER = "kube-router"
_USUAL = {"bridge": "kube-bridge", "isDefaultGateway": True, "hairpinMode": True}
_PODS, _NODES = "kube-router-pod-subnets", "kube-router-node-ips"
_FAMILY = {4: ("", "inet"), 6: ("inet6:", "inet6")}


class KubeRouter:
    """``--run-router=true``, with pods' egress masqueraded unless it is told otherwise."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._list = configured(site, "bridge") or assumed_list(_USUAL, "kube-router-cfg's list")
        self._bridged = Bridged(site, style(_OWNER, self._list))
        self._masquerades, self._origin = _egress(site)

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site = self._site
        bridge = self._bridged.attachment(node).bridge
        part = self._bridged.node_part(node) + route_localnet(site, node, bridge, self._list)
        for other in site.cluster.nodes.values():
            if other.name != node.name:
                part += self._ways(node, other)
        return part + Part(sets=self._sets() if self._masquerades else {})

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = [portmap(self._site, node, version, self._list)]
        if node.address(version) is not None:
            made.append(self._rules(node, version))
        return [one for one in made if one]

    def _rules(self, node: Node, version: int) -> Contribution:
        prefix, _ = _FAMILY[version]
        bridge, uplink = self._bridged.style.device, self._site.uplink(node).device

        def jump(text: str, why: str, *, insert: bool = False) -> Jump:
            because = Because(text=why, origin=self._origin, owner=_OWNER)
            return Jump(text.split(" ")[1], Rule(text, because), insert=insert)

        out = "allow outbound node port traffic on node interface with which node ip is associated"
        forwarded = (
            (f"-i {bridge}", "allow outbound traffic from pods"),
            (f"-o {bridge}", "allow inbound traffic to pods"),
            (f"-o {uplink}", out),
        )
        accepts = (
            jump(f'-A FORWARD {match} -m comment --comment "{said}" -j ACCEPT', said, insert=True)
            for match, said in forwarded
        )
        tables = {"filter": TablePart(jumps=tuple(accepts))}
        if self._masquerades:
            egress = (
                f"-A POSTROUTING -m set --match-set {prefix}{_PODS} src "
                f"-m set ! --match-set {prefix}{_PODS} dst "
                f"-m set ! --match-set {prefix}{_NODES} dst -j MASQUERADE --random-fully"
            )
            why = "what pods send beyond pods and nodes leaves with the node's address"
            tables["nat"] = TablePart(jumps=(jump(egress, why),))
        return Contribution(_OWNER, tables)

    def _ways(self, node: Node, other: Node) -> Part:
        """By the other node's address; to one on another subnet through a tunnel, IPIP."""
        part = Part()
        for prefix in self._site.behind(other):
            way = host_gateway_route(self._site, node, other, prefix, "kube-router's BGP")
            if way is None:
                continue
            if not way.onlink:
                part += Part(routes=(replace(way, protocol="17"),))
                continue
            name = f"tun-{str(way.gateway).replace('.', '').replace(':', '')}"[:15]
            ends = Ipip(local=node.address(4), remote=way.gateway)
            device = Interface(
                name=name, kind=LinkKind.IPIP, ipip=ends, mtu_bytes=1480, reason=way.reason
            )
            route = Route(destination=prefix, device=name, scope="link", reason=way.reason)
            part += Part(interfaces=(device,), routes=(route,))
        return part

    def _sets(self) -> Mapping[str, ipset.IpSet]:
        """Of all nodes: their pods' networks, their own addresses (syncNodeIPSets)."""
        return ipset.parse("\n".join(self._saved()))

    def _saved(self) -> Iterator[str]:
        site = self._site
        nodes = site.cluster.nodes.values()
        for version, (prefix, family) in _FAMILY.items():
            networks = [net for node in nodes for net in site.networks(node)]
            own = [one for node in nodes for one in node.addresses]
            sizes = f"family {family} hashsize 1024 maxelem 65536 timeout 0"
            yield f"create {prefix}{_PODS} hash:net {sizes}"
            for net in networks:
                if net.address.version == version:
                    yield f"add {prefix}{_PODS} {net} timeout 0"
            yield f"create {prefix}{_NODES} hash:ip {sizes}"
            for one in own:
                if one.version == version:
                    yield f"add {prefix}{_NODES} {one} timeout 0"


def _is_its(pod: Pod, container: Container) -> bool:
    del pod
    return container.name == _OWNER and not container.init


def _egress(site: Site) -> tuple[bool, Origin]:
    """Whether what pods send out is masqueraded: ``--enable-pod-egress`` (default true)."""
    daemon = site.running(_is_its)
    if daemon is not None:
        return told(daemon.spoken, "enable-pod-egress", otherwise=True), daemon.origin
    return True, defaulted("kube-router's --enable-pod-egress, on by default")
