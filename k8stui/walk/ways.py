"""The ways of access of a Service, asked from every side: a table of cases.

podIP:containerPort, clusterIP:port, nodeIP:nodePort (and what a load balancer, externalIPs or an
Ingress add) × who asks: a pod, a node, the outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Node, Service, ServicePort, ServiceType
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.walk.brief import brief
from k8stui.walk.cases import Case, CaseRow, Cases, case
from k8stui.walk.error import RequestError
from k8stui.walk.offers import client_of, endpoint_of, urls
from k8stui.walk.request import parse_request
from k8stui.walk.source import OUTSIDE

if TYPE_CHECKING:
    from k8stui.walk.world import World

MOST_NODES = 4
"""Nodes whose port is asked, unless more are wanted: what differs between them is who has a pod."""


@record(kw_only=True)
class _Address:
    """One address and port at which a Service's port can be asked."""

    name: str
    destination: str
    """As it can be typed behind ``--to``."""
    ports: tuple[int, ...]
    """The asked one, then what it becomes, to the container's."""


def ways(world: World, service_key: str, *, nodes: int = MOST_NODES) -> Cases:
    """Ask every address of the Service ``namespace/name`` from a pod, a node and the outside.

    Raises:
        RequestError: it is an ExternalName Service: it has no address of its own.
        KeyError: there is no such Service.

    """
    service = world.cluster.services[service_key]
    if service.type is ServiceType.EXTERNAL_NAME:
        raise RequestError(
            f"Service {service_key} is an ExternalName: a name for {service.external_name}, "
            "without addresses of its own",
            hint="the three ways are those of a Service that selects pods",
        )
    inside = client_of(world, service)
    node = next(iter(world.cluster.nodes), "")
    askers = tuple(dict.fromkeys((inside, f"node/{node}", OUTSIDE)))
    entries = _entries(world.cluster, service, nodes)
    rows = []
    for port in service.ports:
        for address in _addresses(world.cluster, service, port, entries):
            cells = tuple(_asked(world, asker, address) for asker in askers)
            row = CaseRow(name=address.name, cells=cells, ports=address.ports, service=service_key)
            rows.append(row)
    for _, url in urls(world.cluster, service_key):
        by_host = _Address(name=url, destination=url, ports=())
        cells = tuple(_asked(world, asker, by_host) for asker in askers)
        rows.append(CaseRow(name=url, cells=cells, service=service_key))
    with_port = any(port.node_port is not None for port in service.ports)
    left = len(world.cluster.nodes) - len(entries) if with_port else 0
    return Cases(
        title=f"{service_key}: its ways of access, from every side",
        about=_about(service),
        columns=tuple(_asker(each) for each in askers),
        rows=tuple(rows),
        left_out=f"{left} nodes more were not asked" if left > 0 else "",
    )


def _asked(world: World, source: str, address: _Address) -> Case | None:
    try:
        request = parse_request(world, source, address.destination)
    except RequestError:  # nobody of that kind, or no address of the client's family
        return None
    return case(world, f"{_asker(source)} ─▶ {address.name}", request)


def _asker(source: str) -> str:
    """Who asks, short: the namespace of everything is left out."""
    kind, slash, name = brief(source).partition("/")
    return f"pod {name}" if kind == "pod" else name if slash else source


def _entries(cluster: Cluster, service: Service, most: int) -> tuple[Node, ...]:
    """The nodes to ask: in their order, but one with an endpoint and one without are among them."""
    every = [node for node in cluster.nodes.values() if node.addresses]
    if len(every) <= most:
        return tuple(every)
    slices = cluster.endpoint_slices.get(service.key, ())
    served = {e.node_name for each in slices for e in each.endpoints}
    telling = [
        *[n for n in every if n.name in served][:1],
        *[n for n in every if n.name not in served][:1],
    ]
    chosen = [*telling, *(n for n in every if n not in telling)][:most]
    return tuple(n for n in every if n in chosen)


def _addresses(
    cluster: Cluster, service: Service, port: ServicePort, entries: tuple[Node, ...]
) -> Iterator[_Address]:
    behind = "" if port.protocol is Protocol.TCP else f"/{port.protocol.name.lower()}"
    found = endpoint_of(cluster, service, port)
    target: tuple[int, ...] = ()
    if found is not None:
        endpoint, at = found
        target = (at.port,)
        address = endpoint.addresses[0].with_port(at.port)
        yield _Address(name=f"pod {address}", destination=f"{address}{behind}", ports=target)
    inner = (port.port, *target)
    for virtual in service.cluster_ips[:1]:
        yield _Address(
            name=f"svc {virtual.with_port(port.port)}",
            destination=f"svc/{service.key}:{port.port}{behind}",
            ports=inner,
        )
    if port.node_port is not None:
        for node in entries:
            yield _Address(
                name=f"{node.name}:{port.node_port}",
                destination=f"node/{node.name}:{port.node_port}{behind}",
                ports=(port.node_port, *inner),
            )
    ingress = (e.ip for e in service.load_balancer_ingress if e.ip and e.ip_mode == "VIP")
    for kind, addresses in (("lb", tuple(ingress)), ("ext", service.external_ips)):
        for each in addresses:
            yield _Address(
                name=f"{kind} {each.with_port(port.port)}",
                destination=f"{each.with_port(port.port)}{behind}",
                ports=inner,
            )


def _about(service: Service) -> str:
    if service.external_traffic_policy is None:
        return f"type {service.type.value}"
    origin = service.origins.get("external_traffic_policy")
    kind = f" ({origin.kind.value})" if origin is not None else ""
    return f"externalTrafficPolicy {service.external_traffic_policy}{kind}"
