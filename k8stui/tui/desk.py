"""What the keys do to the state, without a terminal: open, close, look, find, copy.

The screen turns keys into calls of this; each says whether anything has to be drawn anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from k8stui.export.drawing.ink import NOTHING, Line, run
from k8stui.export.drawing.scene import version_of
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.tui import status
from k8stui.tui.chain_pane import ChainSheet
from k8stui.tui.cluster_rows import ClusterRows
from k8stui.tui.layout_pane import LayoutSheet
from k8stui.tui.names import PaneName
from k8stui.tui.sheet import Sheet
from k8stui.tui.state import WHAT_IF, ChainView, State
from k8stui.tui.tree import RowKind, Tree
from k8stui.tui.views import Views
from k8stui.tui.walk_pane import WalkSheet
from k8stui.walk.rules_met import leads_to

if TYPE_CHECKING:
    from k8stui.origin import Place
    from k8stui.replay.replay import Moment
    from k8stui.tui.findings import Checkup
    from k8stui.walk.cases import Case
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World


@dataclass(slots=True)
class _Left:
    """A world that a what-if led out of, and where one was in it."""

    world: World
    turned: tuple[str, ...]
    trace: Trace | None
    index: int
    checkup: Checkup | None


class Desk:
    """One world on the desk, one walk through it, and the views of both."""

    def __init__(self, world: World) -> None:
        self.state = State(world=world)
        self.world = world
        self._rows = ClusterRows(world)
        self.tree = Tree(self._rows)
        self.views = Views(self.state, self.tree)
        self._left: list[_Left] = []
        """Where what-ifs came from, innermost last."""
        self._floor = 0
        """So many what-ifs are older than the replay: it ends before they are turned back."""
        self._answer: Trace | None = None
        """The walk that was shown first of the present request."""
        self._full: tuple[_Left, Tree] | None = None
        """Where the replay came from, and the tree then."""
        self.checkup: Checkup | None = None
        """What is wrong in this world; None until the check is done."""

    def title(self, width: int) -> Line:
        return status.title(self.state, width)

    def now(self, width: int, height: int) -> list[Line]:
        """The step in a few lines."""
        return status.now(self.state, width, height)

    def needed_now(self, width: int) -> int:
        """Lines that a walk's end needs to be said in full, where it failed.

        Of the walk that answered the request first: its branches and what-ifs change no place.
        """
        trace, first = self.state.trace, self._answer
        if trace is None:
            return 0
        if first is None or _asked(first) != _asked(trace):
            first = self._answer = trace
        return status.needed(first, width)

    def needed_here(self, width: int) -> int:
        """The same of the walk that is shown, at its end; 0 elsewhere."""
        state = self.state
        at_end = state.trace is not None and state.index + 1 == len(state.steps)
        return status.needed(state.trace, width) if at_end and state.trace is not None else 0

    def show(self, trace: Trace, index: int = 0) -> None:
        """Take up a walk; the first one opens its Service's ways of access in the tree."""
        if self.state.trace is None and trace.request.service is not None:
            self.tree.open(f"service/{trace.request.service}")
        self.state.failure = ""
        self._rows.version = version_of(trace)
        self.state.show(trace, index)

    def fail(self, said: str) -> None:
        self.state.progress, self.state.failure = "", neutralise(said)

    def take_checkup(self, world: World, checkup: Checkup) -> None:
        """Take up what the check found in a world: this one, or one that a what-if left."""
        if world is self.world:
            self._mark(checkup)
        for left in self._left:
            if left.world is world:
                left.checkup = checkup

    def _mark(self, checkup: Checkup | None) -> None:
        """Mark the objects in the tree."""
        self.checkup = checkup
        self.tree.marks = checkup.marks if checkup is not None else {}

    def found(self) -> Line:
        """What the lowest line says of the check: nothing where nothing is wrong."""
        if self.checkup is None or not self.checkup.findings:
            return NOTHING
        from k8stui.tui.findings import SIGNS  # noqa: PLC0415 - only after a check

        count = len(self.checkup.findings)
        sign = SIGNS[self.checkup.findings[0].severity]
        return run(f"{sign.glyph} {count:,} finding{'' if count == 1 else 's'}", sign.ink)

    # What if

    @property
    def as_read(self) -> World:
        """The world before anything was turned, of the replay's moment where there is one."""
        left = self._left[self._floor :]
        return left[0].world if left else self.world

    def go_to(self, world: World, turned: str) -> None:
        """Go on in another world, that is so (``what if …``). It was not checked yet.

        One that what-ifs led out of is gone back to, as far as it is.
        """
        while any(left.world is world for left in self._left[self._floor :]):
            self.turn_back()
        if self.world is world:
            return
        state = self.state
        self._left.append(_Left(self.world, state.turned, state.trace, state.index, self.checkup))
        self._enter(world, (*state.turned, turned), None)

    def turned(self) -> tuple[Case, Case] | None:
        """The walk before the last what-if and the one that is shown; None: there is none.

        They are of one request: after another one was asked there is nothing to compare.
        """
        state = self.state
        left = self._left[-1] if len(self._left) > self._floor else None
        if left is None or left.trace is None or state.trace is None:
            return None
        if _asked(left.trace) != _asked(state.trace):
            return None
        from k8stui.walk.cases import of_traces  # noqa: PLC0415 - only when asked for

        return (
            of_traces(left.world, _last(left.turned), (left.trace,)),
            of_traces(self.world, _last(state.turned), (state.trace,)),
        )

    def turn_back(self) -> bool:
        """Go back to the world, and the step, before the last what-if; False: there is none."""
        if len(self._left) <= self._floor:
            return False
        left = self._left.pop()
        self._enter(left.world, left.turned, left.checkup)
        if left.trace is not None:
            self.state.show(left.trace, left.index)
        return True

    def _enter(self, world: World, turned: tuple[str, ...], checkup: Checkup | None) -> None:
        self.world = self.state.world = self._rows.world = world
        self.state.turned = turned
        self._mark(checkup)

    # The deployment replayed

    def open_replay(self, trace: Trace) -> None:
        """From now on the desk stands at moments of this world's deployment."""
        state = self.state
        left = _Left(self.world, state.turned, state.trace, state.index, self.checkup)
        self._full, self._floor = (left, self.tree), len(self._left)
        self.views.backdrop = ((), trace)

    def stand_at(self, moment: Moment, others: Sequence[Moment]) -> None:
        """Show what stands at a moment, and how the request is answered then.

        `others`: what stands at any of these moments has its place.
        """
        if self._full is None or self.views.backdrop is None:
            return
        before, whole = self.views.backdrop
        places = [(each.world, each.asked[0].trace or whole) for each in others]
        if [(id(one), id(trace)) for one, trace in places] != [
            (id(one), id(trace)) for one, trace in before
        ]:  # what was drawn of the same ones is known
            self.views.backdrop = (places, whole)
        left, tree = self._full
        del self._left[self._floor :]
        self._enter(moment.world, left.turned, None)
        self._see(Tree(ClusterRows(moment.world)))
        self.tree.follow(tree)
        asked = moment.asked[0]
        self.state.failure = ""
        if asked.trace is not None:
            self.state.show(asked.trace, len(asked.trace.steps) - 1)
        else:
            self.state.clear(neutralise(f"{asked.question}: {asked.reason}"))

    def close_replay(self) -> None:
        """Back to the whole world, and to the step that one left it at."""
        if self._full is None:
            return
        left, tree = self._full
        del self._left[self._floor :]
        self._full, self._floor, self.views.backdrop = None, 0, None
        self._see(tree)
        self._enter(left.world, left.turned, left.checkup)
        self.state.failure = ""
        if left.trace is not None:
            self.state.show(left.trace, left.index)

    def _see(self, tree: Tree) -> None:
        """Show another tree."""
        self.tree = self.views.tree = tree
        self._rows = cast("ClusterRows", tree.rows)

    # What is wrong

    def place(self) -> tuple[Place | None, str]:
        """Manifest line of what is selected, and what it says; or none, and why there is none.

        The step that a walk fails at, and its last one, are followed to what made it fail: the
        outcome's own line, else that of the finding about it.
        """
        origin = self.views.selected_origin()
        state, trace = self.state, self.state.trace
        if (
            trace is not None
            and state.index + 1 in (trace.outcome.step, len(state.steps))
            and self.views.front is not PaneName.NODES
            and trace.outcome.result is not Result.CONNECTED
        ):
            cause = trace.outcome.origin
            place = cause.place if cause is not None else None
            place = place or self._blamed(trace)
            if place is not None:
                return place, "the cause"
        if origin is None:
            return None, "it follows from the packet"
        return origin.place, origin.kind if origin.place else f"{origin.kind}: {origin.reason}"

    def _blamed(self, trace: Trace) -> Place | None:
        """Where it is written what a finding has against this walk."""
        service = f"Service {trace.request.service}"
        names = {trace.request.source, trace.request.destination}
        for finding in self.checkup.findings if self.checkup is not None else ():
            claim, place = finding.claim, finding.place
            if claim is not None and (
                finding.subject == service or {claim.source, claim.destination} == names
            ):
                return place
        return None

    # Inside a pane

    def cursor(self, pane: PaneName, sheet: Sheet | None, by: int) -> bool:
        """Move the pane's own cursor."""
        if pane is PaneName.WALK:
            return self.state.move(by)
        if pane is PaneName.NODES:
            return self.tree.move(by)
        if pane is PaneName.CHAIN and sheet is not None and len(sheet):
            self.state.chain.cursor = sheet.moved(sheet.cursor or 0, by)
            return True
        return False

    def click(self, pane: PaneName, sheet: Sheet | None, row: int, column: int) -> Request | None:
        """Select what is there; a click on a way of access gives its request."""
        if pane is PaneName.WALK and isinstance(sheet, WalkSheet):
            step = sheet.step_at(row)
            if step is not None:
                self.state.go(step)
        elif pane is PaneName.NODES:
            self.tree.cursor = row
            return self.into_tree()
        elif pane is PaneName.CHAIN:
            self.state.chain.cursor = row
        elif isinstance(sheet, LayoutSheet):
            step = sheet.next_at(column, row, self.state.index)
            if step is not None:
                self.state.go(step)
        return None

    def into_tree(self) -> Request | None:
        """Open or close the row under the tree's cursor; a way of access gives its request."""
        offer = self.tree.item.offer if self.tree.item is not None else None
        if offer is None or self.tree.is_filtered:
            self.tree.enter()
            return None
        return offer.request

    def into_chain(self, sheet: Sheet | None) -> bool:
        """Unfold a fold, or open the chain that the rule under the cursor jumps to."""
        chain = self.state.chain
        if not isinstance(sheet, ChainSheet) or not len(sheet):
            return False
        rule = sheet.selected()
        folded = sheet.first_folded(sheet.cursor or 0)
        if folded is not None or rule is None:
            chain.unfolded = True
            chain.cursor = folded if folded is not None else chain.cursor
            return True
        table = sheet.shown.table
        name = leads_to(table, rule)
        step, hop = self.state.step, self.state.hop
        if not name or step is None or hop is None or step.before is None:
            return False
        if self.world.network[hop.namespace].chain(step.before.src.version, table, name) is None:
            return False
        chain.browsed = (*chain.browsed, (table, name))
        chain.cursor = None
        return True

    def chains(self) -> list[tuple[int, str, str]]:
        """Chains that can be opened: (0-based step to be at, table, name).

        Those where the packet is; where there are none, those of the next place that has some.
        """
        state = self.state
        trace = state.trace
        if trace is None or state.hop is None:
            return []
        at = state.hop_index
        for number in (*range(at, len(trace.hops)), *range(at)):
            hop = trace.hops[number]
            before = hop.steps[0].before if hop.steps else None
            if before is None:
                continue
            found = list(self.world.network[hop.namespace].chains(before.src.version))
            if found:
                step = state.index if number == at else hop.steps[0].number - 1
                return [(step, table, name) for table, name in found]
        return []

    def open_chain(self, step: int, table: str, name: str) -> None:
        """Open a chain in the Chain pane, at a 0-based step."""
        self.state.go(step)
        self.state.chain = ChainView(browsed=((table, name),))

    def out(self, pane: PaneName) -> bool:
        """Back out one level inside the pane; False: there is nothing left to leave."""
        chain = self.state.chain
        if pane is PaneName.CHAIN and chain.browsed:
            chain.browsed = chain.browsed[:-1]
            chain.cursor = None
            return True
        if pane is PaneName.CHAIN and (chain.unfolded or chain.cursor is not None):
            self.state.chain = ChainView()
            return True
        return pane is PaneName.NODES and self.tree.close_or_climb()

    def find(self, pane: PaneName, sheet: Sheet | None, needle: str, direction: int) -> bool:
        """Put the pane's cursor on the next place that holds `needle` (needle.py).

        `direction`: 0 from the cursor on, itself included; 1 behind it, -1 before it.
        """
        if sheet is None or not len(sheet):
            return False
        start = (sheet.cursor or 0) + direction
        if pane is PaneName.NODES:
            return self.tree.find(needle, direction)
        row = sheet.find(needle, start % len(sheet), direction or 1)
        if row is None:
            return False
        if pane is PaneName.CHAIN:
            self.state.chain.cursor = row
        elif isinstance(sheet, WalkSheet):
            step = sheet.step_at(row)
            if step is not None:
                self.state.go(step)
        return True

    # What the tools need

    def copied(self, pane: PaneName, sheet: Sheet | None) -> str:
        """What ``y`` copies; empty: nothing is selected."""
        step = self.state.step
        if pane is PaneName.LAYOUT:
            return (step.detail or step.text) if step is not None else ""
        if sheet is None or sheet.cursor is None or not len(sheet):
            return ""
        return sheet.copied(sheet.cursor)

    def proposal(self, pane: PaneName) -> tuple[str, str]:
        """What stands in the request box at first: the present request, or what is selected."""
        trace = self.state.trace
        source = trace.request.source if trace is not None else "outside"
        destination = trace.request.destination if trace is not None else ""
        item = self.tree.item if pane is PaneName.NODES else None
        if item is not None and item.kind in (RowKind.POD, RowKind.NODE):
            return item.key, ""
        if item is not None and item.kind is RowKind.SERVICE:
            service = self.world.cluster.services[item.key.partition("/")[2]]
            port = f":{service.ports[0].port}" if service.ports else ""
            destination = f"svc/{service.name}.{service.namespace}{port}"
        return source, destination


def _asked(trace: Trace) -> tuple[str, str]:
    """Who asks whom."""
    return trace.request.source, trace.request.destination


def _last(turned: tuple[str, ...]) -> str:
    """What a case of that world is called, as a table calls it."""
    return turned[-1].removeprefix(WHAT_IF) if turned else "as it is"
