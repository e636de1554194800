"""The network namespace of one pod: its containers share it and meet on its lo."""

from __future__ import annotations

from k8stui.cluster.listening import Listening
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.namespace import NetNamespace
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.observed import ObservedNode
from k8stui.nodes.part import Part
from k8stui.nodes.sockets import pod_sockets
from k8stui.nodes.standing import loopback, standing_routes


def build_pod(
    plugin: Plugin, listening: Listening, node: Node, pod: Pod, seen: ObservedNode
) -> NetNamespace:
    """lo, eth0, its routes; no rules, the kernel's default settings.

    `seen`: what a dump says of the node. A gateway that it shows to have gone is not known, though
    neighbours are warm by assumption.
    """
    part = Part(interfaces=(loopback({a.version for a in pod.addresses}),))
    part += plugin.pod_part(node, pod)
    neighbours = part.neighbours
    if seen.interfaces is not None:
        gateways = {route.gateway for route in part.routes}
        own = {entry.address for each in seen.interfaces for entry in each.addresses}
        # Without an address of its own the node answers ARP for nobody (arp_process).
        gone = gateways - own
        neighbours = tuple(one for one in neighbours if one.address not in gone)
    return NetNamespace(
        name=pod.key,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=neighbours,
        sockets=pod_sockets(listening, pod),
    )
