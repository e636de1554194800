"""Pictures of the screen: three sizes, in colour and without."""

from __future__ import annotations

from typing import Any

import pytest
from tui import harness

SIZES = [(80, 24), (120, 40), (200, 50)]


def at(number: int, *keys: str) -> Any:
    """Once the walk is on the screen: to a step, then keys."""

    async def run_before(pilot: Any) -> None:
        await harness.ready(pilot)
        driver = harness.Driver(pilot.app, pilot, harness.LiteralJobs())
        await driver.go(number)
        await driver.press(*keys)

    return run_before


@pytest.mark.parametrize("colour", [True, False], ids=["colour", "NO_COLOR"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_dnat_step(snap_compare: Any, monkeypatch: Any, size: Any, colour: Any) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = harness.make_app(ansi=not colour)
    assert snap_compare(app, terminal_size=size, run_before=at(14))


@pytest.mark.parametrize(
    ("number", "keys"),
    [(8, "3"), (14, "4"), (24, "2"), (1, "1")],
    ids=["chain", "walk", "reply", "nodes"],
)
def test_each_pane_at_80_columns(snap_compare: Any, number: Any, keys: Any) -> None:
    app = harness.make_app()
    assert snap_compare(app, terminal_size=(80, 24), run_before=at(number, *keys))


@pytest.mark.parametrize("keys", ["f1", "b", "r"], ids=["help", "branches", "request"])
def test_what_stands_in_front(snap_compare: Any, keys: Any) -> None:
    app = harness.make_app()
    assert snap_compare(app, terminal_size=(80, 24), run_before=at(14, keys))


def test_ascii(snap_compare: Any) -> None:
    app = harness.make_app(is_ascii=True)
    assert snap_compare(app, terminal_size=(120, 40), run_before=at(14))
