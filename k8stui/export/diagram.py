"""The topology as a graph for other programs to draw: Graphviz DOT and Mermaid.

Both say the same: a box for each node with its pods in it, Services beside them, and an arrow
from each Service port to each endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.graph import graph, standing, ways_in
from k8stui.cluster.model import Cluster, Pod, Service, ServiceType
from k8stui.export.graph_text import Identifiers, dot_text, mermaid_text
from k8stui.walk.sentence import port_word

if TYPE_CHECKING:
    from k8stui.cluster.graph import Graph


def dot_lines(cluster: Cluster) -> Iterator[str]:
    """Write a DOT digraph (https://graphviz.org/doc/info/lang.html)."""
    names, found = Identifiers(), graph(cluster)
    yield "digraph k8stui {"
    yield "  rankdir=LR;"
    yield "  node [shape=box, fontname=sans];"
    for title, pods in _groups(found):
        yield f"  subgraph {names.of('cluster_', title[0])} {{"
        yield f"    label={dot_text(title)};"
        for pod in pods:
            yield f"    {names.of('pod_', pod.key)} [label={dot_text(_pod_label(pod))}];"
        yield "  }"
    for service in cluster.services.values():
        label = dot_text(_service_label(service))
        yield f"  {names.of('svc_', service.key)} [label={label}, shape=oval];"
    for service_key, target, label in _edges(found):
        arrow = f"{names.of('svc_', service_key)} -> {names.of('pod_', target)}"
        yield f"  {arrow} [label={dot_text([label])}];"
    yield "}"


def mermaid_lines(cluster: Cluster) -> Iterator[str]:
    """Write a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
    names, found = Identifiers(), graph(cluster)
    yield "flowchart LR"
    for title, pods in _groups(found):
        yield f"  subgraph {names.of('node_', title[0])}[{mermaid_text(title)}]"
        for pod in pods:
            yield f"    {names.of('pod_', pod.key)}[{mermaid_text(_pod_label(pod))}]"
        yield "  end"
    for service in cluster.services.values():
        yield f"  {names.of('svc_', service.key)}([{mermaid_text(_service_label(service))}])"
    for service_key, target, label in _edges(found):
        source = names.of("svc_", service_key)
        yield f"  {source} -->|{mermaid_text([label])}| {names.of('pod_', target)}"


def _groups(found: Graph) -> Iterator[tuple[list[str], list[Pod]]]:
    nodes, lost = standing(found)
    for node, pods in nodes:
        yield [node.name, *(str(a) for a in node.addresses)], pods
    if lost:
        yield ["Pods without a node"], lost


def _pod_label(pod: Pod) -> list[str]:
    ports = [port_word(p.number, p.protocol) for c in pod.containers for p in c.ports]
    return [
        pod.key,
        *(str(a) for a in pod.addresses),
        *([f"ports {', '.join(ports)}"] * bool(ports)),
    ]


def _service_label(service: Service) -> list[str]:
    if service.type is ServiceType.EXTERNAL_NAME:
        return [service.key, service.external_name]
    addresses = [str(a) for a in service.cluster_ips] or ["headless"]
    return [f"Service {service.key}", *addresses]


def _edges(found: Graph) -> Iterator[tuple[str, str, str]]:
    for service, port, number, endpoint, there in ways_in(found):
        label = port_word(port.port, port.protocol)
        if port.node_port is not None:
            label += f", node port {port.node_port}"
        if there == f"pod/{endpoint.pod}":
            yield service.key, str(endpoint.pod), f"{label} → {number}"
