"""What holds of the drawing whatever is drawn: odd clusters, odd requests, every size.

Every step has its place and its marker, nothing is drawn outside the canvas, the packet's card
hides neither the packet nor what the client feels, and nothing but the packet moves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.export.drawing.canvas import Rect
from k8stui.export.drawing.frame import Film, Frame
from k8stui.export.drawing.ink import Ink, text_of, to_ascii, width_of
from k8stui.export.drawing.scene import scene
from k8stui.export.drawing.sizes import CARD_WIDTH
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.walk import walk
from k8stui.walk.whatif import what_ifs
from k8stui.walk.world import World, build_world

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SIZES = [(38, 9), (58, 17), (78, 18), (84, 16), (118, 30), (100, 46), (298, 76)]
MARKERS = set("▶◀✗?")

ODD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a-pod-whose-name-is-nearly-as-long-as-a-name-can-be-7d9fc-x2v9q
  namespace: a-namespace-that-somebody-has-named-after-a-whole-department
  labels: {app: long}
spec:
  nodeName: ip-10-0-0-11.some-region.compute.internal
  containers:
    - {name: a-container-that-has-a-long-name-too-as-they-come-with-charts, image: i,
       ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: long, namespace: a-namespace-that-somebody-has-named-after-a-whole-department}
spec:
  type: NodePort
  selector: {app: long}
  ports: [{port: 80, targetPort: 8080, nodePort: 30088}]
---
apiVersion: v1
kind: Pod
metadata: {name: agent, labels: {app: agent}}
spec:
  hostNetwork: true
  nodeName: ip-10-0-0-12.some-region.compute.internal
  containers: [{name: agent, image: i, ports: [{containerPort: 9100}]}]
---
apiVersion: v1
kind: Service
metadata: {name: agent}
spec: {selector: {app: agent}, ports: [{port: 9100}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asker}
spec:
  nodeName: ip-10-0-0-12.some-region.compute.internal
  containers: [{name: asker, image: i}]
---
apiVersion: v1
kind: Service
metadata: {name: lan}
spec: {ports: [{port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: lan-1, labels: {kubernetes.io/service-name: lan}}
addressType: IPv4
endpoints: [{addresses: [192.168.0.77]}]
ports: [{port: 5432}]
"""
TWO_FAMILIES = """\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking: {podSubnet: "PODS", serviceSubnet: "SERVICES"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hen}
spec:
  replicas: 3
  selector: {matchLabels: {app: hen}}
  template:
    metadata: {labels: {app: hen}}
    spec: {containers: [{name: hen, image: hen, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: hen}
spec: {type: NodePort, selector: {app: hen}, ports: [{port: 80, nodePort: 30099}]FAMILIES}
"""


class Case(NamedTuple):
    world: World
    traces: tuple[Trace, ...]


