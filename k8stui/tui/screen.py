"""The screen: four panes on one cursor. Keys become calls of the desk; panes draw it anew.

Nothing of the lower rooms is imported here: the first frame stands before they are loaded.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from k8stui.tui import keys, themes
from k8stui.tui.drawn import Bar, Drawn
from k8stui.tui.footer import footer
from k8stui.tui.ink import NOTHING, Ink, Line, join, run
from k8stui.tui.jobs import Jobs
from k8stui.tui.messages import (
    Branched,
    Checked,
    LoadFailed,
    Walked,
    WalkedAgain,
    WalkFailed,
    WorldLoaded,
)
from k8stui.tui.names import KEYS, PaneName
from k8stui.tui.pane import Pane
from k8stui.tui.sheet import Lines, Sheet

if TYPE_CHECKING:
    from k8stui.check import Finding
    from k8stui.manifests.origin import Place
    from k8stui.tui.desk import Desk
    from k8stui.tui.find import FindBar
    from k8stui.tui.whatif import WhatIf
    from k8stui.walk.trace import Request, Trace

_ORDER = tuple(PaneName)
_FEW_SERVICES = 2_000
"""A check of them takes about 2 s of a worker's time; larger clusters are checked on request."""
_WAITING = "reading the manifests …"


class WalkScreen(Screen[None]):
    """Nodes, Layout, Chain, Walk."""

    BINDINGS: ClassVar = [*keys.ALL]
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-mid"), (160, "-wide")]  # noqa: RUF012 - as in Screen
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-high")]  # noqa: RUF012 - as in Screen

    def __init__(self, jobs: Jobs, *, presentation: bool = False) -> None:
        super().__init__()
        self._presents_at_once = presentation
        self.desk: Desk | None = None
        """None until the manifests are read."""
        self.front = PaneName.LAYOUT
        """The pane that the keys act in."""
        self._jobs = jobs
        self._generation = 0
        self._needle = ""
        self._checking: Desk | None = None
        """Whose world is or was checked."""
        self._wants_findings = False
        self._theme_before = ""
        """What the theme was before the presentation."""

    def compose(self) -> ComposeResult:
        yield Bar(self._title, id="title")
        with Container(id="panes"):
            for name in PaneName:
                yield Pane(partial(self._sheet, name), id=name, focused=name is self.front)
        yield Bar(self._now, id="now")
        yield Bar(self._keys, id="keys")

    def on_mount(self) -> None:
        self._show_front()
        if self._presents_at_once:
            self.action_present()
        self.call_after_refresh(self._work, "load", partial(self._jobs.load, self.post_message))

    # What stands where

    def _title(self, width: int, _height: int) -> list[Line]:
        if self.desk is not None:
            return [self.desk.title(width)]
        return [join((run(" k8stui ", Ink.KEY), run(f" {_WAITING}", Ink.DIM)))]

    def _keys(self, width: int, _height: int) -> list[Line]:
        return [footer(width, self.desk.found() if self.desk is not None else NOTHING)]

    def _now(self, width: int, height: int) -> list[Line]:
        if self.desk is None:
            return [NOTHING] * height
        return self.desk.now(width, height, large=self.has_class("-stage"))

    def _sheet(self, name: PaneName, width: int, height: int) -> Sheet:
        if self.desk is not None:
            return self.desk.views.sheet(name, width, height)
        title = join((run(f"{KEYS[name]} ", Ink.KEY), run(name.capitalize(), Ink.STRONG)))
        return Lines(title, (NOTHING, run(f" {_WAITING}", Ink.DIM)))

    def pane(self, name: PaneName) -> Pane:
        return self.query_one(f"#{name}", Pane)

    def redraw(self) -> None:
        """Draw everything anew; only what differs is sent."""
        if self.desk is not None:
            self.desk.views.front = self.front
            self.desk.views.has_details = not self.query_one("#now").display
        for widget in self.query(Drawn):
            widget.redraw()

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self.redraw)

    # Work in threads, and what comes of it

    def _work(self, group: str, job: object) -> None:
        self.run_worker(
            job,  # type: ignore[arg-type]  # a partial is a callable
            thread=True,
            exclusive=True,
            group=group,
            exit_on_error=False,
        )

    def on_world_loaded(self, event: WorldLoaded) -> None:
        world = event.desk.world
        if world.problems and not world.manifests.objects:
            self._give_up("\n\n".join(problem.render() for problem in world.problems))
            return
        self.desk = event.desk
        self.ask(None)
        if world.problems:
            self.action_problems()

    def on_load_failed(self, event: LoadFailed) -> None:
        self._give_up(f"k8stui: {self._mistake(event.error)}")

    def _give_up(self, why: str) -> None:
        """Leave with exit status 2; `why` is printed below, with no markup and no wrapping."""
        self._jobs.last_words = why
        self.app.exit(2, return_code=2)

    def on_walked(self, event: Walked) -> None:
        if event.generation == self._generation:
            self.take(event.trace, event.index)
            if self.desk is not None and len(self.desk.world.cluster.services) <= _FEW_SERVICES:
                self._check(self.desk)

    def on_walked_again(self, event: WalkedAgain) -> None:
        """Show the walk of a what-if, from where it differs."""
        if event.generation != self._generation:
            return
        index = event.differs_at
        if index is None and self.desk is not None:
            self.notify("The packet goes the same way, step by step.")
            index = self.desk.state.index
        self.take(event.trace, index or 0)

    def on_walk_failed(self, event: WalkFailed) -> None:
        if event.generation == self._generation and self.desk is not None:
            self.desk.fail(self._mistake(event.error))
            self.redraw()

    def _check(self, desk: Desk) -> None:
        """Have the world checked, once, after the first walk is seen."""
        if desk.findings is None and self._checking is not desk:
            self._checking = desk
            work = partial(self._work, "check", partial(self._jobs.check, desk, self.post_message))
            self.call_after_refresh(work)

    def on_checked(self, event: Checked) -> None:
        if event.desk is not self.desk:
            return
        if event.error is not None:
            said = f"the check failed: {type(event.error).__name__}: {event.error}"
            self.notify(said, severity="error", markup=False)
            return
        event.desk.take_findings(event.findings)
        self.redraw()
        if self._wants_findings:
            self.action_findings()

    def on_branched(self, event: Branched) -> None:
        if event.generation != self._generation or self.desk is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import branch_lines  # noqa: PLC0415

        state, traces = self.desk.state, event.traces
        lines = branch_lines(traces, capped=event.is_capped)
        current = state.trace.branch if state.trace is not None else 1
        at = next((n for n, trace in enumerate(traces) if trace.branch == current), 0)

        def chosen(row: int | None) -> None:
            if row is not None:
                self.take(traces[row], state.index)

        count = f"{len(traces)} branch{'' if len(traces) == 1 else 'es'}"
        choices = range(len(traces))
        self.app.push_screen(ListScreen(count, lambda _: lines, choices=choices, at=at), chosen)

    @staticmethod
    def _mistake(error: Exception) -> str:
        """What the user did wrong, in words; a bug of ours is raised."""
        from k8stui.walk.mistakes import explain_mistake  # noqa: PLC0415

        said = explain_mistake(error)
        if said is None and isinstance(error, LookupError) and error.args:
            said = str(error.args[0])
        if said is None:
            raise error
        return said

    def ask(self, request: Request | None) -> None:
        """Walk a request (None: the first there is) and show it."""
        if self.desk is None:
            return
        self._generation += 1
        work = (self.desk.world, request, self._generation, self.post_message)
        self._work("walk", partial(self._jobs.walk, *work))
        self.redraw()

    def take(self, trace: Trace, index: int = 0) -> None:
        """Show a finished walk."""
        if self.desk is not None:
            self.desk.show(trace, index)
            self.redraw()

    # Keys: through the walk

    def _moved(self, moved: bool) -> None:
        if moved:
            self.redraw()

    def action_step(self, by: int) -> None:
        self._moved(self.desk is not None and self.desk.state.move(by))

    def action_decision(self, direction: int) -> None:
        self._moved(self.desk is not None and self.desk.state.decision(direction))

    def action_first(self) -> None:
        self._moved(self.desk is not None and self.desk.state.go(0))

    def action_last(self) -> None:
        self._moved(self.desk is not None and self.desk.state.go(len(self.desk.state.steps) - 1))

    def action_branches(self) -> None:
        trace = self.desk.state.trace if self.desk is not None else None
        if self.desk is None or trace is None:
            return
        if trace.probability == 1:
            self.notify("Nothing is left to chance on this way: there is one branch.")
            return
        self._generation += 1
        work = (self.desk.world, trace.request, self._generation, self.post_message)
        self._work("walk", partial(self._jobs.branches, *work))

    def action_request(self) -> None:
        if self.desk is None:
            return
        from k8stui.tui.request import RequestScreen  # noqa: PLC0415 - only when asked for

        def asked(request: Request | None) -> None:
            if request is not None:
                self.ask(request)

        proposal = self.desk.proposal(self.front)
        self.app.push_screen(RequestScreen(self.desk.world, self._jobs.namespace, *proposal), asked)

    # Keys: panes

    def show_pane(self, name: PaneName) -> None:
        """Bring a pane to the front."""
        if name is not self.front:
            self.front = name
            self._show_front()
            self.redraw()
            self.call_after_refresh(self.redraw)

    def _show_front(self) -> None:
        """Mark the pane in front, and its companion where there is room for two."""
        side = PaneName.LAYOUT if self.front is PaneName.WALK else PaneName.WALK
        for name in PaneName:
            pane = self.pane(name)
            pane.is_front = name is self.front
            pane.set_class(name is self.front, "-front")
            pane.set_class(name is side, "-side")

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        name = PaneName(event.pane.id or "")
        if name is not self.front:
            self._close_find(is_kept=False)
        self.show_pane(name)
        if event.row >= 0 and self.desk is not None:
            request = self.desk.click(name, event.pane.sheet, event.row, event.column)
            self._close_find(is_kept=True)
            if request is not None:
                self.ask(request)
            self.redraw()

    def action_pane(self, name: str) -> None:
        self.show_pane(PaneName(name))

    def action_next_pane(self, by: int) -> None:
        self.show_pane(_ORDER[(_ORDER.index(self.front) + by) % len(_ORDER)])

    def action_zoom(self) -> None:
        self.toggle_class("-zoom")
        self.call_after_refresh(self.redraw)

    def action_cursor(self, by: int) -> None:
        pane = self.pane(self.front)
        if self.desk is None or self.front is PaneName.LAYOUT:
            pane.scroll_by(by)
        elif self.desk.cursor(self.front, pane.sheet, by):
            self.redraw() if self.front is PaneName.WALK else pane.redraw()

    def action_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self.pane(self.front).page // 2))

    def action_into(self) -> None:
        pane = self.pane(self.front)
        if self.desk is None:
            return
        if self.front is PaneName.NODES:
            request = self.desk.into_tree()
            if request is not None:
                self.ask(request)
        elif self.front is PaneName.CHAIN:
            self.desk.into_chain(pane.sheet)
        else:
            self.show_pane(PaneName.CHAIN)
        pane.look_again()
        pane.redraw()

    def action_out(self) -> None:
        pane = self.pane(self.front)
        if pane.found:
            self._needle = pane.found = ""
        elif self.desk is not None and self.desk.out(self.front):
            pane.look_again()
        elif self.has_class("-zoom"):
            self.action_zoom()
        pane.redraw()

    def action_present(self) -> None:
        self.toggle_class("-stage")
        if not self.has_class("-stage"):
            self.app.theme = self._theme_before
        else:
            self._theme_before = self.app.theme
            if not self.app.native_ansi_color:
                self.app.theme = themes.STAGE.name
        self.call_after_refresh(self.redraw)

    # Keys: finding

    def action_find(self) -> None:
        from k8stui.tui.find import FindBar  # noqa: PLC0415 - only when asked for

        bars = self.query(FindBar)
        bar = bars.first() if bars else FindBar()
        if not bars:
            self.mount(bar, before="#keys")
        bar.value = ""
        bar.add_class("-open")
        self.call_after_refresh(bar.focus)

    def on_find_bar_typed(self, event: FindBar.Typed) -> None:
        self._needle = event.text.lower()
        if self.front is PaneName.NODES and self.desk is not None:
            self._filter(self.desk)
        else:
            self._find(0)

    def _filter(self, desk: Desk) -> None:
        """Show what holds the letters typed so far, from the whole cluster."""
        pane = self.pane(PaneName.NODES)
        pane.found = self._needle
        desk.tree.filter(self._needle)
        self.query_one("#find").set_class(bool(self._needle) and not desk.tree.items, "-lost")
        pane.look_again()
        pane.redraw()

    def on_find_bar_moved(self, event: FindBar.Moved) -> None:
        if self.front is PaneName.NODES:
            self.action_cursor(event.by)
        else:
            self.action_find_next(event.by)

    def on_find_bar_closed(self, event: FindBar.Closed) -> None:
        self._close_find(is_kept=event.is_kept)

    def _close_find(self, *, is_kept: bool) -> None:
        bar = self.query("#find.-open")
        if not bar:
            return
        self.set_focus(None)
        bar.first().remove_class("-open")
        if self.desk is not None:
            self.desk.tree.unfilter(go=is_kept)
            self.pane(PaneName.NODES).look_again()
        if not is_kept:
            self._needle = self.pane(self.front).found = ""
        self.call_after_refresh(self.redraw)

    def action_find_next(self, direction: int) -> None:
        if self._needle:
            self._find(direction)

    def _find(self, direction: int) -> None:
        pane = self.pane(self.front)
        pane.found = self._needle
        if self.desk is not None and self._needle:
            found = self.desk.find(self.front, pane.sheet, self._needle, direction)
            self.query_one("#find").set_class(not found, "-lost")
        self.redraw()

    # Keys: tools

    def action_manifest(self) -> None:
        if self.desk is None:
            return
        origin = self.desk.views.selected_origin()
        if origin is None or origin.place is None:
            why = f"{origin.kind}: {origin.reason}" if origin else "it follows from the packet"
            self.notify(f"No manifest line says this. {why}", markup=False)
            return
        self._show_place(origin.place, origin.kind)

    def _show_place(self, place: Place, what: str) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import manifest_lines  # noqa: PLC0415
        from k8stui.tui.source_lines import UnreadableError, lines_around  # noqa: PLC0415

        try:
            lines = lines_around(place)
        except UnreadableError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        drawn = manifest_lines(place, lines)
        title = f"{place.file}:{place.line}  {what}"
        self.app.push_screen(ListScreen(title, lambda _: drawn))

    def action_copy(self) -> None:
        if self.desk is None:
            return
        from k8stui.tui.clipboard import to_tmux  # noqa: PLC0415 - only when asked for

        text = self.desk.copied(self.front, self.pane(self.front).sheet)
        if text:
            self.app.copy_to_clipboard(text)
            self._work("copy", partial(to_tmux, text))
            self.notify(text[:200], title="sent to terminal clipboard", timeout=3, markup=False)

    def action_write(self) -> None:
        trace = self.desk.state.trace if self.desk is not None else None
        if trace is None:
            return
        from k8stui.tui.clipboard import write_walk  # noqa: PLC0415 - only when asked for

        try:
            self.notify(f"written: {write_walk(trace).name}", markup=False)
        except OSError as error:
            self.notify(f"not written: {error.strerror}", severity="error", markup=False)

    def action_problems(self) -> None:
        if self.desk is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import problem_lines  # noqa: PLC0415

        count = len(self.desk.world.problems)
        title = f"{count} problem{'' if count == 1 else 's'} in the input"
        self.app.push_screen(ListScreen(title, partial(problem_lines, self.desk.world)))

    def action_what_if(self) -> None:
        """List the settings that can be turned."""
        desk = self.desk
        if desk is None or desk.state.trace is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import what_if_lines  # noqa: PLC0415

        found = self.what_ifs()

        def chosen(row: int | None) -> None:
            if row is not None:
                self.turn(found[row])

        lines = what_if_lines(found)
        title = "What if …   (u goes back)"
        self.app.push_screen(ListScreen(title, lambda _: lines, choices=range(len(found))), chosen)

    def what_ifs(self) -> tuple[WhatIf, ...]:
        """What can be turned for the request that is shown."""
        desk = self.desk
        if desk is None or desk.state.trace is None:
            return ()
        from k8stui.tui.whatif import what_ifs  # noqa: PLC0415 - only when asked for

        return tuple(what_ifs(desk.world, desk.state.trace.request))

    def turn(self, what_if: WhatIf) -> None:
        """Walk the same request under a changed setting."""
        desk = self.desk
        if desk is None or desk.state.trace is None:
            return
        before = desk.state.trace
        desk.turn(what_if)
        self._generation += 1
        work = (desk.world, before, self._generation, self.post_message)
        self._work("walk", partial(self._jobs.walk_again, *work))
        self.redraw()

    def action_undo(self) -> None:
        if self.desk is not None and self.desk.turn_back():
            self._generation += 1
            self.redraw()

    def action_findings(self) -> None:
        """List what the check found; first have it done where it is not."""
        desk = self.desk
        if desk is None:
            return
        self._wants_findings = desk.findings is None
        if desk.findings is None:
            self._check(desk)
            self.notify("checking …", timeout=2)
            return
        from k8stui.tui.findings import finding_foot, finding_lines, summary  # noqa: PLC0415
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for

        found = desk.findings

        def chosen(row: int | None) -> None:
            if row is not None:
                self._show_finding(desk, found[row])

        self.app.push_screen(
            ListScreen(
                f"Findings: {summary(found)}",
                partial(finding_lines, found),
                choices=range(len(found)),
                foot=lambda row, width: finding_foot(found[row], width),
            ),
            chosen,
        )

    def _show_finding(self, desk: Desk, finding: Finding) -> None:
        """Walk what shows it; what no walk can show is shown where it is written."""
        if finding.claim is not None:
            self._generation += 1
            work = (desk.world, finding, self._generation, self.post_message)
            self._work("walk", partial(self._jobs.show_finding, *work))
        elif finding.place is not None:
            self._show_place(finding.place, finding.subject)

    # Keys: leaving

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        self.app.push_screen(ListScreen("Help", help_lines))

    def action_leave(self) -> None:
        self.app.exit(0)

    def action_suspend(self) -> None:
        self.app.action_suspend_process()
