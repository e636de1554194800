"""A tour recorded: without a terminal, the same every time, every caption as long as it is read."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pyte
import pytest

from k8stui.cli import run
from k8stui.export.drawing.ink import line_width, text_of
from k8stui.export.tour_strip import tour_strip
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.read import read_tour
from k8stui.tour.rehearse import rehearse

TOURS = bundled_tours()


@pytest.mark.parametrize("name", TOURS)
@pytest.mark.parametrize("size", [(80, 24), (100, 34), (200, 60)])
def test_every_row_is_full_and_every_caption_is_there(name: str, size: tuple[int, int]) -> None:
    rehearsal = rehearse(read_tour(str(TOURS[name])))
    width, height = size
    stills = tour_strip(rehearsal, *size).stills
    for still in stills:
        assert len(still.lines) == height
        assert {line_width(line) for line in still.lines} == {width}
    shown = iter(stills)
    for stop in rehearsal.stops:  # in their order
        number = f"{stop.position.number}/{len(rehearsal.stops)}"
        still = next(s for s in shown if s.seconds > 1)
        text = "\n".join(map(text_of, still.lines[-4:]))
        assert number in text
        assert set(stop.position.caption.split()) <= set(text.split())


def test_the_packet_runs_from_one_position_to_the_next_of_its_walk() -> None:
    rehearsal = rehearse(read_tour(str(TOURS["row-3"])))
    seconds = [still.seconds for still in tour_strip(rehearsal, 100, 34).stills]
    # Steps 3, 9, 12, 19, 36, 48, 52 of the first walk, and all between them.
    first = [n for n, each in enumerate(seconds) if each > 1]
    assert [first[n + 1] - first[n] for n in range(6)] == [6, 3, 7, 17, 12, 4]


@pytest.mark.parametrize("name", ["row-2", "row-9"])
def test_a_terminal_that_plays_it_shows_the_last_position(name: str, tmp_path: Path) -> None:
    files = [tmp_path / "one.cast", tmp_path / "two.cast"]
    for file in files:
        assert run(["present", name, "-o", str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    head, *events = map(json.loads, files[0].read_text(encoding="utf-8").splitlines())
    screen = pyte.Screen(head["width"], head["height"])
    stream = pyte.Stream(screen)
    for _, _, data in events:
        stream.feed(data)
    times = [each[0] for each in events]
    assert times == sorted(times)
    last = rehearse(read_tour(str(TOURS[name]))).stops[-1]
    assert set(last.position.caption.split()) <= set(" ".join(screen.display[-4:]).split())


def test_a_picture_that_moves(tmp_path: Path) -> None:
    file = tmp_path / "talk.svg"
    assert run(["present", "row-8", "-o", str(file)]) == 0
    root = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert root.tag.endswith("svg")


def test_other_files_are_no_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["present", "row-8", "-o", str(tmp_path / "talk.gif")]) == 2
    assert ".cast or .svg or .html" in capsys.readouterr().err
