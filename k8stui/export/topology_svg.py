"""The topology as a picture: Services on the left, nodes with their pods on the right."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from k8stui.cluster.graph import graph, standing, ways_in
from k8stui.cluster.model import Cluster, Pod, Service, ServicePort, ServiceType
from k8stui.export.topology import LEGEND, marked, service_address
from k8stui.neutralise import neutralise
from k8stui.record import record
from k8stui.walk.sentence import port_word

if TYPE_CHECKING:
    from k8stui.cluster.graph import Graph

_LINE = 18
"""Height of a line, in SVG's pixels; so are all the numbers here."""
_LETTER = 7.3
"""Width of a letter of a 12 px monospace font, the widest of the usual ones."""
_PAD = 10
_GAP = 170
"""Room for the arrows between the columns."""

_STYLE = """\
svg{background:#fff;color:#1f2328;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
text{fill:currentColor;white-space:pre}.dim{opacity:.65}.head{font-weight:700}
.box{fill:none;stroke:currentColor;stroke-opacity:.45}.pod{fill:#2563eb;fill-opacity:.08}
.arrow{fill:none;stroke:#2563eb;stroke-opacity:.6}.off{stroke:#b45309;stroke-dasharray:4 3}
.bad{fill:#b91c1c}
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.bad{fill:#f87171}}"""


@record()
class _Row:
    text: str
    style: str = ""
    key: str = ""
    """What arrows begin or end at."""


def topology_svg(cluster: Cluster) -> Iterator[str]:
    """Write an SVG 1.1 document (https://www.w3.org/TR/SVG11/), one element a line."""
    found = graph(cluster)
    arrows = list(_arrows(found))
    reached = {start for start, _, _ in arrows}
    services = [_service(one, reached) for one in cluster.services.values()]
    nodes = list(_nodes(found))
    left = _width(services)
    right = _PAD + left + _GAP
    places: dict[str, int] = {}
    boxes = [*_column(services, _PAD, left, places), *_column(nodes, right, _width(nodes), places)]
    height = max(_height(services), _height(nodes)) + 2 * _LINE
    width = round(right + _width(nodes) + _PAD)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    yield "<title>k8stui topology</title>"
    yield f"<style>{_STYLE}</style>"
    for start, end, ready in arrows:
        if start in places and end in places:
            x, y, to = _PAD + left, places[start], places[end]
            bend = f"C{x + _GAP / 2:.0f} {y} {right - _GAP / 2:.0f} {to}"
            style = "arrow" if ready else "arrow off"
            yield f'<path class="{style}" d="M{x:.0f} {y}{bend} {right + _PAD:.0f} {to}"/>'
    yield from boxes
    yield _text(_PAD, height - _PAD, LEGEND, "dim")
    yield "</svg>"


def _service(service: Service, reached: Collection[str]) -> list[_Row]:
    if service.type is ServiceType.EXTERNAL_NAME:
        return [_Row(service.key, "head"), _Row(f"ExternalName {service.external_name}", "dim")]
    rows = [
        _Row(service.key, "head"),
        _Row(f"{service.type.value}  {service_address(service)}", "dim"),
    ]
    for port in service.ports:
        name = f" {port.name}" if port.name else ""
        node = f"  node port {port.node_port}" if port.node_port else ""
        target = port_word(port.target_port, port.protocol)
        words = f"{port_word(port.port, port.protocol)}{name} → {target}{node}"
        rows.append(_Row(words, key=_port_key(service, port)))
        if _port_key(service, port) not in reached:
            rows.append(_Row("no endpoints", "bad"))
    return rows


def _nodes(found: Graph) -> Iterator[list[_Row]]:
    nodes, lost = standing(found)
    for node, pods in nodes:
        addresses = marked(node, "addresses", node.addresses)
        yield [_Row(node.name, "head"), _Row(addresses, "dim"), *map(_pod, pods)]
    if lost:
        yield [_Row("Pods without a node", "head"), *map(_pod, lost)]


def _pod(pod: Pod) -> _Row:
    addresses = marked(pod, "addresses", pod.addresses or ["no address"])
    state = "" if pod.ready else "  not ready"
    return _Row(f"{pod.key}  {addresses}{state}", "pod" if pod.ready else "bad", pod.key)


def _arrows(found: Graph) -> Iterator[tuple[str, str, bool]]:
    """Yield a Service port's key, a pod's key or an address, and whether traffic is sent there."""
    for service, port, _, endpoint, there in ways_in(found):
        yield _port_key(service, port), endpoint.pod or there, endpoint.ready


def _port_key(service: Service, port: ServicePort) -> str:
    # No pod's key: those have one slash.
    return f"{service.key}/{port.name}/{port.port}/{port.protocol.name}"


def _width(boxes: list[list[_Row]]) -> float:
    return max((len(row.text) for box in boxes for row in box), default=0) * _LETTER + 3 * _PAD


def _height(boxes: list[list[_Row]]) -> int:
    return sum(len(box) * _LINE + 3 * _PAD for box in boxes) + _PAD


def _column(
    boxes: list[list[_Row]], x: float, width: float, places: dict[str, int]
) -> Iterator[str]:
    """Draw boxes one below the other; `places` gets the middle of each row with a key."""
    y = _PAD
    for box in boxes:
        yield _rectangle(x, y, width, len(box) * _LINE + 2 * _PAD, "box")
        for number, row in enumerate(box):
            top = y + _PAD + number * _LINE
            if row.key:
                places.setdefault(row.key, top + _LINE // 2)
            if row.style == "pod":
                yield _rectangle(x + _PAD, top + 1, width - 2 * _PAD, _LINE - 2, "pod")
            yield _text(x + 1.5 * _PAD, top + 13, row.text, row.style)
        y += len(box) * _LINE + 3 * _PAD


def _rectangle(x: float, y: float, width: float, height: float, style: str) -> str:
    return (
        f'<rect class="{style}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" rx="4"/>'
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    name = "" if style in ("", "pod") else f' class="{style}"'
    return f'<text{name} x="{x:.0f}" y="{y:.0f}">{escape(neutralise(text))}</text>'
