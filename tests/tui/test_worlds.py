"""Every sample, every way of access, every step, every pane: drawn, and never too wide."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from k8stui.export.drawing.ink import line_width, text_of
from k8stui.kernel.step import RuleCause
from k8stui.nodes.options import NodeOptions
from k8stui.tui import status
from k8stui.tui.desk import Desk
from k8stui.tui.frame import View, body_height, framed
from k8stui.tui.names import PaneName
from k8stui.walk.offers import offers
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FOLDERS = [SAMPLES / "guestbook", SAMPLES / "webapp", *sorted((SAMPLES / "broken").iterdir())]


@lru_cache
def world_of(folder: Path, cni: str) -> World:
    return build_world([str(folder)], node_options=NodeOptions(cni=cni))


def drawn_whole(desk: Desk, width: int, height: int) -> None:
    for pane in PaneName:
        sheet = desk.views.sheet(pane, width, height)
        view = View()
        view.keep(sheet, width, body_height(sheet, height))
        lines = framed(sheet, view, width + 2, height, focused=True)
        assert len(lines) == height
        assert {line_width(line) for line in lines} == {width + 2}
        assert all(text_of(line).isprintable() for line in lines)
    assert line_width(status.title(desk.state, width + 2)) <= width + 2
    assert all(line_width(line) <= width + 2 for line in status.now(desk.state, width + 2, 3))


@pytest.mark.parametrize("cni", ["flannel", "docker0"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_every_way_of_access_can_be_stepped_through(folder: Any, cni: Any) -> None:
    world = world_of(folder, cni)
    desk = Desk(world)
    for service in world.cluster.services:
        for offer in offers(world, service):
            desk.show(walk(world, offer.request))
            for number in range(len(desk.state.steps)):
                desk.state.go(number)
                drawn_whole(desk, 78, 17)
                cause = desk.state.steps[number].cause
                if isinstance(cause, RuleCause):
                    assert desk.state.breadcrumb()[-1] == cause.chain.name
            drawn_whole(desk, 110, 30)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("pod/client", "localhost:80"),
        ("pod/client", "nowhere:80"),
        ("pod/client", "203.0.113.10:443"),
        ("pod/client", "192.168.0.77:443"),
        ("node/node-1", "192.168.0.77:443"),
        ("node/node-1", "svc/frontend:80"),
        ("node/node-1", "localhost:10250"),
        ("outside", "10.244.1.9:80"),
        ("pod/client", "10.244.1.99:80"),
        ("pod/client", "svc/redis-leader:1"),
        ("pod/client", "kubernetes:443"),
    ],
    ids=lambda text: text.replace("/", "-"),
)
def test_any_request_can_be_shown(source: Any, destination: Any) -> None:
    world = world_of(SAMPLES / "guestbook", "flannel")
    desk = Desk(world)
    desk.show(walk(world, parse_request(world, source, destination)))
    for number in range(max(1, len(desk.state.steps))):
        desk.state.go(number)
        for width, height in ((26, 10), (78, 17), (150, 40)):
            for pane in PaneName:
                sheet = desk.views.sheet(pane, width, height)
                framed(sheet, View(), width + 2, height, focused=False)
        desk.now(80, 3)
        desk.title(80)
        desk.views.selected_origin()


def test_the_tree_of_a_world_offers_the_three_ways() -> None:
    desk = Desk(world_of(SAMPLES / "guestbook", "flannel"))
    assert desk.tree.find("frontend", 0)
    desk.into_tree()
    labels = [desk.tree.say(item).label for item in desk.tree.items if item.offer is not None]
    assert [label.partition(":")[0] for label in labels] == ["pod address", "ClusterIP", "node"]
