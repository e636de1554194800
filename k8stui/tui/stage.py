"""Presenting: the hop's number in large figures beside the step."""

from __future__ import annotations

from k8stui.export.drawing.ink import NOTHING, Ink, Line, fit, join, run
from k8stui.export.drawing.words import DIRECTIONS
from k8stui.tui.state import State
from k8stui.tui.status import now

_FIGURES = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": (" ┓ ", " ┃ ", " ┻ "),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
}
"""Three rows of three cells, after Textual's ``Digits``."""


def large(number: int) -> tuple[str, str, str]:
    """Give the number in figures three rows high."""
    rows = zip(*(_FIGURES[figure] for figure in str(number)), strict=True)
    first, second, third = (" ".join(row) for row in rows)
    return first, second, third


def stage(state: State, width: int, height: int) -> list[Line]:
    """The lines of the step, the number of its hop large before them."""
    hop, trace = state.hop, state.trace
    if hop is None or trace is None:
        return now(state, width, height)
    forward = DIRECTIONS[hop.direction].ink is Ink.HERE
    ink = Ink.TRAIL if forward else Ink.RETURN
    figures = large(state.hop_index + 1)
    asides = ("hop", "", f"of {len(trace.hops)}")
    room = max(len(aside) for aside in asides)
    left = [
        join((run(f"  {figure}  ", ink), fit(run(aside, Ink.DIM), room), run("  ")))
        for figure, aside in zip(figures, asides, strict=True)
    ]
    used = len(figures[0]) + room + 6
    texts = now(state, max(20, width - used), height)
    return [join((left[n] if n < len(left) else NOTHING, text)) for n, text in enumerate(texts)]
