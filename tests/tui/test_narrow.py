"""The palette and lists in a terminal that becomes as narrow as terminals can."""

from __future__ import annotations

import asyncio

import pytest
from tui.harness import running

from k8stui.export.drawing.ink import run
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.jobs import Jobs
from k8stui.tui.listing import ListScreen


def test_the_palette_outlives_any_width() -> None:
    async def narrowed() -> None:
        app = K8sTuiApp(Jobs([]))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause(0.3)
            await pilot.press(":")
            await pilot.pause(0.3)
            for width in (6, 5, 4, 3, 2, 1, 40):
                await pilot.resize_terminal(width, 10)
                await pilot.pause(0.05)
            assert app.crash is None
            assert app.is_running

    asyncio.run(narrowed())


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (80, 2), (3, 80)])
async def test_the_screen_itself_never_scrolls(size: tuple[int, int]) -> None:
    """Its scrollbar takes a column, which changes what is drawn, and with it the scrollbar."""
    async with running(size=size) as driver:
        for key in ("right", "p", "p", "z"):
            await driver.press(key)
            screen = driver.app.screen
            assert not screen.show_vertical_scrollbar
            assert not screen.show_horizontal_scrollbar


def test_a_list_that_was_never_drawn_is_filtered() -> None:
    """Keys that come in one read with the one that opens it are before the first drawing."""
    made = ListScreen("letters", lambda _: [run("ab"), run("cd"), run("ba")], choices=range(3))
    made.needle = "b"  # typing it needs a screen, and that may have drawn it
    assert list(made.rows) == [0, 2]
    assert made.row_at(1) == 2
