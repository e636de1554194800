"""The screen while the input is read: how far it is, and the tree of what was found so far."""

from __future__ import annotations

from functools import partial
from time import monotonic

from k8stui.tui.base import Base
from k8stui.tui.jobs import Jobs
from k8stui.tui.messages import LoadFailed, ReadOn, WorldLoaded
from k8stui.tui.names import PaneName


class Loading(Base):
    """Reads the input, once."""

    _lends_front = False
    """Whether the Nodes pane is in front only because there is nothing else to see yet."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs)
        self._opened_at = monotonic()

    @property
    def busy_since(self) -> float:
        """As ever; while nothing is read yet, since the screen was opened."""
        return max(super().busy_since, self._opened_at) if self.desk is None else super().busy_since

    def load(self) -> None:
        """Begin to read."""
        self.work("load", partial(self.jobs.load, self.post))

    def on_unmount(self) -> None:
        self.jobs.call_off()

    def on_read_on(self, event: ReadOn) -> None:
        """Show how far it is, and what was found."""
        if self.desk is not None:
            return
        self.reading = event.reading
        if event.rows:
            self._grow(event)
        self.redraw_line("title")
        if self.is_refusing:
            self.redraw_line("keys")

    def _grow(self, event: ReadOn) -> None:
        from k8stui.tui.found_rows import FoundRows  # noqa: PLC0415 - after the first frame
        from k8stui.tui.tree import Tree  # noqa: PLC0415

        if self.growing is None:
            self.growing = Tree(FoundRows())
            self._lends_front = self.front is PaneName.LAYOUT
            if self._lends_front:
                self.show_pane(PaneName.NODES)
        rows = self.growing.rows
        assert isinstance(rows, FoundRows)
        rows.take(event.rows)
        pane = self.pane(PaneName.NODES)
        pane.shift(self.growing.grow())
        pane.redraw()

    def take_world(self, event: WorldLoaded) -> None:
        """Show the cluster in place of what was found; the cursor stays on its object."""
        self.desk, grown = event.desk, self.growing
        self.growing = None
        if grown is None:
            return
        tree, pane = self.desk.tree, self.pane(PaneName.NODES)
        untouched = not grown.is_touched and not grown.is_filtered
        before = grown.cursor
        tree.follow(grown)
        if untouched:
            tree.cursor = 0  # it went along with what was found first
        pane.shift(tree.cursor - before)
        if self._lends_front and untouched and self.front is PaneName.NODES:
            self.show_pane(PaneName.LAYOUT)

    def on_load_failed(self, event: LoadFailed) -> None:
        self.give_up(f"k8stui: {self.mistake(event.error)}")

    def give_up(self, why: str) -> None:
        """Leave with exit status 2; `why` is printed below, with no markup and no wrapping."""
        self.jobs.last_words = why
        self.app.exit(2, return_code=2)
