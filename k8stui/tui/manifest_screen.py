"""The lines of a manifest in front of the screen; values that are hidden at first on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding

from k8stui.export.drawing.ink import Ink, Line, run
from k8stui.tui.listing import ListScreen


class ManifestScreen(ListScreen):
    """A manifest's lines. Values of containers' variables, and passwords, come with a key."""

    BINDINGS: ClassVar = [
        Binding(
            "v",
            "values",
            "values",
            id="manifest-values",
            tooltip="Show the values of env and passwords, never those of Secrets",
        ),
    ]

    def __init__(
        self,
        title: str,
        lines: Callable[[int], Sequence[Line]],
        show_values: Callable[[], object] | None,
    ) -> None:
        """`lines`: of a width; `show_values`: asks for them with values (None: they have them)."""
        super().__init__(title, lines)
        self._show_values = show_values

    def own_keys(self) -> tuple[Line, ...]:
        if self._show_values is None:
            return ()
        return run("v ", Ink.KEY), run("values   ", Ink.DIM)

    def action_values(self) -> None:
        if self._show_values is not None:
            self.dismiss(None)
            self._show_values()
