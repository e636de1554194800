"""The ways to reach an application: pod address, ClusterIP, node port, a host; side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Endpoint, EndpointPort, Service, ServicePort, ServiceType
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.walk.lookup import can_send
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World

_HTTP = 80


@record(kw_only=True)
class Offer:
    """One way to a Service's port."""

    label: str
    """Short, for a list: ``pod address:80``, ``ClusterIP:80``, ``http://shop.example/``."""
    who: str
    """Who can use it, one sentence."""
    request: Request
    """A request that uses it, ready to be walked."""


def offers(world: World, service_key: str) -> tuple[Offer, ...]:
    """All ways to the Service ``namespace/name``.

    Port by port, in the order pod, ClusterIP, node; then hosts that lead to it.
    Empty for an ExternalName Service. A Service without endpoints has no pod address to offer.

    Raises:
        KeyError: there is no such Service.

    """
    service = world.cluster.services[service_key]
    if service.type is ServiceType.EXTERNAL_NAME:
        return ()
    by_port = (offer for port in service.ports for offer in _ways(world, service, port))
    return (*by_port, *_by_host(world, service_key))


def _ways(world: World, service: Service, port: ServicePort) -> Iterator[Offer]:
    cluster = world.cluster
    inside = client_of(world, service)
    udp = "" if port.protocol is Protocol.TCP else f"/{port.protocol.name.lower()}"
    found = endpoint_of(cluster, service, port)
    if found is not None:
        endpoint, target = found
        address = endpoint.addresses[0].with_port(target.port)
        yield from _offer(
            world,
            f"pod address:{target.port}{udp}",
            "pods and nodes of the cluster; the address goes when the pod does",
            inside,
            f"{address}{udp}",
        )
    if service.cluster_ips:
        yield from _offer(
            world,
            f"ClusterIP:{port.port}{udp}",
            "pods and nodes of the cluster; the address exists in kube-proxy's rules only",
            inside,
            f"svc/{service.key}:{port.port}{udp}",
        )
    if port.node_port is not None and cluster.nodes:
        yield from _offer(
            world,
            f"node:{port.node_port}{udp}",
            "everybody who reaches a node, the outside too; each node answers",
            "outside",
            f"node/{next(iter(cluster.nodes))}:{port.node_port}{udp}",
        )


def urls(cluster: Cluster, service_key: str) -> Sequence[tuple[str, str]]:
    """Who leads somebody outside to the Service, ``Ingress default/shop``, and by which URL.

    Only for certain: names of which the input has the address, and who has that; plain paths.
    """
    return _urls.of(cluster).get(service_key, ())


def _by_host(world: World, service_key: str) -> Iterator[Offer]:
    for owner, address in urls(world.cluster, service_key):
        who = f"everybody who knows the name; who serves {owner} asks the pods in its turn"
        yield from _offer(world, address, who, "outside", address)


def _urls_by_service(cluster: Cluster) -> Mapping[str, Sequence[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    balanced = {
        each.ip
        for service in cluster.services.values()
        if any(port.port == _HTTP for port in service.ports)
        for each in service.load_balancer_ingress
    }
    for one in cluster.entrances:
        is_met = balanced.intersection(one.addresses)
        is_named = is_met and "*" not in one.host and not one.owner.startswith("Service ")
        is_special = one.is_refused or one.is_tls or one.patterns or one.canary or one.entry_points
        if not is_named or is_special or one.owner in cluster.unserved:
            continue
        for path in one.paths:
            is_plain = not (path.is_pattern or path.is_conditional)
            if is_plain and path.service in cluster.services:
                url = f"http://{one.host}{path.path}"
                found.setdefault(path.service, []).append((one.owner, url))
    return found


_urls = Derived(_urls_by_service)


def _offer(world: World, label: str, who: str, source: str, destination: str) -> Iterator[Offer]:
    try:
        request = parse_request(world, source, destination)
    except RequestError:  # no client of that kind here: a cluster of Pending pods
        return
    yield Offer(label=label, who=who, request=request)


def client_of(world: World, service: Service) -> str:
    """Choose who asks from inside: a pod of the namespace that is no endpoint, else another."""
    cluster = world.cluster
    served = {e.pod for s in cluster.endpoint_slices.get(service.key, ()) for e in s.endpoints}
    best, rank = "", (True, True, True)
    for key, pod in cluster.pods.items():
        # The cheap questions first: a cluster has 20,000 pods, and somebody has pressed a key.
        its = (key in served, pod.namespace != service.namespace, False)
        if its < rank and can_send(pod) and key in world.network:
            best, rank = key, its
            if not any(its):
                break
    return f"pod/{best}" if best else f"node/{next(iter(cluster.nodes), '')}"


def endpoint_of(
    cluster: Cluster, service: Service, port: ServicePort
) -> tuple[Endpoint, EndpointPort] | None:
    """The first ready endpoint of a port, with the port's number there; None: there is none."""
    for each in cluster.endpoint_slices.get(service.key, ()):
        target = next(
            (p for p in each.ports or () if (p.name, p.protocol) == (port.name, port.protocol)),
            None,
        )
        ready = next((e for e in each.endpoints if e.ready and e.addresses), None)
        if target is not None and ready is not None:
            return ready, target
    return None


def first_offer(world: World) -> Offer | None:
    """The most telling way in: a host, else the first node port or a Service's own address.

    Where there is neither, the first way to the first Service.
    """
    for key in _urls.of(world.cluster):
        for offer in offers(world, key):
            if offer.request.destination.startswith("http"):
                return offer
    first: Offer | None = None
    inside: Offer | None = None
    for service in world.cluster.services.values():
        if service.key == "default/kubernetes":
            continue
        for offer in offers(world, service.key):
            if offer.request.source == "outside":
                return offer
            first = first or offer
            if inside is None and offer.request.destination.startswith("svc/"):
                inside = offer
    return inside or first
