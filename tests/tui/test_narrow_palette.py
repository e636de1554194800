"""The palette in a terminal that becomes as narrow as terminals can."""

from __future__ import annotations

import asyncio

from k8stui.tui.app import K8sTuiApp
from k8stui.tui.jobs import Jobs


def test_the_palette_outlives_any_width() -> None:
    async def run() -> None:
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

    asyncio.run(run())
