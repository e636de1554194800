"""The ptp plug-in: a cable to each pod and a route to its one address; no bridge.

Every cable's end on the node has the gateway's address, and the pod sends everything there, also
what is for the pod beside it: the node routes it. Source: docs/facts/cni.md section 1
(plugins:plugins/main/ptp/ptp.go:setupContainerVeth, setupHostVeth), recorded in
recordings-cni/ptp-ipmasq.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import add

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Neighbour, Route
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.cable import node_end, pod_end, usual
from k8stui.nodes.cni.conflist import Configuration, assumed_list, configured
from k8stui.nodes.cni.firewall import firewall
from k8stui.nodes.cni.host_local import gateway
from k8stui.nodes.cni.ipmasq import ip_masq
from k8stui.nodes.cni.portmap import portmap, routes_localnet
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.names import host_mac, veth_name
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import assumed

_OWNER = "ptp plug-in"
_because = partial(usual, owner=_OWNER, set_up_by="the ptp plug-in")
_USUAL = {"ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}


class Ptp:
    """``"type": "ptp"`` with host-local and portmap; routes between nodes are the set-up's."""

    def __init__(
        self,
        site: Site,
        *,
        masquerade: bool = False,
        between: str = "the node's set-up",
        configuration: Configuration | None = None,
    ) -> None:
        """`masquerade`: ``ipMasq``, whatever the list says. `between`: who routes to other nodes.

        `configuration`: a list that is another one than the input's first.
        """
        self._site = site
        self._between = between
        self._list = (
            configuration
            or configured(site, "ptp")
            or assumed_list(_USUAL, "the ptp plug-in as most clusters have it")
        )
        self._masquerade = masquerade or self._list.says("ipMasq")
        self._mtu_bytes = self._list.mtu_bytes or 1500

    def recognises(self, node: Node) -> bool:
        """Whether the dump has a cable with nothing but one address of the pods' networks."""
        networks = self._site.networks(node)
        return any(
            interface.kind is LinkKind.VETH
            and interface.master is None
            and entry.prefix_length == entry.address.bits
            and any(entry.address in network for network in networks)
            for interface in self._site.observed(node).interfaces or ()
            for entry in interface.addresses
        )

    def addresses(self, node: Node) -> Sequence[Address]:
        if not self._site.pods(node.name):
            return ()
        return tuple(map(self._gateway, self._site.networks(node)))

    def node_part(self, node: Node) -> Part:
        site = self._site
        cables = (self._cable(node, pod) for pod in site.pods(node.name))
        return reduce(add, cables, Part()) + host_gateway_routes(site, node, self._between)

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """eth0; what is beside it in the pod's network is not on the link (setupContainerVeth)."""
        part = Part()
        for address, network in self._placed(node, pod):
            part += self._ways(pod, address, network, self._mac(node, pod))
        veth = self._veth(node, pod)
        placed = ((address, network.length) for address, network in self._placed(node, pod))
        eth0 = pod_end(node, pod, veth, placed, _because, mtu_bytes=self._mtu_bytes)
        return Part(interfaces=(eth0,)) + part

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        site, configuration = self._site, self._list
        name = configuration.name
        made = [
            ip_masq(site, node, version, name, _OWNER) if self._masquerade else None,
            portmap(site, node, version, configuration),
            firewall(site, node, version, configuration, None),
        ]
        return [one for one in made if one]

    def _cable(self, node: Node, pod: Pod) -> Part:
        """The host's end, and the way to the pod (setupHostVeth)."""
        veth = self._veth(node, pod)
        placed = tuple(self._placed(node, pod))
        host_end = Interface(
            name=veth,
            kind=LinkKind.VETH,
            mac=self._mac(node, pod),
            mtu_bytes=self._mtu_bytes,
            addresses=tuple(
                InterfaceAddress(
                    address=self._gateway(network),
                    prefix_length=network.address.bits,
                    reason=_because(
                        pod,
                        f"gateway of the pods of {node.name}: the first address of {network}",
                        self._site.pod_network_origin(node),
                    ),
                )
                for _, network in placed
            ),
            peer=(pod.key, "eth0"),
            reason=_because(
                pod,
                f"host end of the cable to pod {pod.key}",
                assumed("a real node draws the name at random", pod.origin.place),
            ),
        )
        addresses = (address for address, _ in placed)
        localnet = routes_localnet(self._list)
        return node_end(host_end, pod, addresses, _because, scope="host", localnet=localnet)

    def _veth(self, node: Node, pod: Pod) -> str:
        """The device that a dump's own route to the pod names; else a name that we derive."""
        return self._site.routed_to(node, pod) or veth_name(pod)

    def _mac(self, node: Node, pod: Pod) -> str:
        seen = self._site.seen_mac(node, self._veth(node, pod))
        return seen or host_mac(pod.addresses[0])

    def _placed(self, node: Node, pod: Pod) -> Iterator[tuple[Address, Prefix]]:
        """Each address of the pod with the node's pod network of its family."""
        for address in pod.addresses:
            network = self._site.network_of(node, address)
            if network is not None:
                yield address, network

    def _gateway(self, network: Prefix) -> Address:
        return dict(self._list.gateways).get(network) or gateway(network)

    def _ways(self, pod: Pod, address: Address, network: Prefix, far_mac: str) -> Part:
        """The pod's routes for one address: to the gateway, and by it to everything else."""
        way_out = self._gateway(network)
        to_gateway = Route(
            destination=Prefix(way_out, way_out.bits),
            device="eth0",
            source=address,
            scope="link",
            reason=_because(pod, "the gateway is on the cable"),
        )
        beside = Route(
            destination=network,
            gateway=way_out,
            device="eth0",
            source=address,
            reason=_because(pod, "the pods beside it, by the node"),
        )
        static = tuple(
            Route(
                destination=one.destination,
                gateway=one.gateway or way_out,
                device="eth0",
                reason=_because(pod, "everything else goes to the node"),
            )
            for one in self._list.routes
            if one.destination.address.version == address.version
        )
        return Part(
            routes=(*static, beside, to_gateway),
            taken_away=frozenset({("eth0", network)}),
            neighbours=(Neighbour(address=way_out, device="eth0", mac=far_mac),),
        )
