"""Who reaches whom for graph drawers, Graphviz and Mermaid, and as a picture of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.cluster.model import Cluster
from k8stui.export.columns_svg import Arrow, BoxLine, columns_svg
from k8stui.export.graph_text import Identifiers, dot_text, mermaid_text
from k8stui.reach.graph import Edge, Openness, by_namespace, edges, reach_graph
from k8stui.reach.reach import Reach
from k8stui.walk.brief import brief

_FOOT = "solid: connected, dotted: only some endpoints, dashed: denied or nobody answers"
_GAP = 300
_DOT = {
    Openness.OPEN: "",
    Openness.SOME: ', style=dotted, color="#b45309"',
    Openness.SHUT: ', style=dashed, color="#b91c1c", fontcolor="#b91c1c"',
}


def reach_dot(cluster: Cluster, found: Reach) -> Iterator[str]:
    """Write a DOT digraph (https://graphviz.org/doc/info/lang.html)."""
    graph, names = reach_graph(cluster, found), Identifiers()
    yield "digraph k8stui {"
    yield "  rankdir=LR;"
    yield "  node [shape=box, fontname=sans];"
    yield "  edge [fontname=sans, fontsize=10];"
    for namespace, members in by_namespace(graph).items():
        if namespace:
            yield f"  subgraph {names.of('cluster_', namespace)} {{"
            yield f"    label={dot_text([namespace])};"
        for member in members:
            shape = ", shape=oval" if member.startswith("svc/") else ""
            yield f"    {names.of('n', member)} [label={dot_text([_own(member)])}{shape}];"
        if namespace:
            yield "  }"
    for edge in edges(graph):
        ends = f"{names.of('n', edge.source)} -> {names.of('n', edge.target)}"
        yield f"  {ends} [label={dot_text(_label(edge))}{_DOT[edge.way]}];"
    yield "}"


def reach_mermaid(cluster: Cluster, found: Reach) -> Iterator[str]:
    """Write a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
    graph, names = reach_graph(cluster, found), Identifiers()
    yield "flowchart LR"
    for namespace, members in by_namespace(graph).items():
        if namespace:
            yield f"  subgraph {names.of('ns', namespace)}[{mermaid_text([namespace])}]"
        for member in members:
            text = mermaid_text([_own(member)])
            shape = f"([{text}])" if member.startswith("svc/") else f"[{text}]"
            yield f"    {names.of('n', member)}{shape}"
        if namespace:
            yield "  end"
    for edge in edges(graph):
        arrow = "-->" if edge.way is Openness.OPEN else "-.->"
        label = mermaid_text(_label(edge))
        yield f"  {names.of('n', edge.source)} {arrow}|{label}| {names.of('n', edge.target)}"


def reach_svg(cluster: Cluster, found: Reach) -> Iterator[str]:
    """Write an SVG document: who asks on the left, who is asked on the right, a row a port."""
    graph = reach_graph(cluster, found)
    all_edges = edges(graph)
    asking = {edge.source for edge in all_edges}
    ports: dict[str, dict[str, dict[str, None]]] = {}
    for edge in all_edges:
        for port in edge.ports:
            deniers = ports.setdefault(edge.target, {}).setdefault(port, {})
            if edge.by:
                deniers[edge.by] = None
    left: list[list[BoxLine]] = []
    right: list[list[BoxLine]] = []
    for namespace, members in by_namespace(graph).items():
        head = [BoxLine(namespace, "head")] if namespace else []
        rows = [BoxLine(_own(one), "pod", one) for one in members if one in asking]
        if rows:
            left.append([*head, *rows])
        rows = [row for one in members if one in ports for row in _asked(one, ports[one])]
        if rows:
            right.append([*head, *rows])
    arrows = [
        Arrow(edge.source, _row(edge.target, port), _STYLES[edge.way], _title(edge, port))
        for edge in sorted(all_edges, key=lambda one: one.way is Openness.OPEN)
        for port in edge.ports
    ]
    title = "k8stui: who reaches whom"
    return columns_svg(title, left, right, arrows, _FOOT, gap=_GAP, spread=True)


_STYLES = {Openness.OPEN: "", Openness.SOME: "some", Openness.SHUT: "no"}


def _asked(name: str, ports: Mapping[str, Mapping[str, None]]) -> Iterator[BoxLine]:
    """Rows of one who is asked: its name, its ports, and below each who denies it to somebody."""
    yield BoxLine(_own(name), "pod")
    for port, deniers in ports.items():
        yield BoxLine(f"  :{port}", key=_row(name, port))
        for by in deniers:
            yield BoxLine(f"    {by}", "bad")


def _row(name: str, port: str) -> str:
    return f"{name} {port}"


def _title(edge: Edge, port: str) -> str:
    said = edge.by or "connected"
    return f"{brief(edge.source)} → {brief(edge.target)}:{port}: {said}"


def _own(name: str) -> str:
    """Without the namespace, which stands around it: ``deploy/web``."""
    kind, _, rest = name.partition("/")
    return f"{kind}/{rest.partition('/')[2]}" if rest else name


def _label(edge: Edge) -> list[str]:
    ports = ", ".join(edge.ports)
    return [ports, edge.by] if edge.by else [ports]
