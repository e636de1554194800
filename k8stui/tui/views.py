"""State → the four sheets, with what is worth keeping between two steps. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.ink import NOTHING, Ink, Line, join, line_width, run, wrap
from k8stui.export.drawing.scene import Scene, at_moment, moment_scenes, scene
from k8stui.neutralise import neutralise
from k8stui.origin import Origin
from k8stui.tui.chain_pane import ChainSheet, shown_chain
from k8stui.tui.entries_pane import EntriesSheet
from k8stui.tui.layout_pane import LayoutSheet
from k8stui.tui.names import KEYS, PaneName
from k8stui.tui.nodes_pane import NodesSheet
from k8stui.tui.sheet import Lines, Sheet
from k8stui.tui.state import State
from k8stui.tui.tree import Tree
from k8stui.tui.walk_pane import WalkRows, WalkSheet, outcome_lines

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace
    from k8stui.walk.world import World


class Centred(Lines):
    """Lines in the middle of the pane."""

    centred = True

    def __init__(self, title: Line, lines: tuple[Line, ...]) -> None:
        super().__init__(title, lines)
        self.width = max(map(line_width, lines), default=0)


MOST_IN_SIGHT = 12
"""Walks of one request that keep their places on the drawing."""

_MOST_MOMENTS = 12
"""Moments of a replay whose drawings are kept: one goes back and forth between a few."""


class Views:
    """Makes the sheet of each pane for the state as it is."""

    def __init__(self, state: State, tree: Tree) -> None:
        self.state = state
        self.tree = tree
        self.front = PaneName.LAYOUT
        self.has_details = True
        """Whether the Walk pane shows the header itself (else the lines below the panes do)."""
        self._rows: WalkRows | None = None
        self._film: Film | None = None
        self._shown: list[Trace] = []
        """Walks of the present request, as they were shown."""
        self.backdrop: tuple[Sequence[tuple[World, Trace]], Trace] | None = None
        """In a replay: what stands at its moments and is walked then; the walk of the whole."""
        self._places: tuple[object, tuple[Scene, ...]] | None = None
        """The backdrop that was drawn last, and its scenes."""
        self._moments: dict[tuple[int, int, tuple[int, int]], tuple[World, Film]] = {}
        """Of the backdrop, by what stands and is walked at a moment, and by size."""

    def sheet(self, pane: PaneName, width: int, height: int) -> Sheet:
        """The sheet of a pane `width` cells wide inside and `height` rows high outside."""
        match pane:
            case PaneName.NODES:
                return self._nodes(width)
            case PaneName.LAYOUT:
                return self._layout(width, height)
            case PaneName.CHAIN:
                return self._chain(width, height)
            case PaneName.WALK:
                return self._walk(width, height)

    def _nodes(self, width: int) -> Sheet:
        trace = self.state.trace
        return NodesSheet(
            self.tree,
            width,
            trace.request if trace is not None else None,
            focused=self.front is PaneName.NODES,
        )

    def _layout(self, width: int, height: int) -> Sheet:
        state = self.state
        size = (width, height - 2)
        trace = state.trace
        if state.world is None or trace is None or not state.steps:
            return self._unasked(size) or self._empty(PaneName.LAYOUT, width)
        film = self._film
        if film is None or film.trace is not trace or film.size != size or self.backdrop:
            film = self._at_moment(state.world, trace, size)
            if film is None:
                network, cluster = state.world.network, state.world.cluster
                made = scene(network, cluster, trace, self._in_sight(trace))
                film = Film(made, cluster, trace, *size)
            self._film = film
        return LayoutSheet(film, state)

    def _at_moment(self, world: World, trace: Trace, size: tuple[int, int]) -> Film | None:
        """In a replay: the film of a moment, kept for when one comes back to it."""
        self._take_places()
        key = id(world), id(trace), size
        found = self._moments.pop(key, None)
        if found is None:
            made = self._scene(trace)
            if made is None:
                return None
            found = world, Film(made, world.cluster, trace, *size)
            while len(self._moments) >= _MOST_MOMENTS:
                del self._moments[next(iter(self._moments))]
        self._moments[key] = found
        return found[1]

    def _in_sight(self, trace: Trace) -> tuple[Trace, ...]:
        """Walks of the same request that were shown: what they met keeps its place."""
        asked = trace.request
        self._shown = [
            each
            for each in self._shown
            if each is not trace
            and (each.request.source, each.request.destination, each.request.protocol)
            == (asked.source, asked.destination, asked.protocol)
        ][-MOST_IN_SIGHT:]
        others = tuple(self._shown)
        self._shown.append(trace)
        return others

    def _scene(self, trace: Trace | None) -> Scene | None:
        """In a replay: what stands now, each thing in its place of the whole deployment."""
        world, places = self.state.world, self._take_places()
        if self.backdrop is None or world is None:
            return None
        walked = self.backdrop[1]
        return at_moment(places, world, trace or walked, walked)

    def _take_places(self) -> tuple[Scene, ...]:
        """The scenes of the backdrop; what was drawn over another one is forgotten."""
        if self._places is None or self._places[0] is not self.backdrop:
            self._moments.clear()
            self._places = (self.backdrop, moment_scenes(*self.backdrop) if self.backdrop else ())
        return self._places[1]

    def _unasked(self, size: tuple[int, int]) -> Sheet | None:
        """In a replay: what stands at a moment at which nobody can ask yet."""
        made = self._scene(None)
        if made is None or self.state.world is None or self.backdrop is None:
            return None
        film = Film(made, self.state.world.cluster, self.backdrop[1], *size)
        title = join((run("2 ", Ink.KEY), run("Layout", Ink.STRONG)))
        return Centred(title, tuple(film.drawing(0).canvas.lines()))

    def _chain(self, width: int, height: int) -> Sheet:
        state = self.state
        if state.world is None or state.step is None:
            return self._empty(PaneName.CHAIN, width)
        shown = shown_chain(state)
        if shown is not None:
            return ChainSheet(shown, state, width, height)
        return EntriesSheet(state, width, height)

    def _walk(self, width: int, height: int) -> Sheet:
        rows = self.walk_rows(width)
        if rows is None:
            return self._empty(PaneName.WALK, width)
        return WalkSheet(rows, self.state, height, details=self.has_details)

    def walk_rows(self, width: int) -> WalkRows | None:
        """The rows of the Walk pane, made once for a walk and a width."""
        trace = self.state.trace
        if trace is None:
            return None
        if self._rows is None or self._rows.trace is not trace or self._rows.width != width:
            self._rows = WalkRows(trace, width)
        return self._rows

    def _empty(self, pane: PaneName, width: int) -> Sheet:
        """What a pane shows while there is nothing to show."""
        title = join((run(f"{KEYS[pane]} ", Ink.KEY), run(pane.value.capitalize(), Ink.STRONG)))
        state = self.state
        lines: list[Line] = [NOTHING]
        if state.trace is not None and not state.steps:
            lines += outcome_lines(state.trace.outcome, width) if pane is PaneName.LAYOUT else []
        elif state.failure:
            lines += [
                run(" " + text, Ink.DROP) for text in wrap(neutralise(state.failure), width - 2)
            ]
        elif state.progress:
            lines.append(run(f" {state.progress} …", Ink.DIM))
        return Lines(title, tuple(lines))

    def selected_origin(self) -> Origin | None:
        """Origin of what is selected in the pane in front: a tree row, a rule, else the step."""
        state = self.state
        if self.front is PaneName.NODES and self.tree.item is not None:
            return self.tree.say(self.tree.item).origin
        if self.front is PaneName.CHAIN and state.chain.cursor is not None:
            sheet = self._chain(80, 20)
            rule = sheet.selected() if isinstance(sheet, ChainSheet) else None
            why = rule.reason if rule is not None else None
            if why is not None:
                return why.origin
        if state.step is not None and state.step.origin is not None:
            return state.step.origin
        return state.trace.request.origin if state.trace is not None else None
