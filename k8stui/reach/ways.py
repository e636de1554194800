"""The ways that a request may go: to an address, or to one of the endpoints behind a port."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from k8stui.cluster.mesh.met import standing
from k8stui.cluster.mesh.proxies import has_mesh
from k8stui.cluster.model import Service, ServicePort, ServiceType
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.names import service_port_name
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.reach.ends import Asked
from k8stui.reach.places import Places
from k8stui.record import record
from k8stui.walk.world import World

_PROTOCOLS = {one.name.lower(): one for one in Protocol}


@record()
class RequestWay:
    """One of the ways that a request may go."""

    key: Hashable
    """How, and to whom; without what policies see."""
    actor: int | None = None
    """The bit of the pod that it leads to; None: it is none that policies know."""
    given: tuple[int, ...] = ()
    """The choice that leads there."""
    of: int = 1
    """Among how many it is."""
    lands: Address | None = None
    """Where it ends; None: wherever the walk says."""
    ports: Hashable = ()
    """What its pod calls its ports, where policies do."""
    twice: bool = False
    """The packet that leaves the client is for somebody else: its own policies see that one."""


Choices = tuple[list[RequestWay], ...]
"""Each as kube-proxy may choose among endpoints."""


class _End(NamedTuple):
    """The pod at the end of a way."""

    key: tuple[Hashable, ...]
    """What counts of it, but for policies."""
    actor: int | None
    names: Hashable
    """As `RequestWay.ports`."""


class Ways:
    """Of one world. `actors`: the bits of its pods; `named_ports`: whether policies name any."""

    def __init__(
        self, world: World, places: Places, actors: Mapping[str, int], *, named_ports: bool
    ) -> None:
        self._world, self._places, self._actors = world, places, actors
        self._named_ports = named_ports
        self._behind: dict[tuple[int, str, Address], tuple[PortPlan, Choices]] = {}
        """By plan, node and address that is asked; most plans are every node's."""
        self._ends: dict[tuple[Address, int, Protocol], _End | None] = {}

    def of(self, asked: Asked, entry: str, families: Sequence[int]) -> Choices:
        """How a request may go that meets kube-proxy first on the node `entry`.

        `families`: the IP versions of the client. Of several choices one is the client's; the walk
        says which. None at all: that cannot be said beforehand.
        """
        if asked.pod is not None:
            address = _first_of(asked.pod.addresses, families)
            if address is None or address in self._shared_addresses:
                return ()
            return ([self._to(("direct", address), address, asked.port, asked.protocol)],)
        service, port = asked.service, asked.service_port
        if service is None or port is None or service.type is ServiceType.EXTERNAL_NAME:
            return ()
        node = self._world.cluster.nodes.get(entry)
        vip = _first_of(service.cluster_ips, families)
        if node is None or vip is None or vip in self._shared_addresses:
            return ()
        at = _first_of(node.addresses, families) if asked.node else vip
        plan = self._plan(entry, service, port, vip.version)
        if plan is None or at is None or at.version != vip.version:
            return ()
        return self._through(plan, asked.node, at)

    def behind_name(self, asked: Asked) -> list[int | None] | None:
        """Whom a name may lead to that DNS alone resolves: bits, as in `RequestWay.actor`.

        For a headless Service and an ExternalName. None: there is more to it than the name.
        """
        service = asked.service
        if service is None or asked.node:
            return None
        if service.type is ServiceType.EXTERNAL_NAME:
            return [None]
        if not service.headless:
            return None
        slices = self._world.cluster.endpoint_slices.get(service.key, ())
        pods = (
            self._places.pod_at(address)
            for each in slices
            for endpoint in each.endpoints
            for address in endpoint.addresses
        )
        found = {self._actors.get(pod.key) if pod is not None else None for pod in pods}
        return sorted(found or {None}, key=lambda one: -1 if one is None else one)

    def _plan(
        self, node: str, service: Service, port: ServicePort, version: int
    ) -> PortPlan | None:
        name = service_port_name(service.namespace, service.name, port.name)
        world = self._world
        try:
            return world.network.plan(world.cluster.nodes[node], name, version)
        except KeyError:
            return None

    def _through(self, plan: PortPlan, node: str, at: Address) -> Choices:
        """`node`: whose node port is asked; empty: the cluster IP is. `at`: that address."""
        key = id(plan), node, at
        known = self._behind.get(key)
        if known is None:
            known = self._behind[key] = plan, tuple(self._choices(plan, node, at))
        return known[1]

    def _choices(self, plan: PortPlan, node: str, at: Address) -> Iterator[list[RequestWay]]:
        """As `_through`.

        Of a node port with externalTrafficPolicy Local pods, and who is on the node, are sent to
        any endpoint (pkg/proxy/iptables/proxier.go: "short-circuit").
        """
        local, everywhere = plan.choice.local, plan.choice.cluster
        told = plan.port.service_key if has_mesh(self._world.cluster) else ""
        how: tuple[Hashable, ...] = (node, _shape(plan, at.version), told)
        if not (plan.port.external_local if node else plan.port.internal_local):
            yield self._chosen(plan, everywhere, how, at)
        elif not node or local == everywhere:
            yield self._chosen(plan, local, how, at)
        else:
            yield self._chosen(plan, local, (*how, "local"), at)
            yield self._chosen(plan, everywhere, (*how, "short-circuit"), at)

    def _chosen(
        self, plan: PortPlan, chosen: Sequence[Backend], how: tuple[Hashable, ...], at: Address
    ) -> list[RequestWay]:
        if not chosen:
            # Why there is nobody is the Service's own story.
            key = ("nobody", how, plan.port.service_key, plan.choice.any_endpoints)
            return [RequestWay(key, lands=at)]
        ways = []
        for number, backend in enumerate(chosen):
            address = Address.parse(backend.address)
            port = int(backend.text.rpartition(":")[2])
            way = self._to((how, at), address, port, _PROTOCOLS[plan.port.protocol])
            given = (number,) if len(chosen) > 1 else ()
            twice = bool(how[0])
            ways.append(
                RequestWay(way.key, way.actor, given, len(chosen), address, way.ports, twice)
            )
        return ways

    def _to(
        self, how: tuple[Hashable, Address], address: Address, port: int, protocol: Protocol
    ) -> RequestWay:
        """A way to one address; the second of `how` is the one that the client asked."""
        end = self._end(address, port, protocol)
        if end is None:
            return RequestWay(("address", how, address, port, protocol), lands=address)
        return RequestWay((how[0], *end.key), end.actor, lands=address, ports=end.names)

    def _end(self, address: Address, port: int, protocol: Protocol) -> _End | None:
        """The pod with that address; None: none has it."""
        key = address, port, protocol
        if key not in self._ends:
            self._ends[key] = self._ending(address, port, protocol)
        return self._ends[key]

    def _ending(self, address: Address, port: int, protocol: Protocol) -> _End | None:
        pod = self._places.pod_at(address)
        if pod is None:
            return None
        names: Hashable = ()
        if self._named_ports:
            names = tuple(
                (one.name, one.number, one.protocol)
                for container in pod.containers
                for one in container.ports
            )
        listens = self._places.listens(pod, port, protocol)
        mesh = standing(self._world.cluster, pod)
        key = (self._places.of(pod), pod.node_name, listens, port, protocol, mesh)
        return _End(key, self._actors.get(pod.key), names)

    @cached_property
    def _shared_addresses(self) -> frozenset[Address]:
        """Virtual addresses that are somebody else's too, or stand where they should not."""
        seen: set[Address] = set()
        twice: set[Address] = set()
        cluster = self._world.cluster
        for service in cluster.services.values():
            ingress = [one.ip for one in service.load_balancer_ingress if one.ip is not None]
            for address in (*service.cluster_ips, *service.external_ips, *ingress):
                (twice if address in seen else seen).add(address)
        real = {a for node in cluster.nodes.values() for a in node.addresses}
        real |= {a for pod in cluster.pods.values() for a in pod.addresses}
        ranges = cluster.service_cidrs or (cluster.service_cidr,)
        outside = {a for a in seen if not any(a in each for each in ranges)}
        return frozenset(twice | outside | (seen & real))


def _shape(plan: PortPlan, version: int) -> Hashable:
    """All of a Service's port that counts, but its addresses, numbers and endpoints."""
    port = plan.port
    return (
        version,
        port.protocol,
        port.affinity_seconds is not None,
        port.internal_local,
        port.external_local,
        port.accessible,
        port.service.type,
    )


def _first_of(addresses: Sequence[Address], families: Sequence[int]) -> Address | None:
    """The one that is asked: of a family that the client has, else the first."""
    usable = [one for one in addresses if one.version in (families or (4,))]
    return next(iter(usable or addresses), None)
