"""Both sides of the matrix: who may ask, and what may be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.cluster.model import Cluster, Pod, Service, ServicePort, ServiceType
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.walk.kinds import SHORT
from k8stui.walk.lookup import can_send
from k8stui.walk.port import canonical
from k8stui.walk.source import OUTSIDE
from k8stui.walk.world import World

PortSpec = tuple[int, Protocol]
"""A port's number and protocol."""


@record()
class Asker:
    """Somebody who asks."""

    name: str
    """As it can be typed behind ``--from``: ``pod/default/web-1``, ``node/node-1``, ``outside``."""
    namespace: str
    """Key of its network namespace."""
    pod: Pod | None = None
    """None: a node, or the client outside."""
    node: str = ""
    """Name of the node that it is on; empty: on none."""


@record()
class Asked:
    """Somebody who is asked, at one port."""

    name: str
    """As it can be typed behind ``--to``: ``svc/default/web:80``, ``pod/default/web-1:80/udp``."""
    port: int
    protocol: Protocol
    pod: Pod | None = None
    service: Service | None = None
    service_port: ServicePort | None = None
    node: str = ""
    """Of a node port: the node whose port is asked."""


def own_service(one: Asker | Asked) -> Service | None:
    """The Service that is asked itself, not a node's port of it."""
    return one.service if isinstance(one, Asked) and not one.node else None


def namespace_of(one: Asker | Asked) -> str:
    """The API's; empty: it is in none."""
    within = one.pod or own_service(one)
    return within.namespace if within is not None else ""


def workloads(cluster: Cluster) -> Mapping[str, tuple[str, int]]:
    """Of each pod that a workload made: that, as it can be typed, and how many pods it has."""
    return {
        key: (f"{SHORT.get(one.kind, one.kind)}/{one.namespace}/{one.name}", len(one.pods))
        for one in cluster.workloads
        for key in one.pods
    }


def askers(world: World) -> Iterator[Asker]:
    """Pods that can send, nodes, and the client outside."""
    for pod in world.cluster.pods.values():
        if not can_send(pod) or pod.node_name is None:
            continue
        namespace = pod.node_name if pod.host_network else pod.key
        if namespace in world.network:
            yield Asker(f"pod/{pod.key}", namespace, pod, pod.node_name)
    for node in world.cluster.nodes:
        yield Asker(f"node/{node}", node, None, node)
    yield Asker(OUTSIDE, OUTSIDE)


def asked(world: World, ports: tuple[PortSpec, ...] = ()) -> Iterator[Asked]:
    """Every port of Services, of pods that declare some, and node ports.

    `ports`: these alone; each pod is asked for them whether it declares them or not.
    """
    cluster = world.cluster
    for service in cluster.services.values():
        for port in service.ports:
            if not ports or (port.port, port.protocol) in ports:
                name = f"svc/{service.key}"
                yield Asked(
                    named(name, port.port, port.protocol),
                    port.port,
                    port.protocol,
                    service=service,
                    service_port=port,
                )
    for pod in cluster.pods.values():
        if pod.addresses and not pod.phase.is_final:
            for number, protocol in ports or _declared(pod):
                yield Asked(named(f"pod/{pod.key}", number, protocol), number, protocol, pod=pod)
    yield from _node_ports(cluster, ports)


def _node_ports(cluster: Cluster, ports: tuple[PortSpec, ...]) -> Iterator[Asked]:
    for service in cluster.services.values():
        if service.type is ServiceType.EXTERNAL_NAME:
            continue
        for port in service.ports:
            number = port.node_port
            if number is None or (ports and (number, port.protocol) not in ports):
                continue
            for node in cluster.nodes.values():
                if node.addresses:
                    yield Asked(
                        named(f"node/{node.name}", number, port.protocol),
                        number,
                        port.protocol,
                        service=service,
                        service_port=port,
                        node=node.name,
                    )


def _declared(pod: Pod) -> tuple[PortSpec, ...]:
    return tuple(dict.fromkeys((port.number, port.protocol) for port in declared(pod)))


def named(host: str, number: int, protocol: Protocol) -> str:
    """With the protocol, always where a port of that number may be another protocol's too."""
    written = canonical(host, number)
    return written if protocol is Protocol.TCP else f"{written}/{protocol.name.lower()}"
