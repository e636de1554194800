"""The drawing as text and as SVG: the whole walk, and a step of it by its number."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from k8stui.cli import cli
from k8stui.export.drawing.ink import line_width, text_of
from k8stui.export.drawing.layout import draw
from k8stui.export.drawing.picture import film, picture
from k8stui.export.drawing.scene import Role, scene
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

WALK = ["walk", str(sample("webapp")), "--from", "outside", "--to", "node/node-1:30001"]
SIZES = ((40, 12), (78, 17), (80, 24), (120, 34), (200, 50), (300, 80))


def drawn(*options: str) -> str:
    run = CliRunner().invoke(cli, [*WALK, *options])
    assert run.exit_code == 0, run.output
    return run.output


def test_the_whole_walk_shows_both_ways_and_every_rewriting() -> None:
    text = drawn("--format", "drawing")
    for piece in ("outside", "node-1", "node-2", "myweb-1", "cni0", "⇄ DNAT", "⇄ SNAT", "un-SNAT"):
        assert piece in text
    assert "✓ connected" in text.splitlines()[0]


def test_a_step_shows_the_header_as_it_is_then() -> None:
    text = drawn("--format", "drawing", "--step", "12")
    assert "⇒ 10.244.2.2:8080 DNAT" in text
    assert "▶ PREROUTING" in text
    assert "SNAT" not in text


def test_a_mark_is_of_the_packet_but_in_no_header() -> None:
    rows = drawn("--format", "drawing", "--step", "12").splitlines()
    edges = [row for row in rows if "mark 0x4000 ┘" in row]
    assert len(edges) == 1
    assert "└──" in edges[0]


def test_stations_on_two_lines_part_where_the_ways_part() -> None:
    rows = drawn("--format", "drawing", "--width", "98", "--step", "7").splitlines()
    assert any(row.count("PREROUTING ") == row.count("▸ route") == 2 for row in rows)
    assert any(row.count("├▸ FORWARD") == row.count("▸ POSTROUTING") == 2 for row in rows)
    assert any(row.count("╰▸ INPUT") == 2 for row in rows)


def test_svg_is_a_document_with_the_same_words() -> None:
    root = ET.fromstring(drawn("--format", "svg", "--step", "12"))  # noqa: S314 - our own
    words = " ".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))
    assert "10.244.2.2:8080" in words
    assert root.find("{http://www.w3.org/2000/svg}title") is not None


@pytest.mark.parametrize(
    "options",
    [["--step", "3"], ["--format", "svg", "--all"], ["--format", "svg", "--step", "999"]],
)
def test_what_cannot_be_drawn_is_told(options: list[str]) -> None:
    run = CliRunner().invoke(cli, [*WALK, *options])
    assert run.exit_code == 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("folder", "source", "destination"),
    [
        ("webapp", "outside", "node/node-1:30001"),
        ("guestbook", "pod/client", "svc/frontend"),
        ("webapp", "rc/myweb", "localhost:8080"),
        ("webapp", "node/node-1", "rc/myweb:8080"),
    ],
)
def test_every_step_has_its_place_at_every_size(
    size: tuple[int, int], folder: str, source: str, destination: str
) -> None:
    world = build_world([str(sample(folder))])
    trace = walk(world, parse_request(world, source, destination))
    shown = film(world, trace, *size)
    for index in range(len(shown)):
        frame = shown.frame(index)
        assert frame.eye is not None
        lines = frame.lines()
        assert {line_width(line) for line in lines} == {frame.drawing.canvas.width}
        if size[0] >= 78:
            assert frame.drawing.canvas.width <= size[0]


def test_no_escape_gets_into_a_picture() -> None:
    world = build_world([str(sample("webapp"))])
    trace = walk(world, parse_request(world, "outside", "node/node-1:30001"))
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f]", "".join(text_of(x) for x in picture(world, trace))
    )


@pytest.mark.parametrize("size", [(1, 0), (1, 1), (3, 2), (40, 1), (80, 24)])
def test_a_walk_that_meets_no_node_is_drawn_at_any_size(size: tuple[int, int]) -> None:
    world = build_world([str(sample("guestbook"))])
    trace = walk(world, parse_request(world, "outside", "203.0.113.10:80"))
    alone = scene(world.network, world.cluster, trace)
    assert not alone.nodes
    assert draw(alone, *size)


def test_the_pod_that_is_asked_is_drawn_though_no_packet_gets_there() -> None:
    world = build_world([str(sample("webapp"))])
    trace = walk(world, parse_request(world, "outside", "pod/myweb-1:8080"))
    assert trace.outcome.result is Result.UNREACHABLE
    made = scene(world.network, world.cluster, trace)
    assert [(node.name, [pod.key for pod in node.pods]) for node in made.nodes] == [
        ("node-2", ["default/myweb-1"])
    ]
    assert made.nodes[0].pods[0].role is Role.GHOST
