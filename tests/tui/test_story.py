"""Story mode, its clock, and the deployment replayed, driven by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tui import harness

from k8stui.export.drawing.decisions import is_decision
from k8stui.export.drawing.ink import text_of
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.desk import Desk
from k8stui.tui.jobs import Jobs
from k8stui.tui.story import caption
from k8stui.tui.terminal import Terminal
from k8stui.walk.request import parse_request
from k8stui.walk.turns import undone
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world, sample

SIZES = [(80, 24), (120, 34), (200, 50)]


class Opened(harness.Driver):
    """A running app over a sample."""


@asynccontextmanager
async def opened(size: tuple[int, int] = (80, 24), name: str = "webapp") -> AsyncIterator[Opened]:
    jobs = Jobs([str(sample(name))])
    app = harness.make_app(jobs)
    async with app.run_test(size=size) as pilot:
        await harness.ready(pilot)
        driver = Opened(app, pilot, jobs)  # type: ignore[arg-type]
        await driver.settle()
        yield driver


async def typed(driver: Any, *keys: str) -> None:
    """Press keys one by one, each once the last one's work is done."""
    for key in keys:
        await driver.press(key)
        await driver.settle()


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_story_mode_shows_the_decisions_one_drawing_and_one_sentence(size: Any) -> None:
    async with opened(size) as driver:
        await typed(driver, "p", "full_stop")
        screen = driver.screen
        assert not screen.query_one("#panes").display
        there, back = driver.text("#rail").splitlines()
        assert there.startswith(" ▶")
        assert back.startswith(" ◀")
        assert "DNAT" in there
        assert "un-DNAT" in back
        assert "node-1" in driver.text("#picture")
        assert driver.text("#now").strip()
        beside = [w.size.height for w in screen.children if w.display and w.id != "picture"]
        assert sum(beside) <= 7
        await typed(driver, "p")
        assert screen.query_one("#panes").display
        assert not screen.query_one("#rail").display


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_header_stands_in_the_drawing_at_every_step(size: Any) -> None:
    async with opened(size) as driver:
        await typed(driver, "p", "home")
        count = len(driver.state.steps)
        for number in range(1, count + 1):
            await driver.go(number)
            packet = driver.state.step.after or driver.state.step.before
            assert str(packet.dst) in driver.text("#picture"), number


async def test_the_story_goes_by_decisions_alone() -> None:
    async with opened() as driver:
        await typed(driver, "p", "home")
        seen = []
        while True:
            before = driver.state.index
            await typed(driver, "full_stop")
            if driver.state.index == before:
                break
            seen.append(driver.state.step)
        trace = driver.state.trace
        assert seen == [step for step in trace.steps[1:] if is_decision(step, trace)]


@pytest.mark.parametrize(
    ("before", "during", "dark"),
    [
        ("k8stui-dark", "k8stui-stage", True),
        ("k8stui-light", "k8stui-stage-light", False),
        ("textual-light", "k8stui-stage-light", False),
    ],
)
async def test_a_light_screen_stays_light_on_stage(before: str, during: str, dark: bool) -> None:
    async with opened() as driver:
        driver.app.theme = before
        await typed(driver, "p")
        assert driver.app.theme == during
        assert driver.app.current_theme.dark is dark
        await typed(driver, "p")
        assert driver.app.theme == before


async def test_a_theme_chosen_on_stage_is_kept() -> None:
    async with opened() as driver:
        await typed(driver, "p")
        driver.app.theme = "nord"
        await typed(driver, "p")
        assert driver.app.theme == "nord"


