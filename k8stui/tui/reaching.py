"""From the workbench to the map of who reaches whom, from a cell to its walk, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.tui.walking import Walking

if TYPE_CHECKING:
    from k8stui.export.reach_map import Probe, ReachMap
    from k8stui.walk.world import World


class Reaching(Walking):
    """The key that opens the map, and what comes of a cell."""

    _map: tuple[World, ReachMap] | None = None
    """The map that was looked at last, and of what."""
    _from_map = -1
    """`generation` of the walk that was asked for by a cell."""

    def action_reach(self) -> None:
        self.show_map("")

    def show_map(self, needle: str) -> None:
        """Open the map, filtered; where it was left, if it is of this world."""
        desk = self.ready()
        if desk is None:
            return
        from k8stui.tui.reach_screen import ReachScreen  # noqa: PLC0415 - only when asked for

        world = desk.world
        known = self._map[1] if self._map is not None and self._map[0] is world else None
        screen = ReachScreen(self.jobs, world, known, needle)

        def chosen(pair: Probe | None) -> None:
            if screen.map is not None:
                self._map = world, screen.map
            if pair is not None:
                self.walk(self.jobs.pair, world, pair)
                self._from_map = self.generation
                self.redraw()

        self.app.push_screen(screen, chosen)

    def back_to_map(self) -> None:
        """From the walk of a cell back to the cell."""
        if self.generation == self._from_map and self.desk is not None:
            self.show_map(self._map[1].needle if self._map is not None else "")
