"""The bridge plug-in with host-local and what is called behind it.

Routes between nodes are the set-up's.

Source: docs/facts/cni.md section 1 (plugins:plugins/main/bridge/bridge.go); recorded in
recordings-cni/bridge* and portmap*.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.bridged import Bridged, BridgeStyle
from k8stui.nodes.cni.conflist import Configuration, assumed_list, configured
from k8stui.nodes.cni.firewall import firewall
from k8stui.nodes.cni.ipmasq import ip_masq
from k8stui.nodes.cni.portmap import portmap, route_localnet
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site

_OWNER = "bridge plug-in"
_USUAL = {"isDefaultGateway": True, "hairpinMode": True}


def style(owner: str, configuration: Configuration) -> BridgeStyle:
    """How the plug-in sets up its bridge by the list; its name for reasons is `owner`."""
    is_way_out = configuration.says("isDefaultGateway")
    return BridgeStyle(
        owner=owner,
        device=configuration.device("bridge", "cni0"),
        # Both together are refused (bridge.go:cmdAdd), and promiscuous mode is no hairpin mode.
        hairpin=configuration.says("hairpinMode"),
        mtu_bytes=configuration.mtu_bytes or 1500,
        gateway=is_way_out or configuration.says("isGateway"),
        default_route=is_way_out,
        routes=configuration.routes,
        gateways=configuration.gateways,
        isolated=configuration.says("portIsolation"),
    )


class Bridge:
    """``"type": "bridge"`` as the input's list has it; else with isDefaultGateway and portmap."""

    def __init__(self, site: Site, *, masquerade: bool = False) -> None:
        """`masquerade`: ``ipMasq``, whatever the list says."""
        self._site = site
        self._list = configured(site, "bridge") or assumed_list(
            _USUAL, "the bridge plug-in as most clusters have it"
        )
        self._bridged = Bridged(site, style(_OWNER, self._list))
        self._masquerade = masquerade or self._list.says("ipMasq")

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site = self._site
        return (
            self._bridged.node_part(node)
            + route_localnet(site, node, self._bridged.attachment(node).bridge, self._list)
            + host_gateway_routes(site, node, "the node's set-up")
        )

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        site, configuration = self._site, self._list
        name = configuration.name
        bridge = self._bridged.attachment(node).bridge
        made = [
            ip_masq(site, node, version, name, _OWNER) if self._masquerade else None,
            portmap(site, node, version, configuration),
            firewall(site, node, version, configuration, bridge),
        ]
        return [one for one in made if one]
