"""Nothing listens on that address of a node, and something on another one was meant."""

from __future__ import annotations

from k8stui.cluster.distribution import K3S
from k8stui.cluster.load_balancers.servicelb import ENABLED, is_asked, serving_nodes
from k8stui.cluster.model import Node, Service
from k8stui.cluster.networks.cni_configurations import closed_host_ports
from k8stui.cluster.programs.bound import own_only
from k8stui.cluster.programs.listening import declared, running
from k8stui.kernel.exchange import Connect
from k8stui.kernel.packet import Protocol
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.sentence import port_word


def on_another_address(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """Whose port it is: a host port, a hostNetwork pod, an external address, a pod of the node."""
    return (
        _for_itself(case, node, connect)
        or _unopened(case, node, connect)
        or _host_port(case, node, connect)
        or _by_servicelb(case, node, connect)
        or _external(case, node, connect)
        or _of_a_pod(case, node, connect)
    )


def _for_itself(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A pod of the node's network binds the port to 127.0.0.1."""
    for pod in case.cluster.pods.values():
        if not pod.host_network or pod.node_name != node.name:
            continue
        for one in running(pod):
            bound = own_only(case.cluster, pod, one, (connect.port,)).get(connect.port)
            if bound is not None and connect.protocol is Protocol.TCP:
                return Diagnosis(
                    f"container {one.name} of pod {pod.key} binds port {connect.port} to 127.0.0.1 "
                    f"({bound.by}): only {node.name} itself reaches it there",
                    bound.mend,
                    bound.origin,
                )
    return None


def _unopened(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A hostPort of the node that no plug-in opens."""
    told = closed_host_ports(case.cluster)
    for pod in case.cluster.pods.values() if told is not None else ():
        if pod.node_name != node.name or pod.host_network or told is None:
            continue
        for port in declared(pod):
            if (port.host_port, port.protocol) == (connect.port, connect.protocol):
                why = f"pod {pod.key} has hostPort {port.host_port}, and {told.why}"
                return Diagnosis(why, told.mend, told.origin)
    return None


def _by_servicelb(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A port that k3s' ServiceLB opens on other nodes alone."""
    cluster = case.cluster
    if cluster.distribution is None or cluster.distribution.name != K3S:
        return None
    serving = serving_nodes(cluster.nodes)
    for service in cluster.services.values() if serving and node not in serving else ():
        at = {one.ip for one in service.load_balancer_ingress}
        for port in service.ports if is_asked(service) else ():
            if (port.port, port.protocol) != (connect.port, connect.protocol):
                continue
            with_it = [one for one in serving if at & set(one.addresses)] or serving
            return Diagnosis(
                f"k3s' ServiceLB opens port {port.port} of Service {service.key} on nodes labelled "
                f"{ENABLED}=true alone ({', '.join(one.name for one in with_it[:3])}), and "
                f"{node.name} is not",
                f"ask {with_it[0].address(connect.destination.version)}:{connect.port}, or kubectl "
                f"label node {node.name} {ENABLED}=true",
                node.origins.get("labels", node.origin),
            )
    return None


def _host_port(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A hostPort is open on the node of its pod only, and with hostIP on that address only."""
    word = port_word(connect.port, connect.protocol)
    found = [
        (pod, port)
        for pod in case.cluster.pods.values()
        if pod.node_name is not None
        for port in declared(pod)
        if port.host_port == connect.port and port.protocol is connect.protocol
    ]
    here = [(pod, port) for pod, port in found if pod.node_name == node.name]
    for pod, port in here:
        if port.host_ip is not None and port.host_ip.value and port.host_ip != connect.destination:
            return Diagnosis(
                f"hostPort {word} of pod {pod.key} is open on {port.host_ip} only (hostIP), not on "
                f"{connect.destination}",
                f"leave hostIP out, or ask {port.host_ip.with_port(connect.port)} on {node.name}",
                port.origin,
            )
    if here or not found:
        return None
    nodes = list(dict.fromkeys(pod.node_name or "" for pod, _ in found))
    pod, port = found[0]
    kind = "port" if pod.host_network else "hostPort"
    how = f"pod {pod.key}, which has hostNetwork" if pod.host_network else f"pod {pod.key}"
    return Diagnosis(
        f"{kind} {word} is that of {how}, and is open only on the node where the pod runs: "
        f"{', '.join(nodes[:3])}, not {node.name}",
        f"ask {nodes[0]}, put a Service of type NodePort in front of the pod, or run it on every "
        "node (DaemonSet)",
        port.origin,
    )


def _external(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A Service that answers this port at other addresses from outside."""
    for service in case.cluster.services.values():
        ingress = [i.ip for i in service.load_balancer_ingress if i.ip is not None]
        entry = next(
            (p for p in service.ports if (p.port, p.protocol) == (connect.port, connect.protocol)),
            None,
        )
        addresses = (*service.external_ips, *ingress)
        if entry is None or not addresses:
            continue
        field = "externalIPs" if service.external_ips else "status.loadBalancer"
        answers = ", ".join(str(address) for address in addresses[:3])
        also = f", or node port {entry.node_port} of {node.name}" if entry.node_port else ""
        return Diagnosis(
            f"port {connect.port} of Service {service.key} is open at {answers} ({field}), and "
            f"{connect.destination} is none of them",
            f"ask {addresses[0].with_port(connect.port)}{also}",
            service.origins.get("external_ips", service.origin)
            if service.external_ips
            else service.origin,
        )
    return None


def _of_a_pod(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A pod of the node listens there, at its own address."""
    for pod in case.cluster.pods.values():
        if pod.node_name != node.name or pod.host_network:
            continue
        for port in declared(pod):
            if (port.number, port.protocol) != (connect.port, connect.protocol):
                continue
            if any(p.node_port for s in _selecting(case, pod.key) for p in s.ports):
                return None
            return Diagnosis(
                f"pod {pod.key} on {node.name} declares port {connect.port}, at its own address "
                f"({', '.join(map(str, pod.addresses))}): nothing opens it on the node",
                f"write hostPort: {connect.port} beside containerPort (then each node's own pod "
                "answers there), or give the pods a Service of type NodePort",
                port.origin,
            )
    return None


def _selecting(case: Case, key: str) -> list[Service]:
    pod = case.cluster.pods[key]
    return [
        service
        for service in case.cluster.services.values()
        if service.namespace == pod.namespace
        and service.selector
        and service.selector.items() <= pod.labels.items()
    ]
