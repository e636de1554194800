"""Through the walk: asking for one, stepping along it, its branches, and what if."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from k8stui.tui.base import Base
from k8stui.tui.messages import Branched, Walked, WalkFailed

if TYPE_CHECKING:
    from k8stui.tui.compare_screen import CompareScreen
    from k8stui.tui.state import State
    from k8stui.walk.cases import Case
    from k8stui.walk.comparisons import Kind
    from k8stui.walk.trace import Request, Trace


class Walking(Base):
    """The keys that step, branch and ask, and what comes of the work behind them."""

    comparing: CompareScreen | None = None
    """The tables of cases, while they stand in front."""

    # What comes of it

    def take_walk(self, event: Walked) -> bool:
        """Show a walk, if it is the one that was asked for last."""
        if event.generation != self.generation:
            return False
        self.take(event.trace, event.index)
        return True

    def on_walk_failed(self, event: WalkFailed) -> None:
        if event.generation == self.generation and self.desk is not None:
            self.desk.fail(self.mistake(event.error))
            self.redraw()

    def on_branched(self, event: Branched) -> None:
        if event.generation != self.generation or self.desk is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import branch_lines  # noqa: PLC0415

        state, traces = self.desk.state, event.traces
        made = partial(branch_lines, traces, capped=event.is_capped)
        rows = made(self.size.width)
        current = state.trace.branch if state.trace is not None else 1
        at = next((n for n, (i, _) in enumerate(rows) if traces[i].branch == current), 0)

        def chosen(row: int | None) -> None:
            if row is not None:
                self.take(traces[rows[row][0]], state.index)

        count = f"{len(traces)} branch{'' if len(traces) == 1 else 'es'}"
        alike = sum(len(trace.alike) for trace in traces)
        count += f" for {len(traces) + alike:,} endpoints" if alike else ""
        choices = range(sum(number >= 0 for number, _ in rows))
        self.app.push_screen(
            ListScreen(
                count, lambda width: [line for _, line in made(width)], choices=choices, at=at
            ),
            chosen,
        )

    def action_history(self, by: int) -> None:
        """Back (-1) to the walk before, or forward (1) again."""
        desk = self.ready()
        if desk is None:
            return
        visit = self.history.move(desk.world, by, desk.state.index)
        if visit is None:
            self.notify("There is no walk further back." if by < 0 else "This is the last walk.")
            return
        self.generation += 1
        desk.show(visit.trace, visit.index)
        self.redraw()

    # Keys

    def ask(self, request: Request | None) -> None:
        """Walk a request (None: the first there is) and show it."""
        if self.desk is None:
            return
        self.walk(self.jobs.walk, self.desk.world, request)
        self.redraw()

    def take(self, trace: Trace, index: int = 0) -> None:
        """Show a finished walk."""
        if self.desk is not None:
            self.history.visit(self.desk.world, trace, index, self.desk.state.index)
            self.desk.show(trace, index)
            self.redraw()

    def action_step(self, by: int) -> None:
        self._move(lambda state: state.move(by))

    def action_decision(self, direction: int) -> None:
        self._move(lambda state: state.decision(direction))

    def action_first(self) -> None:
        self._move(lambda state: state.go(0))

    def action_last(self) -> None:
        self._move(lambda state: state.go(len(state.steps) - 1))

    def _move(self, move: Callable[[State], bool]) -> None:
        desk = self.ready()
        if desk is not None and move(desk.state):
            self.redraw()

    def action_branches(self) -> None:
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        if desk is None or trace is None:
            return
        if trace.probability == 1:
            self.notify("Nothing is left to chance on this way: there is one branch.")
            return
        self.walk(self.jobs.branches, desk.world, trace.request)

    def action_request(self) -> None:
        self.request_from("")

    def request_from(self, source: str) -> None:
        """Open the request box; with this source, where one is given."""
        desk = self.ready()
        if desk is None:
            return
        from k8stui.tui.request import RequestScreen  # noqa: PLC0415 - only when asked for

        def asked(request: Request | None) -> None:
            if request is not None:
                self.ask(request)

        proposal = (source, "") if source else desk.proposal(self.front)
        box = RequestScreen(desk.world, self.jobs.namespace, *proposal, self.history.asked())
        self.app.push_screen(box, asked)

    def action_again(self) -> None:
        """Make the request once more than it was made."""
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        if trace is None or trace.request.connect is None:
            return
        from k8stui.walk.again import again, said  # noqa: PLC0415 - only when asked for

        request = again(trace.request, trace.request.connect.earlier + 1)
        if request.connect is not None:
            self.notify(said(request.connect))
        self.ask(request)

    def action_compare(self) -> None:
        """Open the tables of cases that the request stands in; after a what-if the two walks."""
        self.compare()

    def action_what_if(self) -> None:
        """Open the table of the settings that can be turned."""
        from k8stui.walk.comparisons import Kind  # noqa: PLC0415 - only when asked for

        self.compare(Kind.SETTINGS)

    def what_ifs(self) -> tuple[str, ...]:
        """What can be turned for the request that is shown, as the table calls it."""
        desk = self.desk
        if desk is None or desk.state.trace is None:
            return ()
        from k8stui.walk.whatif import what_ifs  # noqa: PLC0415 - only when asked for

        return tuple(each.words for each in what_ifs(desk.world, desk.state.trace.request))

    def compare(self, kind: Kind | None = None, named: str = "") -> None:
        """Open the table of a kind, at the row of a name; None: the one that says most now."""
        desk = self.ready()
        if desk is None or desk.state.trace is None:
            return
        from k8stui.tui.compare_screen import CompareScreen  # noqa: PLC0415 - only when asked for

        self.show_tables(CompareScreen(self.jobs, desk, kind, named))

    def show_tables(self, screen: CompareScreen) -> None:
        """Bring tables to the front, and take up the case that is chosen there."""

        def chosen(found: tuple[Case, int] | None) -> None:
            if self.comparing is screen:
                self.comparing = None
            if found is not None:
                self.take_case(*found)

        self.comparing = screen
        self.app.push_screen(screen, chosen)

    def action_against(self, path: str = "") -> None:
        """Ask for another input by its path, then compare with it; a path that is given is read."""
        if self.ready() is None:
            return
        from k8stui.tui.against_screen import AgainstScreen  # noqa: PLC0415 - only when asked for
        from k8stui.walk.comparisons import Kind  # noqa: PLC0415 - as above

        def read(is_read: bool | None) -> None:
            if is_read:
                self.compare(Kind.VERSIONS)

        self.app.push_screen(AgainstScreen(self.jobs, path, at_once=bool(path)), read)

    def take_case(self, case: Case, index: int) -> None:
        """Show the walk of a case, in its world; say what was and what is."""
        desk = self.desk
        if desk is None:
            return
        self.generation += 1
        before = desk.state.trace
        if case.world is not desk.world:
            desk.go_to(case.world, case.turned)
            if before is not None and case.change:
                from k8stui.walk.cases import difference_words  # noqa: PLC0415 - as above

                self.notify(difference_words(case.change, before, case.trace), markup=False)
        self.take(case.trace, index)

    def action_undo(self) -> None:
        desk = self.ready()
        if desk is not None and desk.turn_back():
            self.generation += 1
            self.redraw()
