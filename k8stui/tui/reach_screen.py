"""Who reaches whom, as a map one can move in; Enter opens the walk of a cell.

What is seen is made in the export room (reach_map.py); here are the work, the filter and the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, run
from k8stui.export.reach_map import Probe, ReachMap
from k8stui.tui import keys
from k8stui.tui.drawn import Bar, Drawn
from k8stui.tui.filtering import Filtering
from k8stui.tui.fitted import Fitted
from k8stui.tui.footer import named_keys
from k8stui.tui.listings import mistake_lines
from k8stui.tui.lookout import Patience
from k8stui.tui.messages import ReachMade, ReachOn
from k8stui.tui.needle import understood
from k8stui.tui.once import Once
from k8stui.tui.working import Working

if TYPE_CHECKING:
    from k8stui.reach.ends import Asked, Asker
    from k8stui.tui.jobs import Jobs
    from k8stui.walk.world import World

_ARROWS = ("->", "→", ">")


class ReachScreen(Fitted, Once, Filtering, Working, Screen[Probe | None]):
    """Gives back the pair to be walked on the workbench."""

    BINDINGS: ClassVar = [*keys.REACH]
    AUTO_FOCUS = ""
    typed_hint = "who asks -> who is asked"

    def __init__(
        self, jobs: Jobs, world: World, known: ReachMap | None = None, needle: str = ""
    ) -> None:
        """`known`: the map, where it was made before. `needle`: what it is filtered by."""
        super().__init__()
        self._jobs, self._world = jobs, world
        self.map = known
        """None: it is being made, or there is none."""
        self._how_far: ReachOn | None = None
        self._failed: Exception | None = None
        self._patience = Patience()
        self.needle = needle

    def compose(self) -> ComposeResult:
        yield Bar(self._title, id="title")
        yield Bar(self._legend, id="kinds")
        yield Bar(self._face, id="face")
        yield Bar(self._keys, id="keys")

    def on_mount(self) -> None:
        if self.map is not None:
            self.filter(self.needle)
            return
        self.work("reach", partial(self._jobs.reach, self._world, self._patience, self.post))

    def on_unmount(self) -> None:
        self._patience.is_over = True

    def redraw(self) -> None:
        """Draw everything anew; only what differs is sent."""
        for widget in self.walk_children(Drawn):
            widget.redraw()

    # What comes of the work

    def on_reach_on(self, event: ReachOn) -> None:
        """Say how far it is."""
        self._how_far = event
        self.redraw()

    def on_reach_made(self, event: ReachMade) -> None:
        """Show it."""
        if isinstance(event.found, Exception):
            self._failed = event.found
            self.redraw()
        else:
            self.map = event.found
            self.filter(self.needle)

    # What stands where

    def _title(self, width: int, _height: int) -> list[Line]:
        if self.map is not None:
            return [self.map.title(width)]
        return [fit(run(" Who reaches whom", Ink.STRONG), width)]

    def _legend(self, width: int, _height: int) -> list[Line]:
        return [self.map.legend(width) if self.map is not None else NOTHING]

    def _face(self, width: int, height: int) -> list[Line]:
        lines = self._lines(width, height)
        return [*lines, *[NOTHING] * (height - len(lines))][:height]

    def _lines(self, width: int, height: int) -> list[Line]:
        if self.map is not None:
            return self.map.lines(width, height)
        if self._failed is None:
            return [NOTHING, cut(run(f" {self._progress()}", Ink.DIM), width)]
        return mistake_lines(self.mistake(self._failed), width)

    def _progress(self) -> str:
        far = self._how_far
        if far is None:
            return "sorting all pairs into classes …   Esc ends it"
        share = 100 * far.done // max(1, far.total)
        return (
            f"{share} %: {far.done:,} of {far.total:,} who are asked, {far.walks:,} walks …"
            "   Esc ends it"
        )

    def _keys(self, width: int, _height: int) -> list[Line]:
        if self.types:
            return [self.typed_line(width)]
        said = (
            ("↑↓←→", "cell"),
            ("Enter", "walk"),
            (", .", "fails"),
            ("Space c f", "fold"),
            ("/", "filter"),
            ("Esc", "back"),
            ("?", "help"),
        )
        line = named_keys(said, "   " if width >= 90 else "  ")
        return [fit(cut(line, width, ellipsis=False), width)]

    # Keys

    def action_move(self, down: int, right: int) -> None:
        self._do(lambda found: found.move(down, right))

    def action_page(self, direction: int) -> None:
        self._do(lambda found: found.page(direction))

    def action_failure(self, direction: int) -> None:
        if self.map is not None and not self.map.go_to_failure(direction):
            self.app.notify("Every pair that is shown is connected.", timeout=3)
        self.redraw()

    def action_toggle_row(self) -> None:
        self._do(lambda found: found.toggle_row())

    def action_toggle_column(self) -> None:
        self._do(lambda found: found.toggle_column())

    def action_fold(self) -> None:
        self._do(lambda found: found.fold())

    def _do(self, what: Callable[[ReachMap], object]) -> None:
        if self.map is not None:
            what(self.map)
            self.redraw()

    def filter(self, needle: str) -> None:
        """Show only those who ask, and who are asked, that hold it: ``web -> db``."""
        self.needle = needle
        if self.map is not None:
            asks, is_asked = filters(needle)
            self.map.filter(needle, asks, is_asked)
        self.redraw()

    def action_open(self) -> None:
        """Walk the pair under the cursor."""
        pair = self.map.ask() if self.map is not None else None
        if pair is not None:
            self.dismiss(pair)

    def action_out(self) -> None:
        if self.needle and self.map is not None:
            self.filter("")
        else:
            self._patience.is_over = True
            self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """To the cell that is clicked at."""
        face = self.query_one("#face", Bar)
        if event.widget is face and self.map is not None and self.map.point(event.x, event.y):
            self.redraw()

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        groups = (("Who reaches whom", keys.REACH),)
        self.app.push_screen(ListScreen("Help", partial(help_lines, groups=groups)))


def filters(
    needle: str,
) -> tuple[Callable[[Asker], bool] | None, Callable[[Asked], bool] | None]:
    """Who is shown, of what was typed: those who ask, ``->``, those who are asked. None: all."""
    arrow = next((each for each in _ARROWS if each in needle), "")
    left, _, right = needle.partition(arrow) if arrow else (needle, "", "")
    return _asks(left.strip()), _is_asked(right.strip())


def _asks(typed: str) -> Callable[[Asker], bool] | None:
    if not typed:
        return None
    found = understood(typed)
    if found.terms:
        return lambda one: one.pod is not None and all(t.holds(one.pod.labels) for t in found.terms)
    holds = found.finder()
    return lambda one: holds(one.name.lower())


def _is_asked(typed: str) -> Callable[[Asked], bool] | None:
    if not typed:
        return None
    found = understood(typed)
    if found.terms:
        return lambda one: all(t.holds(_labels(one)) for t in found.terms)
    holds = found.finder()
    return lambda one: holds(one.name.lower())


def _labels(one: Asked) -> Mapping[str, str]:
    """Of a pod its own; of a Service those that it selects."""
    if one.pod is not None:
        return one.pod.labels
    return (one.service.selector if one.service is not None else None) or {}
