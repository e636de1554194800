"""Nothing changes place while a request stays: whichever branch, setting, answer or moment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from k8stui.check.opening import opening
from k8stui.cluster.options import ClusterOptions
from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.scene import at_moment, moment_scenes, scene
from k8stui.export.drawing.stations import STATIONS
from k8stui.replay.replay import Question
from k8stui.tui.timeline import Timeline
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.whatif import asked_again, what_ifs
from k8stui.walk.world import World, build_world

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NAMES = sorted(
    str(path.relative_to(SAMPLES))
    for path in (*SAMPLES.iterdir(), *(SAMPLES / "broken").iterdir())
    if path.is_dir() and path.name not in ("broken", "tours", "__pycache__")
)
SIZES = {
    "80x24": (78, 17),
    "80x24 story": (80, 18),
    "80x24 replay": (78, 14),
    "120x34": (84, 16),
    "120x34 story": (120, 28),
    "200x50": (94, 46),
    "200x50 story": (200, 44),
    "300x80": (150, 76),
    "300x80 story": (300, 74),
}
"""Cells of the drawing in windows of these sizes."""
MOST_WALKS = 5
"""Branches that are looked at under each setting."""


@cache
def world(name: str) -> World:
    return build_world([str(SAMPLES / name)])


@cache
def shown(name: str) -> tuple[tuple[World, Trace], ...]:
    """The walk on which a sample opens, its branches, and the same under every setting."""
    here = world(name)
    first = opening(here, [str(SAMPLES / name)])
    if first is None:
        return ()
    found = [(here, first), *((here, t) for t in islice(walks(here, first.request), MOST_WALKS))]
    for one in what_ifs(here, first.request):
        there = one.apply()
        asked = asked_again(there, first.request)
        found += [(there, t) for t in islice(walks(there, asked), MOST_WALKS)]
    return tuple(found)


def places(film: Film) -> Iterator[tuple[object, object]]:
    """Everything with a place, by the node that is open; and where it is.

    A pod for which an open node has no room stands on the node's line: that is a place of its own.
    """
    for index in range(len(film)):
        drawing = film.drawing(index)
        yield "size", (drawing.canvas.width, drawing.canvas.height)
        top, opened = -1, ""
        if not film.is_whole:
            boxes = [(edge.y, n) for n, edge in drawing.boxes.items() if n in film.cluster.nodes]
            top, opened = max(boxes)
            top = min(spot.cells[0][1] for place, spot in drawing.spots.items()
                      if place[0] == opened and place[1] in STATIONS)  # fmt: skip
        for (name, part), spot in drawing.spots.items():
            if "/" in name and name not in film.cluster.pods:
                continue  # it is not there
            if spot.cells:  # an arrow ends at the next station: it begins behind a name
                cell = spot.cells[-1 if ">" in part else 0]
                yield (opened, cell[1] < top, name, part), cell
        for name, edge in drawing.boxes.items():
            if "/" in name and name not in film.cluster.pods:
                continue
            yield (opened, edge.y < top, name), edge


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves_with_branches_settings_and_answers(name: str, size: str) -> None:
    where: dict[object, object] = {}
    for there, trace in shown(name):
        made = scene(there.network, there.cluster, trace)
        film = Film(made, there.cluster, trace, *SIZES[size])
        for what, at in places(film):
            assert where.setdefault(what, at) == at, (what, trace.request)


MANY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: kiosk}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: kiosk}}
  template:
    metadata: {labels: {app: kiosk}}
    spec:
      containers: [{name: till, image: till:2, ports: [{containerPort: 7070}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: visitor}
spec: {containers: [{name: shell, image: shell:1}]}
---
apiVersion: v1
kind: Service
metadata: {name: kiosk}
spec:
  type: NodePort
  selector: {app: kiosk}
  ports: [{port: 70, targetPort: 7070, nodePort: 30707}]
"""


