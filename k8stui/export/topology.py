"""What stands where: nodes, pods, Services and endpoints, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.model import (
    Cluster,
    Container,
    Endpoint,
    Node,
    Pod,
    Service,
    ServiceType,
)
from k8stui.export.plain import wrap
from k8stui.neutralise import neutralise
from k8stui.origin import Origin, OriginKind
from k8stui.walk.sentence import port_word

_MARKS = {
    OriginKind.DECLARED: "●",
    OriginKind.OBSERVED: "●",
    OriginKind.DEFAULTED: "○",
    OriginKind.ASSUMED: "○",
}
LEGEND = "● declared or observed   ○ assumed or filled in"


def mark(origins: Mapping[str, Origin], fact: str, whole: Origin) -> str:
    """● for what is written or was seen, ○ for what was chosen or filled in."""
    return _MARKS[origins.get(fact, whole).kind]


def topology_lines(cluster: Cluster) -> Iterator[str]:
    """Draw the cluster as two trees: nodes with their pods, Services with their endpoints."""
    nodes, lost = pods_by_node(cluster)
    yield f"Nodes ({len(cluster.nodes)})"
    for node, pods in nodes:
        yield neutralise(_node(node))
        yield from _tree([_pod(pod) for pod in pods])
    if lost:
        yield ""
        yield f"Pods without a node ({len(lost)})"
        for pod in lost:
            why = pod.pending_reason or f"node {pod.node_name} is not known"
            yield from wrap(neutralise(f"{pod.key}: {why}"), "  ", "      ")
    yield ""
    yield f"Services ({len(cluster.services)})"
    for service in cluster.services.values():
        yield neutralise(_service(service))
        yield from _port_trees(cluster, service)
    yield ""
    yield LEGEND


def pods_by_node(cluster: Cluster) -> tuple[list[tuple[Node, list[Pod]]], list[Pod]]:
    """Every node with its pods, and the pods that are on none of them.

    As `k8stui.cluster.graph.standing` tells, without the graph's library: 100 ms.
    """
    by_node: dict[str | None, list[Pod]] = {}
    for pod in cluster.pods.values():
        by_node.setdefault(pod.node_name, []).append(pod)
    nodes = [(node, by_node.pop(node.name, [])) for node in cluster.nodes.values()]
    return nodes, [pod for pods in by_node.values() for pod in pods]


def marked(record: Node | Pod | Service, fact: str, values: Iterable[object]) -> str:
    """Write addresses or networks behind the mark of where they come from."""
    return f"{mark(record.origins, fact, record.origin)} {', '.join(map(str, values))}"


def service_address(service: Service) -> str:
    """Write a Service's own addresses, with their mark."""
    if service.headless:
        return "headless"
    return marked(service, "cluster_ips", service.cluster_ips)


def _tree(rows: list[str]) -> Iterator[str]:
    for number, row in enumerate(rows, start=1):
        yield neutralise(f"  {'└─' if number == len(rows) else '├─'} {row}")


def _node(node: Node) -> str:
    addresses = marked(node, "addresses", node.addresses)
    pods = f"  pods {marked(node, 'pod_cidrs', node.pod_cidrs)}" if node.pod_cidrs else ""
    return f"  {node.name:<24} {addresses:<17}{pods}".rstrip()


def _pod(pod: Pod) -> str:
    addresses = marked(pod, "addresses", pod.addresses or ["no address"])
    containers = ", ".join(_container(c) for c in pod.containers if not c.init)
    state = "" if pod.ready else f"  [{'not ready' if pod.phase.value == 'Running' else pod.phase}]"
    network = "  hostNetwork" if pod.host_network else ""
    return f"{pod.key:<28} {addresses:<17}  {containers}{network}{state}".rstrip()


def _container(container: Container) -> str:
    ports = " ".join(port_word(p.number, p.protocol) for p in container.ports)
    return f"{container.name} {ports}".rstrip()


def _service(service: Service) -> str:
    if service.type is ServiceType.EXTERNAL_NAME:
        return f"  {service.key:<24} ExternalName  {service.external_name}"
    return f"  {service.key:<24} {service.type.value:<12}  {service_address(service)}"


def _port_trees(cluster: Cluster, service: Service) -> Iterator[str]:
    """Draw each port as a branch with its endpoints as twigs."""
    for number, port in enumerate(service.ports, start=1):
        last = number == len(service.ports)
        name = f" {port.name}" if port.name else ""
        node = (
            f"  node port {mark(port.origins, 'node_port', port.origin)} {port.node_port}"
            if port.node_port
            else ""
        )
        target = port_word(port.target_port, port.protocol)
        word = port_word(port.port, port.protocol)
        yield neutralise(f"  {'└─' if last else '├─'} {word}{name} → {target}{node}")
        found = [
            f"{address.with_port(number)}{_state(endpoint)}"
            for address, number, endpoint in endpoints_of(cluster, service, port)
        ]
        for row in _tree(found or ["no endpoints"]):
            yield f"  {' ' if last else '│'}  {row.removeprefix('  ')}"


def _state(endpoint: Endpoint) -> str:
    words = f"  {endpoint.pod}" if endpoint.pod else ""
    if endpoint.node_name:
        words += f" on {endpoint.node_name}"
    if endpoint.terminating:
        return words + "  [terminating]"
    return words if endpoint.ready else words + "  [not ready]"
