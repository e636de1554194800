"""A port that kind publishes, and at which nobody on its nodes answers."""

from __future__ import annotations

from k8stui.cluster.model import Cluster, Pod, PublishedPort, Service, ServicePort, ServiceType
from k8stui.cluster.programs.listening import declared
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.case import Diagnosis

_API_SERVER = 6443
_WEB = (80, 443)
"""Published for an ingress controller, mostly, which another input may hold."""
_NODE_PORTS = range(30000, 32768)


def unanswered(cluster: Cluster, port: PublishedPort) -> Diagnosis | None:
    """Why nothing is behind a published port; None where something is, or may be.

    A node port of that number answers, and so does a pod that takes it of its node (hostPort, or
    any port on the node's network). Of such a number a node port of elsewhere may be.
    """
    entries = [(s, p) for s in cluster.services.values() for p in s.ports]
    if port.number == _API_SERVER or any(p.node_port == port.number for _, p in entries):
        return None
    holders = [
        pod
        for pod in cluster.pods.values()
        if port.number in (p.number if pod.host_network else p.host_port for p in declared(pod))
    ]
    if holders:
        return _elsewhere(cluster, port, holders)
    if port.for_ingresses:
        return None
    said = (
        f"kind publishes port {port.number} of its node (at port {port.host_port} of the machine), "
        "and nothing there answers: no Service has that node port, no pod that hostPort"
    )
    found = _meant(entries, port)
    if found is None:
        return None
    service, entry = found
    number = entry.origins.get("node_port", entry.origin)
    if entry.node_port and number.kind in (OriginKind.DECLARED, OriginKind.OBSERVED):
        mend = f"write containerPort: {entry.node_port}, the node port of Service {service.name}"
        return Diagnosis(said, f"{mend}, and make the cluster anew", port.origin)
    chosen = port.number if port.number in _NODE_PORTS else 30080
    mend = f"write nodePort: {chosen} into Service {service.name} (type: NodePort)"
    if chosen != port.number:
        mend += f", and containerPort: {chosen} in kind's file: node ports are 30000-32767"
    return Diagnosis(said, mend, port.origin)


def _elsewhere(cluster: Cluster, port: PublishedPort, pods: list[Pod]) -> Diagnosis | None:
    """Pods have the port of their nodes, and none of them is the node that publishes it."""
    at = [pod.node_name for pod in pods if pod.node_name is not None]
    if not at or port.node in at or port.node not in cluster.nodes:
        return None
    return Diagnosis(
        f"kind publishes port {port.number} of {port.node} (at port {port.host_port} of the "
        f"machine), and pod {pods[0].key}, whose hostPort that is, runs on {at[0]}",
        f"let the pod run there (nodeSelector kubernetes.io/hostname: {port.node}, a toleration of "
        f"its taint), or write extraPortMappings at {at[0]} and make the cluster anew",
        port.origin,
    )


def _meant(
    entries: list[tuple[Service, ServicePort]], port: PublishedPort
) -> tuple[Service, ServicePort] | None:
    """The entry that the port was published for: of its number, else the only node port."""
    same = [(s, p) for s, p in entries if {port.number, port.host_port} & {p.port, p.target_port}]
    opened = [
        (s, p) for s, p in entries if s.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)
    ]
    both = [one for one in opened if one in same]
    for some in (both, opened, same if port.number not in _WEB else []):
        if len(some) == 1:
            return some[0]
    return None
