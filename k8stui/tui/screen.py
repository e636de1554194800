"""The screen: four panes on one cursor. Keys become calls of the desk; panes draw it anew.

Nothing of the lower rooms is imported here: the first frame stands before they are loaded. The
keys' work is in the modules that this class is made of, by what one does: load, walk, search,
look at findings and manifests. Here is what they share with nobody: the layout and the panes' keys.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from k8stui.export.drawing.ink import NOTHING, Ink, Line, join, run
from k8stui.tui import keys
from k8stui.tui.checking import Checking
from k8stui.tui.drawn import Bar
from k8stui.tui.footer import footer
from k8stui.tui.jobs import Jobs
from k8stui.tui.loading import Loading
from k8stui.tui.looking import Looking
from k8stui.tui.messages import Walked, WorldLoaded
from k8stui.tui.names import KEYS, PaneName
from k8stui.tui.pane import Pane
from k8stui.tui.picture import Picture
from k8stui.tui.reaching import Reaching
from k8stui.tui.reading import not_yet_line, waiting_line
from k8stui.tui.searching import Searching
from k8stui.tui.sheet import Lines, Sheet
from k8stui.tui.telling import Telling
from k8stui.tui.watching import Watching

_ORDER = tuple(PaneName)
NOW_ROWS = 3
"""Of the step below the panes, as k8stui.tcss has them."""
_NOW_SHARE = 3
"""The step below the panes gets no more than this part of the screen."""
_WAITING = "reading the manifests …"


if TYPE_CHECKING:
    from k8stui.tui.session import Session
    from k8stui.walk.cases import Case
    from k8stui.walk.trace import Request


class WalkScreen(Loading, Telling, Watching, Searching, Checking, Looking, Reaching):
    """Nodes, Layout, Chain, Walk."""

    BINDINGS: ClassVar = [*keys.ALL]
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-mid"), (160, "-wide")]  # noqa: RUF012 - as in Screen
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-high"), (45, "-tall")]  # noqa: RUF012 - as in Screen

    def __init__(self, jobs: Jobs, *, presentation: bool = False) -> None:
        super().__init__(jobs)
        self._presents_at_once = presentation
        self._is_fresh = True
        """Whether nothing was shown yet: another input that was named at the start comes first."""
        self._session: Session | None = None
        self._trouble = ""

    def compose(self) -> ComposeResult:
        yield Bar(self._title, id="title")
        yield Bar(self._rail, id="rail")
        yield Picture(partial(self._sheet, PaneName.LAYOUT), id="picture")
        with Container(id="panes"):
            for name in PaneName:
                yield Pane(partial(self._sheet, name), id=name, focused=name is self.front)
        yield Bar(self._now, id="now")
        yield Bar(self._timeline, id="timeline")
        yield Bar(self._keys, id="keys")

    def on_mount(self) -> None:
        self.mark_front()
        if self._presents_at_once:
            self.action_present()
        self.call_after_refresh(self.load)
        self.watch_input()

    # What stands where

    def _title(self, width: int, _height: int) -> list[Line]:
        if self.desk is not None:
            return [self.desk.title(width)]
        if self.growing is None and not self.reading.done and not self.reading.waiting:
            return [join((run(" k8stui ", Ink.KEY), run(f" {_WAITING}", Ink.DIM)))]
        return [waiting_line(self.reading, self.jobs.what, width)]

    def _keys(self, width: int, _height: int) -> list[Line]:
        if self.is_refusing:
            return [not_yet_line(self.reading, width)]
        if self.is_story or self.timeline is not None:
            return [self._story_keys(width)]
        return [footer(width, self.desk.found() if self.desk is not None else NOTHING)]

    def _now(self, width: int, height: int) -> list[Line]:
        if self.desk is None:
            return [NOTHING] * height
        return self._caption(width, height) if self.is_story else self.desk.now(width, height)

    def make_room(self) -> None:
        """As many rows for the step as a walk that failed needs at its end; the panes give way.

        In a replay, and where a what-if fails, what stands has its place at all moments: there
        the end is lent its rows, and nothing is drawn anew for it.
        """
        width, height = self.size
        rows = NOW_ROWS
        if self.desk is not None and self.timeline is None and not self.is_story:
            rows = max(rows, min(self.desk.needed_now(width), height // _NOW_SHARE))
        self.give_rows(rows, height)

    def give_rows(self, rows: int, height: int) -> None:
        """Make the step below the panes `rows` high, or higher where a walk's end needs it."""
        lent = 0
        if self.desk is not None and not self.is_story:
            needed = min(self.desk.needed_here(self.size.width), height // _NOW_SHARE)
            lent = max(0, needed - rows)
        self.pane(PaneName.LAYOUT).lend(lends=bool(lent))
        now = self.query_one("#now")
        if rows + lent > NOW_ROWS:
            now.styles.height = rows + lent
        elif now.styles.clear_rule("height"):
            now.refresh(layout=True)

    def _sheet(self, name: PaneName, width: int, height: int) -> Sheet:
        if self.desk is not None:
            return self.desk.views.sheet(name, width, height)
        if self.growing is not None and name is PaneName.NODES:
            from k8stui.tui.nodes_pane import NodesSheet  # noqa: PLC0415 - after the first frame

            is_front = self.front is PaneName.NODES
            return NodesSheet(self.growing, width, None, focused=is_front, growing=True)
        title = join((run(f"{KEYS[name]} ", Ink.KEY), run(name.capitalize(), Ink.STRONG)))
        return Lines(title, (NOTHING, run(f" {_WAITING}", Ink.DIM)))

    def on_resize(self, _: events.Resize) -> None:
        self.pane(PaneName.LAYOUT).lend(lends=False)
        self.query_one("#now").styles.clear_rule("height")
        self.call_after_refresh(self.redraw)

    # What follows from what

    def on_world_loaded(self, event: WorldLoaded) -> None:
        world = event.desk.world
        if world.problems and not world.manifests.objects:
            self.give_up("\n\n".join(problem.render() for problem in world.problems))
            return
        self.take_world(event)
        if "-" in self.jobs.paths:
            self.refresh(layout=True)  # all of it: the pipe's writer may have written across it
        self.ask(self._remembered())
        if self._trouble:
            self.notify(self._trouble, severity="warning")
        if world.problems:
            self.action_problems()

    # The last time

    def recall(self, session: Session, trouble: str) -> None:
        """Take up what is remembered: the pane in front and its zoom; later the request.

        `trouble`: why it is not all, to be said.
        """
        self._session, self._trouble = session, trouble
        if session.pane in _ORDER:
            self.front = PaneName(session.pane)
        self.set_class(session.zoom, "-zoom")

    def _remembered(self) -> Request | None:
        """Give the request that was asked last of this input; None: none, or it is gone."""
        pair = self._session.requests.get(self.jobs.input_key) if self._session else None
        if pair is None or self.desk is None:
            return None
        from k8stui.tui.request import understood  # noqa: PLC0415 - after the first frame
        from k8stui.walk.error import RequestError  # noqa: PLC0415

        try:
            return understood(self.desk.world, *pair, self.jobs.namespace)
        except RequestError:
            return None

    def remember(self, session: Session) -> None:
        """Write down what is shown."""
        session.pane, session.zoom = str(self.front), self.has_class("-zoom")
        session.theme = self._theme_before if self.has_class("-stage") else self.app.theme
        trace = self.desk.state.trace if self.desk is not None else None
        if trace is not None and "-" not in self.jobs.paths:
            request = trace.request
            session.remember(self.jobs.input_key, request.source, request.destination)

    def on_walked(self, event: Walked) -> None:
        if not self.take_walk(event):
            return
        self.asked_anew(event.trace)
        self.check_few()
        if self.comparing is not None and self.desk is not None:
            self.comparing.renew(self.desk)
        elif self.jobs.against and self._is_fresh and not self.is_story:
            self.compare()
        self._is_fresh = False

    def take_case(self, case: Case, index: int) -> None:
        super().take_case(case, index)
        self.check_few()

    def action_undo(self) -> None:
        super().action_undo()
        self.check_few()

    # Keys: panes

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        if isinstance(event.pane, Picture):
            if self.desk is not None and event.row >= 0:
                self.desk.click(PaneName.LAYOUT, event.pane.sheet, event.row, event.column)
                self.redraw()
            return
        name = PaneName(event.pane.id or "")
        if name is not self.front:
            self.close_find(is_kept=False)
        self.show_pane(name)
        if event.row < 0 or self.nodes_tree is None:
            return
        request = None
        if self.desk is not None:
            request = self.desk.click(name, event.pane.sheet, event.row, event.column)
        elif name is PaneName.NODES:
            self.nodes_tree.go(event.row)
            self._enter_found()
        self.close_find(is_kept=True)
        if request is not None:
            self.ask(request)
        self.redraw()

    def reveal(self, key: str) -> None:
        """Show an object in the Nodes pane, opened."""
        if self.desk is not None and self.desk.tree.reveal(key):
            self.desk.tree.open(key)
            self.show_pane(PaneName.NODES)
            self.pane(PaneName.NODES).look_again()
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
        if self.is_story:
            self.query_one(Picture).scroll_by(by)
        elif self.nodes_tree is not None and self.front is PaneName.NODES:
            if self.nodes_tree.move(by):
                pane.redraw()
        elif self.desk is None or self.front is PaneName.LAYOUT:
            pane.scroll_by(by)
        elif self.desk.cursor(self.front, pane.sheet, by):
            self.redraw() if self.front is PaneName.WALK else pane.redraw()

    def action_first(self) -> None:
        self._to_end(-1) if self._has_rows else super().action_first()

    def action_last(self) -> None:
        self._to_end(1) if self._has_rows else super().action_last()

    @property
    def _has_rows(self) -> bool:
        """Whether the pane in front has a cursor of its own."""
        return self.desk is not None and self.front in (PaneName.NODES, PaneName.CHAIN)

    def _to_end(self, direction: int) -> None:
        sheet = self.pane(self.front).sheet
        self.action_cursor(direction * len(sheet) if sheet is not None else 0)

    def action_page(self, direction: int) -> None:
        self.action_cursor(direction * max(1, self.pane(self.front).page // 2))

    def action_into(self) -> None:
        pane = self.pane(self.front)
        if self.desk is None:
            self._enter_found()
        elif self.front is PaneName.NODES:
            request = self.desk.into_tree()
            if request is not None:
                self.ask(request)
        elif self.front is PaneName.CHAIN:
            self.desk.into_chain(pane.sheet)
        else:
            self.show_pane(PaneName.CHAIN)
        pane.look_again()
        pane.redraw()

    def _enter_found(self) -> None:
        """Open or close what was found so far; what is in a Pod or a Service is not known yet."""
        if (
            self.front is not PaneName.NODES
            or self.nodes_tree is None
            or not self.nodes_tree.enter()
        ):
            self.ready()

    def action_out(self) -> None:
        pane = self.pane(self.front)
        if pane.found:
            self.needle = pane.found = ""
        elif self._go_out():
            pane.look_again()
        elif self.has_class("-zoom"):
            self.action_zoom()
        else:
            self.back_to_map()
        pane.redraw()

    def _go_out(self) -> bool:
        """Out one level inside the pane; False: there is nothing left to leave."""
        if self.desk is not None:
            return self.desk.out(self.front)
        return (
            self.nodes_tree is not None
            and self.front is PaneName.NODES
            and self.nodes_tree.close_or_climb()
        )

    # Keys: leaving

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        self.app.push_screen(ListScreen("Help", help_lines))

    def action_suspend(self) -> None:
        self.app.action_suspend_process()