@cache
def kiosk(replicas: int, nodes: int, asked: str) -> tuple[World, tuple[Trace, ...]]:
    """Every walk to a Service of so many pods on so many nodes."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "kiosk.yaml"
        file.write_text(MANY.replace("REPLICAS", str(replicas)))
        there = build_world([str(file)], ClusterOptions(nodes=nodes))
    return there, tuple(walks(there, parse_request(there, *asked.split())))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", ["outside node/node-1:30707", "pod/visitor svc/kiosk:70"])
@pytest.mark.parametrize(("replicas", "nodes"), [(9, 2), (8, 3), (14, 9)])
def test_nothing_moves_whichever_of_many_endpoints_is_chosen(
    replicas: int, nodes: int, asked: str, size: str
) -> None:
    there, found = kiosk(replicas, nodes, asked)
    assert len(found) == replicas
    where: dict[object, object] = {}
    for trace in found:
        made = scene(there.network, there.cluster, trace)
        film = Film(made, there.cluster, trace, *SIZES[size])
        for what, at in places(film):
            assert where.setdefault(what, at) == at, (what, trace.outcome.server_pod)
        server = trace.outcome.server_pod
        last = next(n for n, (hop, _) in enumerate(trace.placed) if hop.namespace == server)
        assert film.frame(last).eye is not None, server


@cache
def changed(name: str, number: int) -> tuple[Trace, tuple[World, ...], Timeline]:
    """What a deployment was asked, its worlds, and it with something deleted or scaled."""
    here = world(name)
    first = opening(here, [str(SAMPLES / name)])
    assert first is not None
    played = Timeline(
        here, Question(first.request.source, first.request.destination), "files", "default"
    )
    played.look_ahead()
    played.move(len(played.names) - 1)
    before = tuple(each.world for each in played.telling())
    choices = [*played.possible()]
    changes = [*(c for c in choices if c.startswith("scale")), *reversed(choices)]
    played.insert(changes[number])
    played.look_ahead()
    return first, before, played


@pytest.mark.parametrize("size", ["80x24 replay", "80x24 story", "120x34 story", "200x50 story"])
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("name", ["webapp", "guestbook"])
def test_nothing_moves_when_something_is_deleted_or_scaled(
    name: str, number: int, size: str
) -> None:
    first, before, played = changed(name, number)
    where: dict[object, object] = {}
    others = [(each.world, each.asked[0].trace or first) for each in played.telling()]
    assert [id(one) for one in before] == [id(one) for one, _ in others]
    for moment in played.moments:
        trace = moment.asked[0].trace or first
        made = at_moment(moment_scenes(others, first), moment.world, trace, first)
        film = Film(made, moment.world.cluster, trace, *SIZES[size])
        for what, at in places(film):
            assert where.setdefault(what, at) == at, (what, moment.change)


@cache
def timeline(name: str, order: str) -> tuple[Trace, Timeline] | None:
    """A deployment from its first object to its last; then something is scaled and deleted."""
    here = world(name)
    first = opening(here, [str(SAMPLES / name)])
    if first is None:
        return None
    asked = Question(first.request.source, first.request.destination)
    made = Timeline(here, asked, order, "default")
    made.fetch(len(made.names) - 1)
    made.move(len(made.names) - 1)
    for verb in ("scale", "delete"):
        changes = [each for each in made.possible() if each.startswith(verb)]
        if changes:
            made.insert(changes[-1])
            made.fetch(len(made.names) - 1)
    return first, made


@pytest.mark.parametrize("size", ["80x24 replay", "80x24 story", "120x34 story", "200x50 story"])
@pytest.mark.parametrize("order", ["files", "dependency"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves_while_the_deployment_grows(name: str, order: str, size: str) -> None:
    found = timeline(name, order)
    if found is None:
        return
    walked, played = found
    where: dict[object, object] = {}
    others = [(each.world, each.asked[0].trace or walked) for each in played.telling()]
    for moment in played.moments:
        trace = moment.asked[0].trace or walked
        made = at_moment(moment_scenes(others, walked), moment.world, trace, walked)
        film = Film(made, moment.world.cluster, trace, *SIZES[size])
        for what, at in places(film):
            assert where.setdefault(what, at) == at, (what, moment.change)
