"""A tunnel between the nodes has no end, or one that is down: flannel.1 and its like."""

from __future__ import annotations

from k8stui.kernel.address import Prefix
from k8stui.kernel.namespace import Interface, LinkKind
from k8stui.kernel.routing import route_line
from k8stui.kernel.step import DeviceCause, RouteCause, SocketCause, Step
from k8stui.nodes.cni import node_annotations
from k8stui.origin import Origin
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import what
from k8stui.walk.diagnosis.other_networks import routes_to
from k8stui.walk.diagnosis.owners import owner_of
from k8stui.walk.reason import observed_at, shown

_OF_CALICO = 4096
"""Its VNI (felix/config vxlanVNI)."""


def tunnel_down(case: Case) -> Diagnosis | None:
    """Recognise a tunnel device that is down: with it went the routes to the other nodes' pods."""
    step = case.decided
    if step is None:
        return None
    behind = owner_of(case, step.after.dst)
    for node in dict.fromkeys(each.namespace for each in case.exchange.steps):
        if node not in case.cluster.nodes or behind is None or behind.node == node:
            continue
        for device in case.network[node].interfaces:
            if device.kind is LinkKind.VXLAN and not device.up:
                return Diagnosis(
                    f"{device.name} of {node} is down, the tunnel to the other nodes' pods: the "
                    f"kernel took {node}'s route to {behind.network} (the pods of {behind.node}) "
                    "away with it",
                    f"on {node}: ip link set {device.name} up, and restart the network plug-in's "
                    "pod there (flannel): it writes the routes again",
                    _origin(device),
                )
    return None


def tunnel_without_a_way(case: Case) -> Diagnosis | None:
    """Recognise a tunnel without a way to its far end, or whose own range holds that end."""
    step = case.decided
    device = step.cause.interface if step and isinstance(step.cause, DeviceCause) else None
    if step is None or device is None or device.kind not in (LinkKind.VXLAN, LinkKind.IPIP):
        return None
    behind = owner_of(case, step.after.dst)
    node = case.cluster.nodes.get(behind.node) if behind is not None else None
    end = node.address(step.after.dst.version) if node is not None else None
    route = routes_to(case, step.namespace, end) if end is not None else None
    if node is not None and end is not None and (route is None or route.device is None):
        has = f"only {route_line(route)}" if route is not None else "no route"
        return Diagnosis(
            f"{step.namespace} has {has} to {end}, {node.name}'s address, the other end of "
            f"{device.name}",
            f"give {step.namespace} a route to the nodes' network",
            observed_at(RouteCause(route=route)) if route is not None else None,
        )
    if node is None or route is None or route.device != device.name:
        return None
    return Diagnosis(
        f"{step.namespace} sends {device.name}'s own packets to {end}, the address of {node.name}, "
        f"into {device.name} again, for its route to pods {route.destination} holds it",
        "give the pods a range that the nodes' network does not share (podSubnet), and make them "
        "anew",
        node.origins.get("pod_cidrs", node.origin),
    )


def tunnel_elsewhere(case: Case) -> Diagnosis | None:
    """Recognise a tunnel whose far end is looked for where its node is not.

    flanneld writes the address of the card that it took at its start (annotation public-ip): that
    of the default route, which is a NAT'ed card in many virtual machines; and what DHCP has given
    the node since then it does not know.
    """
    nodes = case.cluster.nodes
    shared = node_annotations.shared(nodes.values())
    for step in case.exchange.steps:
        outer, told = step.after, step.after.dst
        if outer.vni is None or outer.inner is None or step.namespace not in nodes:
            continue
        behind = owner_of(case, outer.inner.dst)
        node = nodes.get(behind.node) if behind is not None else None
        if node is None or told != node_annotations.public_address(node, told.version):
            continue
        own = node.address(told.version)
        if told == own or (case.has(node.name, told) and told not in shared):
            continue
        others = [name for name, one in nodes.items() if one is not node and told in shared
                  and node_annotations.public_address(one, told.version) == told]  # fmt: skip
        same = f", as it is {others[0]}'s" if others else ""
        return Diagnosis(
            f"{step.namespace} sends the tunnel's packets for {node.name}'s pods to {told}, which "
            f"is {node.name}'s address by flannel's annotation public-ip{same}; {node.name} has "
            f"{own}",
            f"let flanneld on {node.name} take the card that has {own} (--iface, or --iface-regex "
            "for all nodes; in k3s --flannel-iface), and start it anew: it then writes the "
            "annotation again",
            node_annotations.public_origin(node, told.version),
        )
    return None


