"""Giving a tour: the screen goes from one position to the next, and the caption stands below.

Between two positions every key of the screen works as ever; one brings it back to the tour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding

from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    run,
    sides,
    wrap,
)
from k8stui.export.drawing.words import RESULTS
from k8stui.export.tour import moment_words
from k8stui.tour.comparison import ShownComparison
from k8stui.tour.rehearse import Rehearsal, Stop
from k8stui.tui import keys
from k8stui.tui.compare_screen import CompareScreen
from k8stui.tui.desk import Desk
from k8stui.tui.drawn import Bar
from k8stui.tui.jobs import Jobs, Post
from k8stui.tui.messages import WorldLoaded
from k8stui.tui.names import PaneName
from k8stui.tui.screen import NOW_ROWS, WalkScreen
from k8stui.tui.state import WHAT_IF
from k8stui.tui.status import in_full
from k8stui.walk.world import World


class TourJobs(Jobs):
    """What is loaded is there: every position was walked before the screen opened."""

    def __init__(self, jobs: Jobs, world: World) -> None:
        super().__init__(
            jobs.paths, jobs.cluster_options, jobs.node_options, jobs.namespace, jobs.context
        )
        self._world = world

    def load(self, post: Post) -> None:
        post(WorldLoaded(Desk(self._world)))


def _named(bindings: Iterable[Binding], *, is_away: bool) -> Line:
    """Keys as the lowest line has them; away from the tour, lit which one leads back."""
    parts = []
    for binding in bindings:
        lit = binding.action == "position(0)" and is_away
        parts += [run(f" {keys.footer_name(binding)} ", Ink.KEY)]
        parts += [run(f"{binding.description}  ", Ink.CURSOR if lit else Ink.DIM)]
    return join(parts)


class TourScreen(WalkScreen):
    """The screen of `k8stui present`."""

    BINDINGS: ClassVar = [*keys.TOUR]

    def __init__(self, jobs: Jobs, rehearsal: Rehearsal) -> None:
        super().__init__(TourJobs(jobs, rehearsal.world))
        self._stops = rehearsal.stops
        self._at = 0
        """0-based number of the stop."""
        self._desks: dict[int, Desk] = {}
        """By the identity of the world that they show."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if widget.id == "keys":
                yield Bar(self.caption, id="caption")
            yield widget

    @property
    def stop(self) -> Stop:
        """The position that the tour is at, wherever the screen is."""
        return self._stops[self._at]

    # Going

    def on_world_loaded(self, event: WorldLoaded) -> None:
        event.prevent_default()  # else the first request of the cluster is shown
        self.take_world(event)
        self._desks[id(event.desk.world)] = event.desk
        self._show()

    def action_position(self, by: int) -> None:
        """Go on or back; 0: to the one that the tour is at."""
        if self.ready() is not None:
            self.leave_comparison()
            self._at = max(0, min(self._at + by, len(self._stops) - 1))
            self._show()

    def _show(self) -> None:
        """Bring the screen to the position."""
        stop = self.stop
        self.end_replay()
        self.generation += 1  # what was asked for on the way is wanted no more
        self.close_find(is_kept=False)
        self.desk = self._desk(stop)
        self.make_room()
        self.set_class(stop.position.zoom, "-zoom")
        self.show_pane(PaneName(stop.position.pane))
        for name in PaneName:
            self.pane(name).look_again()
        self.call_after_refresh(self.redraw)
        if stop.comparison is not None:
            self._compare(stop.comparison)

    def _compare(self, shown: ShownComparison) -> None:
        """Bring the position's table, or its two walks, to the front."""
        assert self.desk is not None
        if shown.other is not None:
            self.jobs.take_other(shown.other, [shown.called])
        self.show_tables(TourCompareScreen(self, self.desk, shown))

    def leave_comparison(self) -> None:
        """Take the tables away, where they stand in front."""
        if self.comparing is not None and self.comparing.is_current:
            self.comparing.dismiss(None)
        self.comparing = None

    def _desk(self, stop: Stop) -> Desk:
        """The desk with the walk of a position on it, its settings turned one after the other."""
        if stop.trace is None:
            desk = Desk(stop.base)
            desk.fail(stop.failure)
            return desk
        desk = self._desks.setdefault(id(stop.base), Desk(stop.base))
        while desk.turn_back():
            pass
        if stop.before is not None:
            desk.show(stop.before)
        for one in stop.variations:
            desk.go_to(one.world, f"{WHAT_IF}{one.setting} {one.value_after}")
        desk.show(stop.trace, stop.index)
        return desk

    @property
    def is_away(self) -> bool:
        """Whether one looks at something else than the position."""
        stop, desk = self.stop, self.desk
        return desk is not None and (
            desk.world is not stop.world
            or desk.state.trace is not stop.trace
            or desk.state.index != stop.index
            or self.front != stop.position.pane
            or self.has_class("-zoom") != stop.position.zoom
            or (stop.comparison is not None and self.comparing is None)
        )

    # The lowest lines

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.make_room()

    def make_room(self) -> None:
        """As many lines for the caption as the longest one takes: the drawing keeps its size.

        What a shorter one leaves is the step's, where more is to be said of it.
        """
        width = self.size.width
        most = max(len(self._said(stop, width)) for stop in self._stops)
        most = min(most, max(2, self.size.height // 4))
        spare = max(0, most - len(self._said(self.stop, width)))
        if self.desk is not None:
            needed = len(in_full(self.desk.state, width)) if spare else 0
            spare = max(0, min(spare, needed - NOW_ROWS))
        self.query_one("#caption").styles.height = most - spare
        self.give_rows(NOW_ROWS + spare, self.size.height)

    def _said(self, stop: Stop, width: int) -> list[Line]:
        """The caption with its number; above it the moment of the deployment."""
        number = f" {stop.position.number}/{len(self._stops)}  "
        texts = wrap(stop.position.caption, max(10, width - len(number) - 1))
        lines = [run(" " * len(number) + text, Ink.STRONG) for text in texts]
        lines[0] = join((run(number, Ink.KEY), run(texts[0], Ink.STRONG)))
        if stop.moment is not None:
            lines.insert(
                0, cut(run(f" t  {moment_words(stop.moment, width - 4)}", Ink.CHANGED), width)
            )
        return lines

    def caption(self, width: int, height: int) -> list[Line]:
        """What is said at this position."""
        said = self._said(self.stop, width)[:height]
        return [fit(line, width) for line in [*said, *[NOTHING] * (height - len(said))]]

    def _keys(self, width: int, height: int) -> list[Line]:
        if self.desk is None:
            return super()._keys(width, height)
        others = (b for b in keys.FOOTER if b.id in ("help", "leave"))
        line = cut(_named((*keys.TOUR, *others), is_away=self.is_away), width)
        room = width - line_width(line) - 2
        return [sides(line, self._as_it_is(room), width)]

    def _as_it_is(self, room: int) -> Line:
        """What comes of the request without the settings that are turned, to compare with."""
        before = self.stop.before
        if before is None:
            return NOTHING
        sign, seen = RESULTS[before.outcome.result], before.outcome.source_seen_by_server
        felt = f"{sign.glyph} {sign.word}"
        for said in (f"{felt}, {seen} seen" if seen else felt, felt):
            line = join((run("as it is ", Ink.DIM), run(f"{said} ", sign.ink)))
            if line_width(line) <= room:
                return line
        return NOTHING

    def on_screen_resume(self) -> None:
        self.redraw()

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        groups = (("Through the tour", keys.TOUR), *keys.GROUPS)
        self.app.push_screen(ListScreen("Help", partial(help_lines, groups=groups)))


class TourCompareScreen(CompareScreen):
    """A position that is a comparison: its table or two walks, and the caption below."""

    BINDINGS: ClassVar = [*keys.TOUR]
    sideways: ClassVar = "h l"

    def __init__(self, tour: TourScreen, desk: Desk, shown: ShownComparison) -> None:
        super().__init__(tour.jobs, desk, shown.kind)
        self._tour = tour
        self.take(shown.cases, (shown.row, shown.column))
        if shown.pair is not None:
            self.set_beside(shown.pair, shown.pair[1], shown.step)

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if widget.id == "keys":
                yield Bar(self._tour.caption, id="caption")
            yield widget

    def on_mount(self) -> None:
        self.query_one("#caption").styles.height = self._tour.query_one("#caption").styles.height

    def action_position(self, by: int) -> None:
        """Go on or back in the tour."""
        self._tour.action_position(by)

    def hints(self) -> Iterator[tuple[str, str]]:
        yield from (("Space", "on"), ("←", "back"))
        yield from super().hints()
