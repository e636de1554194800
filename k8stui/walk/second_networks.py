"""Networks that pods have beside the plug-in's: Multus', AWS' branch interfaces. Not modelled.

Sources: the network plumbing group's de-facto standard v1.3 (k8s.v1.cni.cncf.io/network-status);
macvlan plug-in's documentation ("the host will not be able to reach the macvlan interface"); EKS
user guide, "security groups for pods" (DISABLE_TCP_EARLY_DEMUX).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.model import Cluster, Pod
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Exchange, Result
from k8stui.neutralise import neutralise
from k8stui.walk.trace import Request

_STATUS = ("k8s.v1.cni.cncf.io/network-status", "k8s.v1.cni.cncf.io/networks-status")
_BRANCH = "vpc.amazonaws.com/pod-eni"
_DEMUX = "DISABLE_TCP_EARLY_DEMUX"


def beside_the_plugin(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """What a connected walk takes for granted of such networks."""
    if exchange.felt.result is not Result.CONNECTED or request.connect is None:
        return
    asked = str(request.connect.destination)
    for pod, name, device in _beside.of(cluster).get(asked, ()):
        node = pod.node_name
        from_there = any(step.namespace == node for step in exchange.steps)
        yield (
            f"{asked} is pod {pod.key}'s on {device} (network {name}, by Multus), walked as a "
            "host of the nodes' network: a pod behind macvlan or ipvlan is reached by every "
            f"host but its own node, {node}, and the pods whose packets leave by that"
            + (", as here: nobody answers (EHOSTUNREACH)" if from_there else "")
            + ". Ask from another host, or give the node a macvlan device of its own on the "
            "same parent, with a route to the pod by it"
        )
    met = dict.fromkeys(step.namespace for step in exchange.steps)
    for key in met:
        pod_met = cluster.pods.get(key)
        if pod_met is None or _BRANCH not in pod_met.annotations:
            continue
        yield (
            f"pod {pod_met.key} has an interface and security groups of its own "
            "(SecurityGroupPolicy): walked as if they let this by. What they allow stands in AWS "
            "alone: let them take the port from the others' groups, and DNS out"
        )
        if next(iter(met)) == pod_met.node_name and not _no_early_demux(cluster):
            yield (
                f"{pod_met.node_name}, with the kubelet's probes, does not reach it by TCP unless "
                f'aws-node\'s init container has {_DEMUX}: "true"; set it there'
            )


def _networks(pod: Pod) -> Iterator[tuple[str, str, str]]:
    """Its addresses beside those of the first network: (address, network, device)."""
    told = next((pod.annotations[key] for key in _STATUS if key in pod.annotations), None)
    if told is None:
        return
    try:
        networks = json.loads(told.value)
    except (ValueError, RecursionError):
        return
    for one in networks if isinstance(networks, list) else ():
        if not isinstance(one, dict) or one.get("default"):
            continue
        name, device = (neutralise(str(one.get(key, ""))) for key in ("name", "interface"))
        ips = one.get("ips")
        for address in ips if isinstance(ips, list) else ():
            yield str(address), name, device or "net1"


def _by_address(cluster: Cluster) -> Mapping[str, Sequence[tuple[Pod, str, str]]]:
    found: dict[str, list[tuple[Pod, str, str]]] = {}
    for pod in cluster.pods.values():
        for address, name, device in _networks(pod) if pod.annotations else ():
            found.setdefault(address, []).append((pod, name, device))
    return found


_beside: Derived[Cluster, Mapping[str, Sequence[tuple[Pod, str, str]]]] = Derived(_by_address)
"""Once a cluster: every walk that connects asks."""


def _no_early_demux(cluster: Cluster) -> bool:
    return any(
        (_DEMUX, "true") in container.env
        for pod in cluster.pods.values()
        for container in pod.containers
    )