def found_elsewhere(case: Case) -> Diagnosis | None:
    """Recognise nodes between which Calico has made no routes: one is not where it is looked for.

    calico-node takes the first card that it finds (IP_AUTODETECTION_METHOD first-found).
    """
    step, lost = case.decided, node_annotations.astray(case.cluster)
    behind = owner_of(case, step.after.dst) if step is not None and lost else None
    if behind is None:
        return None
    met = dict.fromkeys(each.namespace for each in case.exchange.steps)
    for name in (behind.node, *met):
        node = case.cluster.nodes.get(name)
        if node is None or name not in lost:
            continue
        version = behind.network.address.version
        return Diagnosis(
            f"no node has a route to {behind.network}, the pods of {behind.node}, but itself: "
            f"calico-node took for {name}'s address {lost[name].text}, and it has "
            f"{node.address(version)}, so its BGP sessions do not come up",
            "tell calico-node which card to take (IP_AUTODETECTION_METHOD: "
            "kubernetes-internal-ip, or interface=…; with the operator nodeAddressAutodetectionV4) "
            "and start it anew",
            lost[name].origin,
        )
    return None


def tunnel_end_missing(case: Case) -> Diagnosis | None:
    """Recognise an outer packet that arrives at a node where no tunnel device takes it."""
    step = case.decided
    if step is None or step.cause != SocketCause(socket=None) or step.before.vni is None:
        return None
    here, other = step.namespace, _sender(case, step)
    cards = case.network[here].devices_with((step.before.dst,))
    return Diagnosis(
        f"{what(step)} arrives at {here} in {other}'s tunnel (VXLAN {step.before.vni}, UDP "
        f"{step.before.dport}), and no device of {here} is the other end of it: "
        f"{'vxlan.calico' if step.before.vni == _OF_CALICO else 'flannel.1 or its like'} is gone",
        f"restart the network plug-in's pod on {here} "
        f"({'calico-node' if step.before.vni == _OF_CALICO else 'flannel'}), which makes the "
        "device and its routes again; what takes it away is often NetworkManager or a second "
        "network plug-in",
        next(filter(None, map(_origin, cards)), None),
    )


def tunnel_by_another_mac(case: Case) -> Diagnosis | None:
    """Recognise what comes out of a tunnel for a MAC address that its device has not (any more).

    flanneld writes the device's MAC on its Node at its start (annotation backend-data), the others
    make it their neighbour; systemd-udevd (MACAddressPolicy) and NetworkManager change it later.
    """
    step = case.decided
    if step is None or step.namespace not in case.cluster.nodes:
        return None
    here, mac = step.namespace, step.before.dmac
    devices = case.network[here].interfaces
    device = next((one for one in devices if one.name == step.device), None)
    if device is None or device.kind is not LinkKind.VXLAN or not mac or mac == device.mac:
        return None
    sent = (one.namespace for one in case.exchange.steps if one.after.inner == step.before)
    sender = next(sent, "the other node")
    node, source = case.cluster.nodes[here], step.before.src
    told = node_annotations.vtep_mac(node, Prefix(source, source.bits))
    late = sender if told == device.mac else here
    return Diagnosis(
        f"{sender} sends what is for the pods of {here} to {mac} in the tunnel, and {device.name} "
        f"of {here} has {device.mac}: it does not look at such frames",
        f"restart the network plug-in's pod on {late} (flannel): "
        + ("it asks for the MAC again" if late == sender else "it tells the others its MAC again")
        + f"; what changes it is often systemd-udevd (MACAddressPolicy=none for {device.name}) or "
        "NetworkManager",
        node_annotations.vtep_origin(node, source.version) if told == mac else _origin(device),
    )


def _sender(case: Case, step: Step) -> str:
    return case.node_with(step.before.src) or str(step.before.src)


def _origin(device: Interface) -> Origin | None:
    return shown(device.reason)
