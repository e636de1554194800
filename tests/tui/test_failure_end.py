"""Where a walk failed, its end says whole what is felt, why, and what would mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui.harness import Driver, LiteralJobs, make_app, ready

from k8stui.export.drawing.words import told
from k8stui.kernel.exchange import Result
from k8stui.tui.jobs import Jobs
from k8stui.tui.screen import WalkScreen

BROKEN = sorted(
    path for path in (Path(__file__).parents[2] / "samples" / "broken").iterdir() if path.is_dir()
)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
async def test_the_end_is_whole_at_80_by_24_and_nothing_moves_on_the_way(path: Path) -> None:
    app = make_app(Jobs([str(path)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        await driver.press("home")
        rows = app.screen.query_one("#now").size.height
        await driver.press("end")
        outcome = driver.state.trace.outcome
        said = words(driver.text("#now"))
        assert words(told(outcome.reason)) in said
        assert words(told(outcome.advice)) in said
        assert "…" not in said
        assert app.screen.query_one("#now").size.height == rows
        assert rows == 3 or outcome.result is not Result.CONNECTED
        assert "╰" in driver.text("#layout").splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("webapp-wrong-selector", "13    selector:"),
        ("target-port-undeclared", "32        targetPort: 8000"),
        ("listens-on-localhost-only", "13      - name: app"),
        ("nodeport-one-node-only", "45  :PREROUTING ACCEPT"),
    ],
)
async def test_where_it_opens_one_key_shows_the_line_to_blame(name: str, said: str) -> None:
    app = make_app(Jobs([str(BROKEN[0].parent / name)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        assert driver.state.trace.outcome.step == driver.state.index + 1
        await driver.press("m")
        shown = driver.text("#sheet")
        assert "the cause" in shown
        assert f"▶ {said}" in shown


async def test_a_replay_and_a_story_keep_their_places() -> None:
    app = make_app(Jobs([str(BROKEN[0].parent / "selector-matches-nothing")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        now = app.screen.query_one("#now")
        assert now.size.height == 5
        await driver.press("t")
        assert now.size.height == 3
        await driver.press("t")
        assert now.size.height == 5
        await driver.press("p")
        assert now.size.height == 2
        await driver.press("p")
        assert now.size.height == 5


async def test_a_what_if_that_mends_it_keeps_their_places() -> None:
    app = make_app(Jobs([str(BROKEN[0].parent / "local-policy-no-pod-here")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        now = app.screen.query_one("#now")
        lent = now.size.height
        assert lent > 3
        for key in ("i", "down", "o"):
            await driver.press(key)
        assert driver.state.trace.outcome.result is Result.CONNECTED
        assert now.size.height == lent


async def test_a_what_if_that_fails_says_why_and_moves_nothing() -> None:
    app = make_app(Jobs([str(BROKEN[0].parents[1] / "webapp")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        now = app.screen.query_one("#now")
        for key in ("i", "down", "o"):
            await driver.press(key)
        outcome = driver.state.trace.outcome
        assert outcome.result is not Result.CONNECTED
        await driver.press("end")
        said = words(driver.text("#now"))
        assert words(told(outcome.reason)) in said
        assert words(told(outcome.advice)) in said
        lent = now.size.height - 3
        assert lent > 0
        at_the_end = driver.text("#layout").splitlines()
        await driver.press("left")
        assert now.size.height == 3
        before = driver.text("#layout").splitlines()
        assert len(before) == len(at_the_end) + lent
        boxes = [n for n, line in enumerate(before) if "╭" in line]
        assert [n for n, line in enumerate(at_the_end) if "╭" in line] == boxes
        assert "╰" in at_the_end[-1]


@pytest.mark.parametrize("name", ["webapp-wrong-selector", "selector-matches-nothing"])
async def test_every_moment_of_a_replay_says_why_it_failed(name: str) -> None:
    app = make_app(Jobs([str(BROKEN[0].parent / name)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        driver = Driver(app, pilot, LiteralJobs())
        await driver.press("t")
        failed = 0
        while True:
            assert isinstance(app.screen, WalkScreen)
            timeline = app.screen.timeline
            assert timeline is not None
            moment = timeline.moment
            assert moment is not None
            if moment.asked[0].trace is not None:
                outcome = driver.state.trace.outcome
                said = words(driver.text("#now"))
                failed += outcome.result is not Result.CONNECTED
                assert words(told(outcome.reason)) in said
                assert words(told(outcome.advice)) in said
            if timeline.is_at_end:
                break
            await driver.press("greater_than_sign")
        assert failed
