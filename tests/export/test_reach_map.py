"""The map of who reaches whom: what is drawn, whatever the window."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.export.drawing.ink import Ink, line_width, text_of
from k8stui.export.reach_map import ReachMap
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.felt import walked
from k8stui.reach.reach import Reach, reach
from k8stui.walk.world import World, build_world

MILL = str(Path(__file__).parents[1] / "reach" / "data" / "mill.yaml")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([MILL], node_options=NodeOptions(policy_engine="calico"))


@pytest.fixture(scope="module")
def found(world: World) -> Reach:
    return reach(world, list(askers(world)), list(asked(world)))


@pytest.fixture
def drawn(world: World, found: Reach) -> ReachMap:
    return ReachMap(world.cluster, found)


def text(drawn: ReachMap, width: int = 80, height: int = 21) -> str:
    return "\n".join(text_of(line).rstrip() for line in drawn.lines(width, height))


CONNECTED = {Result.CONNECTED: Fraction(1)}
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-9, 9), st.integers(-9, 9)),
        st.tuples(st.just("page"), st.sampled_from([1, -1])),
        st.tuples(st.just("go_to_failure"), st.sampled_from([1, -1])),
        st.tuples(st.sampled_from(["fold", "toggle_row", "toggle_column"])),
        st.tuples(st.just("point"), st.integers(0, 90), st.integers(0, 30)),
    ),
    max_size=12,
)


@given(MOVES, st.integers(1, 130), st.integers(1, 40))
def test_any_keys_in_any_window(
    world: World, found: Reach, moves: list[tuple[str, int]], width: int, height: int
) -> None:
    drawn = ReachMap(world.cluster, found)
    for name, *how in moves:
        lines = drawn.lines(width, height)
        assert len(lines) == height
        assert all(line_width(line) <= width for line in lines)
        getattr(drawn, name)(*how)
    drawn.lines(width, height)
    pair = drawn.ask()
    assert pair is not None
    assert walked(world, pair.asker, pair.asked).shares == pair.known.felt.shares


def test_the_cell_under_the_cursor_says_who_decides(drawn: ReachMap) -> None:
    while (pair := drawn.ask()) and pair.asked.name != "svc/barn/silo:5432":
        drawn.move(0, 1)
    while (pair := drawn.ask()) and not pair.asker.name.startswith("pod/mill/gate"):
        drawn.move(1, 0)
    shown = text(drawn)
    assert "pod/mill/gate-1 ─▶ svc/barn/silo:5432   – timed out" in shown
    assert "NetworkPolicy barn/silo-from-wheel selects pod barn/silo-" in shown
    assert "[–]" in shown


def test_columns_are_named_above_their_cells(drawn: ReachMap) -> None:
    lines = text(drawn, 120, 40).split("\n")
    top = next(line for line in lines if "┐" in line)
    column = top.index("┐")
    body = next(line for line in lines if line.startswith(" outside"))
    assert body[column] == "!"
    assert all(line[column] in "│┐" for line in lines[: lines.index(body)] if line.strip())


def test_the_next_failure_and_round_the_end(drawn: ReachMap) -> None:
    assert drawn.go_to_failure(1)
    first = drawn.ask()
    seen = [first]
    while drawn.go_to_failure(1) and drawn.ask() != first:
        seen.append(drawn.ask())
    assert all(one is not None and one.known.felt.shares != CONNECTED for one in seen)
    drawn.go_to_failure(-1)
    assert drawn.ask() == seen[-1]


def test_filtered(drawn: ReachMap) -> None:
    drawn.filter("gate -> svc", lambda one: "gate" in one.name, lambda one: "svc" in one.name)
    assert "deploy/mill/gate ×3" in text(drawn)
    assert "outside" not in text(drawn)
    drawn.filter("gate-2", lambda one: "gate-2" in one.name, None)
    assert "pod/mill/gate-2" in text(drawn)
    assert "×3 " not in text(drawn).split("──")[0].split("┐")[-1]
    drawn.filter("nobody", lambda _: False, None)
    assert drawn.is_empty
    assert drawn.ask() is None
    assert "Nothing holds 'nobody'" in text(drawn)
    drawn.move(1, 1)
    drawn.filter("", None, None)
    assert drawn.ask() is not None


def test_unfolded_and_folded_again(drawn: ReachMap) -> None:
    while (pair := drawn.ask()) and not pair.asker.name.startswith("pod/mill/gate"):
        drawn.move(1, 0)
    drawn.toggle_row()
    assert "pod/mill/gate-3" in text(drawn)
    drawn.move(2, 0)
    drawn.toggle_row()
    assert "pod/mill/gate-3" not in text(drawn).split("──")[0]
    pair = drawn.ask()
    assert pair is not None
    assert pair.asker.name == "pod/mill/gate-3"


def test_a_name_cannot_write_on_the_terminal(drawn: ReachMap) -> None:
    drawn.filter("\x1b[2J", lambda _: False, None)
    assert "\x1b" not in text(drawn)
    assert "\x1b" not in text_of(drawn.title(80))


def test_each_sign_has_its_ink(drawn: ReachMap) -> None:
    inks = {ink for line in drawn.lines(120, 40) for _, ink in line}
    assert {Ink.YES, Ink.NO, Ink.LOST, Ink.MIXED, Ink.CURSOR} <= inks
