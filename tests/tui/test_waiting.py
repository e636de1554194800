"""What waits in front of a key: not a list that nobody looks at yet, and nothing of a key that
leaves."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, cast

import pytest
from textual.app import App
from textual.command import Hit, Hits
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key
from textual.widgets import Input
from tui.harness import Driver, running
from tui.test_terminal import PATIENCE

from k8stui.tui import ahead
from k8stui.tui.ahead import Ahead
from k8stui.tui.command_line import CommandLine
from k8stui.tui.keyboard import InOrder

FOR_EVER = 3_600.0


def press(on: Ahead, text: str, *keys: str) -> None:
    for letter in text:
        on.take(Key(letter, letter))
    for key in keys:
        on.take(Key(key, None))


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The palette finds nothing, and goes on looking until the event is set."""
    end = asyncio.Event()

    async def search(_: CommandLine, _query: str) -> Hits:
        await end.wait()
        hits: tuple[Hit, ...] = ()
        for hit in hits:
            yield hit

    monkeypatch.setattr(CommandLine, "search", search)
    monkeypatch.setattr(ahead, "_MOST_SECONDS", FOR_EVER)
    return end


async def typed(app: Driver, text: str) -> None:
    end = monotonic() + PATIENCE
    while monotonic() < end:
        await app.pilot.pause(0.01)
        if app.app.screen.query_one(Input).value == text:
            return
    raise AssertionError(app.app.screen.query_one(Input).value)


async def test_letters_do_not_wait_for_what_the_letters_before_find(endless: asyncio.Event) -> None:
    async with running() as app:
        await app.pilot.press("colon")
        waiting = Ahead(cast("App[object]", app.app))
        press(waiting, "zzqx", "enter")
        await typed(app, "zzqx")
        await app.pilot.pause(0.05)
        assert len(waiting) == 1  # Enter means what is found
        endless.set()
        for _ in range(500):
            await app.pilot.pause(0.01)
            if not len(waiting):
                return
        raise AssertionError("Enter waits for ever")


@pytest.mark.parametrize("key", sorted(ahead.LEAVING))
async def test_a_key_that_leaves_does_not_wait_behind_others(
    endless: asyncio.Event, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_LEAVES_SECONDS", 0.05)
    async with running() as app:
        await app.pilot.press("colon")
        waiting = Ahead(cast("App[object]", app.app))
        press(waiting, "zzqx", "down", "up", "enter", "pagedown", key)
        for _ in range(500):
            await app.pilot.pause(0.01)
            if not app.app.is_running or app.is_on_top:
                break
        # Ctrl-C closes the palette, Ctrl-Q leaves from wherever one is.
        assert app.app.return_code == 0 if key == "ctrl+q" else app.is_on_top
        assert not len(waiting)
        endless.set()


class Held(InOrder, HeadlessDriver):
    """A driver of this program without a terminal."""


async def test_however_many_keys_come_at_once_the_loop_is_woken_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as app:
        await app.pilot.press("r", "ctrl+u")
        driver = Held(cast("App[object]", app.app))
        loop, woken = asyncio.get_running_loop(), []
        call = loop.call_soon_threadsafe

        def counted(*what: Any, **more: Any) -> asyncio.Handle:
            woken.append(what)
            return call(*what, **more)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        for letter in "abc" * 100:
            driver.send_message(Key(letter, letter))
        assert len(woken) == 1
        await typed(app, "abc" * 100)
        driver.send_message(Key("d", "d"))
        assert len(woken) == 2  # one is told of what comes later
        await typed(app, "abc" * 100 + "d")
