"""What the Layout pane has to draw for a walk: which machines and pods, what each holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.cast import cast_of
from k8stui.export.drawing.ink import middle, width_of
from k8stui.kernel.link import NO_MAC
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
    instead_of: PodBox | None = None
    """Whose box its place is as wide as, where it is not its own."""
    place: str = ""
    """Whose place that is: a key; `LAST`: that of all endpoints that have no other."""

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
    is_last: bool = False
    """Whether its place is that of all nodes with endpoints that have no other."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything to draw, in order."""

    outside: Device | None
    wire: str
    """Text on the wire; empty: no wire is drawn."""
    nodes: tuple[NodeBox, ...]


LAST = "*"
"""In place of a key: all that have no place of their own (`k8stui.export.drawing.cast`)."""
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
    devices = {(h.namespace, step.device) for each in traces for h in each.hops for step in h.steps}
    shares = dict(_shares(trace))
    ends = (*_endpoints(cluster, traces), *_asked(cluster, traces), *shares)
    cast = cast_of(network, cluster, traces, ends)
    rivals = frozenset(cast.ends if len(cast.ends) > 1 else ())
    candidates = dict.fromkeys((*cast.visited_pods, *cast.ends, *cast.lasts))
    homes: dict[str, list[str]] = {name: [] for name in cast.visited_nodes}
    for key in candidates:
        homes.setdefault(cluster.pods[key].node_name or "", []).append(key)
    homes.pop("", None)
    neighbours = _siblings(network, cluster, homes, {*candidates, *cast.rest})
    left = Counter(cluster.pods[key].node_name for key in cast.rest if key not in candidates)
    version = version_of(trace)
    widest = _widest(cluster, trace, cast.rest, version)
    order = {key: number for number, key in enumerate(cluster.pods)}
    nodes = []
    for name in sorted(homes, key=lambda n: (n == cast.last_node, _index(cluster, n))):
        beside = neighbours.get(name, [])
        boxes = []
        keys = (*homes[name], *beside[:MOST_SIBLINGS])
        for key in sorted(keys, key=lambda k: (k not in candidates, k in cast.lasts, order[k])):
            role = Role.PATH if key in path else Role.GHOST
            is_last = key in cast.lasts
            boxes.append(
                replace(
                    _pod(network, cluster, trace, key, version),
                    role=role if key in candidates else Role.SIBLING,
                    chance=shares.get(key, "") if role is Role.GHOST else "",
                    has_rivals=key in rivals or is_last,
                    loopback=(key, "lo") in devices,
                    place=LAST if is_last else "",
                    instead_of=widest if is_last else None,
                )
            )
        node = _node(network[name], tuple(boxes), devices, version)
        more = max(0, len(beside) - MOST_SIBLINGS) + left[name]
        is_last = name == cast.last_node
        nodes.append(replace(node, process=_speaker(trace, name), more=more, is_last=is_last))
    met = {hop.namespace for each in traces for hop in each.hops}
    outside = _device(network[OUTSIDE], "eth0", version) if OUTSIDE in met else None
    wire = ""
    if outside is not None or WIRE in met or len(nodes) > 1:
        lan = next((i for i in network[WIRE].interfaces if i.kind is LinkKind.BRIDGE), None)
        address = _address(lan, version) if lan is not None else None
        wire = f"{WIRE} {address.network}" if address is not None else WIRE
    return Scene(outside, wire, tuple(nodes))


def moment_scenes(moments: Iterable[tuple[World, Trace]], whole: Trace) -> tuple[Scene, ...]:
    """The scenes of a request at several moments; `whole`: its walk when all is there."""
    return tuple(scene(one.network, one.cluster, walk, (whole,)) for one, walk in moments)


def at_moment(moments: Iterable[Scene], now: World, trace: Trace, whole: Trace) -> Scene:
    """The scene of a request at several moments, of which that is seen which stands `now`.

    What is missing keeps its place. `trace`: the walk now; `whole`: when all is there.
    """
    network, cluster = now.network, now.cluster
    scenes = list(moments)
    nodes: dict[str, NodeBox] = {}
    for each in scenes:
        for node in each.nodes:
            key = LAST if node.is_last and node.name not in nodes else node.name
            nodes[key] = _both(nodes.get(key, node), node)
    if LAST in nodes and nodes[LAST].name in nodes:
        del nodes[LAST]
    present = scene(network, cluster, trace, (whole,))
    for node in present.nodes:
        key = LAST if node.is_last and node.name not in nodes else node.name
        known = nodes.get(key)
        nodes[key] = _both(known, _placed(known, node)) if known is not None else node
    scenes.append(present)
    return Scene(
        next((each.outside for each in scenes if each.outside is not None), None),
        next((each.wire for each in scenes if each.wire), ""),
        tuple(
            _now(node, network, cluster)
            for node in sorted(
                nodes.values(), key=lambda node: (node.is_last, _index(cluster, node.name))
            )
        ),
    )


def _place(pod: PodBox) -> str:
    return pod.place or pod.key


