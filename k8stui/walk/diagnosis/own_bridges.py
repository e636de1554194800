"""Pods on the bridge that a container runtime brings along: what mends it, for walk and check."""

from __future__ import annotations

from k8stui.cluster.model import Pod
from k8stui.cluster.networks.own_bridges import OwnBridge


def keep_apart(bridge: OwnBridge) -> str:
    """The same network is every node's."""
    return (
        f"give the nodes a network plug-in, take /etc/cni/net.d/{bridge.file} away where there is "
        "one, and make the pods anew"
    )


def make_anew(bridge: OwnBridge, pod: Pod) -> str:
    """One pod was made before the network plug-in was there."""
    return (
        f"make it anew (kubectl -n {pod.namespace} delete pod {pod.name}); where new ones get such "
        f"an address too, take /etc/cni/net.d/{bridge.file} away on {pod.node_name}"
    )
