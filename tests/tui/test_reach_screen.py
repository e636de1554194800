"""The map of who reaches whom on the screen: keys, the filter, to a walk and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from tui import harness

from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.tui.jobs import Jobs
from k8stui.tui.lookout import CalledOff, Patience
from k8stui.tui.messages import ReachMade, ReachOn
from k8stui.tui.reach_screen import ReachScreen, filters
from k8stui.walk.world import World, sample

FOLDER = Path(__file__).parents[1] / "reach" / "data"
KEYS = {"/": "slash", " ": "space", "-": "minus", ">": "greater_than_sign"}
SIZES = [(80, 24), (120, 34), (200, 50)]


def jobs(path: str = "mill.yaml") -> Jobs:
    return Jobs([path], node_options=NodeOptions(policy_engine="calico"))


@pytest.fixture(autouse=True)
def beside_the_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)  # a path of this machine is in no picture


class Mapping(harness.Driver):
    """Keys, and the screen in front."""

    @property
    def front(self) -> ReachScreen:
        found = self.app.screen
        assert isinstance(found, ReachScreen)
        return found

    @property
    def pair(self) -> tuple[str, str]:
        assert self.front.map is not None
        found = self.front.map.ask()
        assert found is not None
        return found.asker.name, found.asked.name


def typed(text: str) -> list[str]:
    return [KEYS.get(letter, letter) for letter in text]


@asynccontextmanager
async def mapping(
    *keys: str, size: tuple[int, int] = (80, 24), of: Jobs | None = None
) -> AsyncIterator[Mapping]:
    app = harness.make_app(of or jobs())
    async with app.run_test(size=size) as pilot:
        await harness.ready(pilot)
        driver = Mapping(app, pilot, harness.LiteralJobs())
        for key in keys:
            await driver.press(key)
        yield driver


async def test_arrows_and_letters_move_the_cell() -> None:
    async with mapping("v") as driver:
        assert driver.pair == ("outside", "svc/default/kubernetes:443")
        await driver.press("down", "l", "l")
        assert driver.pair == ("pod/barn/silo-0", "svc/mill/gate:80")
        await driver.press("end", "G")
        assert driver.pair == ("node/node-2", "pod/mill/wheel-2:9000")
        await driver.press("home", "g")
        assert driver.pair == ("outside", "svc/default/kubernetes:443")


async def test_a_cell_opens_its_walk_and_escape_leads_back_to_it() -> None:
    async with mapping("v", "down", "down", "down", "right", "full_stop") as driver:
        pair = driver.pair
        result = driver.front.map and driver.front.map.ask()
        await driver.press("enter")
        assert driver.is_on_top
        trace = driver.state.trace
        assert (trace.request.source, trace.request.destination) == pair
        assert result
        assert trace.outcome.result is result.known.felt.result is not Result.CONNECTED
        assert driver.state.index == trace.outcome.step - 1
        await driver.press("escape")
        assert driver.pair == pair
        await driver.press("escape")
        assert driver.is_on_top


async def test_after_another_walk_escape_stays() -> None:
    async with mapping("v", "right", "enter", "left_square_bracket", "escape") as driver:
        assert driver.is_on_top


async def test_a_part_of_the_time_shows_the_part_that_fails() -> None:
    async with mapping("v", *typed("/wheel-1 -> svc/mill/wheel"), "enter") as driver:
        assert "~ timed out 1/2, connected 1/2" in driver.text("#face")
        await driver.press("enter")
        assert driver.state.trace.outcome.result is Result.TIMEOUT


async def test_filtered_as_one_types() -> None:
    async with mapping("v", *typed("/gate -> silo")) as driver:
        shown = driver.text("#face")
        assert "deploy/mill/gate ×3" in shown
        assert "outside" not in shown
        assert "who asks -> who is asked" in driver.text("#keys")
        await driver.press("enter", "escape")
        assert "outside" in driver.text("#face")
        await driver.press("escape")
        assert driver.is_on_top


async def test_folds() -> None:
    async with mapping("v", "down", "down", "down") as driver:
        await driver.press("space")
        assert "pod/mill/gate-3" in driver.text("#face")
        await driver.press("space")
        assert "pod/mill/gate-3" not in driver.text("#face")
        await driver.press("f")
        assert "whatever is alike" in driver.text("#title")
        await driver.press("f")
        assert "pod/mill/gate-3" in driver.text("#face")


async def test_a_click_goes_to_the_cell() -> None:
    async with mapping("v") as driver:
        lines = driver.text("#face").split("\n")
        row = next(n for n, line in enumerate(lines) if line.startswith(" pod/mill/wheel-1"))
        await driver.pilot.click("#face", offset=(lines[row].index("~"), row))
        await driver.settle()
        assert driver.pair == ("pod/mill/wheel-1", "svc/mill/wheel:9000")


async def test_the_palette_knows_it() -> None:
    async with mapping("colon", *typed("reach gate -> silo")) as driver:
        await driver.pilot.pause(0.3)
        await driver.press("down", "enter")
        await driver.settle()
        assert driver.front.needle == "gate -> silo"
        assert "deploy/mill/gate ×3" in driver.text("#face")


class Slow(Jobs):
    """All pairs that are never done with, until somebody ends the work."""

    def __init__(self) -> None:
        super().__init__(["mill.yaml"])
        self.ended = False

    def reach(self, _world: World, patience: Patience, post: Any) -> None:
        try:
            while True:
                sleep(0.01)
                patience.told(200, post, 50, 7)
        except CalledOff:
            self.ended = True


async def test_work_says_how_far_it_is_and_escape_ends_it() -> None:
    slow = Slow()
    async with mapping(of=slow) as driver:
        await driver.pilot.press("v")
        await driver.pilot.pause(0.6)
        assert "25 %: 50 of 200 who are asked, 7 walks" in driver.text("#face")
        await driver.pilot.press("down", "enter", "f", "space", "full_stop")
        await driver.press("escape")
        assert slow.ended
        assert driver.is_on_top


async def test_what_cannot_be_done_is_said() -> None:
    from k8stui.walk.error import RequestError

    async with mapping("v") as driver:
        screen = driver.front
        screen.map = None
        screen.on_reach_on(ReachOn(1, 2, 3))
        screen.on_reach_made(ReachMade(RequestError("nobody is there", hint="ask again")))
        await driver.settle()
        assert "nobody is there" in driver.text("#face")


def test_both_sides_of_the_arrow() -> None:
    asks, is_asked = filters("")
    assert asks is None
    assert is_asked is None
    asks, is_asked = filters("-> -l role=silo")
    assert asks is None
    assert is_asked is not None
    asks, is_asked = filters("web")
    assert asks is not None
    assert is_asked is None


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (300, 80)], ids=str)
async def test_any_size_and_any_key(size: tuple[int, int]) -> None:
    async with mapping("v", size=size) as driver:
        for key in ("down", "right", "f", "space", "c", "pagedown", "end", "full_stop", "comma"):
            await driver.press(key)
        assert driver.app.crash is None


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_pictures(snap_compare: Any, size: tuple[int, int]) -> None:
    app = harness.make_app(jobs())
    keys = ("v", "down", "down", "down", "full_stop", "full_stop")
    assert snap_compare(app, terminal_size=size, run_before=harness.at(*keys))


def test_without_colour_in_ascii(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = harness.make_app(jobs(), ansi=True, is_ascii=True)
    assert snap_compare(
        app, terminal_size=(80, 24), run_before=harness.at("v", "down", "full_stop")
    )


def test_a_sample(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample("guestbook").parent)
    app = harness.make_app(Jobs(["guestbook"]))
    assert snap_compare(app, terminal_size=(80, 24), run_before=harness.at("v"))
