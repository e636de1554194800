"""What all parts of the screen stand on: the desk, the four panes, drawing, walks in threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.timer import Timer

from k8stui.tui.drawn import Drawn
from k8stui.tui.fitted import Fitted
from k8stui.tui.history import History
from k8stui.tui.jobs import Jobs
from k8stui.tui.names import PaneName
from k8stui.tui.pane import Pane
from k8stui.tui.reading import LoadPhase, LoadProgress
from k8stui.tui.working import Working

if TYPE_CHECKING:
    from k8stui.tui.desk import Desk
    from k8stui.tui.tree import Tree

_REFUSED_SECONDS = 2.5
"""How long it stands there why a key did nothing."""


class Base(Fitted, Working, Screen[None]):
    """The state that the parts share, and what they do with it."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.desk: Desk | None = None
        """None until the cluster stands."""
        self.growing: Tree | None = None
        """What was found so far, while a big input is read."""
        self.reading = LoadProgress(LoadPhase.COMING)
        """How far the load is."""
        self.front = PaneName.LAYOUT
        """The pane that the keys act in."""
        self.jobs = jobs
        self.generation = 0
        """Of the walk that was asked for last: what comes of earlier ones is dropped."""
        self.history = History()
        self._refused: Timer | None = None

    @property
    def nodes_tree(self) -> Tree | None:
        """The rows of the Nodes pane: of the cluster, or of what was found so far."""
        return self.desk.tree if self.desk is not None else self.growing

    def pane(self, name: PaneName) -> Pane:
        return self.query_one(f"#{name}", Pane)

    def redraw(self) -> None:
        """Draw everything anew; only what differs is sent."""
        if self.desk is not None:
            self.desk.views.front = self.front
            self.desk.views.has_details = not self.query_one("#now").display
            self.make_room()
        for widget in self.walk_children(Drawn):
            widget.redraw()

    def make_room(self) -> None:
        """Give the lines around the panes the rows that they need."""

    def redraw_line(self, name: str) -> None:
        """Draw one of the lines above and below the panes anew."""
        self.query_one(f"#{name}", Drawn).redraw()

    def show_pane(self, name: PaneName) -> None:
        """Bring a pane to the front."""
        if name is not self.front:
            self.front = name
            self.mark_front()
            self.redraw()
            self.call_after_refresh(self.redraw)

    def mark_front(self) -> None:
        """Mark the pane in front, and its companion where there is room for two."""
        side = PaneName.LAYOUT if self.front is PaneName.WALK else PaneName.WALK
        for name in PaneName:
            pane = self.pane(name)
            pane.is_front = name is self.front
            pane.set_class(name is self.front, "-front")
            pane.set_class(name is side, "-side")

    def ready(self) -> Desk | None:
        """Give the desk; while there is none, the lowest line says why the key does nothing."""
        if self.desk is None:
            if self._refused is not None:
                self._refused.stop()
            self._refused = self.set_timer(_REFUSED_SECONDS, self._forgive)
            self.redraw_line("keys")
        return self.desk

    @property
    def is_refusing(self) -> bool:
        """Whether a key could do nothing, just now."""
        return self._refused is not None and self.desk is None

    def _forgive(self) -> None:
        self._refused = None
        self.redraw_line("keys")

    def walk(self, job: Callable[..., object], *what: object) -> None:
        """Do a job that a walk comes of; what one asked for before it is dropped."""
        self.generation += 1
        self.work("walk", partial(job, *what, self.generation, self.post))
