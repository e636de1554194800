"""What the Layout pane has to draw for a walk: which machines and pods, what each holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.ink import middle, width_of
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, NetNamespace
from k8stui.kernel.step import SocketCause
from k8stui.neutralise import neutralise
from k8stui.origin import OriginKind
from k8stui.walk.trace import Trace

if TYPE_CHECKING:
    from k8stui.walk.world import World

OUTSIDE = "outside"
WIRE = "wire"
HOSTS = "lan"
"""The hosts on the nodes' network that are no nodes."""
_NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class Device:
    """A device as drawn: its name and, where it has them, address and MAC."""

    name: str
    address: str = ""
    mac: str = ""
    is_assumed: bool = False
    is_there: bool = True
    """Whether it exists at this moment; if not, its place is kept."""

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.name, self.address) if part)


class Role(StrEnum):
    """What a pod has to do with the walk."""

    PATH = "path"
    """A packet of it gets there."""
    GHOST = "ghost"
    """Another branch, or the same request under another setting, could get there."""
    SIBLING = "sibling"
    """It only shares the bridge."""


@dataclass(frozen=True, slots=True)
class PodBox:
    """A pod on a node that is drawn."""

    key: str
    device: Device
    process: str
    """Container and port, in a few words."""
    room: int
    """Cells for them, whichever of its containers speaks, at whatever port."""
    veth: str
    """Host end of its cable; empty if it has none (hostNetwork)."""
    role: Role = Role.PATH
    chance: str = ""
    """Of a ghost that chance could have chosen: the share of its way, ``1/3``."""
    has_rivals: bool = False
    """Whether it is one of several that can be chosen: then its share has its place."""
    loopback: bool = False
    """Whether the walk goes over its `lo`."""
    is_there: bool = True
    """False: not yet, in a replay; its place is kept."""
    least: int = 0
    """Cells of its box at least: those of whichever pod can stand in its place."""

    @property
    def title(self) -> str:
        namespace, _, name = self.key.partition("/")
        return neutralise(name if namespace == "default" else self.key)

    def title_in(self, cells: int) -> str:
        """Give the title where there is no room for all: the name is worth more."""
        if width_of(self.title) <= cells:
            return self.title
        namespace, _, name = self.key.partition("/")
        if namespace == "default":
            return middle(neutralise(name), cells)
        name = middle(neutralise(name), max(cells - cells // 3 - 1, 1))
        return f"{middle(neutralise(namespace), cells - width_of(name) - 1)}/{name}"


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node on the path, or around a pod on it."""

    name: str
    uplink: Device
    tunnel: Device | None
    bridge: Device | None
    pods: tuple[PodBox, ...]
    process: str = "process"
    """Who speaks on the node itself."""
    more: int = 0
    """Pods of the node that are not drawn."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything to draw, in order."""

    outside: Device | None
    wire: str
    """Text on the wire; empty: no wire is drawn."""
    nodes: tuple[NodeBox, ...]


MOST_ENDPOINTS = 6
"""Endpoints of a Service that have their places, beside those that a walk gets to; there can be
thousands."""
_MOST_NAME = 24
"""Cells for the name of a process: a longer one loses its middle."""
MOST_SIBLINGS = 1
"""Pods beside those of the walk, on each bridge."""


def scene(
    network: Mapping[str, NetNamespace],
    cluster: Cluster,
    trace: Trace,
    others: Iterable[Trace] = (),
) -> Scene:
    """Find out what has to do with a walk, and with `others` that are compared with it.

    The same for every branch, every setting and the reply: beside the namespaces that a packet
    reached those of the endpoints that it could have got to.
    """
    traces = (trace, *others)
    path = dict.fromkeys(hop.namespace for hop in trace.hops)
    met = dict.fromkeys(hop.namespace for each in traces for hop in each.hops)
    visited = [name for name in met if name in network]
    devices = {(h.namespace, step.device) for each in traces for h in each.hops for step in h.steps}
    shares = dict(_shares(trace))
    ends = [key for key in (*_endpoints(cluster, traces), *shares) if key in network]
    ends = list(dict.fromkeys(ends))[:MOST_ENDPOINTS]
    rivals = frozenset(ends if len(ends) > 1 else ())
    candidates = dict.fromkeys((*(name for name in visited if name in cluster.pods), *ends))
    homes: dict[str, list[str]] = {name: [] for name in visited if name in cluster.nodes}
    for key in candidates:
        homes.setdefault(cluster.pods[key].node_name or "", []).append(key)
    homes.pop("", None)
    neighbours = _siblings(network, cluster, homes, candidates)
    version = version_of(trace)
    order = {key: number for number, key in enumerate(cluster.pods)}
    nodes = []
    for name in sorted(homes, key=lambda n: cluster.nodes[n].index if n in cluster.nodes else 0):
        beside = neighbours.get(name, [])
        boxes = []
        keys = (*homes[name], *beside[:MOST_SIBLINGS])
        for key in sorted(keys, key=lambda k: (k not in candidates, order[k])):
            role = Role.PATH if key in path else Role.GHOST
            boxes.append(
                replace(
                    _pod(network, cluster, trace, key, version),
                    role=role if key in candidates else Role.SIBLING,
                    chance=shares.get(key, "") if role is Role.GHOST else "",
                    has_rivals=key in rivals,
                    loopback=(key, "lo") in devices,
                )
            )
        node = _node(network[name], tuple(boxes), devices, version)
        more = max(0, len(beside) - MOST_SIBLINGS)
        nodes.append(replace(node, process=_speaker(trace, name), more=more))
    outside = _device(network[OUTSIDE], "eth0", version) if OUTSIDE in visited else None
    wire = ""
    if outside is not None or WIRE in visited or len(nodes) > 1:
        lan = next((i for i in network[WIRE].interfaces if i.kind is LinkKind.BRIDGE), None)
        address = _address(lan, version) if lan is not None else None
        wire = f"{WIRE} {address.network}" if address is not None else WIRE
    return Scene(outside, wire, tuple(nodes))


def at_moment(
    moments: Iterable[tuple[World, Trace]], now: World, trace: Trace, whole: Trace
) -> Scene:
    """The scene of a request at several moments, of which that is seen which stands `now`.

    What is missing keeps its place. `trace`: the walk now; `whole`: when all is there.
    """
    network, cluster = now.network, now.cluster
    scenes = [scene(one.network, one.cluster, walk, (whole,)) for one, walk in moments]
    nodes: dict[str, NodeBox] = {}
    for each in scenes:
        for node in each.nodes:
            nodes[node.name] = _both(nodes.get(node.name, node), node)
    present = scene(network, cluster, trace, (whole,))
    for node in present.nodes:
        known = nodes.get(node.name)
        # Neighbours that no other moment has are not worth a place.
        places = {pod.key for pod in known.pods} if known is not None and scenes else ()
        pods = tuple(p for p in node.pods if p.key in places or p.role is not Role.SIBLING)
        shown = replace(node, pods=pods if scenes else node.pods)
        nodes[node.name] = _both(known or shown, shown)
    scenes.append(present)
    return Scene(
        next((each.outside for each in scenes if each.outside is not None), None),
        next((each.wire for each in scenes if each.wire), ""),
        tuple(
            _now(node, network, cluster)
            for node in sorted(nodes.values(), key=lambda node: cluster.nodes[node.name].index)
        ),
    )


def _both(known: NodeBox, node: NodeBox) -> NodeBox:
    """A node at two moments; what both have is as it is at the second."""
    pods = {pod.key: pod for pod in known.pods}
    for pod in node.pods:
        before = pods.get(pod.key, pod)
        role = before.role if pod.role is Role.SIBLING else pod.role
        role = Role.GHOST if role is Role.PATH and pod.role is not role else role
        rivals = pod.has_rivals or before.has_rivals
        pods[pod.key] = replace(pod, role=role, has_rivals=rivals)
    for key in pods.keys() - {pod.key for pod in node.pods}:
        if pods[key].role is Role.PATH:
            pods[key] = replace(pods[key], role=Role.GHOST)
    return replace(
        node,
        pods=tuple(pods.values()),
        bridge=node.bridge or known.bridge,
        tunnel=node.tunnel or known.tunnel,
    )


def _now(node: NodeBox, network: Mapping[str, NetNamespace], cluster: Cluster) -> NodeBox:
    """The node as far as it stands now."""
    homes = {pod.key: pod.node_name for pod in cluster.pods.values() if pod.addresses}
    pods = tuple(replace(pod, is_there=homes.get(pod.key) == node.name) for pod in node.pods)
    bridge = node.bridge
    if bridge is not None and network[node.name].interface(bridge.name) is None:
        bridge = replace(bridge, is_there=False)
    return replace(node, pods=pods, bridge=bridge)


def _shares(trace: Trace) -> Iterator[tuple[str, str]]:
    """Pods that the walk's forks could have led to, with the share of their way."""
    for fork in trace.forks:
        for number, way in enumerate(fork.ways):
            rule = fork.rule(number)
            if rule is not None and rule.reason is not None and rule.reason.pod is not None:
                yield rule.reason.pod, str(way.share)


def _endpoints(cluster: Cluster, traces: Iterable[Trace]) -> Iterator[str]:
    """Pods behind the Service that is asked: another branch or setting leads to them."""
    for service in dict.fromkeys(each.request.service or "" for each in traces):
        for each in cluster.endpoint_slices.get(service, ()):
            for endpoint in each.endpoints:
                if endpoint.pod is not None and endpoint.pod in cluster.pods:
                    yield endpoint.pod


def _siblings(
    network: Mapping[str, NetNamespace],
    cluster: Cluster,
    homes: Mapping[str, Sequence[str]],
    drawn: Mapping[str, object],
) -> dict[str, list[str]]:
    """Other pods with a cable on the nodes that are drawn."""
    found: dict[str, list[str]] = {}
    for pod in cluster.pods.values():
        if (
            pod.node_name is not None
            and pod.node_name in homes
            and pod.key not in drawn
            and pod.addresses
            and not pod.host_network
            and pod.key in network
        ):
            found.setdefault(pod.node_name, []).append(pod.key)
    return found


def _speaker(trace: Trace, node: str) -> str:
    """Who answers or asks on the node itself: a hostNetwork pod, a proxy, the kernel."""
    for hop in trace.hops:
        for step in hop.steps:
            if hop.namespace == node and isinstance(step.cause, SocketCause):
                socket = step.cause.socket
                if socket is not None and socket.owner:
                    return neutralise(middle(socket.owner, _MOST_NAME))
    return "process"


def version_of(trace: Trace) -> int:
    """Tell the IP version of a walk by its first packet."""
    packets = (step.after or step.before for step in trace.steps)
    return next((packet.dst.version for packet in packets if packet is not None), 4)


def _uplink(namespace: NetNamespace, devices: set[tuple[str, str | None]]) -> str:
    """Name the device at the wire: eth0, or what the node's own state calls it."""
    at_wire = [
        one.name
        for one in namespace.interfaces
        if one.peer is not None and one.peer[0] == WIRE and not one.master
    ]
    used = [name for name in at_wire if (namespace.name, name) in devices]
    return next(iter((*used, *at_wire)), "eth0")


def _node(
    namespace: NetNamespace,
    boxes: tuple[PodBox, ...],
    devices: set[tuple[str, str | None]],
    version: int,
) -> NodeBox:
    name = namespace.name
    masters = {
        interface.master
        for box in boxes
        if (interface := namespace.interface(box.veth)) is not None and interface.master
    }
    bridge = next(iter(masters), None)
    if bridge is None:
        bridge = next(
            (
                i.name
                for i in namespace.interfaces
                if i.kind is LinkKind.BRIDGE and (name, i.name) in devices
            ),
            None,
        )
    tunnel = next(
        (
            i.name
            for i in namespace.interfaces
            if i.kind is LinkKind.VXLAN and (name, i.name) in devices
        ),
        None,
    )
    return NodeBox(
        name,
        _device(namespace, _uplink(namespace, devices), version),
        _device(namespace, tunnel, version) if tunnel else None,
        _device(namespace, bridge, version) if bridge else None,
        boxes,
    )


def _pod(
    network: Mapping[str, NetNamespace], cluster: Cluster, trace: Trace, key: str, version: int
) -> PodBox:
    namespace = network[key]
    eth0 = namespace.interface("eth0")
    return PodBox(
        key,
        _device(namespace, "eth0", version),
        *_process(cluster, trace, key),
        eth0.peer[1] if eth0 is not None and eth0.peer is not None else "",
    )


def _process(cluster: Cluster, trace: Trace, key: str) -> tuple[str, int]:
    """Who speaks in a pod: the asked port's container, else the first one; and the room of all."""
    outcome = trace.outcome
    port = outcome.server_port if outcome.server_pod == key else None
    pod = cluster.pods.get(key)
    containers = [c for c in pod.containers if not c.init] if pod is not None else []
    names = [neutralise(middle(each.name, _MOST_NAME)) for each in containers] or ["process"]
    declared = [len(f" :{p.number}") for each in containers for p in each.ports]
    room = max(map(width_of, names)) + max(declared, default=len(" :8080"))
    for name, container in zip(names, containers, strict=False):
        if port is not None and any(p.number == port for p in container.ports):
            return f"{name} :{port}", room
    return (f"{names[0]} :{port}" if port is not None else names[0]), room


def _address(interface: Interface, version: int) -> InterfaceAddress | None:
    """Give the address to show: the first of the walk's family, else of the other."""
    those = sorted(interface.addresses, key=lambda one: one.address.version != version)
    return those[0] if those else None


def _device(namespace: NetNamespace, name: str, version: int) -> Device:
    interface = namespace.interface(name)
    if interface is None:
        return Device(name)
    first = _address(interface, version)
    return Device(
        name,
        str(first.address) if first is not None else "",
        interface.mac if interface.mac != _NO_MAC else "",
        _is_assumed(interface),
    )


def _is_assumed(interface: Interface) -> bool:
    reasons = [interface.reason, *(address.reason for address in interface.addresses)]
    return any(
        reason is not None and reason.origin.kind is OriginKind.ASSUMED for reason in reasons
    )
