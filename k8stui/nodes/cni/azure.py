"""Azure CNI in transparent mode: a cable to each pod, 169.254.1.1 behind it; no bridge.

In overlay mode pods' addresses are of a range of their own, which the virtual network routes to
the nodes; else they are of the nodes' own network. Source: azure-container-networking
cni/azure-linux-swift-overlay.conflist, network/transparent_endpointclient_linux.go
(AddEndpointRules, ConfigureContainerInterfacesAndRoutes, setupIPV6Routes),
network/endpoint_linux.go (generateVethName);
azure-ip-masq-merger and Azure/ip-masq-agent-v2 for the chain (AKS: masqLinkLocal, and the pods'
range or the virtual network's, which the cloud knows). Policies are another engine's, once they are
enabled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial, reduce
from operator import add

from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour, Route
from k8stui.nodes.cni.between import fabric, host_gateway_routes
from k8stui.nodes.cni.cable import node_end, pod_end, usual
from k8stui.nodes.cni.conflist import assumed_list
from k8stui.nodes.cni.masq_agent import AGENT, configured_ranges, masq_agent
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.names import host_mac
from k8stui.nodes.part import DEFAULT_ROUTE, Part
from k8stui.nodes.site import Site
from k8stui.origin import assumed

_OWNER, _PREFIX, _CLOUD = "azure-vnet", "azv", "the virtual network"
_CHAIN = "IP-MASQ-AGENT"
_GATEWAY = {4: Address.parse("169.254.1.1"), 6: Address.parse("fe80::1234:5678:9abc")}
_LIST = assumed_list({}, "Azure CNI's list calls portmap with snat")
_because = partial(usual, owner=_OWNER, set_up_by="Azure CNI")


class AzureCni:
    """``azure-vnet`` on every node."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def recognises(self, node: Node) -> bool:
        """By its cables: ``azv`` and eleven digits."""
        return any(
            interface.kind is LinkKind.VETH
            and interface.name.startswith(_PREFIX)
            and len(interface.name) == len(_PREFIX) + 11
            for interface in self._site.observed(node).interfaces or ()
        )

    def addresses(self, node: Node) -> Sequence[Address]:
        del node
        return ()

    def node_part(self, node: Node) -> Part:
        site = self._site
        cables = reduce(add, (self._cable(node, pod) for pod in site.pods(node.name)), Part())
        if self._is_flat:
            return cables + fabric(site, node, _CLOUD)
        return cables + host_gateway_routes(site, node, _CLOUD)

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """eth0; what is beside it in the pod's network is not on the link."""
        placed = dict(self._placed(node, pod))
        lengths = ((address, network.length) for address, network in placed.items())
        eth0 = pod_end(node, pod, self._device(node, pod), lengths, _because)
        away = frozenset(("eth0", network) for network in placed.values())
        ways = (_ways(pod, one.version, self._mac(node, pod)) for one in placed)
        return reduce(add, ways, Part(interfaces=(eth0,), taken_away=away))

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = [portmap(self._site, node, version, _LIST)]
        if version == 4 and node.address(4) is not None:
            usual = self._kept, assumed("as AKS configures its ip-masq-agent; the ranges too")
            told = configured_ranges(self._site.cluster)
            made.append(masq_agent(_OWNER, AGENT, _CHAIN, *(told or usual)))
        return [one for one in made if one]

    def _cable(self, node: Node, pod: Pod) -> Part:
        end = Interface(
            name=self._device(node, pod),
            kind=LinkKind.VETH,
            mac=self._mac(node, pod),
            peer=(pod.key, "eth0"),
            reason=_because(pod, f"host end of the cable to pod {pod.key}"),
        )
        return node_end(end, pod, pod.addresses, _because)

    def _placed(self, node: Node, pod: Pod) -> Iterator[tuple[Address, Prefix]]:
        """The pod's addresses with the network that each is of."""
        site = self._site
        for one in pod.addresses:
            lan = site.lan.network_of(one)
            network = lan.prefix if lan is not None else site.network_of(node, one)
            yield one, network or Prefix(one, one.bits)

    def _device(self, node: Node, pod: Pod) -> str:
        """As a dump's route names it; else ``azv`` and a hash (generateVethName)."""
        return self._site.cable_of(node, pod, _PREFIX)

    def _mac(self, node: Node, pod: Pod) -> str:
        seen = self._site.seen_mac(node, self._device(node, pod))
        return seen or host_mac(pod.addresses[0])

    @cached_property
    def _is_flat(self) -> bool:
        """Whether pods have addresses of the nodes' own network."""
        site = self._site
        return any(
            site.lan.network_of(address) is not None
            for node in site.cluster.nodes.values()
            for pod in site.pods(node.name)
            for address in pod.addresses
        )

    @property
    def _kept(self) -> Sequence[Prefix]:
        if not self._is_flat:
            return (self._site.pod_network(4),)
        nets = (net.prefix for net in self._site.lan.networks)
        return [prefix for prefix in nets if prefix.address.version == 4]


def _ways(pod: Pod, version: int, far_mac: str) -> Part:
    gateway = _GATEWAY[version]
    to_gateway = Route(
        destination=Prefix(gateway, gateway.bits),
        device="eth0",
        scope="link",
        reason=_because(pod, "the node's end of the cable stands for it"),
    )
    default = Route(
        destination=DEFAULT_ROUTE[version],
        gateway=gateway,
        device="eth0",
        reason=_because(pod, "everything goes to the node"),
    )
    known = Neighbour(address=gateway, device="eth0", mac=far_mac)
    return Part(routes=(default, to_gateway), neighbours=(known,))
