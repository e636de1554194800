"""The bridge plug-in alone, with host-local and portmap; routes between nodes are the set-up's."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.bridged import Bridged, BridgeStyle
from k8stui.nodes.cni.ipmasq import ip_masq
from k8stui.nodes.cni.portmap import portmap, route_localnet
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site

_STYLE = BridgeStyle(owner="bridge plug-in")
_NETWORK_NAME = "k8s-pod-network"
"""``name`` of the CNI configuration: chain names are hashed from it."""


class Bridge:
    """``"type": "bridge"`` with isDefaultGateway, host-local and portmap."""

    def __init__(self, site: Site, *, masquerade: bool = False) -> None:
        """`masquerade`: ``ipMasq``."""
        self._site = site
        self._bridged = Bridged(site, _STYLE)
        self._masquerade = masquerade

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site = self._site
        return (
            self._bridged.node_part(node)
            + route_localnet(site, node, self._bridged.attachment(node).bridge)
            + host_gateway_routes(site, node, "the node's set-up")
        )

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        site, name = self._site, _NETWORK_NAME
        made = [
            ip_masq(site, node, version, name, _STYLE.owner) if self._masquerade else None,
            portmap(site, node, version, name),
        ]
        return [one for one in made if one]
