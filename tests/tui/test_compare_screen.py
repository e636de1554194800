"""The compare screen: tables of cases, two walks side by side, and back to the workbench."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tui import harness

from k8stui.tui.compare_screen import CompareScreen
from k8stui.tui.jobs import Jobs
from k8stui.walk.comparisons import Kind
from k8stui.walk.world import sample

SIZES = [(80, 24), (120, 34), (200, 50)]
WEBAPP = str(sample("webapp"))
GUESTBOOK = str(sample("guestbook"))


class Comparing(harness.Driver):
    """Keys, and the screen in front."""

    @property
    def front(self) -> CompareScreen:
        found = self.app.screen
        assert isinstance(found, CompareScreen)
        return found


@asynccontextmanager
async def comparing(
    *keys: str, size: tuple[int, int] = (80, 24), path: str = WEBAPP
) -> AsyncIterator[Comparing]:
    app = harness.make_app(Jobs([path]))
    async with app.run_test(size=size) as pilot:
        await harness.ready(pilot)
        driver = Comparing(app, pilot, harness.LiteralJobs())
        for key in keys:
            await driver.press(key)
        yield driver


async def test_one_key_steps_both_and_the_differences_are_one_key_apart() -> None:
    async with comparing("w", "2", "down", "enter") as driver:
        beside = driver.front.beside
        assert beside is not None
        assert driver.front.at == beside.parting == 7
        await driver.press("right")
        assert [beside.index(side, driver.front.at) for side in (0, 1)] == [8, 8]
        await driver.press("home", "full_stop")
        assert driver.front.at == 7
        await driver.press("end")
        assert beside.index(0, driver.front.at) == len(beside.cases[0].trace.steps) - 1
        assert beside.index(1, driver.front.at) == len(beside.cases[1].trace.steps) - 1
        assert "→ ask node-2" in driver.text("#face")


async def test_in_a_table_the_cases_that_differ_are_one_key_apart() -> None:
    async with comparing("i") as driver:
        names = []
        for key in ("full_stop", "full_stop", "full_stop", "full_stop", "comma", "comma"):
            await driver.press(key)
            cases = driver.front.cases
            assert cases is not None
            names.append(cases.rows[driver.front.cursor[0]].name)
        assert names == [
            "externalTrafficPolicy Local",
            "proxy-mode userspace",
            "cni flannel-vxlan",
            "externalTrafficPolicy Local",
            "cni flannel-vxlan",
            "proxy-mode userspace",
        ]


def rows(driver: Comparing) -> list[str]:
    cases = driver.front.cases
    assert cases is not None
    return [cases.rows[n].name for n in driver.front.rows]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("external", ["externalTrafficPolicy Local"]),
        ("^cni.*vx", ["cni flannel-vxlan"]),
        ("timed out", ["externalTrafficPolicy Local"]),
        ("nothing of that", []),
    ],
)
async def test_a_table_is_filtered_as_one_types(typed: str, names: list[str]) -> None:
    keys = {" ": "space", "^": "circumflex_accent", ".": "full_stop", "*": "asterisk"}
    async with comparing("i", "slash", *(keys.get(one, one) for one in typed)) as driver:
        assert rows(driver) == names
        shown = driver.text("#face")
        assert "as it is" not in shown.partition("─")[0]
        for key in ("enter", "up", "down", "end", "full_stop", "comma", "home"):
            await driver.press(key)
        if not names:
            assert f"No row holds {typed}" in driver.text("#face")
            return
        cases = driver.front.cases
        assert cases is not None
        assert cases.rows[driver.front.cursor[0]].name == names[0]
        assert f"{len(names)} of {len(cases.rows)} rows" in driver.text("#face")
        await driver.press("enter")  # with what it is compared with, though that is not seen
        beside = driver.front.beside
        assert beside is not None
        assert [one.name for one in beside.cases] == ["as it is", names[0]]
        await driver.press("escape")
        assert rows(driver) == names
        await driver.press("escape")
        assert rows(driver) == [row.name for row in cases.rows]
        await driver.press("escape")
        assert driver.is_on_top


async def test_a_table_is_filtered_by_what_is_not_so_and_by_labels_of_who_answers() -> None:
    async with comparing("i") as driver:
        every = rows(driver)
        for typed, names in (
            ("!as it is", every[1:]),
            (
                "-l app=myweb,tier!=old",
                [one for one in every if one != "externalTrafficPolicy Local"],
            ),
            ("-l app=mysql", []),
        ):
            driver.front.filter(typed)
            assert rows(driver) == names
        await driver.press("1")
        assert driver.front.needle == ""
        assert len(rows(driver)) == 4


async def test_escape_leads_back_to_the_table_and_to_the_workbench() -> None:
    async with comparing("w", "enter") as driver:
        world, trace = driver.desk.world, driver.state.trace
        await driver.press("escape")
        assert driver.front.beside is None
        await driver.press("escape")
        assert driver.is_on_top
        assert (driver.desk.world, driver.state.trace) == (world, trace)


async def test_a_case_becomes_the_walk_of_the_workbench_at_its_step() -> None:
    async with comparing("w", "2", "down", "enter", "enter") as driver:
        assert driver.is_on_top
        assert "what if externalTrafficPolicy Local" in driver.text("#title")
        assert driver.state.index == 7
        await driver.press("u")
        assert "what if" not in driver.text("#title")


async def test_a_case_of_this_world_is_taken_without_a_what_if() -> None:
    async with comparing("w", "up", "o") as driver:
        assert driver.is_on_top
        assert driver.state.turned == ()
        assert driver.state.trace.request.destination == "svc/default/myweb:8080"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("path", "size"),
    [(WEBAPP, (20, 5)), (GUESTBOOK, (80, 24)), (WEBAPP, (300, 80))],
    ids=["webapp, tiny", "guestbook", "webapp, vast"],
)
async def test_every_kind_at_any_size_and_any_key(
    kind: Kind, path: str, size: tuple[int, int]
) -> None:
    number = str(list(Kind).index(kind) + 1)
    async with comparing("w", number, size=size, path=path) as driver:
        assert driver.text("#face").strip() or size[1] < 8
        for key in ("down", "right", "enter", "right", "d", "full_stop", "end", "left", "d"):
            if isinstance(driver.app.screen, CompareScreen):
                await driver.press(key)
        assert driver.app.crash is None


async def test_what_cannot_be_compared_says_why() -> None:
    async with comparing("w", "3") as driver:
        assert "there is one branch" in driver.text("#face")


async def test_after_a_what_if_the_same_key_shows_both_walks() -> None:
    async with comparing("i", "down", "o", "w") as driver:
        beside = driver.front.beside
        assert beside is not None
        assert [one.name for one in beside.cases] == ["as it is", "externalTrafficPolicy Local"]
        assert beside.cases[1].trace is driver.state.trace
        world = driver.desk.world
        await driver.press("right", "enter")
        assert driver.is_on_top
        assert (driver.desk.world, driver.state.index) == (world, 8)
        await driver.press("w", "escape")
        assert driver.front.kind is Kind.SETTINGS
        assert "as it is" in driver.text("#face")
        await driver.press("escape", "u", "w")
        assert "its ways of access" in driver.text("#title")


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize(
    "keys",
    [("w",), ("w", "2", "down", "enter"), ("w", "6", "up", "enter", "d")],
    ids=["table", "policy", "docker0"],
)
def test_pictures(
    snap_compare: Any,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    keys: tuple[str, ...],
) -> None:
    monkeypatch.chdir(sample("webapp").parent)  # a path of this machine is in no picture
    app = harness.make_app(Jobs(["webapp"]))
    assert snap_compare(app, terminal_size=size, run_before=harness.at(*keys))


@pytest.mark.parametrize("keys", [("w",), ("w", "2", "down", "enter")], ids=["table", "policy"])
def test_without_colour_in_ascii(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(sample("webapp").parent)
    app = harness.make_app(Jobs(["webapp"]), ansi=True, is_ascii=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=harness.at(*keys))
