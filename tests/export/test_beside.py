"""Two walks side by side: sentences whole where there is room, what is the same said once."""

from __future__ import annotations

from functools import cache

import pytest

from k8stui.export.beside import Beside
from k8stui.export.drawing.ink import line_width, text_of
from k8stui.walk.align import Likeness
from k8stui.walk.cases import Case
from k8stui.walk.comparisons import Kind, table
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

SIZES = [(60, 15), (80, 21), (120, 31), (200, 47)]
FACES = [("externalTrafficPolicy Local"), ("proxy-mode userspace"), ("cni flannel-vxlan")]


@cache
def beside(name: str) -> Beside:
    world = build_world([str(sample("webapp"))])
    trace = walk(world, parse_request(world, "outside", "node/node-1:30001"))
    found = table(world, trace, Kind.SETTINGS)
    rows = {row.name: row.cells[0] for row in found.rows}
    first, other = rows["as it is"], rows[name]
    assert isinstance(first, Case)
    assert isinstance(other, Case)
    return Beside(first, other)


def columns(lines: list[str], width: int) -> tuple[str, str]:
    """The words of both columns, each in a row."""
    side = (width - 1) // 2
    both = ([line[:side] for line in lines], [line[side + 1 :] for line in lines])
    left, right = (" ".join(" ".join(each).split()) for each in both)
    return left, right


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_place_fills_the_page_exactly(name: str, width: int, height: int) -> None:
    shown = beside(name)
    for at in range(len(shown)):
        for drawn in (False, None):
            lines = shown.lines(width, height, at, drawn=drawn)
            assert len(lines) == height
            assert {line_width(line) for line in lines} == {width}


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(("width", "height"), SIZES[1:])
def test_the_sentences_of_a_place_are_never_cut(name: str, width: int, height: int) -> None:
    shown = beside(name)
    for at, pair in enumerate(shown.pairs[:-1]):
        lines = [text_of(line) for line in shown.lines(width, height, at, drawn=False)]
        last = max(n for n, line in enumerate(lines) if "┼" in line)
        left, right = columns(lines[last + 1 :], width)
        if pair.likeness is Likeness.SAME:
            left = right = " ".join(" ".join(lines[last + 1 :]).split())
        for said, side, own in ((left, 0, pair.left), (right, 1, pair.right)):
            if own is not None:
                text = shown.cases[side].trace.steps[own].text
                assert "…" not in said
                assert text.split()[-1][-8:] in said


@pytest.mark.parametrize(("width", "height"), SIZES[1:])
def test_the_end_says_all_that_the_clients_feel_and_what_helps(width: int, height: int) -> None:
    shown = beside("externalTrafficPolicy Local")
    lines = [text_of(line) for line in shown.lines(width, height, len(shown) - 1, drawn=False)]
    left, right = columns(lines, width)
    outcome = shown.cases[1].trace.outcome
    assert "The pod sees node-1 (192.168.0.11), not the client" in left
    for part in (outcome.reason.split()[:8], outcome.advice.split()[-4:]):
        assert " ".join(part) in right


def test_where_walks_part_their_decisions_are_seen_at_once() -> None:
    shown = beside("externalTrafficPolicy Local")
    lines = [text_of(line) for line in shown.lines(80, 21, shown.parting, drawn=False)]
    left, right = columns(lines, 80)
    assert "1–7 the same in both" in left
    assert "the same" not in right
    for said in ("▸ Cluster", "◆ mark", "⇄ DNAT ⇒ 10.244.2.2:8080", "⇄ SNAT ⇒ 192.168.0.11:"):
        assert said in left
    assert "✗ DROP" in right
    assert "│" not in next(line for line in lines if "the same in both" in line)
    assert "≠" in lines[1][38:41]


def test_what_both_do_stands_over_both_columns() -> None:
    shown = beside("externalTrafficPolicy Local")
    lines = [text_of(line) for line in shown.lines(80, 21, 2, drawn=False)]
    assert shown.pairs[2].likeness is Likeness.SAME
    step = shown.cases[0].trace.steps[2]
    rows = [line for line in lines[3:] if step.text in line]
    assert len(rows) == 2
    assert not any("│" in row for row in rows)


def test_of_equal_walks_nothing_is_marked() -> None:
    shown = beside("hairpin on")
    assert shown.is_same
    text = "\n".join(text_of(line) for line in shown.lines(80, 21, 0, drawn=False))
    assert "≠" not in text
    assert "=" in text
