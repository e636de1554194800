"""Which requests meet a node's rules: what to ask to find out what a difference in them means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.kubernetes_service import control_plane
from k8stui.cluster.model import Cluster, ContainerPort, Node, Pod, Service
from k8stui.kernel.packet import Protocol
from k8stui.origin import OriginKind
from k8stui.record import record
from k8stui.walk.lookup import can_send
from k8stui.walk.source import OUTSIDE

if TYPE_CHECKING:
    from k8stui.walk.world import World

BGP = "BGP, by which calico-node learns the ways to other nodes' pods"


@record()
class WayIn:
    """One request, as it can be typed behind ``--from`` and ``--to``."""

    source: str
    destination: str
    service: str = ""
    """``namespace/name``; empty where no Service is asked."""
    purpose: str = ""
    """What it is asked for, where that is not what an application asks."""


def ways_to_service(world: World, node: Node, service: Service) -> Iterator[WayIn]:
    """The ways to one Service that lead over `node`'s rules.

    By its virtual addresses from a pod of the node, from an endpoint on the node (which may be
    sent to itself) and from the node; from outside by the node's port and by external addresses;
    and from another node, when an endpoint is on this one.
    """
    served = _served(world, service)
    mine = [pod for pod in _senders(world, node) if pod.key not in served]
    itself = [pod for pod in _senders(world, node) if pod.key in served]
    sources = [f"pod/{pod.key}" for pod in (*mine[:1], *itself[:1])]
    away = _away(world, node) if itself or _has_endpoint(world, node, service) else None
    for port in service.ports:
        behind = _protocol(port.protocol)
        virtual = [f"svc/{service.key}:{port.port}{behind}"] if service.cluster_ips else []
        ingress = (e.ip for e in service.load_balancer_ingress if e.ip and e.ip_mode == "VIP")
        beyond = [f"{a.with_port(port.port)}{behind}" for a in (*service.external_ips, *ingress)]
        for source in (*sources, f"node/{node.name}"):
            for destination in virtual:
                yield WayIn(source, destination, service.key)
        for destination in beyond:
            for source in (*sources[:1], OUTSIDE):
                yield WayIn(source, destination, service.key)
        if port.node_port is not None:
            number = f"node/{node.name}:{port.node_port}{behind}"
            yield WayIn(OUTSIDE, number, service.key)
        if away is not None:
            for destination in virtual:
                yield WayIn(f"pod/{away.key}", destination, service.key)


def ways_to_pods(world: World, node: Node) -> Iterator[WayIn]:
    """The ways over `node`'s rules that ask no Service.

    Between its pods and another node's, from the node to a pod, from a pod to the outside, and
    its host ports: from the pod itself, its neighbour and the outside.
    """
    mine = list(_senders(world, node))
    away = _away(world, node)
    if mine:
        port = _port(mine[0])
        yield WayIn(f"node/{node.name}", f"pod/{mine[0].key}:{port}")
        yield WayIn(f"pod/{mine[0].key}", f"{OUTSIDE}:80")
        if away is not None:
            yield WayIn(f"pod/{away.key}", f"pod/{mine[0].key}:{port}")
            yield WayIn(f"pod/{mine[0].key}", f"pod/{away.key}:{_port(away)}")
    for pod in mine:
        for each in _ports(pod):
            if each.host_port is None:
                continue
            destination = f"node/{node.name}:{each.host_port}{_protocol(each.protocol)}"
            neighbour = next((p for p in mine if p is not pod), None)
            for asker in (pod, *((neighbour,) if neighbour else ())):
                yield WayIn(f"pod/{asker.key}", destination)
            yield WayIn(OUTSIDE, destination)


def ways_to_node(world: World, node: Node) -> Iterator[WayIn]:
    """What the cluster itself asks `node`: Calico's BGP, by which routes come, and the kubelet.

    Sources: Calico's network requirements (179/TCP); kubernetes.io, "Ports and Protocols" (10250).
    """
    others = [one for one in world.cluster.nodes.values() if one.name != node.name]
    asker = next((one for one in control_plane(world.cluster) if one in others), None)
    if others and by_bgp(world.cluster):
        yield WayIn(f"node/{others[0].name}", f"node/{node.name}:179", purpose=BGP)
    if asker is not None:
        purpose = "the kubelet, whom the API server asks for kubectl logs and exec"
        yield WayIn(f"node/{asker.name}", f"node/{node.name}:10250", purpose=purpose)


def by_bgp(cluster: Cluster) -> bool:
    """Whether nodes learn the ways to each other's pods from Calico's BIRD."""
    pools = cluster.calico.pools if cluster.calico is not None else ()
    return any(one.tunnel != "VXLAN" and one.origin.kind is not OriginKind.ASSUMED for one in pools)


def _served(world: World, service: Service) -> set[str | None]:
    slices = world.cluster.endpoint_slices.get(service.key, ())
    return {endpoint.pod for each in slices for endpoint in each.endpoints}


def _has_endpoint(world: World, node: Node, service: Service) -> bool:
    slices = world.cluster.endpoint_slices.get(service.key, ())
    return any(e.node_name == node.name for each in slices for e in each.endpoints)


def _senders(world: World, node: Node) -> Iterator[Pod]:
    """Pods of the node that have a network of their own and can ask."""
    for pod in world.cluster.pods.values():
        if pod.node_name == node.name and can_send(pod) and not pod.host_network:
            yield pod


def _away(world: World, node: Node) -> Pod | None:
    others = (n for n in world.cluster.nodes.values() if n.name != node.name)
    return next((pod for other in others for pod in _senders(world, other)), None)


def _ports(pod: Pod) -> Iterator[ContainerPort]:
    for container in pod.containers:
        if not container.init or container.restartable_init:
            yield from container.ports


def _port(pod: Pod) -> str:
    first = next(_ports(pod), None)
    return f"{first.number}{_protocol(first.protocol)}" if first else "80"


def _protocol(protocol: Protocol) -> str:
    return "" if protocol is Protocol.TCP else f"/{protocol.name.lower()}"
