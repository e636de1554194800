"""A pod goes away between two requests: rules are written anew, what is tracked stays."""

from __future__ import annotations

from dataclasses import replace

from k8stui.cluster.model import Pod
from k8stui.nodes.network import build_network
from k8stui.walk.error import RequestError
from k8stui.walk.kinds import Target
from k8stui.walk.source import pod_and_container, split_kind
from k8stui.walk.trace import Request
from k8stui.walk.world import World


def leaving(world: World, request: Request, text: str, namespace: str) -> Pod:
    """Understand ``pod/NAME``: who goes away.

    Raises:
        RequestError: it is no pod of the input, or the one who asks.

    """
    target, _, names = split_kind(text if "/" in text else f"pod/{text}", namespace)
    if target is not Target.POD:
        raise RequestError(f"not a pod: {text}", hint="write --gone pod/NAME")
    pod, _ = pod_and_container(world.cluster, names)
    if request.connect is not None and request.connect.namespace == pod.key:
        raise RequestError(f"{pod.key} is the one who asks: it cannot go away")
    return pod


def without(world: World, pod: Pod) -> World:
    """Give the world in which the pod is gone, and every controller and kube-proxy knows it."""
    cluster = world.cluster
    slices = {
        service: tuple(
            replace(one, endpoints=tuple(e for e in one.endpoints if e.pod != pod.key))
            for one in each
        )
        for service, each in cluster.endpoint_slices.items()
    }
    pods = {key: other for key, other in cluster.pods.items() if key != pod.key}
    network = build_network(replace(cluster, pods=pods, endpoint_slices=slices), world.options)
    return replace(world, cluster=network.cluster, network=network)
