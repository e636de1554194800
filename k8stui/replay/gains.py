"""What one moment has that the one before had not: rules, devices, routes, names … node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.environment import service_environment
from k8stui.cluster.memory import others
from k8stui.cluster.model import Cluster, Node, Service, ServiceType
from k8stui.kernel.namespace import FdbEntry, Socket
from k8stui.kernel.routing import route_line
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.apart import nft_apart, rules_apart
from k8stui.record import record
from k8stui.walk.world import World

Part = TypeVar("Part")


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
    """Of iptables-save, and of ip6tables-save where the cluster has IPv6; and those of nft."""
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


def gains(before: World, after: World) -> Gains:
    """What `after` has that `before` had not, and the other way round. Both have the same nodes.

    What is the very same object in both is not looked into: what did not change costs little.
    """
    then, now = before.cluster, after.cluster
    nodes = {name: _node(before, after, name) for name in now.nodes}
    pods = _keys(then.pods, now.pods)
    apart = others(then.services, now.services)
    apart |= others(then.endpoint_slices, now.endpoint_slices)
    touched = [key for key in {**then.services, **now.services} if key in apart]
    endpoints = {
        key: difference(*(tuple(_endpoints(each, key)) for each in (then, now))) for key in touched
    }
    return Gains(
        nodes={name: gain for name, gain in nodes.items() if gain},
        pods=pods,
        endpoints={key: found for key, found in endpoints.items() if found},
        names=difference(_names(then, touched), _names(now, touched)),
        environment=_environment(now, pods.added),
    )


def _environment(now: Cluster, keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """What pods that start now are told of Services: the same for all of a namespace."""
    told: dict[tuple[str, bool], tuple[str, ...]] = {}
    found = {}
    for key in keys:
        pod = now.pods[key]
        if pod.addresses:
            alike = pod.namespace, pod.enable_service_links
            if alike not in told:
                variables = service_environment(now, pod)
                told[alike] = tuple([f"{name}={value}" for name, value in variables.items()])
            found[key] = told[alike]
    return found


def _keys(before: Mapping[str, object], after: Mapping[str, object]) -> Delta:
    """Names that came and went."""
    if before is after:
        return Delta()
    return Delta(
        tuple(key for key in after if key not in before),
        tuple(key for key in before if key not in after),
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


def _node(before: World, after: World, name: str) -> NodeGain:
    then, now = before.network[name], after.network[name]
    return NodeGain(
        rules=_rules(before, after, name),
        devices=_changed(then.interfaces, now.interfaces, lambda each: [i.name for i in each]),
        routes=_changed(then.routes, now.routes, lambda each: map(route_line, each)),
        fdb=_changed(then.fdb, now.fdb, _fdb),
        sockets=_changed(then.sockets, now.sockets, _sockets),
    )


def _changed(before: Part, after: Part, lines: Callable[[Part], Iterable[str]]) -> Delta:
    """How two lists of things differ, as `lines` tells them."""
    return Delta() if before is after else difference(lines(before), lines(after))


def _rules(before: World, after: World, name: str) -> Delta:
    node = after.cluster.nodes[name]
    old: list[str] = []
    new: list[str] = []
    for version in sorted({address.version for address in node.addresses}):
        gone, come = rules_apart(*(_ruleset(each, node, version) for each in (before, after)))
        old += [rule.text for rule in gone]
        new += [rule.text for rule in come]
    gone_lines, come_lines = nft_apart(*(each.network[name].nft for each in (before, after)))
    return difference([*old, *gone_lines], [*new, *come_lines])


def _ruleset(world: World, node: Node, version: int) -> Ruleset:
    """The one that the node's namespace has, for it has worked out some of it already."""
    there = world.network[node.name].rulesets.get(version)
    return there if there is not None else world.network.ruleset(node, version)


def _fdb(entries: Iterable[FdbEntry]) -> Iterator[str]:
    """As ``bridge fdb show`` prints them."""
    for entry in entries:
        where = f" dst {entry.destination}" if entry.destination is not None else ""
        yield f"{entry.mac} dev {entry.device}{where}" + (" permanent" if entry.permanent else "")


def _sockets(sockets: Iterable[Socket]) -> Iterator[str]:
    for socket in sockets:
        if socket.port is not None:
            address = (
                f"{socket.address.with_port(socket.port)}" if socket.address else f"*:{socket.port}"
            )
            yield f"{socket.protocol.name} {address} {socket.owner}".rstrip()


def _endpoints(cluster: Cluster, key: str) -> Iterator[str]:
    service = cluster.services.get(key)
    if service is None:
        return
    for port in service.ports:
        for address, number, _ in endpoints_of(cluster, service, port):
            yield address.with_port(number)


def _names(cluster: Cluster, keys: Iterable[str]) -> Iterator[str]:
    """Names of these Services that cluster DNS answers, without endpoints' dashed addresses."""
    for key in keys:
        service = cluster.services.get(key)
        if service is None:
            continue
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
