"""The screen: four panes on one cursor. Keys become moves of the state; panes draw it anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from k8stui.manifests.neutralise import neutralise
from k8stui.tui import keys, status
from k8stui.tui.chain_pane import ChainSheet, target_chain
from k8stui.tui.drawn import Bar, Drawn
from k8stui.tui.messages import Branched, LoadFailed, Walked, WalkFailed, WorldLoaded
from k8stui.tui.nodes_pane import Kind, NodesTree
from k8stui.tui.pane import Pane
from k8stui.tui.state import ChainView, PaneName, State
from k8stui.tui.views import Views
from k8stui.tui.walk_pane import WalkSheet

if TYPE_CHECKING:
    from k8stui.tui.find import FindBar
    from k8stui.tui.jobs import Jobs
    from k8stui.walk.trace import Request, Trace

_ORDER = tuple(PaneName)
_COMPANION = {
    PaneName.NODES: PaneName.WALK,
    PaneName.LAYOUT: PaneName.WALK,
    PaneName.CHAIN: PaneName.WALK,
    PaneName.WALK: PaneName.LAYOUT,
}
"""What is seen beside the pane in front where there is room for two."""


class WalkScreen(Screen[None]):
    """Nodes, Layout, Chain, Walk."""

    BINDINGS: ClassVar = [*keys.ALL]
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-mid"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-high")]

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.state = State()
        self.views = Views(self.state)
        self._jobs = jobs
        self._generation = 0
        self._needle = ""

    def compose(self) -> ComposeResult:
        state = self.state
        yield Bar(lambda width, _: [status.title(state, width)], id="title")
        with Container(id="panes"):
            for name in PaneName:
                yield Pane(
                    partial(self.views.sheet, name), id=name, focused=name is self.views.front
                )
        yield Bar(lambda width, height: status.now(state, width, height), id="now")
        yield Bar(lambda width, _: [status.keys(width)], id="keys")

    def on_mount(self) -> None:
        self._show_front()
        self.call_after_refresh(self._load)

    def _load(self) -> None:
        self.run_worker(
            partial(self._jobs.load, self.post_message),
            thread=True,
            exclusive=True,
            group="load",
            exit_on_error=False,
            description="reading the manifests",
        )

    # What workers say

    def on_world_loaded(self, event: WorldLoaded) -> None:
        world = event.world
        if world.problems and not world.manifests.objects:
            self.app.exit(2, return_code=2, message="\n\n".join(p.render() for p in world.problems))
            return
        self.state.world = world
        self.views.tree = NodesTree(world)
        self.state.progress = "walking"
        self.ask(None)
        if world.problems:
            self.action_problems()

    def on_load_failed(self, event: LoadFailed) -> None:
        self._fail(event.error, leave=True)

    def on_walked(self, event: Walked) -> None:
        if event.generation == self._generation:
            self.take(event.trace)

    def on_walk_failed(self, event: WalkFailed) -> None:
        if event.generation == self._generation:
            self._fail(event.error, leave=False)

    def on_branched(self, event: Branched) -> None:
        if event.generation != self._generation:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import branch_lines  # noqa: PLC0415

        traces = event.traces
        lines = branch_lines(traces, capped=event.is_capped)
        current = self.state.trace.branch if self.state.trace is not None else 1
        at = next((n for n, trace in enumerate(traces) if trace.branch == current), 0)

        def chosen(row: int | None) -> None:
            if row is not None:
                self.take(traces[row], self.state.index)

        count = f"{len(traces)} branch{'' if len(traces) == 1 else 'es'}"
        self.app.push_screen(
            ListScreen(count, lambda _: lines, choices=range(len(traces)), at=at), chosen
        )

    def _fail(self, error: Exception, *, leave: bool) -> None:
        from k8stui.walk.mistakes import explain_mistake  # noqa: PLC0415

        said = explain_mistake(error)
        if said is None and isinstance(error, LookupError) and error.args and not leave:
            said = str(error.args[0])
        if said is None:
            raise error
        if leave:
            self.app.exit(2, return_code=2, message=f"k8stui: {said}")
            return
        self.state.progress, self.state.failure = "", said
        self.redraw()

    # Walking

    def ask(self, request: Request | None) -> None:
        """Walk a request (None: the first there is) and show it."""
        world = self.state.world
        if world is None:
            return
        self._generation += 1
        self.run_worker(
            partial(self._jobs.walk, world, request, self._generation, self.post_message),
            thread=True,
            exclusive=True,
            group="walk",
            exit_on_error=False,
            description="walking",
        )
        self.redraw()

    def take(self, trace: Trace, index: int = 0) -> None:
        """Show a finished walk."""
        self.state.failure = ""
        self.state.show(trace, index)
        self.redraw()

    # Drawing

    def redraw(self) -> None:
        """Draw everything anew; only what differs is sent."""
        self.views.has_details = not self.query_one("#now").display
        for widget in self.query(Drawn):
            widget.redraw()

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self.redraw)

    def _pane(self, name: PaneName) -> Pane:
        return self.query_one(f"#{name}", Pane)

    @property
    def front(self) -> Pane:
        """The pane that the keys act in."""
        return self._pane(self.views.front)

    def show_pane(self, name: PaneName) -> None:
        """Bring a pane to the front."""
        if name is self.views.front:
            return
        self.views.front = name
        self._show_front()
        self.redraw()

    def _show_front(self) -> None:
        front = self.views.front
        for name in PaneName:
            pane = self._pane(name)
            pane.is_front = name is front
            pane.set_class(name is front, "-front")
            pane.set_class(name is _COMPANION[front], "-side")

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        name = PaneName(event.pane.id or "")
        self.show_pane(name)
        if event.row < 0:
            return
        if name is PaneName.WALK:
            rows = self.views.walk_rows(event.pane.size.width - 2)
            step = rows.step_at(event.row) if rows is not None else None
            if step is not None and self.state.go(step):
                self.redraw()
        elif name is PaneName.NODES and self.views.tree is not None:
            self.views.tree.cursor = event.row
            self.action_into()
        elif name is PaneName.CHAIN:
            self.state.chain.cursor = event.row
            self.redraw()

    # Keys: through the walk

    def action_step(self, by: int) -> None:
        if self.state.move(by):
            self.redraw()

    def action_decision(self, direction: int) -> None:
        if self.state.decision(direction):
            self.redraw()

    def action_first(self) -> None:
        if self.state.go(0):
            self.redraw()

    def action_last(self) -> None:
        if self.state.go(len(self.state.steps) - 1):
            self.redraw()

    def action_branches(self) -> None:
        world, trace = self.state.world, self.state.trace
        if world is None or trace is None:
            return
        if not trace.forks:
            self.notify("Nothing is left to chance on this way: there is one branch.")
            return
        self._generation += 1
        self.run_worker(
            partial(self._jobs.branches, world, trace.request, self._generation, self.post_message),
            thread=True,
            exclusive=True,
            group="walk",
            exit_on_error=False,
            description="walking every branch",
        )

    def action_request(self) -> None:
        world = self.state.world
        if world is None:
            return
        from k8stui.tui.request import RequestScreen  # noqa: PLC0415 - only when asked for

        source, destination = self._proposal()

        def asked(request: Request | None) -> None:
            if request is not None:
                self.ask(request)

        self.app.push_screen(RequestScreen(world, self._jobs.namespace, source, destination), asked)

    def _proposal(self) -> tuple[str, str]:
        """What stands in the request box at first: the present request, or what is selected."""
        trace, tree = self.state.trace, self.views.tree
        source = trace.request.source if trace is not None else "outside"
        destination = trace.request.destination if trace is not None else ""
        item = tree.item if tree is not None and self.views.front is PaneName.NODES else None
        if item is not None and item.kind in (Kind.POD, Kind.NODE):
            source, destination = item.key, ""
        elif item is not None and item.kind is Kind.SERVICE and self.state.world is not None:
            service = self.state.world.cluster.services[item.key.partition("/")[2]]
            port = f":{service.ports[0].port}" if service.ports else ""
            destination = f"svc/{service.name}.{service.namespace}{port}"
        return source, destination

    # Keys: panes

    def action_pane(self, name: str) -> None:
        self.show_pane(PaneName(name))

    def action_next_pane(self, by: int) -> None:
        at = _ORDER.index(self.views.front)
        self.show_pane(_ORDER[(at + by) % len(_ORDER)])

    def action_zoom(self) -> None:
        self.toggle_class("-zoom")
        self.call_after_refresh(self.redraw)

    def action_cursor(self, by: int) -> None:
        front, state = self.views.front, self.state
        if front is PaneName.WALK:
            self.action_step(by)
        elif front is PaneName.NODES:
            if self.views.tree is not None and self.views.tree.move(by):
                self.front.redraw()
        elif front is PaneName.CHAIN:
            sheet = self.front.sheet
            if sheet is not None and len(sheet):
                at = sheet.cursor if sheet.cursor is not None else -1
                state.chain.cursor = max(0, min(at + by, len(sheet) - 1))
                self.front.redraw()
        else:
            self.front.scroll_by(by)

    def action_page(self, direction: int) -> None:
        half = max(1, self.front.page // 2)
        if self.views.front is PaneName.LAYOUT:
            self.front.scroll_by(direction * half)
        else:
            self.action_cursor(direction * half)

    def action_into(self) -> None:
        match self.views.front:
            case PaneName.NODES:
                self._into_nodes()
            case PaneName.CHAIN:
                self._into_chain()
            case PaneName.LAYOUT:
                self.show_pane(PaneName.CHAIN)
            case PaneName.WALK:
                self.show_pane(PaneName.CHAIN)

    def _into_nodes(self) -> None:
        tree = self.views.tree
        item = tree.item if tree is not None else None
        if tree is None or item is None:
            return
        if item.offer is not None:
            self.ask(item.offer.request)
            return
        tree.toggle(tree.cursor)
        self.front.redraw()

    def _into_chain(self) -> None:
        sheet, chain = self.front.sheet, self.state.chain
        if not isinstance(sheet, ChainSheet) or not len(sheet):
            return
        row = sheet.cursor or 0
        rule = sheet.selected()
        if sheet.is_fold(row) or rule is None:
            index = sheet.first_folded(row)
            chain.unfolded = True
            if index is not None:
                chain.cursor = index
        else:
            name = target_chain(rule)
            step, hop, world = self.state.step, self.state.hop, self.state.world
            if name is None or step is None or hop is None or world is None or not step.before:
                return
            ruleset = world.network[hop.namespace].rulesets.get(step.before.src.version)
            if ruleset is None or ruleset.chain(sheet.shown.table, name) is None:
                return
            chain.browsed = (*chain.browsed, (sheet.shown.table, name))
            chain.cursor = None
        self.front.look_again()
        self.front.redraw()

    def action_out(self) -> None:
        pane, chain = self.front, self.state.chain
        if pane.found:
            self._needle = pane.found = ""
            pane.redraw()
        elif self.views.front is PaneName.CHAIN and chain.browsed:
            chain.browsed = chain.browsed[:-1]
            chain.cursor = None
            pane.look_again()
            pane.redraw()
        elif self.views.front is PaneName.CHAIN and (chain.unfolded or chain.cursor is not None):
            self.state.chain = ChainView()
            pane.look_again()
            pane.redraw()
        elif self.has_class("-zoom"):
            self.action_zoom()
        elif self.views.front is PaneName.NODES and self.views.tree is not None:
            self.views.tree.close_or_climb()
            pane.redraw()

    # Keys: finding

    def action_find(self) -> None:
        from k8stui.tui.find import FindBar  # noqa: PLC0415 - Input costs 10 ms

        bars = self.query(FindBar)
        bar = bars.first() if bars else FindBar()
        if not bars:
            self.mount(bar, before="#keys")
        bar.value = ""
        bar.add_class("-open")
        self.call_after_refresh(bar.focus)

    def on_find_bar_typed(self, event: FindBar.Typed) -> None:
        self._needle = event.text.lower()
        self._find(0)

    def on_find_bar_closed(self, event: FindBar.Closed) -> None:
        from k8stui.tui.find import FindBar  # noqa: PLC0415

        self.set_focus(None)
        self.query_one(FindBar).remove_class("-open")
        if not event.is_kept:
            self._needle = self.front.found = ""
        self.call_after_refresh(self.redraw)

    def action_find_next(self, direction: int) -> None:
        if self._needle:
            self._find(direction)

    def _find(self, direction: int) -> None:
        """From the cursor (0: on it; 1, -1: behind or before it) to the next place found."""
        pane = self.front
        pane.found = self._needle
        sheet = pane.sheet
        if sheet is None or not self._needle:
            pane.redraw()
            return
        start = (sheet.cursor or 0) + direction
        row = self._look(start, direction or 1)
        if row is None:
            self.notify(f"not found: {neutralise(self._needle)}", severity="warning", timeout=2)
        self.redraw()

    def _look(self, start: int, direction: int) -> int | None:
        front = self.views.front
        if front is PaneName.NODES and self.views.tree is not None:
            return self.views.tree.find(self._needle, start, direction)
        sheet = self.front.sheet
        if sheet is None or not len(sheet):
            return None
        row = sheet.find(self._needle, start % len(sheet), direction)
        if row is None:
            return None
        if front is PaneName.CHAIN:
            self.state.chain.cursor = row
        elif isinstance(sheet, WalkSheet):
            step = sheet.step_at(row)
            if step is not None:
                self.state.go(step)
        return row

    # Keys: tools

    def action_manifest(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415
        from k8stui.tui.listings import manifest_lines  # noqa: PLC0415
        from k8stui.tui.source_lines import UnreadableError, lines_around  # noqa: PLC0415

        origin = self.views.selected_origin()
        if origin is None or origin.place is None:
            why = (
                f"{origin.kind}: {origin.reason}"
                if origin is not None
                else "it follows from the packet alone"
            )
            self.notify(f"No manifest line says this: {neutralise(why)}")
            return
        place = origin.place
        try:
            lines = lines_around(place)
        except UnreadableError as error:
            self.notify(neutralise(str(error)), severity="warning")
            return
        drawn = manifest_lines(place, lines)
        title = neutralise(f"{place.file}:{place.line}  {origin.kind}")
        self.app.push_screen(ListScreen(title, lambda _: drawn))

    def action_copy(self) -> None:
        from k8stui.tui.clipboard import to_tmux  # noqa: PLC0415

        sheet = self.front.sheet
        if self.views.front is PaneName.LAYOUT and self.state.step is not None:
            text = self.state.step.detail or self.state.step.text
        elif sheet is not None and sheet.cursor is not None and len(sheet):
            text = sheet.copied(sheet.cursor)
        else:
            return
        self.app.copy_to_clipboard(text)
        self.run_worker(partial(to_tmux, text), thread=True, group="copy", exit_on_error=False)
        self.notify(
            neutralise(text[:200]), title="sent to terminal clipboard", timeout=3, markup=False
        )

    def action_write(self) -> None:
        from pathlib import Path  # noqa: PLC0415

        from k8stui.export.text import walk_lines  # noqa: PLC0415
        from k8stui.tui.clipboard import write_new  # noqa: PLC0415

        if self.state.trace is None:
            return
        text = "".join(f"{line.text}\n" for line in walk_lines(self.state.trace, verbose=True))
        try:
            path = write_new(Path.cwd(), "k8stui-walk", text)
        except OSError as error:
            self.notify(f"not written: {error.strerror}", severity="error")
        else:
            self.notify(f"written: {path.name}")

    def action_problems(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415
        from k8stui.tui.listings import problem_lines  # noqa: PLC0415

        world = self.state.world
        if world is not None:
            count = len(world.problems)
            title = f"{count} problem{'' if count == 1 else 's'} in the input"
            self.app.push_screen(ListScreen(title, partial(problem_lines, world)))

    # Keys: leaving

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        self.app.push_screen(ListScreen("Help", help_lines))

    def action_leave(self) -> None:
        self.app.exit(0)

    def action_suspend(self) -> None:
        self.app.action_suspend_process()
