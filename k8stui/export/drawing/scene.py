"""What the Layout pane has to draw for a walk: which machines and pods, what each holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.ink import middle, width_of
from k8stui.export.drawing.words import STOPS
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, NetNamespace
from k8stui.neutralise import neutralise
from k8stui.origin import OriginKind
from k8stui.walk.trace import Trace

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

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.name, self.address) if part)


@dataclass(frozen=True, slots=True)
class PodBox:
    """A pod on the path."""

    key: str
    device: Device
    process: str
    """Container and port, in a few words."""
    veth: str
    """Host end of its cable; empty if it has none (hostNetwork)."""

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
    is_end: bool = False
    """Whether a packet is dropped or rejected here: there is something to be said."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything to draw, in order."""

    outside: Device | None
    wire: str
    """Text on the wire; empty: no wire is drawn."""
    nodes: tuple[NodeBox, ...]


def scene(network: Mapping[str, NetNamespace], cluster: Cluster, trace: Trace) -> Scene:
    """Find out what is on the path. Looks only at namespaces that the packet reached."""
    visited = list(dict.fromkeys(hop.namespace for hop in trace.hops))
    devices = {(hop.namespace, step.device) for hop in trace.hops for step in hop.steps}
    pods: dict[str, list[str]] = {}
    for name in visited:
        if name in cluster.nodes:
            pods.setdefault(name, [])
        elif name in cluster.pods:
            pods.setdefault(cluster.pods[name].node_name or "", []).append(name)
    version = _version(trace)
    ends = {hop.namespace for hop in trace.hops if hop.steps and hop.steps[-1].kind in STOPS}
    nodes = tuple(
        replace(
            _node(
                network[name],
                tuple(_pod(network, cluster, trace, key, version) for key in pods[name]),
                devices,
                version,
            ),
            is_end=name in ends,
        )
        for name in sorted(pods, key=lambda n: cluster.nodes[n].index if n in cluster.nodes else 0)
    )
    outside = _device(network[OUTSIDE], "eth0", version) if OUTSIDE in visited else None
    wire = ""
    if outside is not None or WIRE in visited or len(nodes) > 1:
        lan = next((i for i in network[WIRE].interfaces if i.kind is LinkKind.BRIDGE), None)
        address = _address(lan, version) if lan is not None else None
        wire = f"{WIRE} {address.network}" if address is not None else WIRE
    return Scene(outside, wire, nodes)


def _version(trace: Trace) -> int:
    """Tell the IP version of a walk by its first packet."""
    steps = (step for hop in trace.hops for step in hop.steps)
    packets = (step.after or step.before for step in steps)
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
        neutralise(_process(cluster, trace, key)),
        eth0.peer[1] if eth0 is not None and eth0.peer is not None else "",
    )


def _process(cluster: Cluster, trace: Trace, key: str) -> str:
    """Who speaks in the pod: the asked port's container, else the first one."""
    outcome = trace.outcome
    port = outcome.server_port if outcome.server_pod == key else None
    pod = cluster.pods.get(key)
    containers = [c for c in pod.containers if not c.init] if pod is not None else []
    for container in containers:
        if port is not None and any(p.number == port for p in container.ports):
            return f"{container.name} :{port}"
    name = containers[0].name if containers else "process"
    return f"{name} :{port}" if port is not None else name


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
