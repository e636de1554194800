"""The network namespace of one pod: its containers share it and meet on its lo."""

from __future__ import annotations

from k8stui.cluster.listening import Listening
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.namespace import NetNamespace
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.part import Part
from k8stui.nodes.sockets import pod_sockets
from k8stui.nodes.standing import loopback, standing_routes


def build_pod(plugin: Plugin, listening: Listening, node: Node, pod: Pod) -> NetNamespace:
    """lo, eth0, its routes; no rules, the kernel's default settings."""
    part = Part(interfaces=(loopback({a.version for a in pod.addresses}),))
    part += plugin.pod_part(node, pod)
    return NetNamespace(
        name=pod.key,
        interfaces=part.interfaces,
        routes=standing_routes(part),
        neighbours=part.neighbours,
        sockets=pod_sockets(listening, pod),
    )
