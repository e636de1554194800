"""What the program says stands over no step, and is read whole."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets._toast import ToastRack
from tui.harness import LiteralJobs, running
from tui.literal import TRACE


@pytest.mark.parametrize("size", [(80, 24), (120, 34), (200, 50)], ids=str)
async def test_it_is_said_in_the_lowest_line_and_nothing_stands_over_the_panes(size: Any) -> None:
    async with running(size, LiteralJobs(trace=TRACE)) as driver:
        keys = driver.text("#keys")
        before = {pane: driver.text(pane) for pane in ("#layout", "#title")}
        await driver.press("F")
        assert driver.text("#keys") != keys
        assert {pane: driver.text(pane) for pane in before} == before
        racks = driver.app.screen.query(ToastRack)
        assert not any(rack.display for rack in racks)


async def test_it_goes_away_by_itself() -> None:
    async with running() as driver:
        keys = driver.text("#keys")
        driver.app.notify("for a moment", timeout=0.05)
        await driver.pilot.pause(0.02)
        assert "for a moment" in driver.text("#keys")
        await driver.pilot.pause(0.2)
        assert driver.text("#keys") == keys


async def test_a_long_one_takes_the_lines_that_it_needs() -> None:
    async with running((60, 24)) as driver:
        words = [f"word{n}" for n in range(20)]
        driver.app.notify(" ".join(words))
        await driver.pilot.pause()
        await driver.pilot.pause()
        assert driver.text("#keys").split() == words


async def test_what_a_file_says_steers_no_terminal() -> None:
    async with running() as driver:
        driver.app.notify("a\x1b[31mb", severity="error")
        await driver.pilot.pause()
        assert "\x1b" not in driver.text("#keys")
