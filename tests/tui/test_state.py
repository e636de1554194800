from __future__ import annotations

from typing import Any

import pytest
from tui import literal

from k8stui.export.drawing.decisions import is_decision
from k8stui.kernel.step import StepKind
from k8stui.tui.state import State


@pytest.fixture
def state() -> State:
    state = State(world=literal.WORLD)
    state.show(literal.TRACE)
    return state


def test_a_new_walk_starts_at_its_first_step(state: Any) -> None:
    assert (state.index, state.hop_index) == (0, 0)
    assert state.step is literal.TRACE.steps[0]


def test_steps_stop_at_both_ends(state: Any) -> None:
    assert not state.move(-1)
    assert state.go(10_000)
    assert state.index == len(literal.TRACE.steps) - 1
    assert not state.move(1)


def test_the_hop_follows_the_step(state: Any) -> None:
    seen = [state.hop_index]
    while state.move(1):
        seen.append(state.hop_index)
    assert seen == sorted(seen)
    assert seen[-1] == len(literal.TRACE.hops) - 1


def test_decisions_are_stopped_at_in_both_directions(state: Any) -> None:
    there = []
    while state.decision(1):
        there.append(state.index)
    back = []
    while state.decision(-1):
        back.append(state.index)
    assert there[:-1][::-1] == back[: len(there) - 1]
    assert all(is_decision(literal.TRACE.steps[n], literal.TRACE) for n in there)
    assert StepKind.DNAT in {literal.TRACE.steps[n].kind for n in there}


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (7, ("PREROUTING",)),
        (8, ("PREROUTING", literal.SERVICES)),
        (10, ("PREROUTING", literal.SERVICES, literal.NODEPORTS, literal.EXT)),
        (11, ("PREROUTING", literal.SERVICES, literal.NODEPORTS, literal.EXT, "KUBE-MARK-MASQ")),
        (12, ("PREROUTING", literal.SERVICES, literal.NODEPORTS, literal.EXT)),
        (
            14,
            (
                "PREROUTING",
                literal.SERVICES,
                literal.NODEPORTS,
                literal.EXT,
                literal.SVC,
                literal.SEP,
            ),
        ),
        (15, ()),
        (16, ("KUBE-POSTROUTING",)),
    ],
    ids=["entry", "jump", "three", "mark", "returned", "endpoint", "route", "other hook"],
)
def test_the_breadcrumb_holds_the_chains_that_have_not_returned(
    state: Any, number: Any, path: Any
) -> None:
    state.go(number - 1)
    assert state.breadcrumb() == path


def test_rules_that_matched_before_in_the_same_chain_are_known(state: Any) -> None:
    state.go(11)
    assert state.matched_rules() == {1, 2}


def test_a_step_forgets_what_was_opened_in_the_chain(state: Any) -> None:
    state.go(8)
    state.chain.unfolded = True
    state.move(1)
    assert not state.chain.unfolded


def test_without_a_walk_nothing_moves() -> None:
    state = State()
    assert state.step is None
    assert not state.move(1)
    assert not state.decision(1)
    assert state.breadcrumb() == ()
