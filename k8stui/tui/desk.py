"""What the keys do to the state, without a terminal: open, close, look, find, copy.

The screen turns keys into calls of this; each says whether anything has to be drawn anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.manifests.neutralise import neutralise
from k8stui.tui import status
from k8stui.tui.chain_pane import ChainSheet, target_chain
from k8stui.tui.ink import NOTHING, Line, run
from k8stui.tui.layout_pane import LayoutSheet
from k8stui.tui.names import PaneName
from k8stui.tui.nodes_pane import Kind, NodesTree
from k8stui.tui.sheet import Sheet
from k8stui.tui.state import ChainView, State
from k8stui.tui.views import Views
from k8stui.tui.walk_pane import WalkSheet

if TYPE_CHECKING:
    from k8stui.check import Finding
    from k8stui.tui.whatif import WhatIf
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World


class Desk:
    """One world on the desk, one walk through it, and the views of both."""

    def __init__(self, world: World) -> None:
        self.state = State(world=world)
        self.world = world
        self.tree = NodesTree(world)
        self.views = Views(self.state, self.tree)
        self._worlds: list[tuple[World, tuple[str, ...], Trace | None, int]] = []
        """Where what-ifs came from: world, its words, the walk and the step."""
        self.findings: tuple[Finding, ...] | None = None
        """None until the check is done."""

    def title(self, width: int) -> Line:
        return status.title(self.state, width)

    def now(self, width: int, height: int, *, large: bool = False) -> list[Line]:
        """The step in three lines; `large`: for a stage."""
        if large:
            from k8stui.tui.stage import stage  # noqa: PLC0415 - only when presenting

            return stage(self.state, width, height)
        return status.now(self.state, width, height)

    def show(self, trace: Trace, index: int = 0) -> None:
        """Take up a walk; the first one opens its Service's ways of access in the tree."""
        if self.state.trace is None and trace.request.service is not None:
            self.tree.open(f"service/{trace.request.service}")
        self.state.failure = ""
        self.state.show(trace, index)

    def fail(self, said: str) -> None:
        self.state.progress, self.state.failure = "", neutralise(said)

    def take_findings(self, findings: tuple[Finding, ...]) -> None:
        """Take up what the check found, and mark the objects in the tree."""
        from k8stui.tui.findings import marks  # noqa: PLC0415 - only after a check

        self.findings = findings
        self.tree.marks = marks(self.world.cluster, findings)

    def found(self) -> Line:
        """What the lowest line says of the check: nothing where nothing is wrong."""
        if not self.findings:
            return NOTHING
        from k8stui.tui.findings import SIGNS  # noqa: PLC0415 - only after a check

        count = len(self.findings)
        sign = SIGNS[self.findings[0].severity]
        return run(f"{sign.glyph} {count:,} finding{'' if count == 1 else 's'}", sign.ink)

    # What if

    def turn(self, what_if: WhatIf) -> None:
        """Go on in the world in which it is so."""
        self._worlds.append((self.world, self.state.what_if, self.state.trace, self.state.index))
        self._enter(what_if.apply(), (*self.state.what_if, what_if.words))

    def turn_back(self) -> bool:
        """Go back to the world, and the step, before the last what-if; False: there is none."""
        if not self._worlds:
            return False
        world, words, trace, index = self._worlds.pop()
        self._enter(world, words)
        if trace is not None:
            self.state.show(trace, index)
        return True

    def _enter(self, world: World, words: tuple[str, ...]) -> None:
        self.world = self.state.world = self.tree.world = world
        self.state.what_if = words

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
        item = self.tree.item
        if item is None:
            return None
        if self.tree.is_filtered:
            self.tree.unfilter(go=True)
            return None
        if item.offer is not None:
            return item.offer.request
        self.tree.toggle(self.tree.cursor)
        return None

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
        name = target_chain(rule)
        step, hop = self.state.step, self.state.hop
        if name is None or step is None or hop is None or step.before is None:
            return False
        ruleset = self.world.network[hop.namespace].rulesets.get(step.before.src.version)
        if ruleset is None or ruleset.chain(sheet.shown.table, name) is None:
            return False
        chain.browsed = (*chain.browsed, (sheet.shown.table, name))
        chain.cursor = None
        return True

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
        """Put the pane's cursor on the next place that holds `needle` (lower case).

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
        if item is not None and item.kind in (Kind.POD, Kind.NODE):
            return item.key, ""
        if item is not None and item.kind is Kind.SERVICE:
            service = self.world.cluster.services[item.key.partition("/")[2]]
            port = f":{service.ports[0].port}" if service.ports else ""
            destination = f"svc/{service.name}.{service.namespace}{port}"
        return source, destination
