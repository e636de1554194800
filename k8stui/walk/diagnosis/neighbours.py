"""Nobody answered ARP (or neighbour discovery): who should have, and why not.

net/ipv4/arp.c, net/core/neighbour.c; ICMPv6: RFC 4861.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Scope
from k8stui.kernel.step import DeviceCause, NeighbourCause, Step
from k8stui.origin import Origin
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import how_far
from k8stui.walk.diagnosis.other_networks import route_taken
from k8stui.walk.diagnosis.owners import (
    astray,
    gone,
    named_by_hand,
    of_gateway,
    other_network,
    owner_of,
    podless,
    service_with,
    who,
)
from k8stui.walk.reason import origin_of


def nobody_answers(case: Case) -> Diagnosis | None:
    """Recognise a failed look for a neighbour."""
    step = case.decided
    if step is None or not isinstance(step.cause, NeighbourCause):
        return None
    if step.cause.neighbour is not None:
        return None
    target = step.after.dst
    gateway = _gateway(case, step)
    wanted = gateway or target
    asks = "ARP" if wanted.version == 4 else "neighbour solicitation"
    said = f"{how_far(step)}nobody answers {who(step.namespace)}'s {asks} for {wanted}"
    if gateway is not None:
        said += f", the way to {target}"
    return (_no_gateway(case, step, gateway, said) if gateway else None) or _owner(
        case, step, wanted, said
    )


def _gateway(case: Case, step: Step) -> Address | None:
    """The next hop of the route that the packet was sent by; None: its own destination."""
    route = route_taken(case, step)
    return route.gateway if route is not None else None


def _no_gateway(case: Case, step: Step, wanted: Address, said: str) -> Diagnosis | None:
    """A pod asks for its gateway, which the node's bridge should have."""
    pod = case.cluster.pods.get(step.namespace)
    if pod is not None and pod.node_name is not None and not case.pod_with(wanted):
        found = _bridge(case, step, pod.node_name)
        if found is not None and not case.has(pod.node_name, wanted):
            name, origin = found
            other = other_network(case, pod.node_name, name, wanted)
            if other is not None:
                return Diagnosis(f"{said}: {other.reason}", other.advice, origin)
            return Diagnosis(
                f"{said}: that is the gateway of {pod.node_name}'s pods, but {name} of "
                f"{pod.node_name} does not have the address",
                f"give {name} the address again (ip addr add {wanted}/24 dev {name}); who takes it "
                "away is often NetworkManager or a second network plug-in. A new pod on the node "
                "makes the plug-in set it too",
                origin,
            )
    return None


def _owner(case: Case, step: Step, wanted: Address, said: str) -> Diagnosis:
    """Whoever should have the address: a node, or the endpoint that somebody has written."""
    service = service_with(case, wanted)
    gateway = of_gateway(case, wanted) if service is None else None
    if gateway is not None:
        return Diagnosis(f"{said}: {gateway.reason}", gateway.advice, gateway.origin)
    if service is not None and wanted not in service.cluster_ips:
        field = "external_ips" if wanted in service.external_ips else "load_balancer_ingress"
        what = "an externalIP" if field == "external_ips" else "the load balancer's address"
        silent = next((name for name in case.cluster.nodes if case.has(name, wanted)), None)
        if silent is not None and case.network[silent].sysctls.arp_ignore:
            return Diagnosis(
                f"{said}: it is {what} of Service {service.key}, and {silent} has it, but answers "
                "for addresses of the device that is asked alone (arp_ignore, as kube-proxy's "
                "strictARP sets it in mode ipvs)",
                "let MetalLB or kube-vip announce it (as a LoadBalancer); or set ipvs.strictARP: "
                f"false and net.ipv4.conf.all.arp_ignore = 0 on {silent}: then every node answers",
                service.origins.get(field, service.origin),
            )
        return Diagnosis(
            f"{said}: it is {what} of Service {service.key}, and no device of a node has it; "
            "kube-proxy takes what is for it where it arrives, and lets nobody answer for it",
            "bring the address to a node: MetalLB or kube-vip announce it (as a LoadBalancer), "
            "keepalived gives it to a node; or route it to a node",
            service.origins.get(field, service.origin),
        )
    node = case.node_with(wanted)
    if node is not None and not case.has(node, wanted):
        return _has_lost(case, node, wanted, said)
    holder = next(case.network[node].devices_with((wanted,)), None) if node is not None else None
    if node is not None and holder is not None and case.network[node].sysctls.arp_ignore:
        return Diagnosis(
            f"{said}: {node} has it on {holder.name}, and answers for addresses of the device that "
            "is asked alone (arp_ignore, as for servers behind LVS)",
            f"give the address to the device on that network (ip addr add {wanted}/{wanted.bits} "
            f"dev DEVICE), or set net.ipv4.conf.all.arp_ignore = 0 on {node}; behind LVS ask the "
            "director, which has the address too",
            origin_of(DeviceCause(interface=holder)),
        )
    if node is not None:
        return Diagnosis(
            f"{said}: {node} has the address and is down, or not on the same network",
            f"look whether {node} runs, and is on {step.namespace}'s network",
        )
    named = named_by_hand(case, wanted) or gone(case, wanted) or astray(case, wanted)
    if named is not None:
        return Diagnosis(f"{said}: {named.reason}", named.advice, named.origin)
    for endpoint in case.endpoints:
        if wanted in endpoint.addresses and case.pod_with(wanted) is None:
            key = case.service.key if case.service else "the Service"
            return Diagnosis(
                f"{said}: the endpoints of Service {key} name it, and nobody has it",
                f"mend the address in the endpoints of Service {key}, or give the Service a "
                "selector",
                endpoint.origin,
            )
    return Diagnosis(said, podless(case, wanted))


def _has_lost(case: Case, node: str, wanted: Address, said: str) -> Diagnosis:
    """The Node object says an address that no device of the node has, as its dump shows."""
    cards = [
        (device, entry.address)
        for device in case.network[node].interfaces
        for entry in device.addresses
        if device.master is None and entry.address.version == wanted.version
        if entry.scope is Scope.GLOBAL and owner_of(case, entry.address) is None
    ]
    has = ", ".join(f"{address} on {device.name}" for device, address in cards[:3]) or "none"
    return Diagnosis(
        f"{said}: that is {node}'s InternalIP, and no device of {node} has it (it has {has})",
        f"give {node} the address {wanted} again (a fixed one, or a DHCP reservation), or let its "
        "kubelet report the new one (--node-ip; restart kubelet and the network plug-in, which "
        "then mends the other nodes' routes)",
        origin_of(DeviceCause(interface=cards[0][0])) if cards else None,
    )


def _bridge(case: Case, step: Step, node: str) -> tuple[str, Origin | None] | None:
    """The device of the node that the pod's veth hangs on, and where that is said."""
    inside, outside = case.network.get(step.namespace), case.network.get(node)
    if inside is None or outside is None:
        return None
    devices = {device.name: device for device in outside.interfaces}
    for device in inside.interfaces:
        if device.name == step.device and device.peer is not None:
            port = devices.get(device.peer[1])
            bridge = devices.get(port.master or port.name) if port else None
            if bridge is not None:
                return bridge.name, origin_of(DeviceCause(interface=bridge))
    return None
