"""The topology as a picture: Services on the left, nodes with their pods on the right."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.graph import graph, standing, ways_in
from k8stui.cluster.model import Cluster, Pod, Service, ServicePort, ServiceType
from k8stui.export.columns_svg import Arrow, BoxLine, columns_svg
from k8stui.export.topology import LEGEND, marked, service_address
from k8stui.walk.sentence import port_word

if TYPE_CHECKING:
    from k8stui.cluster.graph import Graph


def topology_svg(cluster: Cluster) -> Iterator[str]:
    """Write an SVG 1.1 document, one element a line."""
    found = graph(cluster)
    arrows = list(_arrows(found))
    reached = {arrow.start for arrow in arrows}
    services = [_service(one, reached) for one in cluster.services.values()]
    return columns_svg("k8stui topology", services, list(_nodes(found)), arrows, LEGEND)


def _service(service: Service, reached: Collection[str]) -> list[BoxLine]:
    if service.type is ServiceType.EXTERNAL_NAME:
        return [
            BoxLine(service.key, "head"),
            BoxLine(f"ExternalName {service.external_name}", "dim"),
        ]
    rows = [
        BoxLine(service.key, "head"),
        BoxLine(f"{service.type.value}  {service_address(service)}", "dim"),
    ]
    for port in service.ports:
        name = f" {port.name}" if port.name else ""
        node = f"  node port {port.node_port}" if port.node_port else ""
        target = port_word(port.target_port, port.protocol)
        words = f"{port_word(port.port, port.protocol)}{name} → {target}{node}"
        rows.append(BoxLine(words, key=_port_key(service, port)))
        if _port_key(service, port) not in reached:
            rows.append(BoxLine("no endpoints", "bad"))
    return rows


def _nodes(found: Graph) -> Iterator[list[BoxLine]]:
    nodes, lost = standing(found)
    for node, pods in nodes:
        addresses = marked(node, "addresses", node.addresses)
        yield [BoxLine(node.name, "head"), BoxLine(addresses, "dim"), *map(_pod, pods)]
    if lost:
        yield [BoxLine("Pods without a node", "head"), *map(_pod, lost)]


def _pod(pod: Pod) -> BoxLine:
    addresses = marked(pod, "addresses", pod.addresses or ["no address"])
    state = "" if pod.ready else "  not ready"
    return BoxLine(f"{pod.key}  {addresses}{state}", "pod" if pod.ready else "bad", pod.key)


def _arrows(found: Graph) -> Iterator[Arrow]:
    """From a Service's port to a pod or an address; dashed where no traffic is sent."""
    for service, port, _, endpoint, there in ways_in(found):
        end = endpoint.pod or there
        yield Arrow(_port_key(service, port), end, "" if endpoint.ready else "off")


def _port_key(service: Service, port: ServicePort) -> str:
    # No pod's key: those have one slash.
    return f"{service.key}/{port.name}/{port.port}/{port.protocol.name}"
