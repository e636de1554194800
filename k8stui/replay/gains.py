"""What one moment has that the one before had not: rules, devices, routes, names … node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.environment import service_environment
from k8stui.cluster.model import Cluster, Service, ServiceType
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.routing import route_line
from k8stui.record import record
from k8stui.walk.world import World


@record()
class Delta:
    """What came and what went, in the order in which it stands."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@record(kw_only=True)
class NodeGain:
    """What a node gains or loses, each thing as Linux prints it."""

    rules: Delta
    """Of iptables-save, and of ip6tables-save where the cluster has IPv6."""
    devices: Delta
    routes: Delta
    fdb: Delta
    sockets: Delta
    """What listens on the node itself: hostNetwork pods, kube-proxy in mode userspace."""

    def __bool__(self) -> bool:
        return any((self.rules, self.devices, self.routes, self.fdb, self.sockets))


@record(kw_only=True)
class Gains:
    """What a step changes; nodes and Services without a change are left out."""

    nodes: Mapping[str, NodeGain]
    pods: Delta
    endpoints: Mapping[str, Delta]
    """By Service: ``ADDRESS:PORT``."""
    names: Delta
    """Of cluster DNS."""
    environment: Mapping[str, tuple[str, ...]]
    """By pod that starts now: the variables that tell it of Services. They never change later."""

    def __bool__(self) -> bool:
        return any((self.nodes, self.pods, self.endpoints, self.names))


@record(kw_only=True)
class _NodeSight:
    rules: tuple[str, ...]
    devices: tuple[str, ...]
    routes: tuple[str, ...]
    fdb: tuple[str, ...]
    sockets: tuple[str, ...]


@record(kw_only=True)
class Snapshot:
    """A world as the steps compare it."""

    nodes: Mapping[str, _NodeSight]
    pods: Mapping[str, None]
    endpoints: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]


def look(world: World) -> Snapshot:
    """Look at everything that a step can change."""
    cluster = world.cluster
    return Snapshot(
        nodes={name: _node(world, name) for name in cluster.nodes},
        pods=dict.fromkeys(cluster.pods),
        endpoints={
            service.key: tuple(_endpoints(cluster, service))
            for service in cluster.services.values()
        },
        names=tuple(_names(cluster)),
    )


def gains(before: Snapshot, after: Snapshot, world: World) -> Gains:
    """What `after`, seen in `world`, has that `before` had not, and the other way round."""
    nodes = {
        name: NodeGain(
            **{
                part: difference(getattr(before.nodes[name], part), getattr(seen, part))
                for part in ("rules", "devices", "routes", "fdb", "sockets")
            }
        )
        for name, seen in after.nodes.items()
    }
    services = dict.fromkeys((*before.endpoints, *after.endpoints))
    endpoints = {
        key: difference(before.endpoints.get(key, ()), after.endpoints.get(key, ()))
        for key in services
    }
    cluster = world.cluster
    started = [cluster.pods[key] for key in after.pods if key not in before.pods]
    return Gains(
        nodes={name: gain for name, gain in nodes.items() if gain},
        pods=difference(before.pods, after.pods),
        endpoints={key: found for key, found in endpoints.items() if found},
        names=difference(before.names, after.names),
        environment={
            pod.key: tuple(f"{k}={v}" for k, v in service_environment(cluster, pod).items())
            for pod in started
            if pod.addresses
        },
    )


def difference(before: Iterable[str], after: Iterable[str]) -> Delta:
    """Compare two lists of lines; a line can stand in them more than once."""
    old, new = tuple(before), tuple(after)
    return Delta(tuple(_beyond(new, old)), tuple(_beyond(old, new)))


def _beyond(lines: Iterable[str], others: Iterable[str]) -> Iterator[str]:
    """`lines` without `others`."""
    there = Counter(others)
    for line in lines:
        if there[line]:
            there[line] -= 1
        else:
            yield line


def _node(world: World, name: str) -> _NodeSight:
    namespace = world.network[name]
    rules = [
        rule.text
        for version in sorted({address.version for address in world.cluster.nodes[name].addresses})
        for table in world.network.ruleset(world.cluster.nodes[name], version)
        for chain in table.chains.values()
        for rule in chain.rules
    ]
    return _NodeSight(
        rules=tuple(rules),
        devices=tuple(interface.name for interface in namespace.interfaces),
        routes=tuple(route_line(route) for route in namespace.routes),
        fdb=tuple(_fdb(namespace)),
        sockets=tuple(_sockets(namespace)),
    )


def _fdb(namespace: NetNamespace) -> Iterator[str]:
    """As ``bridge fdb show`` prints them."""
    for entry in namespace.fdb:
        where = f" dst {entry.destination}" if entry.destination is not None else ""
        yield f"{entry.mac} dev {entry.device}{where}" + (" permanent" if entry.permanent else "")


def _sockets(namespace: NetNamespace) -> Iterator[str]:
    for socket in namespace.sockets:
        if socket.port is not None:
            address = (
                f"{socket.address.with_port(socket.port)}" if socket.address else f"*:{socket.port}"
            )
            yield f"{socket.protocol.name} {address} {socket.owner}".rstrip()


def _endpoints(cluster: Cluster, service: Service) -> Iterator[str]:
    for port in service.ports:
        for address, number, _ in endpoints_of(cluster, service, port):
            yield address.with_port(number)


def _names(cluster: Cluster) -> Iterator[str]:
    """Names that cluster DNS answers, without the dashed addresses of endpoints."""
    for service in cluster.services.values():
        base = f"{service.name}.{service.namespace}.svc.{cluster.cluster_domain}"
        hosts = dict.fromkeys(
            endpoint.hostname
            for each in cluster.endpoint_slices.get(service.key, ())
            for endpoint in each.endpoints
            if endpoint.hostname and endpoint.ready
        )
        is_alias = service.type is ServiceType.EXTERNAL_NAME
        if service.cluster_ips or is_alias or (service.headless and _has_ready(cluster, service)):
            yield base
        for host in hosts:
            yield f"{host}.{base}"


def _has_ready(cluster: Cluster, service: Service) -> bool:
    return any(
        endpoint.ready
        for each in cluster.endpoint_slices.get(service.key, ())
        for endpoint in each.endpoints
    )
