"""The places of a walk by name: where chance chose, NAT, the tunnel, the failure, the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from k8stui.export.drawing.ink import Ink, Line, cut, join, run, text_of
from k8stui.export.drawing.words import origin_line
from k8stui.neutralise import neutralise
from k8stui.tui.keys import LANDMARKS
from k8stui.tui.listing import ListScreen, Told
from k8stui.tui.pane import Pane
from k8stui.walk.landmarks import Landmark, landmarks
from k8stui.walk.reason import because

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace

_KEY_OF = {Landmark[name.upper()]: key for key, name in LANDMARKS.items()}


class GoToScreen(ListScreen):
    """Gives back the 0-based step to go to. The keys of the places choose at once."""

    BINDINGS: ClassVar = [
        Binding(
            key, f"take('{name}')", name, id=f"go-to-{name}", tooltip="To this place", show=False
        )
        for key, name in LANDMARKS.items()
    ]

    def __init__(self, trace: Trace, index: int) -> None:
        """`index`: the step that is shown now."""
        self._trace = trace
        self._found = landmarks(trace)
        at = next((n for n, each in enumerate(self._found) if each.index >= index), 0)
        title = "Go to" if self._found else "Go to: nothing on this way has a name"
        choices = range(len(self._found)) if self._found else None
        super().__init__(title, self._rows, choices=choices, at=at, foot=self._why)

    def _rows(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for each in self._found:
            step = self._trace.steps[each.index]
            key = _KEY_OF.get(each.landmark, " ")
            lines.append(
                cut(
                    join(
                        (
                            run(f" {key} ", Ink.KEY),
                            run(f"{step.number:>4}  "),
                            run(f"{each.landmark.value:<22}", Ink.STRONG),
                            run(neutralise(step.text)),
                        )
                    ),
                    width,
                )
            )
        return lines

    def _why(self, row: int) -> list[Told]:
        step = self._trace.steps[self._found[row].index]
        why = because(step.cause)
        said = step.text
        if why is not None and why.text not in said:
            said += f". Because: {why.text}"
        origin = origin_line(step.origin)
        ink = origin[0][1] if origin else Ink.TEXT
        return [Told(run(" "), said, Ink.TEXT, 4), Told(run(" "), text_of(origin), ink, 1)]

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        row = self.row_at(event.row)
        if row is not None:
            self.dismiss(self._found[row].index)

    def action_take(self, name: str) -> None:
        """Go to a place at once, where there is such a one."""
        wanted = Landmark[name.upper()]
        index = next((each.index for each in self._found if each.landmark is wanted), None)
        if index is not None:
            self.dismiss(index)

    def action_choose(self) -> None:
        self.dismiss(
            self._found[self._at].index if self._choices and self._at is not None else None
        )
