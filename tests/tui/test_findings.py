"""What the check found, on the screen."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tui import harness, literal
from tui.harness import running

from k8stui.check.claim import Claim
from k8stui.check.finding import Finding, Proof, Severity
from k8stui.export.drawing.ink import Ink, line_width, run, text_of
from k8stui.kernel.exchange import Result
from k8stui.tui.desk import Desk
from k8stui.tui.findings import by_weight, checkup, finding_lines, summary, told_of
from k8stui.tui.footer import footer
from k8stui.tui.jobs import Jobs
from k8stui.tui.listing import ListScreen, told_below
from k8stui.walk.cases import in_turned, of_traces
from k8stui.walk.world import build_world, sample

ERROR = Finding(
    rule="no-endpoints",
    severity=Severity.ERROR,
    subject="Service default/frontend",
    place=SimpleNamespace(file="frontend.yaml", line=4, column=1, field="spec.selector"),
    why="no endpoints",
    fix="write app: guestbook",
    claim=Claim("outside", "svc/frontend:80"),
    proof=Proof(
        command="k8stui walk", result=Result.REFUSED, where="node-1", step=14, text="no endpoint"
    ),
)
WARNING = replace(ERROR, severity=Severity.WARNING, subject="Pod default/frontend-3", claim=None)
FOUND = (WARNING, ERROR)


def test_errors_come_first_and_are_counted() -> None:
    assert by_weight(FOUND) == (ERROR, WARNING)
    assert summary(FOUND) == "1 error, 1 warning"
    assert summary(()) == "nothing found"


def test_rows_and_their_branches_are_marked_with_glyph_and_word() -> None:
    found = checkup(literal.CLUSTER, FOUND).marks
    assert found["service/default/frontend"][:2] == ("✗", "error")
    assert found["pod/default/frontend-3"][:2] == ("!", "warning")
    assert found["services"][:2] == ("✗", "1")
    assert found["node/node-2"][:2] == ("!", "1")
    assert set(found) == {
        "service/default/frontend",
        "services",
        "pod/default/frontend-3",
        "node/node-2",
    }


@pytest.mark.parametrize("width", [40, 78, 150])
def test_nothing_is_wider_than_the_list(width: Any) -> None:
    feet = [told_below(told_of(each), width, 0) for each in (ERROR, WARNING)]
    lines = [*finding_lines(FOUND, width), *feet[0]]
    assert max(line_width(line) for line in lines) <= width
    assert [len(foot) for foot in feet] == [10, 10]
    said = "\n".join(text_of(line) for line in feet[0])
    assert "refused at node-1: no endpoint" in said
    assert "frontend.yaml:4" in said


@pytest.mark.parametrize("room", [10, 12, 40])
def test_what_is_said_below_a_list_is_cut_only_where_the_list_needs_the_rows(room: int) -> None:
    long = replace(ERROR, why="one word after another " * 12, fix="and then what mends it " * 12)
    foot = [text_of(line) for line in told_below(told_of(long), 60, room)]
    assert len(foot) <= room
    assert any(line.endswith("…") for line in foot) == (room < 40)
    assert foot[-1].endswith(ERROR.rule)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_lowest_line_makes_room(width: Any) -> None:
    line = footer(width, run("✗ 12 findings", Ink.DROP))
    assert line_width(line) == width
    assert "f ✗ 12 findings" in text_of(line)
    if width >= 80:
        assert "q quit" in text_of(line)


def jobs_that_find(*findings: Finding) -> harness.LiteralJobs:
    jobs = harness.LiteralJobs()
    jobs.findings = findings
    return jobs


async def test_objects_are_marked_and_enter_walks_what_shows_it() -> None:
    async with running(jobs=jobs_that_find(ERROR, WARNING)) as driver:
        assert "✗ error" in driver.text("#nodes")
        assert "! warning" in driver.text("#nodes")
        assert "✗ 2 findings" in driver.text("#keys")
        await driver.press("f")
        assert isinstance(driver.app.screen, ListScreen)
        assert "Findings: 1 error, 1 warning" in driver.text("#sheet")
        assert "write app: guestbook" in driver.text("#sheet")
        await driver.press("enter")
        assert driver.jobs.asked[-1] is ERROR
        assert driver.state.index == 13


async def test_nothing_found_is_said() -> None:
    async with running() as driver:
        assert "finding" not in driver.text("#keys")
        await driver.press("f")
        assert "Nothing is wrong" in driver.text("#sheet")
        await driver.press("enter")
        assert driver.state.index == 0


async def test_a_large_cluster_is_checked_on_request(monkeypatch: Any) -> None:
    monkeypatch.setattr("k8stui.tui.checking._FEW_SERVICES", 0)
    async with running(jobs=jobs_that_find(ERROR)) as driver:
        assert driver.desk.checkup is None
        await driver.press("f")
        await driver.settle()
        assert isinstance(driver.app.screen, ListScreen)


async def test_a_bug_in_the_check_leaves_the_walk(monkeypatch: Any) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("k8stui.check.check", fail)
    posted: list[Any] = []
    Jobs(()).check(literal.WORLD, posted.append)
    assert isinstance(posted[0].error, ZeroDivisionError)


def test_the_walk_begins_at_the_step_that_decides() -> None:
    world = build_world([str(sample("broken") / "webapp-wrong-selector")])
    jobs = Jobs(())
    posted: list[Any] = []
    jobs.check(world, posted.append)
    (finding,) = (f for f in posted[0].checkup.findings if f.rule == "wrong-pods")
    jobs.show_finding(world, finding, 7, posted.append)
    walked = posted[-1]
    assert walked.generation == 7
    assert walked.trace.outcome.result is Result.REFUSED
    assert walked.trace.steps[walked.index].number == walked.trace.outcome.step


async def test_findings_are_those_of_the_world_that_is_shown() -> None:
    other: Any = SimpleNamespace(**vars(literal.WORLD))
    jobs = jobs_that_find(ERROR, WARNING)
    async with running(jobs=jobs) as driver:
        assert "2 findings" in driver.text("#keys")
        jobs.findings = (WARNING,)
        case = of_traces(other, "hairpin off", (driver.state.trace,))
        driver.screen.take_case(in_turned(case, "what if hairpin off", ""), 3)
        assert driver.desk.checkup is None
        await driver.settle()
        await driver.settle()
        assert "1 finding" in driver.text("#keys")
        assert "✗ error" not in driver.text("#nodes")
        await driver.press("f")
        assert "what if hairpin off: 1 warning" in driver.text("#sheet")
        await driver.press("escape", "u")
        assert "2 findings" in driver.text("#keys")
        assert "✗ error" in driver.text("#nodes")


def test_what_is_found_late_belongs_to_its_own_world() -> None:
    desk = Desk(literal.WORLD)
    other: Any = SimpleNamespace(**vars(literal.WORLD))
    desk.show(literal.TRACE)
    desk.go_to(other, "what if hairpin off")
    desk.take_checkup(literal.WORLD, checkup(literal.CLUSTER, FOUND))
    assert desk.checkup is None
    assert desk.turn_back()
    assert desk.checkup is not None
    assert desk.checkup.findings == (ERROR, *desk.checkup.findings[1:])