def case(world: World, asked: Iterable[tuple[str, str]]) -> Case:
    return Case(world, tuple(walk(world, parse_request(world, *pair)) for pair in asked))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("odd")
    webapp = [str(SAMPLES / "webapp")]
    ways = (("outside", "node/node-1:30001"), ("pod/mysql-1", "svc/myweb:8080"))

    def written(name: str, text: str) -> list[str]:
        (folder / f"{name}.yaml").write_text(text)
        return [str(folder / f"{name}.yaml")]

    def families(pods: str, services: str, more: str) -> list[str]:
        text = TWO_FAMILIES.replace("PODS", pods).replace("SERVICES", services)
        return written(f"six{len(more)}", text.replace("FAMILIES", more))

    ens3 = [
        {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "address": "00:00:00:00:00:00",
         "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
        {"ifname": "ens3", "flags": ["BROADCAST", "UP"], "address": "02:00:c0:a8:00:0b",
         "addr_info": [{"family": "inet", "local": "192.168.0.11", "prefixlen": 24}]},
        {"ifname": "cni0", "flags": ["BROADCAST", "UP"], "address": "02:00:0a:f4:01:01",
         "addr_info": [{"family": "inet", "local": "10.244.1.1", "prefixlen": 24}]},
    ]  # fmt: skip
    (folder / "ens3.json").write_text(json.dumps(ens3))
    made = {
        "webapp": case(
            build_world(webapp),
            (
                *ways,
                ("pod/mysql-1", "no-such-name:80"),
                ("pod/mysql-1", "localhost:99"),
                ("outside", "10.244.2.2:8080"),
                ("outside", "svc/myweb:8080"),
                ("node/node-1", "svc/myweb:8080"),
                ("node/node-1", "node/node-2:22"),
                ("pod/mysql-1", "203.0.113.10:80"),
            ),
        ),
        "userspace": case(build_world(webapp, ClusterOptions(proxy_mode="userspace")), ways),
        "ens3": case(
            build_world(webapp, None, NodeOptions(ip_addr={"node-1": str(folder / "ens3.json")})),
            ways,
        ),
        "odd": case(
            build_world(written("odd", ODD)),
            (
                ("outside", "node/ip-10-0-0-12.some-region.compute.internal:30088"),
                ("pod/asker", "svc/agent:9100"),
                ("pod/agent", "svc/agent:9100"),
                ("pod/asker", "svc/lan:5432"),
            ),
        ),
        "many nodes": case(
            build_world([str(SAMPLES / "guestbook")], ClusterOptions(nodes=20)),
            (("outside", "node/node-20:30080"), ("pod/client", "svc/frontend:80")),
        ),
        "two families": case(
            build_world(
                families(
                    "10.244.0.0/16,fd00:244::/56",
                    "10.96.0.0/12,fd00:96::/112",
                    ", ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6, IPv4]",
                )
            ),
            (("pod/hen-1", "svc/hen:80"), ("node/node-1", "svc/hen:80")),
        ),
        "six only": case(
            build_world(families("fd00:244::/56", "fd00:96::/112", "")),
            (("pod/hen-1", "svc/hen:80"), ("outside", "node/node-1:30099")),
        ),
    }
    for cni in ("flannel-vxlan", "docker0", "bridge", "ptp"):
        made[cni] = case(build_world(webapp, None, NodeOptions(cni=cni)), ways)
    return made


BESIDE_PODS = ((78, 17), (84, 16), (98, 28), (120, 28))
NAMES = (
    "webapp", "userspace", "ens3", "odd", "many nodes", "two families", "six only",
    "flannel-vxlan", "docker0", "bridge", "ptp",
)  # fmt: skip


def _films(case: Case, size: tuple[int, int]) -> Iterator[Film]:
    for trace in case.traces:
        made = scene(case.world.network, case.world.cluster, trace)
        yield Film(made, case.world.cluster, trace, *size)


def _with_headers(case: Case, size: tuple[int, int]) -> Iterator[tuple[TraceStep, Frame, Rect]]:
    """Steps at which the header is drawn."""
    for film in _films(case, size):
        for number, step in enumerate(film.trace.steps):
            frame = film.frame(number)
            if frame.card is not None:
                yield step, frame, frame.card


def _text(frame: Frame) -> list[str]:
    return [text_of(line) for line in frame.lines()]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_its_place_and_its_header_and_nothing_is_outside(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for film in _films(cases[name], size):
        for number, step in enumerate(film.trace.steps):
            frame = film.frame(number)
            canvas = frame.drawing.canvas
            assert frame.eye is not None, step
            for (x, y), (char, _) in frame.over.items():
                assert char in ("", " ") or (0 <= x < canvas.width and 0 <= y < canvas.height), step
            # The card does not hide the packet: the marker is still there.
            assert frame.over[frame.eye][0] in MARKERS, step
            rows = _text(frame)
            assert {width_of(row) for row in rows} == {canvas.width}
            assert [len(to_ascii(row)) for row in rows] == [canvas.width] * canvas.height
            if step.after is not None and size in SIZES[2:]:
                shown = "\n".join(rows)
                for address in (str(step.after.src), str(step.after.dst)):
                    assert address in shown, step
                assert f"ttl {step.after.ttl} " in shown, step


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, size) for name in ("webapp", "docker0", "bridge") for size in BESIDE_PODS),
        *(("flannel-vxlan", size) for size in ((78, 17), (84, 16), (120, 28))),
    ],
)
def test_the_header_touches_no_word(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for step, frame, (x, y, width, height) in _with_headers(cases[name], size):
        shown = [row.ljust(size[0] + 1) for row in _text(frame)]
        beside = "".join(row[x - 1] + row[x + width] for row in shown[y : y + height] if x)
        assert not any(char.isalnum() for char in beside), (step, shown)


WORD = re.compile(r"[^\s─━│┯┷┴┬├┤╭╮╰╯╥╨▸▾]+")


@pytest.mark.parametrize("size", [(78, 14), (83, 15), (98, 28), (118, 30)], ids=str)
@pytest.mark.parametrize("name", ["webapp", "userspace", "odd", "flannel-vxlan", "docker0"])
def test_the_header_leaves_no_part_of_a_word(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for step, frame, (x, y, width, height) in _with_headers(cases[name], size):
        rows = _text(frame)
        for row in range(y, y + height):
            written = text_of(frame.drawing.canvas.line(row))
            if len(written) != frame.drawing.canvas.width:
                continue  # wide characters
            shown = rows[row]
            for word in WORD.finditer(written):
                first, behind = word.span()
                if behind <= x or first >= x + width:
                    continue
                rest = [n for n in range(first, behind) if not x <= n < x + width]
                assert not any(shown[n].isalnum() for n in rest), (step, shown)


@pytest.mark.parametrize("size", [(78, 14), (78, 15), (83, 15), (118, 30)], ids=str)
@pytest.mark.parametrize("name", ["webapp", "bridge", "docker0", "flannel-vxlan"])
def test_on_the_wire_the_header_stands_in_no_node(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for film in _films(cases[name], size):
        for number, (hop, step) in enumerate(film.trace.placed):
            frame = film.frame(number)
            if hop.namespace not in ("wire", "outside") or frame.card is None:
                continue
            x, y, width, height = frame.card
            if number + 1 == len(film) or width > CARD_WIDTH:
                continue  # the verdict stands there too, or it has no room between the others
            if name == "webapp" and not film.is_whole and "/" not in film.trace.request.source:
                (first, row), *_ = frame.drawing.spots[hop.namespace, ""].cells
                assert y <= row < y + height  # beside the packet, and what stands there
                assert x - first <= len("> outside  eth0 203.0.113.10") + 2
            for at in frame.drawing.nodes.values():
                is_over = x < at.x + at.width and at.x < x + width
                assert not (is_over and y < at.y + at.height and at.y < y + height), step


@pytest.mark.parametrize("width", [78, 98, 118, 138, 200])
@pytest.mark.parametrize("name", ["webapp", "flannel-vxlan"])
def test_a_drawing_is_no_higher_than_its_room(
    cases: dict[str, Case], name: str, width: int
) -> None:
    for height in range(14, 50):
        for film in _films(cases[name], (width, height)):
            canvas = film.drawing(0).canvas
            assert canvas.width <= width
            assert canvas.height <= height


@pytest.mark.parametrize("size", [(78, 15), (78, 17), (118, 40)], ids=str)
def test_a_card_in_a_card_on_the_wire_says_what_is_in_it(
    cases: dict[str, Case], size: tuple[int, int]
) -> None:
    """Where there is no room for it, the inner one is shut."""
    for film in _films(cases["flannel-vxlan"], size):
        for number, (hop, step) in enumerate(film.trace.placed):
            inner = step.after.carried if step.after is not None else None
            if hop.namespace == "wire" and inner is not None:
                assert str(inner.dst) in "\n".join(_text(film.frame(number)))


def test_a_long_reason_gives_way_to_its_word_where_it_would_hide_much() -> None:
    world = build_world([str(SAMPLES / "webapp")])
    asked = parse_request(world, "outside", "node/node-1:30001")
    local = next(one for one in what_ifs(world, asked) if one.value == "Local").apply()
    trace = walk(local, asked)
    made = scene(local.network, local.cluster, trace)
    low, high = (
        "\n".join(_text(Film(made, local.cluster, trace, *size).frame(11)))
        for size in ((83, 15), (118, 46))
    )
    assert "✗ DROP ┘" in low
    assert "✗ Service default/myweb has endpoints" in high
    assert "mysql-1" in low


@pytest.mark.parametrize("size", [(78, 17), (98, 28)], ids=str)
@pytest.mark.parametrize("name", ["webapp", "userspace"])
def test_an_arrow_is_lit_that_the_packet_took(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    lit = (Ink.TRAIL, Ink.RETURN)
    for film in _films(cases[name], size):
        for number, (hop, _) in enumerate(film.trace.placed):
            if hop.namespace not in film.cluster.nodes:
                continue
            frame = film.frame(number)
            spots = frame.drawing.spots

            def is_lit(part: str, frame: Frame = frame, node: str = hop.namespace) -> bool:
                cells = frame.drawing.spots[node, part].cells
                inks = [frame.over[cell][1] for cell in cells if cell in frame.over]
                return any(ink in lit or ink in (Ink.HERE, Ink.BACK, Ink.STOP) for ink in inks)

            assert (hop.namespace, "route>FORWARD") in spots
            if is_lit("route>FORWARD"):
                assert is_lit("FORWARD") or is_lit("POSTROUTING")
            if is_lit("route>INPUT"):
                assert is_lit("INPUT") or is_lit("process")
            if is_lit("process>OUTPUT"):
                assert is_lit("OUTPUT")


@pytest.mark.parametrize("size", SIZES[2:], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_end_says_what_the_client_feels(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for film in _films(cases[name], size):
        shown = "\n".join(_text(film.frame(len(film) - 1)))
        fine = film.trace.outcome.result is Result.CONNECTED
        assert ("✓ connected" if fine else "✗ ") in shown


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves_but_the_packet(
    cases: dict[str, Case], name: str, size: tuple[int, int]
) -> None:
    for film in _films(cases[name], size):
        drawings = {id(one): one for one in map(film.drawing, range(len(film)))}
        # One where all nodes are open, else one for each that is open.
        nodes = {place for one in drawings.values() for place, _ in one.spots}
        assert len(drawings) <= len(nodes)
        if size[0] >= 78:
            assert len({one.canvas.width for one in drawings.values()}) == 1


@pytest.mark.parametrize("name", ["two families", "six only"])
def test_an_ipv6_walk_draws_ipv6_addresses(cases: dict[str, Case], name: str) -> None:
    for film in _films(cases[name], (118, 46)):
        steps = [step for step in film.trace.steps if step.after is not None]
        if not steps or steps[0].after is None or steps[0].after.dst.version != 6:
            continue
        for number in range(len(film)):
            shown = "\n".join(_text(film.frame(number)))
            assert "10.244." not in shown
            assert "192.168." not in shown
