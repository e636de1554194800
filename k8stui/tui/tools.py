"""The tools: manifest lines, copying, writing, the input's problems."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from k8stui.neutralise import neutralise
from k8stui.tui.base import Base
from k8stui.tui.messages import LinesFound, LinesMissing, NeighboursFound
from k8stui.tui.names import PaneName
from k8stui.tui.tree import RowKind

if TYPE_CHECKING:
    from k8stui.origin import Place

_IN_THE_GRAPH = {RowKind.NODE, RowKind.POD, RowKind.CONTAINER, RowKind.SERVICE}


class ToolKeys(Base):
    """Keys that look at what is selected, and do not move."""

    def action_manifest(self) -> None:
        desk = self.ready()
        if desk is None:
            return
        place, what = desk.place()
        if place is None:
            self.notify(f"No manifest line says this. {what}", markup=False)
            return
        self.show_place(place, what)

    def show_place(self, place: Place, what: str, *, values: bool = False) -> None:
        """Look for the lines of a place: in a dump of 100 MB that takes a second.

        `values`: with those of containers' variables.
        """
        self.work("lines", partial(self.jobs.lines, place, what, self.post, values=values))

    def on_lines_found(self, event: LinesFound) -> None:
        """Show them."""
        from k8stui.tui.listings import manifest_lines  # noqa: PLC0415 - only when asked for
        from k8stui.tui.manifest_screen import ManifestScreen  # noqa: PLC0415 - as above

        place, what = event.place, event.what
        title = f"{place.file}:{place.line}  {what}"
        more = None if event.values else partial(self.show_place, place, what, values=True)
        lines = partial(manifest_lines, place, event.lines)
        self.app.push_screen(ManifestScreen(title, lines, more))

    def on_lines_missing(self, event: LinesMissing) -> None:
        """Say why they cannot be shown."""
        self.notify(event.why, severity="warning", markup=False)

    def action_neighbours(self) -> None:
        """Look who uses the object under the tree's cursor, and whom it uses."""
        desk = self.ready()
        item = desk.tree.item if desk is not None else None
        if desk is None or item is None:
            return
        if item.kind not in _IN_THE_GRAPH:
            self.notify("Choose a node, pod, container or Service in the Nodes pane.")
            return
        self.work("neighbours", partial(self.jobs.neighbours, desk.world, item.key, self.post))

    def on_neighbours_found(self, event: NeighboursFound) -> None:
        """List them; the chosen one is shown in the tree, or where it is written."""
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import neighbour_lines  # noqa: PLC0415

        found = event.neighbours

        def chosen(row: int | None) -> None:
            if row is None or self.desk is None:
                return
            one = found[row]
            if self.desk.tree.reveal(one.name):
                self.show_pane(PaneName.NODES)
                self.redraw()
            elif one.origin is not None and one.origin.place is not None:
                self.show_place(one.origin.place, str(one.origin.kind))

        title = f"{neutralise(event.key)}: who uses whom"
        choices = range(len(found)) if found else None
        self.app.push_screen(
            ListScreen(title, lambda _: neighbour_lines(found), choices=choices), chosen
        )

    def action_copy(self) -> None:
        desk = self.ready()
        if desk is not None:
            self.copy_out(desk.copied(self.front, self.pane(self.front).sheet))

    def copy_out(self, text: str) -> None:
        """Copy a text to the clipboard of the terminal, and of tmux."""
        from k8stui.tui.clipboard import to_tmux  # noqa: PLC0415 - only when asked for

        if text:
            self.app.copy_to_clipboard(text)
            self.work("copy", partial(to_tmux, text), is_asked=False)
            self.notify(text[:200], title="sent to terminal clipboard", timeout=3, markup=False)

    def action_write(self) -> None:
        desk = self.ready()
        trace = desk.state.trace if desk is not None else None
        if trace is None:
            return
        from k8stui.tui.clipboard import write_walk  # noqa: PLC0415 - only when asked for

        try:
            self.notify(f"written: {write_walk(trace).name}", markup=False)
        except OSError as error:
            self.notify(f"not written: {error.strerror}", severity="error", markup=False)

    def action_problems(self) -> None:
        desk = self.ready()
        if desk is None:
            return
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import problem_lines  # noqa: PLC0415

        count = len(desk.world.problems)
        title = f"{count} problem{'' if count == 1 else 's'} in the input"
        self.app.push_screen(ListScreen(title, partial(problem_lines, desk.world)))