async def test_the_story_from_the_start() -> None:
    app = K8sTuiApp(harness.LiteralJobs(), Terminal(), presentation=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await harness.ready(pilot)
        assert app.screen.has_class("-stage")
        assert app.theme == "k8stui-stage"


async def test_space_plays_to_the_end_and_then_nothing_wakes() -> None:
    async with opened() as driver:
        await typed(driver, "p", "home", *["plus"] * 9, "space")
        assert driver.screen._clock is not None
        assert "pause" in driver.text("#keys")
        for _ in range(len(driver.state.steps) + 2):
            if driver.screen._clock is not None:
                driver.screen._tick()
        assert driver.screen._clock is None
        assert driver.state.index == len(driver.state.steps) - 1


async def test_paused_there_is_no_clock() -> None:
    async with opened() as driver:
        await typed(driver, "p", "space", "space")
        assert driver.screen._clock is None
        assert "play" in driver.text("#keys")
        await typed(driver, "space", "p")
        assert driver.screen._clock is None


async def test_the_pace_has_ends() -> None:
    async with opened() as driver:
        await typed(driver, "p", *["plus"] * 12)
        assert "0.5 s" in driver.text("#keys")
        await typed(driver, *["minus"] * 12)
        assert "10 s" in driver.text("#keys")


async def test_space_is_a_step_in_the_workbench() -> None:
    async with opened() as driver:
        await typed(driver, "home", "space")
        assert driver.state.index == 1


# The deployment


async def test_from_the_sample_to_connected_in_ten_keys() -> None:
    """By keys that the footer names: t, and then > as the footer of the replay says."""
    keys = ["t", "greater_than_sign"]
    async with opened() as driver:
        assert " t replay" in driver.text("#keys")
        await typed(driver, "t")
        assert "< > object" in driver.text("#keys")
        assert "refused" in driver.text("#title")
        while driver.state.trace.outcome.result is not Result.CONNECTED:
            await typed(driver, "greater_than_sign")
            keys.append("greater_than_sign")
        assert len(keys) <= 10
        assert "[myweb svc]" in driver.text("#timeline")
        assert "✓ connected" in driver.text("#timeline")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_pods_appear_and_nothing_else_changes_place(size: Any) -> None:
    async with opened(size) as driver:
        await typed(driver, "p", "t")
        first = driver.text("#picture")
        assert "myweb-1" not in first
        assert "cni0" not in first
        await typed(driver, *["greater_than_sign"] * 3)
        second = driver.text("#picture")
        assert "myweb-1" in second
        if size == (80, 24):  # one node is open, and in it what there is room for
            return
        stations = [line.find("PREROUTING") for line in first.splitlines()]
        assert [line.find("PREROUTING") for line in second.splitlines()] == stations


async def test_what_a_moment_brought_is_said_and_listed() -> None:
    async with opened() as driver:
        await typed(driver, "p", "t", *["greater_than_sign"] * 3)
        assert "MYSQL_SERVICE_HOST" in driver.text("#now")
        await typed(driver, "a")
        assert "+ veth" in driver.text("#sheet")
        await typed(driver, "escape", "home")
        assert "MYSQL_SERVICE_HOST" not in driver.text("#now")


async def test_leaving_the_replay_is_as_if_nothing_had_been() -> None:
    async with opened() as driver:
        await typed(driver, "full_stop", "full_stop")
        world, trace, index = driver.desk.world, driver.state.trace, driver.state.index
        tree = driver.desk.tree
        await typed(driver, "t", "greater_than_sign", "i", "down", "enter", "enter")
        assert driver.desk.world is not world
        await typed(driver, "t")
        assert (driver.desk.world, driver.state.trace, driver.state.index) == (world, trace, index)
        assert driver.desk.tree is tree
        assert not driver.screen.query_one("#timeline").display


async def test_back_and_the_other_order() -> None:
    async with opened() as driver:
        await typed(driver, "t", "greater_than_sign", "greater_than_sign", "less_than_sign")
        assert "[mysql rc]" in driver.text("#timeline")
        await typed(driver, "O", "greater_than_sign")
        assert "[mysql svc]" in driver.text("#timeline")
        assert "order: dependency" in driver.text("#keys")


async def test_another_request_is_asked_at_every_moment() -> None:
    async with opened() as driver:
        await typed(driver, "t", *["greater_than_sign"] * 4)
        world = driver.desk.world
        from k8stui.walk.request import parse_request

        request = parse_request(world, "pod/myweb-1", "svc/mysql:3306", "default")
        driver.screen.ask(request)
        await driver.settle()
        await driver.settle()
        assert driver.screen.timeline is not None
        assert driver.screen.timeline.question.destination == "svc/default/mysql:3306"
        assert driver.state.trace.outcome.result is Result.CONNECTED
        await typed(driver, *["less_than_sign"] * 3)
        assert "not yet" in driver.text("#timeline")
        assert driver.state.trace is None


async def test_play_goes_through_the_deployment_and_then_the_walk() -> None:
    async with opened() as driver:
        await typed(driver, "p", "t", "space")
        for _ in range(40):
            if driver.screen._clock is None:
                break
            driver.screen._tick()
            await driver.settle()
        assert driver.screen._clock is None
        assert driver.screen.timeline is not None
        assert driver.screen.timeline.is_at_end
        assert driver.state.index == len(driver.state.steps) - 1


async def test_deleting_and_scaling_are_steps_of_the_replay_too() -> None:
    async with opened() as driver:
        await typed(driver, "d")  # not before there is a replay
        assert driver.is_on_top
        await typed(driver, "t", "d")  # nor before anything is there
        assert driver.is_on_top
        await typed(driver, *["greater_than_sign"] * 4, "d", "slash", *"myweb 2", "enter", "enter")
        assert "[myweb rc ×2]" in driver.text("#timeline")
        assert "1 → 2" in driver.text("#timeline")
        assert "myweb-2" in driver.text("#layout")
        await typed(driver, "d", "end", "enter")
        assert "[-myweb svc]" in driver.text("#timeline")
        assert "rules" in driver.text("#timeline")
        assert "refused" in driver.text("#title")
        await typed(driver, "less_than_sign")
        assert "connected" in driver.text("#title")


async def test_what_is_deleted_in_the_middle_is_missing_from_then_on() -> None:
    async with opened() as driver:
        await typed(driver, "t", *["greater_than_sign"] * 3, "d", "slash", *"delete", "enter")
        await typed(driver, "end", "enter")
        assert "[-myweb rc]" in driver.text("#timeline")
        await typed(driver, "greater_than_sign")
        assert "[myweb svc]" in driver.text("#timeline")
        assert "connected" not in driver.text("#title")


async def test_what_is_still_to_come_is_not_told() -> None:
    async with opened() as driver:
        await typed(driver, "t")
        assert "connected" not in driver.text("#timeline")


@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan"])
def test_every_rewriting_is_said_in_words_on_two_lines(cni: str) -> None:
    world = build_world([str(sample("webapp"))], None, NodeOptions(cni=cni))
    trace = next(walks(world, parse_request(world, "outside", "node/node-1:30001")))
    desk = Desk(world)
    desk.show(trace)
    said: dict[StepKind, str] = {}
    for number, step in enumerate(trace.steps):
        desk.state.go(number)
        lines = [text_of(line).strip() for line in caption(desk.state, 80, 2)]
        assert not lines[1].endswith("…"), lines
        said.setdefault(step.kind, " ".join(lines))
        if undone(step):
            assert "Remembered: " in " ".join(lines)
    assert "The destination is rewritten: 192.168.0.11:30001 ⇒ " in said[StepKind.DNAT]
    assert "The source is rewritten: 203.0.113.10:40000 ⇒ " in said[StepKind.SNAT]
    assert (StepKind.ENCAPSULATE in said) == (cni == "flannel-vxlan")
    assert ".yaml" not in said[StepKind.SNAT]
