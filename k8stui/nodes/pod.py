"""The network namespace of one pod: its containers share it and meet on its lo."""

from __future__ import annotations

from collections.abc import Collection

from k8stui.cluster.listening import Listening
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Neighbour, NetNamespace
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.observed import ObservedNode
from k8stui.nodes.part import Part
from k8stui.nodes.sockets import pod_sockets
from k8stui.nodes.standing import loopback, standing_routes


def build_pod(
    plugin: Plugin, listening: Listening, node: Node, pod: Pod, seen: ObservedNode
) -> NetNamespace:
    """lo, eth0, its routes; no rules, the kernel's default settings.

    `seen`: what a dump says of the node. A neighbour that it shows to have gone is not known.
    """
    part = Part(interfaces=(loopback({a.version for a in pod.addresses}),))
    part += plugin.pod_part(node, pod)
    gateways = {route.gateway for route in part.routes}
    return NetNamespace(
        name=pod.key,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=tuple(one for one in part.neighbours if _stands(one, gateways, seen)),
        sockets=pod_sockets(listening, pod),
    )


def _stands(neighbour: Neighbour, gateways: Collection[Address | None], seen: ObservedNode) -> bool:
    """Whether what is warm by assumption may be: the pod's gateway, if the node still has it.

    Without an address of its own the node answers ARP for nobody (arp_process).
    """
    if seen.interfaces is None or neighbour.address not in gateways:
        return True
    return any(
        entry.address == neighbour.address for each in seen.interfaces for entry in each.addresses
    )
