"""A terminal whose size changes again before the change before has been drawn."""

from __future__ import annotations

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from tui.harness import running

SIZES = ((100, 30), (60, 20), (40, 10), (100, 30), (1, 1), (120, 40), (70, 22))
MOST = 60
"""Times that a screen may be laid out for these; 4 to 12 as a rule."""


@pytest.mark.parametrize("keys", ["", "r", "/", "ctrl+p", "x", "b", "s", "m"])
async def test_sizes_that_chase_each_other(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out = 0
    real = Screen._refresh_layout

    def counted(screen: Screen[object], size: Size | None = None, scroll: bool = False) -> None:
        nonlocal laid_out
        laid_out += 1
        # Nothing else would be done any more, and this test would have no end.
        assert laid_out < MOST, "laid out again and again"
        real(screen, size, scroll)

    async with running((80, 24)) as driver:
        await driver.press(*keys.split())
        screen = driver.app.screen
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        for columns, rows in SIZES:
            size = Size(columns, rows)
            driver.app.post_message(Resize(size, size))
            screen.post_message(Resize(size, size))
            screen.call_later(lambda: None)
        for _ in range(5):
            await driver.pilot.pause(0.02)
        assert screen.size == driver.app.size == size
