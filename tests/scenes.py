"""Small clusters, made by hand, for the tests of walk, export and the command line."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from k8stui.cluster.model import (
    Cluster,
    Container,
    ContainerPort,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Pod,
    ProxyConfiguration,
    Service,
    ServicePort,
    ServiceType,
    Workload,
)
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifests
from k8stui.nodes.options import NodeOptions
from k8stui.origin import assumed

if TYPE_CHECKING:
    from k8stui.walk.world import World

ORIGIN = assumed("a test says so")


def address(text: str) -> Address:
    return Address.parse(text)


def node(index: int, **more: Any) -> Node:
    return Node(
        name=f"node-{index}",
        index=index,
        addresses=(address(f"192.168.0.{10 + index}"),),
        pod_cidrs=(Prefix.parse(f"10.244.{index}.0/24"),),
        origin=ORIGIN,
        **more,
    )


def container(name: str, *ports: int | tuple[int, str] | tuple[int, str, Protocol]) -> Container:
    made = []
    for each in ports:
        number, label, protocol = (
            (each, "", Protocol.TCP) if isinstance(each, int) else (*each, Protocol.TCP)[:3]
        )
        made.append(ContainerPort(number=number, name=label, protocol=protocol, origin=ORIGIN))
    return Container(name=name, ports=tuple(made), origin=ORIGIN)


def pod(
    name: str,
    ip: str | None = None,
    on: str | None = "node-1",
    *containers: Container,
    namespace: str = "default",
    labels: dict[str, str] | None = None,
    **more: Any,
) -> Pod:
    return Pod(
        namespace=namespace,
        name=name,
        labels=MappingProxyType(labels or {}),
        containers=containers or (container("main"),),
        node_name=on,
        addresses=(address(ip),) if ip else (),
        container_id="0" * 64,
        origin=ORIGIN,
        **more,
    )


def port(number: int, target: int | str | None = None, **more: Any) -> ServicePort:
    return ServicePort(
        port=number, target_port=number if target is None else target, origin=ORIGIN, **more
    )


def service(
    name: str, ip: str | None, *ports: ServicePort, namespace: str = "default", **more: Any
) -> Service:
    return Service(
        namespace=namespace,
        name=name,
        cluster_ips=(address(ip),) if ip else (),
        ports=ports,
        origin=ORIGIN,
        **more,
    )


def slice_of(
    owner: Service, pods: list[Pod], ports: dict[str, int] | None, **more: Any
) -> EndpointSlice:
    """Endpoints of a Service: `ports` is the target port by the Service port's name."""
    return EndpointSlice(
        namespace=owner.namespace,
        name=f"{owner.name}-1",
        service=owner.name,
        ports=None
        if ports is None
        else tuple(
            EndpointPort(
                name=name,
                port=number,
                protocol=next(p.protocol for p in owner.ports if p.name == name),
            )
            for name, number in ports.items()
        ),
        endpoints=tuple(
            Endpoint(
                addresses=p.addresses,
                ready=p.ready,
                serving=p.ready,
                node_name=p.node_name,
                pod=p.key,
                origin=ORIGIN,
            )
            for p in pods
        ),
        origin=ORIGIN,
        **more,
    )


def cluster(
    *,
    nodes: int = 2,
    pods: list[Pod] = [],  # noqa: B006 - never changed
    services: list[Service] = [],  # noqa: B006
    slices: list[EndpointSlice] = [],  # noqa: B006
    workloads: tuple[Workload, ...] = (),
) -> Cluster:
    by_service: dict[str, tuple[EndpointSlice, ...]] = {}
    for each in slices:
        key = f"{each.namespace}/{each.service}"
        by_service[key] = (*by_service.get(key, ()), each)
    return Cluster(
        nodes={f"node-{n}": node(n) for n in range(1, nodes + 1)},
        pods={p.key: p for p in pods},
        services={s.key: s for s in services},
        endpoint_slices=by_service,
        workloads=workloads,
        proxy=ProxyConfiguration(origin=ORIGIN),
        pod_cidr=Prefix.parse("10.244.0.0/16"),
        service_cidr=Prefix.parse("10.96.0.0/12"),
    )


def world(made: Cluster, options: NodeOptions | None = None) -> World:
    from k8stui.nodes.network import build_network
    from k8stui.walk.world import World

    options = options or NodeOptions()
    return World(
        manifests=Manifests(objects=(), problems=(), notes=()),
        cluster=made,
        network=build_network(made, options),
        options=options,
        cluster_options=ClusterOptions(),
    )


def shop() -> Cluster:
    """Two nodes; client and web-1 on node-1, web-2 on node-2; Services of every sort."""
    web = [
        pod(
            f"web-{n}",
            f"10.244.{n}.3",
            f"node-{n}",
            container("http", (8080, "http"), (9090, "metrics")),
            labels={"app": "web"},
            owner=("Deployment", "web"),
        )
        for n in (1, 2)
    ]
    client = pod("client", "10.244.1.2", "node-1", container("shell"), labels={"app": "client"})
    db = pod(
        "db-0",
        "10.244.2.4",
        "node-2",
        container("mysql", 3306),
        labels={"app": "db"},
        owner=("StatefulSet", "db"),
    )
    waiting = pod("waiting", None, None, pending_reason="0/2 nodes are available: Too many pods.")
    other = pod("client", "10.244.2.5", "node-2", namespace="prod")
    web_service = service(
        "web",
        "10.96.0.10",
        port(80, 8080, node_port=30080),
        selector={"app": "web"},
        type=ServiceType.NODE_PORT,
        external_traffic_policy="Cluster",
    )
    two = service(
        "two",
        "10.96.0.11",
        port(80, 8080, name="http"),
        port(53, 53, name="dns", protocol=Protocol.UDP),
        selector={"app": "web"},
    )
    headless = service("peers", None, port(3306, 3306, name="sql"), headless=True,
                       selector={"app": "db"})  # fmt: skip
    alias = service("alias", None, type=ServiceType.EXTERNAL_NAME, external_name="example.com")
    prod = service("web", "10.96.0.12", port(80, 8080), namespace="prod", selector={"app": "web"})
    typo = service("typo", "10.96.0.13", port(80, 8080), selector={"app": "wbe"})
    return cluster(
        pods=[client, *web, db, waiting, other],
        services=[web_service, two, headless, alias, prod, typo],
        slices=[
            slice_of(web_service, web, {"": 8080}),
            slice_of(two, web, {"http": 8080, "dns": 53}),
            slice_of(headless, [db], {"sql": 3306}),
            slice_of(typo, [], None),
        ],
        workloads=(
            Workload(kind="Deployment", namespace="default", name="web", replicas=2,
                     pods=("default/web-1", "default/web-2"), origin=ORIGIN),
            Workload(kind="StatefulSet", namespace="default", name="db", replicas=1,
                     pods=("default/db-0",), origin=ORIGIN),
        ),
    )  # fmt: skip
