"""The tours that ship with the samples: each to its end, and fit to be shown."""

from __future__ import annotations

import re

import pytest

from k8stui.export.plain import wrap
from k8stui.export.tour import tour_lines
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.read import read_tour
from k8stui.tour.rehearse import rehearse

TOURS = bundled_tours()
CAPTION = 80 - len(" 10/10  ") - 1
"""Columns of a caption on a screen of 80."""


def test_there_is_one_for_every_row_and_one_of_kube_proxy_s_past() -> None:
    assert list(TOURS) == [
        *(f"row-{n}" for n in range(1, 12)),
        "three-proxies",
        "userspace-to-iptables",
    ]


@pytest.mark.parametrize("name", TOURS)
def test_it_can_be_given_to_its_end(name: str) -> None:
    rehearsal = rehearse(read_tour(str(TOURS[name])))
    stops = rehearsal.stops
    assert 4 <= len(stops) <= 12
    assert not rehearsal.world.problems
    lines = list(tour_lines(rehearsal))
    for stop in stops:
        assert any(line.startswith(f"{stop.position.number}/{len(stops)}  ─") for line in lines)
        assert stop.trace is not None
        assert 0 <= stop.index < len(stop.trace.steps)
    # No line of a drawing is wider than it is asked to be; only rules are printed as they are.
    assert all(len(line) <= 100 or re.match(r" +([+-]|\d+) ", line) for line in lines)


@pytest.mark.parametrize("name", TOURS)
def test_captions_are_two_lines_of_a_small_screen(name: str) -> None:
    for position in read_tour(str(TOURS[name])).positions:
        assert len(list(wrap(position.caption, "", "", CAPTION))) <= 2, position.caption


@pytest.mark.parametrize("name", TOURS)
def test_no_two_positions_are_the_same_picture(name: str) -> None:
    stops = rehearse(read_tour(str(TOURS[name]))).stops
    shown = [
        (
            id(s.world),
            s.question,
            s.index,
            s.position.pane,
            s.trace and s.trace.branch,
            s.comparison,
        )
        for s in stops
    ]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("name", ["row-4", "row-9", "row-11", "userspace-to-iptables"])
def test_the_rows_that_compare_show_it_as_a_comparison(name: str) -> None:
    stops = rehearse(read_tour(str(TOURS[name]))).stops
    assert any(stop.comparison is not None for stop in stops)
