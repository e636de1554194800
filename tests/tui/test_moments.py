"""Going to places of the walk by name, and looking at what stands at a step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tui import literal
from tui.harness import LiteralJobs, running

from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.tui.copy_screen import CopyScreen
from k8stui.tui.goto_screen import GoToScreen
from k8stui.tui.names import PaneName


def place(kind: StepKind) -> int:
    return next(n for n, step in enumerate(literal.TRACE.steps) if step.kind is kind)


REPLY = next(
    hop.steps[0].number - 1 for hop in literal.TRACE.hops if hop.direction.value == "reply"
)
DNAT = place(StepKind.DNAT)


@pytest.mark.parametrize(("key", "index"), [("Y", REPLY), ("D", DNAT), ("S", place(StepKind.SNAT))])
async def test_one_key_goes_to_a_place(key: str, index: int) -> None:
    async with running() as driver:
        await driver.press(key)
        assert driver.state.index == index


async def test_where_it_failed() -> None:
    outcome = replace(literal.TRACE.outcome, result=Result.REFUSED, step=9)
    jobs = LiteralJobs(trace=replace(literal.TRACE, outcome=outcome))
    async with running(jobs=jobs) as driver:
        await driver.press("X")
        assert driver.state.index == 8


@pytest.mark.parametrize("key", ["X", "F"])
async def test_a_place_that_is_not_there_is_said_so(key: str) -> None:
    async with running(jobs=LiteralJobs(trace=literal.TRACE)) as driver:
        await driver.press(key)
        assert driver.state.index == 0
        assert len(driver.app._notifications) == 1
        await driver.pilot.pause(0.1)
        assert not any(toast.display for toast in driver.app.screen.query("Toast"))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 34), (200, 50)], ids=str)
async def test_all_places_are_listed_and_taken(size: Any) -> None:
    async with running(size) as driver:
        await driver.press("o")
        assert isinstance(driver.app.screen, GoToScreen)
        shown = driver.text("#sheet")
        assert "destination rewritten" in shown
        assert "the answer begins" in shown
        await driver.press("end", "enter")
        assert driver.state.index == REPLY
        await driver.press("o", "D")
        assert driver.state.index == DNAT
        await driver.press("o", "escape")
        assert driver.state.index == DNAT


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 34), (200, 50)], ids=str)
async def test_commands_are_shown_and_copied(size: Any, monkeypatch: Any) -> None:
    copied: list[str] = []
    async with running(size) as driver:
        monkeypatch.setattr(driver.app, "copy_to_clipboard", copied.append)
        await driver.press("D", "s")
        assert isinstance(driver.app.screen, CopyScreen)
        chain = f"iptables -t nat -nvL {literal.SEP} --line-numbers"
        assert chain.split(" --", maxsplit=1)[0] in driver.text("#sheet")
        await driver.press("y", "down", "enter")
        assert isinstance(driver.app.screen, CopyScreen)
        assert copied[0] == chain
        assert copied[1].startswith("conntrack -L -p tcp -d 192.168.0.11")
        await driver.press("escape")
        assert driver.is_on_top


async def test_the_conntrack_table_of_this_moment() -> None:
    async with running((80, 24)) as driver:
        await driver.press("c")
        assert driver.is_on_top  # nothing is tracked yet: said, not shown
        await driver.press("D", "c")
        assert "(unconfirmed)" in driver.text("#sheet")
        await driver.press("escape", "Y", "c")
        assert "(unconfirmed)" not in driver.text("#sheet")
        assert "SYN_SENT" in driver.text("#sheet")


async def test_routes_and_neighbours_of_this_moment(monkeypatch: Any) -> None:
    copied: list[str] = []
    async with running((120, 40)) as driver:
        monkeypatch.setattr(driver.app, "copy_to_clipboard", copied.append)
        route = next(
            n
            for n, step in enumerate(literal.TRACE.steps)
            if step.kind is StepKind.ROUTE and n > DNAT
        )
        await driver.go(route + 1)
        await driver.press("R")
        shown = driver.text("#sheet")
        assert "ip route show" in shown
        assert "▶ 10.244.2.0/24 via 192.168.0.12 dev eth0" in shown
        await driver.press("y")
        assert copied[0].startswith("10.244.2.0/24 via 192.168.0.12")


async def test_home_and_end_go_to_a_lists_end_where_there_is_a_list() -> None:
    async with running() as driver:
        await driver.press("1", "end")
        assert driver.desk.tree.cursor == len(driver.desk.tree.items) - 1
        await driver.press("g")
        assert driver.desk.tree.cursor == 0
        await driver.press("2", "G")
        assert driver.state.index == len(literal.TRACE.steps) - 1
        await driver.press("home")
        assert driver.state.index == 0
        assert driver.screen.front is PaneName.LAYOUT
