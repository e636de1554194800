"""The tools: manifest lines, copying, writing, the input's problems."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from k8stui.tui.base import Base
from k8stui.tui.messages import LinesFound, LinesMissing

if TYPE_CHECKING:
    from k8stui.origin import Place


class Tools(Base):
    """Keys that look at what is selected, and do not move."""

    def action_manifest(self) -> None:
        desk = self.ready()
        if desk is None:
            return
        origin = desk.views.selected_origin()
        if origin is None or origin.place is None:
            why = f"{origin.kind}: {origin.reason}" if origin else "it follows from the packet"
            self.notify(f"No manifest line says this. {why}", markup=False)
            return
        self.show_place(origin.place, origin.kind)

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
        self.app.push_screen(ManifestScreen(title, manifest_lines(place, event.lines), more))

    def on_lines_missing(self, event: LinesMissing) -> None:
        """Say why they cannot be shown."""
        self.notify(event.why, severity="warning", markup=False)

    def action_copy(self) -> None:
        desk = self.ready()
        if desk is None:
            return
        from k8stui.tui.clipboard import to_tmux  # noqa: PLC0415 - only when asked for

        text = desk.copied(self.front, self.pane(self.front).sheet)
        if text:
            self.app.copy_to_clipboard(text)
            self.work("copy", partial(to_tmux, text))
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