def _both(known: NodeBox, node: NodeBox) -> NodeBox:
    """A node at two moments; what both have is as it is at the second."""
    pods = {_place(pod): pod for pod in known.pods}
    for pod in node.pods:
        before = pods.get(_place(pod), pod)
        role = before.role if pod.role is Role.SIBLING else pod.role
        role = Role.GHOST if role is Role.PATH and pod.role is not role else role
        rivals = pod.has_rivals or before.has_rivals
        instead = pod.instead_of or before.instead_of
        pods[_place(pod)] = replace(pod, role=role, has_rivals=rivals, instead_of=instead)
    for key in pods.keys() - {_place(pod) for pod in node.pods}:
        if pods[key].role is Role.PATH:
            pods[key] = replace(pods[key], role=Role.GHOST)
    last = pods.pop(LAST, None)
    return replace(
        node,
        pods=(*pods.values(), *((last,) if last is not None else ())),
        bridge=node.bridge or known.bridge,
        tunnel=node.tunnel or known.tunnel,
    )


def _placed(known: NodeBox, node: NodeBox) -> NodeBox:
    """The node now, with as many pods as have places: of others only the one on the path.

    It stands in the last place of a pod that is not on it, as where there are too many endpoints.
    """
    places = {_place(pod): pod for pod in known.pods}
    pods = [pod for pod in node.pods if _place(pod) in places]
    strangers = [pod for pod in node.pods if _place(pod) not in places]
    on_path = {pod.key for pod in node.pods if pod.role is Role.PATH}
    for pod in strangers:
        free = [one for one in known.pods if one.key not in on_path]
        if pod.role is not Role.PATH or not free:
            continue
        place = free[-1]
        pods = [one for one in pods if _place(one) != _place(place)]
        pods.append(replace(pod, instead_of=place.instead_of or place, place=_place(place)))
        on_path.add(pod.key)
    return replace(node, pods=tuple(pods), more=node.more + len(node.pods) - len(pods))


def _now(node: NodeBox, network: Mapping[str, NetNamespace], cluster: Cluster) -> NodeBox:
    """The node as far as it stands now."""
    homes = {pod.key: pod.node_name for pod in cluster.pods.values() if pod.addresses}
    pods = tuple(replace(pod, is_there=homes.get(pod.key) == node.name) for pod in node.pods)
    bridge = node.bridge
    if bridge is not None and network[node.name].interface(bridge.name) is None:
        bridge = replace(bridge, is_there=False)
    return replace(node, pods=pods, bridge=bridge)


def _index(cluster: Cluster, node: str) -> int:
    return cluster.nodes[node].index if node in cluster.nodes else 0


def _widest(cluster: Cluster, trace: Trace, keys: Iterable[str], version: int) -> PodBox | None:
    """A pod that takes as many cells as the widest of `keys`, for a place that all of them have."""
    found: list[PodBox] = []
    for key in keys:
        pod = cluster.pods[key]
        texts = sorted(map(str, pod.addresses), key=lambda one: (":" in one) != (version == 6))
        device = Device("eth0", next(iter(texts), ""))
        found.append(PodBox(key, device, *_process(cluster, trace, key), "", has_rivals=True))
    if not found:
        return None
    return replace(
        max(found, key=lambda pod: width_of(pod.title)),
        device=max((pod.device for pod in found), key=lambda one: width_of(one.text)),
        room=max(pod.room for pod in found),
    )


def _shares(trace: Trace) -> Iterator[tuple[str, str]]:
    """Pods that the walk's forks could have led to, with the share of their way."""
    for fork in trace.forks:
        for number, way in enumerate(fork.ways):
            rule = fork.rule(number)
            if rule is None or rule.reason is None:
                continue
            pod = rule.reason.pod
            if rule.reason.among and way.number is not None:
                pod = rule.reason.among[way.number][1]
            if pod is not None:
                yield pod, str(way.share)


def _endpoints(cluster: Cluster, traces: Iterable[Trace]) -> Iterator[str]:
    """Pods behind the Services that are asked: another branch or setting leads to them."""
    for service in dict.fromkeys(one for each in traces for one in _services(cluster, each)):
        for each in cluster.endpoint_slices.get(service, ()):
            for endpoint in each.endpoints:
                if endpoint.pod is not None and endpoint.pod in cluster.pods:
                    yield endpoint.pod


def _services(cluster: Cluster, trace: Trace) -> Iterator[str]:
    yield trace.request.service or ""
    if cluster.entrances:
        from k8stui.walk.ingress import may_ask  # noqa: PLC0415 - where there are any

        yield from may_ask(cluster, trace.request)


def _asked(cluster: Cluster, traces: Iterable[Trace]) -> Iterator[str]:
    """Pods whose own addresses are asked, whether a packet gets there or not."""
    asked = {
        one.destination
        for each in traces
        if each.request.service is None
        for one in (each.request.connect, *each.request.alternatives)
        if one is not None
    }
    for pod in cluster.pods.values() if asked else ():
        if not pod.host_network and not asked.isdisjoint(pod.addresses):
            yield pod.key


def _siblings(
    network: Mapping[str, NetNamespace],
    cluster: Cluster,
    homes: Mapping[str, Sequence[str]],
    drawn: Container[str],
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
        interface.mac if interface.mac != NO_MAC else "",
        _is_assumed(interface),
    )


def _is_assumed(interface: Interface) -> bool:
    reasons = [interface.reason, *(address.reason for address in interface.addresses)]
    return any(
        reason is not None and reason.origin.kind is OriginKind.ASSUMED for reason in reasons
    )
