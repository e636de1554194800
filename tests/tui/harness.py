"""The app over the hand-made walk: no files, no threads' timing in what is seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.worker import WorkerCancelled
from tui import literal

from k8stui.check import Finding
from k8stui.kernel.step import Fork, Way
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.findings import checkup
from k8stui.tui.jobs import Jobs
from k8stui.tui.messages import Branched, Checked, Walked
from k8stui.tui.screen import WalkScreen
from k8stui.tui.terminal import Terminal
from k8stui.walk.trace import Request, Trace

FORK = Fork(
    namespace="node-1",
    table="nat",
    chain=literal.rule(literal.SVC, 1).chain,
    ways=tuple(Way(place, Fraction(1, 3)) for place in range(3)),
)
FORKED = replace(literal.TRACE, forks=(FORK,))
OTHER = replace(literal.TRACE, forks=(FORK,), branch=2, probability=Fraction(2, 3))


class LiteralJobs(Jobs):
    """Loads and walks what `literal` holds."""

    def __init__(self, world: Any = literal.WORLD, trace: Trace = FORKED) -> None:
        super().__init__(())
        self.world, self.trace = world, trace
        self.asked: list[Any] = []
        self.findings: tuple[Finding, ...] = ()

    def build(self, _lookout: Any) -> Any:
        return self.world

    def walk(self, _world: Any, request: Request | None, generation: int, post: Any) -> None:
        self.asked.append(request)
        post(Walked(self.trace, generation))

    def check(self, world: Any, post: Any) -> None:
        post(Checked(world, checkup(world.cluster, self.findings, "Nothing is wrong here.")))

    def show_finding(self, _world: Any, finding: Any, generation: int, post: Any) -> None:
        self.asked.append(finding)
        post(Walked(self.trace, generation, 13))

    def branches(self, _world: Any, _request: Request, generation: int, post: Any) -> None:
        post(Branched((self.trace, OTHER), False, generation))


class Driver:
    """A running app with short words for what tests look at."""

    def __init__(self, app: K8sTuiApp, pilot: Pilot[int], jobs: LiteralJobs) -> None:
        self.app, self.pilot, self.jobs = app, pilot, jobs

    @property
    def screen(self) -> WalkScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, WalkScreen)
        return found

    @property
    def is_on_top(self) -> bool:
        """Whether nothing is in front of the walk."""
        return self.app.screen is self.screen

    @property
    def desk(self) -> Any:
        assert self.screen.desk is not None
        return self.screen.desk

    @property
    def state(self) -> Any:
        return self.desk.state

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def go(self, number: int) -> None:
        """To step `number` (1-based), without pressing keys."""
        self.state.go(number - 1)
        self.screen.redraw()
        await self.pilot.pause()

    async def settle(self) -> None:
        await settled(self.app)
        await self.pilot.pause(0)

    def text(self, widget: str) -> str:
        """What a pane or bar shows now."""
        from k8stui.tui.drawn import Drawn

        return "\n".join(self.app.screen.query_one(widget, Drawn).shown_text)


def make_app(jobs: Jobs | None = None, *, ansi: bool = False, is_ascii: bool = False) -> K8sTuiApp:
    return K8sTuiApp(jobs or LiteralJobs(), Terminal(is_ansi=ansi, is_ascii=is_ascii))


async def settled(app: App[int]) -> None:
    """Until no work is going on; work in whose place other work came is waited for no more."""
    while going_on := [worker for worker in app.workers if not worker.is_finished]:
        with suppress(WorkerCancelled):
            await app.workers.wait_for_complete(going_on)


async def ready(pilot: Pilot[int]) -> None:
    """Until the walk is on the screen."""
    for _ in range(3):
        await pilot.pause(0)
        await settled(pilot.app)
    await pilot.pause()


def at(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """For pictures: what is done before one is taken, keys one after the other."""

    async def run_before(pilot: Pilot[int]) -> None:
        await ready(pilot)
        assert isinstance(pilot.app, K8sTuiApp)
        driver = Driver(pilot.app, pilot, LiteralJobs())
        for key in keys:
            await driver.press(key)

    return run_before


@asynccontextmanager
async def running(
    size: tuple[int, int] = (120, 40), jobs: LiteralJobs | None = None
) -> AsyncIterator[Driver]:
    jobs = jobs or LiteralJobs()
    app = make_app(jobs)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        yield Driver(app, pilot, jobs)
