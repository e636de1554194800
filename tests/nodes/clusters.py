"""Literal clusters for the tests of this room: the lab of the recordings, and variations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from k8stui.cluster.model import (
    Cluster,
    Container,
    ContainerPort,
    EndpointSlice,
    Node,
    Pod,
    PodPhase,
    ProxyConfiguration,
    Service,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.origin import assumed

ORIGIN = assumed("made by a test")


def node(
    index: int,
    *addresses: str,
    cidrs: Sequence[str] | None = None,
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Node:
    """node-N with the design's addresses unless others are given."""
    return Node(
        name=name or f"node-{index}",
        index=index,
        addresses=tuple(map(Address.parse, addresses or (f"192.168.0.{10 + index}",))),
        pod_cidrs=tuple(map(Prefix.parse, (f"10.244.{index}.0/24",) if cidrs is None else cidrs)),
        annotations=annotations or {},
        origin=ORIGIN,
    )


def port(
    number: int,
    protocol: Protocol = Protocol.TCP,
    *,
    host_port: int | None = None,
    host_ip: str | None = None,
) -> ContainerPort:
    return ContainerPort(
        number=number,
        protocol=protocol,
        host_port=host_port,
        host_ip=Address.parse(host_ip) if host_ip else None,
        origin=ORIGIN,
    )


def pod(
    name: str,
    node_name: str | None,
    *addresses: str,
    ports: Sequence[ContainerPort] = (),
    namespace: str = "default",
    host_network: bool = False,
    phase: PodPhase = PodPhase.RUNNING,
    ready: bool = True,
    containers: Sequence[Container] | None = None,
) -> Pod:
    """A pod; its container id is what the recordings used: sha256 of ``default/NAME``."""
    return Pod(
        namespace=namespace,
        name=name,
        node_name=node_name,
        addresses=tuple(map(Address.parse, addresses)),
        containers=tuple(containers)
        if containers is not None
        else (Container(name="main", ports=tuple(ports), origin=ORIGIN),),
        host_network=host_network,
        phase=phase,
        ready=ready,
        container_id=hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest(),
        origin=ORIGIN,
    )


def cluster(
    nodes: Iterable[Node],
    pods: Iterable[Pod] = (),
    *,
    services: Iterable[Service] = (),
    slices: Mapping[str, tuple[EndpointSlice, ...]] | None = None,
    flannel: Mapping[str, object] | None = None,
    pod_cidr: str = "10.244.0.0/16",
) -> Cluster:
    return Cluster(
        nodes={one.name: one for one in nodes},
        pods={one.key: one for one in pods},
        services={one.key: one for one in services},
        endpoint_slices=slices or {},
        workloads=(),
        proxy=ProxyConfiguration(origin=ORIGIN),
        pod_cidr=Prefix.parse(pod_cidr),
        service_cidr=Prefix.parse("10.96.0.0/12"),
        flannel=flannel,
    )


def lab(ports: Mapping[str, Sequence[ContainerPort]] | None = None) -> Cluster:
    """The two nodes and five pods of recordings-cni, with the given container ports."""
    where = {
        "frontend-1": ("node-1", "10.244.1.2"),
        "frontend-2": ("node-1", "10.244.1.3"),
        "redis": ("node-1", "10.244.1.4"),
        "frontend-3": ("node-2", "10.244.2.2"),
        "mysql": ("node-2", "10.244.2.3"),
    }
    return cluster(
        (node(1), node(2)),
        (
            pod(name, node_name, address, ports=(ports or {}).get(name, ()))
            for name, (node_name, address) in where.items()
        ),
    )
