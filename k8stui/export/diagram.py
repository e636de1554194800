"""The topology as a graph for other programs to draw: Graphviz DOT and Mermaid.

Both say the same: a box for each node with its pods in it, Services beside them, and an arrow
from each Service port to each endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.graph import graph, standing, ways_in
from k8stui.cluster.model import Cluster, Pod, Service, ServiceType
from k8stui.neutralise import neutralise
from k8stui.walk.sentence import port_word

if TYPE_CHECKING:
    from k8stui.cluster.graph import Graph


def dot_lines(cluster: Cluster) -> Iterator[str]:
    """Write a DOT digraph (https://graphviz.org/doc/info/lang.html)."""
    names, found = _Identifiers(), graph(cluster)
    yield "digraph k8stui {"
    yield "  rankdir=LR;"
    yield "  node [shape=box, fontname=sans];"
    for title, pods in _groups(found):
        yield f"  subgraph {names.of('cluster_', title[0])} {{"
        yield f"    label={_dot(title)};"
        for pod in pods:
            yield f"    {names.of('pod_', pod.key)} [label={_dot(_pod_label(pod))}];"
        yield "  }"
    for service in cluster.services.values():
        label = _dot(_service_label(service))
        yield f"  {names.of('svc_', service.key)} [label={label}, shape=oval];"
    for service_key, target, label in _edges(found):
        arrow = f"{names.of('svc_', service_key)} -> {names.of('pod_', target)}"
        yield f"  {arrow} [label={_dot([label])}];"
    yield "}"


def mermaid_lines(cluster: Cluster) -> Iterator[str]:
    """Write a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
    names, found = _Identifiers(), graph(cluster)
    yield "flowchart LR"
    for title, pods in _groups(found):
        yield f"  subgraph {names.of('node_', title[0])}[{_mermaid(title)}]"
        for pod in pods:
            yield f"    {names.of('pod_', pod.key)}[{_mermaid(_pod_label(pod))}]"
        yield "  end"
    for service in cluster.services.values():
        yield f"  {names.of('svc_', service.key)}([{_mermaid(_service_label(service))}])"
    for service_key, target, label in _edges(found):
        source = names.of("svc_", service_key)
        yield f"  {source} -->|{_mermaid([label])}| {names.of('pod_', target)}"


class _Identifiers:
    """Plain identifiers for arbitrary names: no name can then break the syntax."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}

    def of(self, prefix: str, name: str) -> str:
        return self._given.setdefault((prefix, name), f"{prefix}{len(self._given) + 1}")


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


def _dot(lines: list[str]) -> str:
    """Quote a DOT string: only the quote and the backslash need escaping in it."""
    escaped = (neutralise(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _mermaid(lines: list[str]) -> str:
    """Quote a Mermaid string; entities keep quotes, brackets and HTML out of it."""
    return '"' + "<br/>".join(_entities(neutralise(line)) for line in lines) + '"'


def _entities(text: str) -> str:
    """Write everything but letters, digits and a few signs as ``#NUMBER;``."""
    return "".join(c if c.isalnum() or c in " ./-:,→_" else f"#{ord(c)};" for c in text)
