"""Who is the client? Which source address a pod sees, by entry node and externalTrafficPolicy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Service, ServicePort, ServiceType
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import Direction
from k8stui.record import record
from k8stui.walk.alike import Endpoints
from k8stui.walk.compare import vary
from k8stui.walk.error import RequestError
from k8stui.walk.lookup import find_service
from k8stui.walk.offers import urls
from k8stui.walk.request import parse_request
from k8stui.walk.source import OUTSIDE
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.walk.world import World

POLICIES = ("Cluster", "Local")
_NAME = re.compile("[A-Za-z0-9-]+")
_OPEN = (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)


@record(kw_only=True)
class Arrival:
    """What comes of asking at one entry under one policy, as often as `probability` says.

    Several branches that the pods cannot tell apart (same address, same TTL) are one arrival.
    """

    entry: str
    """Node whose port is asked, or the load balancer's address."""
    destination: str
    """As it can be typed behind ``--to``."""
    policy: str
    """externalTrafficPolicy: Cluster or Local."""
    is_set: bool
    """Whether this is the policy that the Service has."""
    result: Result
    source_seen: Address | None
    """What the pod takes for its client; None where none was reached."""
    is_client: bool
    """Whether that is the client's own address."""
    ttl: int | None
    """TTL of the packet in front of the pod's socket."""
    servers: tuple[str, ...]
    """``namespace/name`` of the pods, or addresses, in the order of the branches."""
    probability: Fraction
    reason: str
    """Why it was not delivered, or who hid the client."""


def service_named(cluster: Cluster, text: str, namespace: str) -> Service:
    """The Service of ``svc/NAME``, ``svc/NAME.NAMESPACE``, ``svc/NAMESPACE/NAME`` or the bare name.

    Raises:
        RequestError: there is none.

    """
    kind, slash, rest = text.partition("/")
    if not slash:
        rest = kind
    elif kind.lower() not in ("svc", "service", "services"):
        raise RequestError(f"not a Service: {text!r}", hint="write svc/NAME behind the paths")
    first, slash, second = rest.partition("/")
    if slash:
        within, name = first, second
    else:
        name, _, written = rest.partition(".")
        within = written or namespace
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(within)):
        hint = "write svc/NAME or svc/NAME.NAMESPACE, without a port"
        raise RequestError(f"not the name of a Service: {text!r}", hint=hint)
    return find_service(cluster, within, name)


def arrivals(world: World, service_key: str, *, nodes: int | None = None) -> Iterator[Arrival]:
    """Ask each port of the Service from outside: policy by policy, entry by entry.

    `nodes`: the first so many nodes only; None: all of them.

    Raises:
        RequestError: nobody outside can ask this Service.
        KeyError: there is no such Service.

    """
    service = world.cluster.services[service_key]
    entered = tuple(entries(world, service, nodes))
    if service.type not in _OPEN or not entered:
        led = [f"{who} leads to it, by {url}" for who, url in urls(world.cluster, service_key)]
        raise RequestError(
            f"Service {service_key} ({service.type.value}) has no node port and no load "
            "balancer's address: nobody outside can ask it",
            hint="; ".join(("clients are compared for type NodePort and LoadBalancer", *led[:1])),
        )
    current = service.external_traffic_policy or "Cluster"
    for policy in POLICIES:
        request = parse_request(world, OUTSIDE, entered[0][1])
        other = world
        if policy != current:
            other = vary(world, request, f"externalTrafficPolicy={policy}").world
        endpoints = Endpoints(other)
        for entry, destination in entered:
            asked = parse_request(other, OUTSIDE, destination)
            traces = walks(other, asked, endpoints=endpoints)
            for group in _grouped(traces):
                yield _arrival(group, entry, destination, policy, current)


def entries(world: World, service: Service, nodes: int | None) -> Iterator[tuple[str, str]]:
    """Ways into a Service from outside, as (name, destination); on `nodes` nodes at most."""
    for port in service.ports:
        behind = _protocol(port)
        if port.node_port is not None:
            for node in tuple(world.cluster.nodes.values())[:nodes]:
                if node.addresses:
                    yield node.name, f"node/{node.name}:{port.node_port}{behind}"
        for ingress in service.load_balancer_ingress:
            if ingress.ip is not None and ingress.ip_mode == "VIP":
                yield str(ingress.ip), f"{ingress.ip.with_port(port.port)}{behind}"


def _protocol(port: ServicePort) -> str:
    return "" if port.protocol is Protocol.TCP else f"/{port.protocol.name.lower()}"


def _grouped(traces: Iterator[Trace]) -> list[list[Trace]]:
    groups: dict[tuple[Result, Address | None, int | None], list[Trace]] = {}
    for trace in traces:
        done = trace.outcome
        key = (done.result, done.source_seen_by_server, ttl_at_server(trace))
        groups.setdefault(key, []).append(trace)
    return list(groups.values())


def _arrival(
    group: list[Trace], entry: str, destination: str, policy: str, current: str
) -> Arrival:
    first = group[0]
    done = first.outcome
    sent = next((step.before.src for step in first.steps if step.before is not None), None)
    servers = (
        server
        for t in group
        for server in (t.outcome.server_pod or _address(t.outcome.server_address), *t.alike)
    )
    return Arrival(
        entry=entry,
        destination=destination,
        policy=policy,
        is_set=policy == current,
        result=done.result,
        source_seen=done.source_seen_by_server,
        is_client=sent is not None and done.source_seen_by_server == sent,
        ttl=ttl_at_server(first),
        servers=tuple(dict.fromkeys(server for server in servers if server)),
        probability=sum((t.probability for t in group), Fraction(0)),
        reason=done.reason,
    )


def _address(address: Address | None) -> str:
    return str(address) if address is not None else ""


def ttl_at_server(trace: Trace) -> int | None:
    """TTL with which the request stands in front of the server's socket; None: it never did."""
    if trace.outcome.source_seen_by_server is None:
        return None
    forward = [hop for hop in trace.hops if hop.direction is Direction.FORWARD]
    packets = [step.after for hop in forward[-1:] for step in hop.steps if step.after is not None]
    return packets[-1].ttl if packets else None
