"""A tour on the screen: on and back by the keys of a clicker, looking around, and the way home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from textual.pilot import Pilot
from tui import harness

from k8stui.export.drawing.words import told
from k8stui.kernel.exchange import Result
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.read import read_tour
from k8stui.tour.rehearse import Rehearsal, rehearse
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.drawn import Drawn
from k8stui.tui.jobs import Jobs
from k8stui.tui.listing import ListScreen
from k8stui.tui.names import PaneName
from k8stui.tui.terminal import Terminal
from k8stui.tui.touring import TourCompareScreen, TourScreen
from k8stui.walk.world import sample

TOURS = bundled_tours()


def rehearsed(name: str) -> Rehearsal:
    return rehearse(read_tour(str(TOURS[name])))


class Presenter:
    """A running tour, with short words for what tests look at."""

    def __init__(self, app: K8sTuiApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> TourScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, TourScreen)
        return found

    @property
    def state(self) -> Any:
        assert self.screen.desk is not None
        return self.screen.desk.state

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await harness.ready(self.pilot)

    def text(self, widget: str) -> str:
        """What a bar shows now, on the screen in front."""
        return "\n".join(self.app.screen.query_one(widget, Drawn).shown_text)

    @property
    def is_there(self) -> bool:
        """Whether the screen shows what the tour's position says."""
        stop = self.screen.stop
        return (
            self.state.trace is stop.trace
            and self.state.index == stop.index
            and self.screen.front == stop.position.pane
            and not self.screen.is_away
        )


@asynccontextmanager
async def presenting(
    rehearsal: Rehearsal, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Presenter]:
    app = K8sTuiApp(Jobs(()), Terminal(is_ansi=False, is_ascii=False), rehearsal=rehearsal)
    async with app.run_test(size=size) as pilot:
        await harness.ready(pilot)
        yield Presenter(app, pilot)


def words(text: str) -> str:
    return " ".join(text.split())


async def test_what_a_short_caption_leaves_is_the_steps() -> None:
    rehearsal = rehearsed("row-8")
    async with presenting(rehearsal) as tour:
        room = tour.screen.query_one("#layout").size
        await tour.press("space", "space", "space")
        assert not tour.text("#now").rstrip().endswith("all")
        assert "spec.template.spec.containers[0].ports[0]" in tour.text("#now")
        assert tour.screen.query_one("#layout").size == room


# Each at one of two sizes; tests/tour/test_recorded.py looks at every stop at three.
@pytest.mark.parametrize(
    ("name", "size"), zip(TOURS, cycle([(80, 24), (200, 50)]), strict=False), ids=str
)
async def test_every_tour_runs_to_its_end_and_back(name: str, size: tuple[int, int]) -> None:
    rehearsal = rehearsed(name)
    count = len(rehearsal.stops)
    async with presenting(rehearsal, size) as tour:
        for number, stop in enumerate(rehearsal.stops, start=1):
            assert tour.is_there
            assert words(tour.text("#caption")).endswith(words(stop.position.caption))
            assert f"{number}/{count} " in tour.text("#caption")
            await tour.press("space")
        assert tour.screen.stop is rehearsal.stops[-1]  # and there it stays
        for stop in reversed(rehearsal.stops[:-1]):
            await tour.press("left")
            assert tour.screen.stop is stop
            assert tour.is_there
        await tour.press("left")
        assert tour.screen.stop is rehearsal.stops[0]


async def test_the_keys_of_a_clicker() -> None:
    async with presenting(rehearsed("row-3")) as tour:
        await tour.press("pagedown", "right", "pagedown")
        assert tour.screen.stop.position.number == 4
        await tour.press("pageup")
        assert tour.screen.stop.position.number == 3


@pytest.mark.parametrize("keys", [("l",), ("4", "j", "j"), ("z",), ("end",), ("tab",)])
async def test_one_key_leads_back_from_looking_around(keys: tuple[str, ...]) -> None:
    async with presenting(rehearsed("row-3")) as tour:
        await tour.press("space")
        await tour.press(*keys)
        assert tour.screen.is_away
        await tour.press("0")
        assert tour.screen.stop.position.number == 2
        assert tour.is_there


async def test_back_from_a_what_if_and_from_another_request() -> None:
    async with presenting(rehearsed("row-4")) as tour:
        await tour.press("i")
        await tour.press("down", "o")
        assert tour.state.turned
        await tour.press("0")
        assert tour.is_there
        assert not tour.state.turned
        await tour.press("1", "end", "r")
        await tour.press("escape", "0")
        assert tour.is_there


async def test_a_position_under_another_setting_says_so_and_u_shows_it_as_it_is() -> None:
    rehearsal = rehearsed("row-4")
    number = next(n for n, stop in enumerate(rehearsal.stops) if stop.variations)
    async with presenting(rehearsal) as tour:
        for _ in range(number):
            await tour.press("space")
        assert "externalTrafficPolicy Local" in tour.text("#title")
        assert "as it is ✓ connected" in tour.text("#keys")
        await tour.press("u")
        assert tour.state.trace is rehearsal.stops[number].before
        await tour.press("space")
        assert tour.is_there


