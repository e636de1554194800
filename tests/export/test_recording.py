"""Recordings: a player of our own, stricter than any, sees every step of the walk."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
from browser import browser, needs_chromium
from click.testing import CliRunner

from k8stui.cli import cli
from k8stui.export.cast import cast
from k8stui.export.drawing import palette
from k8stui.export.drawing.ink import Ink, line_width, text_of
from k8stui.export.drawing.motion import motion
from k8stui.export.drawing.stills import Strip, strip
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

WALKS = (
    ("webapp", "outside", "node/node-1:30001"),
    ("guestbook", "pod/client", "svc/redis-leader"),
    ("broken/webapp-wrong-selector", "outside", "node/node-1:30001"),
    ("webapp", "rc/myweb", "no-such-name:80"),
)
SIZES = ((80, 24), (100, 30), (160, 48))


def made(folder: str, source: str, destination: str, width: int, height: int) -> Strip:
    world = build_world([str(sample(folder))])
    trace = walk(world, parse_request(world, source, destination))
    return strip(world, trace, width, height, 1.0)


def read_cast(text: str) -> tuple[dict[str, Any], list[tuple[float, str]]]:
    """Read asciicast v2 as its page says, and take nothing else."""
    assert text.endswith("\n")
    first, *rest = text.splitlines()
    head = json.loads(first)
    known = {"version", "width", "height", "title", "env", "theme"}
    assert set(head) <= known
    assert head["version"] == 2
    assert all(type(head[name]) is int and head[name] > 0 for name in ("width", "height"))
    assert all(re.fullmatch("#[0-9a-f]{6}", head["theme"][name]) for name in ("fg", "bg"))
    assert re.fullmatch("(#[0-9a-f]{6}:){15}#[0-9a-f]{6}", head["theme"]["palette"])
    events = []
    clock = -1.0
    for line in rest:
        event = json.loads(line)
        assert isinstance(event, list)
        assert len(event) == 3
        assert type(event[0]) is float
        assert event[0] > clock
        assert event[1] == "o"
        assert isinstance(event[2], str)
        clock = event[0]
        events.append((clock, event[2]))
    return head, events


def played(text: str) -> Iterator[tuple[float, list[str]]]:
    """The rows of the screen after each event."""
    head, events = read_cast(text)
    screen = pyte.Screen(head["width"], head["height"])
    stream = pyte.Stream(screen)
    for clock, written in events:
        stream.feed(written)
        yield clock, [row.rstrip() for row in screen.display]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("walked", WALKS, ids=lambda walked: walked[0])
def test_a_player_sees_every_still(walked: tuple[str, str, str], size: tuple[int, int]) -> None:
    shots = made(*walked, *size)
    found = list(played("".join(cast(shots, palette.DARK))))
    assert len(found) == len(shots.stills) + 1
    clock = 0.0
    for (at, rows), still in zip(found, shots.stills, strict=False):
        assert len(still.lines) == size[1]
        assert {line_width(line) for line in still.lines} == {size[0]}
        assert rows == [text_of(line).rstrip() for line in still.lines]
        assert at == pytest.approx(clock)
        clock += still.seconds
    assert found[-1][0] == pytest.approx(clock)


def test_inks_are_the_palettes_colours() -> None:
    shots = made(*WALKS[0], 100, 30)
    _, events = read_cast("".join(cast(shots, palette.DARK)))
    screen = pyte.Screen(100, 30)
    pyte.Stream(screen).feed(events[0][1])
    here = palette.INKS[Ink.HERE]
    cells = [cell for row in screen.buffer.values() for cell in row.values()]
    lit = [cell for cell in cells if cell.bg == palette.DARK[here.background][1:]]
    assert "".join(cell.data for cell in lit).startswith("▶ outside  eth0")
    assert {(cell.fg, cell.bold) for cell in lit} == {(palette.DARK[here.colour][1:], True)}
    assert {cell.bg for cell in cells if cell not in lit} == {palette.DARK["background"][1:]}


def test_a_moment_writes_what_changed_alone() -> None:
    shots = made(*WALKS[0], 80, 24)
    _, events = read_cast("".join(cast(shots, palette.DARK)))
    whole, *sizes = [len(written.encode()) for _, written in events[:-2]]
    assert sum(sizes) / len(sizes) < 800
    assert max(sizes) < whole


def test_the_same_bytes_every_time() -> None:
    for write in (lambda shots: cast(shots, palette.LIGHT), motion):
        assert len({"".join(write(made(*WALKS[0], 100, 30))) for _ in range(2)}) == 1


def test_an_svg_that_moves_has_no_script_and_needs_nothing() -> None:
    text = "".join(motion(made(*WALKS[0], 100, 30)))
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert not [each for each in root.iter() if each.tag.endswith(("script", "image", "use"))]
    assert "url(" not in text
    assert len(text.encode()) < 200_000


def run(*options: str) -> Any:
    asked = ["record", str(sample("webapp")), "--from", "outside", "--to", "node/node-1:30001"]
    return CliRunner().invoke(cli, [*asked, *options])


def test_the_command_writes_both(tmp_path: Path) -> None:
    for name in ("talk.cast", "talk.svg"):
        assert run("-o", str(tmp_path / name), "--pace", "0.5").exit_code == 0
    _, events = read_cast((tmp_path / "talk.cast").read_text(encoding="utf-8"))
    assert events[1][0] in (0.5, 1.0)
    ET.parse(tmp_path / "talk.svg")  # noqa: S314 - our own


@pytest.mark.parametrize("options", [["-o", "talk.gif"], ["-o", "x.cast", "--branch", "7"], []])
def test_what_cannot_be_recorded_is_told(options: list[str]) -> None:
    assert run(*options).exit_code == 2


@needs_chromium
def test_a_browser_moves_it(tmp_path: Path) -> None:
    shots = made(*WALKS[0], 100, 30)
    file = tmp_path / "talk.svg"
    file.write_text("".join(motion(shots)), encoding="utf-8")
    with browser(tmp_path) as tab:
        tab.open(file.as_uri())
        clock = 0.0
        for still in shots.stills[:16]:
            now = (clock + still.seconds / 2) * 1000
            tab.value(
                f"document.getAnimations().forEach(a => {{ a.pause(); a.currentTime = {now}; }})"
            )
            seen = tab.value(
                "[...document.querySelectorAll('g')].filter(g => "
                "getComputedStyle(g).visibility === 'visible').map(g => g.textContent).join(' ')"
            )
            counter = text_of(still.lines[0]).split()[-1]
            assert counter in seen
            assert len(re.findall(r"\d/52", seen)) == 1
            clock += still.seconds
        assert tab.errors == []
