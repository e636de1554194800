"""Calico's plug-in: a cable to each pod, no bridge, no address on the node's end.

The pod sends everything to 169.254.1.1, and the node's end of the cable answers for that address
(proxy ARP). Nodes tell each other by BGP what is behind them; a pool may have packets between them
put into tunnels (`calico_tunnels`). What Felix programs beside it is the
policy engine's (`k8stui.nodes.policy.calico`). Source: docs/facts/cni.md section 8
(cni-plugin/pkg/dataplane/linux/dataplane_linux.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import add

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour, Route
from k8stui.nodes.cni import node_annotations
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.cable import node_end, pod_end, usual
from k8stui.nodes.cni.calico_tunnels import Tunnels
from k8stui.nodes.cni.conflist import assumed_list, configured
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.names import CALI
from k8stui.nodes.part import DEFAULT_ROUTE, Part
from k8stui.nodes.site import Site

_OWNER = "calico"
_LIST = assumed_list({}, "portmap as Calico's list calls it")
_GATEWAY = {4: Address.parse("169.254.1.1"), 6: Address.parse("fe80::ecee:eeff:feee:eeee")}
_FAR_MAC = "ee:ee:ee:ee:ee:ee"
_because = partial(usual, owner=_OWNER, set_up_by="Calico's plug-in")


class CalicoPlugin:
    """``"type": "calico"`` with portmap; BGP between the nodes, with a pool's tunnels."""

    def __init__(self, site: Site, mtu_bytes: int | None = None) -> None:
        """`mtu_bytes`: of pods' devices; None: what Calico's own tunnels take.

        The list's own goes before both.
        """
        self._site = site
        self._tunnels = Tunnels(site)
        told = configured(site, "calico")
        own = told.mtu_bytes if told is not None else None
        self._mtu_bytes = own or mtu_bytes or self._tunnels.mtu_bytes

    def recognises(self, node: Node) -> bool:
        """Whether the dump has one of its cables."""
        return any(
            interface.name.startswith(CALI) and interface.kind is LinkKind.VETH
            for interface in self._site.observed(node).interfaces or ()
        )

    def addresses(self, node: Node) -> Sequence[Address]:
        del node
        return ()

    def node_part(self, node: Node) -> Part:
        between = self._tunnels.part(node)
        if not between.interfaces:
            between = host_gateway_routes(self._site, node, "calico's BGP")
        return self.cables(node) + self._learned(node, between)

    def _learned(self, node: Node, between: Part) -> Part:
        """Without the routes between nodes that find no way to each other's annotated address."""
        lost = node_annotations.astray(self._site.cluster)
        if not lost:
            return between
        nodes = self._site.cluster.nodes.values()
        gone = {p for other in nodes if {other.name, node.name} & lost.keys() and other is not node
                for p in self._site.behind(other)}  # fmt: skip
        kept = (route for route in between.routes if route.destination not in gone)
        return replace(between, routes=tuple(kept))

    def cables(self, node: Node) -> Part:
        """The cables to the node's pods, and the ways by them."""
        made = (self._cable(node, pod) for pod in self._site.pods(node.name))
        return reduce(add, made, Part())

    def pod_part(self, node: Node, pod: Pod) -> Part:
        device = self._device(node, pod)
        addresses, mac = ((one, one.bits) for one in pod.addresses), self._mac(node, pod)
        eth0 = pod_end(node, pod, device, addresses, _because, mtu_bytes=self._mtu_bytes)
        return reduce(
            add, (_ways(pod, one, mac) for one in pod.addresses), Part(interfaces=(eth0,))
        )

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = portmap(self._site, node, version, _LIST)
        return (made,) if made is not None else ()

    def _cable(self, node: Node, pod: Pod) -> Part:
        device = self._device(node, pod)
        end = Interface(
            name=device,
            kind=LinkKind.VETH,
            mac=self._mac(node, pod),
            mtu_bytes=self._mtu_bytes,
            peer=(pod.key, "eth0"),
            reason=_because(pod, f"host end of the cable to pod {pod.key}"),
        )
        return node_end(end, pod, pod.addresses, _because)

    def _device(self, node: Node, pod: Pod) -> str:
        return self._site.cable_of(node, pod, CALI)

    def _mac(self, node: Node, pod: Pod) -> str:
        return self._site.seen_mac(node, self._device(node, pod)) or _FAR_MAC


def _ways(pod: Pod, address: Address, mac: str) -> Part:
    gateway = _GATEWAY[address.version]
    to_gateway = Route(
        destination=Prefix(gateway, gateway.bits),
        device="eth0",
        scope="link",
        reason=_because(pod, "the node's end of the cable answers for it (proxy ARP)"),
    )
    default = Route(
        destination=DEFAULT_ROUTE[address.version],
        gateway=gateway,
        device="eth0",
        reason=_because(pod, "everything goes to the node"),
    )
    return Part(
        routes=(default, to_gateway),
        neighbours=(Neighbour(address=gateway, device="eth0", mac=mac),),
    )