async def test_a_moment_says_what_it_brought() -> None:
    async with presenting(rehearsed("row-2")) as tour:
        await tour.press("space", "space", "space")
        said = tour.text("#caption")
        assert "MYSQL_SERVICE_HOST" in said
        assert "node-2 +2 devices +3 routes" in said
        assert "…" not in said


async def test_the_drawing_keeps_its_size_through_the_tour() -> None:
    for name in ("row-2", "row-4"):
        async with presenting(rehearsed(name)) as tour:
            heights = set()
            layout = tour.screen.pane(PaneName.LAYOUT)
            for _ in rehearsed(name).stops:
                if layout.size.height:  # else another pane is in front
                    heights.add(layout.drawn_rows)
                await tour.press("space")
            assert len(heights) == 1


async def test_help_begins_with_the_keys_of_the_tour() -> None:
    async with presenting(rehearsed("row-8")) as tour:
        await tour.press("question_mark")
        assert isinstance(tour.app.screen, ListScreen)
        shown = "\n".join(
            line for drawn in tour.app.screen.query(Drawn) for line in drawn.shown_text
        )
        assert "Through the tour" in shown


async def test_any_size_and_any_keys() -> None:
    keys = ["space", "l", "4", "left", "0", "z", "b", "escape", "pagedown", "i", "escape", "u", "f"]
    async with presenting(rehearsed("row-7"), (20, 5)) as tour:
        await tour.press(*keys, "escape")
        await tour.pilot.resize_terminal(300, 80)
        await tour.press(*keys, "escape")
        assert tour.app.crash is None


def compared(tour: Presenter) -> TourCompareScreen:
    found = tour.app.screen
    assert isinstance(found, TourCompareScreen)
    return found


@pytest.mark.parametrize("size", [(80, 24), (120, 34)], ids=str)
async def test_a_comparison_is_a_position_like_others(size: tuple[int, int]) -> None:
    rehearsal = rehearsed("row-4")
    number = next(n for n, stop in enumerate(rehearsal.stops) if stop.comparison is not None)
    async with presenting(rehearsal, size) as tour:
        for _ in range(number):
            await tour.press("space")
        front = compared(tour)
        assert front.beside is None
        text = "\n".join("\n".join(each.shown_text) for each in front.query(Drawn))
        assert rehearsal.stops[number].position.caption[:30] in text
        assert "✗ unreachable" in text
        await tour.press("space")
        assert tour.app.screen is tour.screen
        assert tour.is_there
        await tour.press("space")
        assert compared(tour).beside is not None
        assert "externalTrafficPolicy Local" in "\n".join(
            compared(tour).query_one("#face", Drawn).shown_text
        )
        await tour.press("left", "left")
        assert compared(tour).beside is None
        await tour.press("left")
        assert tour.app.screen is tour.screen


async def test_out_of_a_comparison_and_back() -> None:
    rehearsal = rehearsed("userspace-to-iptables")
    number = next(n for n, stop in enumerate(rehearsal.stops) if stop.comparison is not None)
    async with presenting(rehearsal) as tour:
        for _ in range(number):
            await tour.press("space")
        at = compared(tour).at
        await tour.press("l")
        assert compared(tour).at == at + 1
        await tour.press("0")
        assert compared(tour).at == at
        await tour.press("enter")
        assert tour.app.screen is tour.screen
        assert "what if proxy-mode iptables" in tour.text("#title")
        assert tour.screen.is_away
        await tour.press("0")
        assert compared(tour).at == at
        await tour.press("escape", "escape")
        assert tour.screen.is_away
        await tour.press("space")
        assert tour.screen.stop.position.number == number + 2
        assert tour.is_there


async def test_another_input_in_a_tour(tmp_path: Path) -> None:
    copytree(sample("webapp"), tmp_path / "before")
    copytree(sample("broken") / "webapp-wrong-selector", tmp_path / "after")
    file = tmp_path / "talk.yaml"
    file.write_text(
        "input: {paths: [before]}\npositions:\n"
        "  - {caption: the change, ask: outside -> node/node-1:30001, against: after}\n"
    )
    async with presenting(rehearse(read_tour(str(file)))) as tour:
        front = compared(tour)
        assert "≠ ✗ refused" in "\n".join(front.query_one("#face", Drawn).shown_text)
        await tour.press("l", "o")
        assert "after: after" in tour.text("#title")


@pytest.mark.parametrize("name", TOURS)
async def test_where_a_position_is_a_failed_end_its_reason_and_mend_stand_whole(name: str) -> None:
    rehearsal = rehearsed(name)
    async with presenting(rehearsal) as presenter:
        for _ in rehearsal.stops:
            state = presenter.state
            trace = state.trace
            if trace is not None and state.index + 1 == len(state.steps):
                said = words("\n".join(presenter.screen.query_one("#now", Drawn).shown_text))
                outcome = trace.outcome
                if outcome.result is not Result.CONNECTED:
                    layout = presenter.screen.pane(PaneName.LAYOUT)
                    assert layout.drawn_rows == layout.size.height  # no row of it is covered
                    assert words(told(outcome.reason)) in said
                    assert words(told(outcome.advice)) in said
            await presenter.press("space")
