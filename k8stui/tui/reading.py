"""How far a load is, in words. The first updates come before the lower rooms: none is needed."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink, Line, cut, join, line_width, run

_MB = 1_000_000


class Phase(Enum):
    """What is being done."""

    COMING = auto()
    """Standard input is still being written."""
    READING = auto()
    BUILDING = auto()
    """All is read; the cluster is made of it."""


class Reading(NamedTuple):
    """How far the load is."""

    phase: Phase
    done: int = 0
    """Bytes."""
    total: int = 0
    """Bytes; 0: nobody knows."""
    objects: int = 0
    waiting: str = ""
    """What kubectl says that waits for the user."""

    @property
    def percent(self) -> int | None:
        """Of the bytes; None where nobody knows, as of a packed file."""
        return self.done * 100 // self.total if self.done <= self.total and self.total else None

    def said(self, what: str) -> str:
        """``reading dump.yaml   43 %   34.8 of 80.6 MB   16,584 objects``."""
        if self.waiting:
            return f"kubectl: {'  '.join(self.waiting.splitlines())}"
        match self.phase:
            case Phase.COMING if not self.done:
                return f"reading {what} …"
            case Phase.COMING:
                return f"reading {what}   {self.done / _MB:,.1f} MB so far"
            case Phase.BUILDING:
                return f"building the cluster of {self.objects:,} objects …"
            case Phase.READING if self.percent is not None:
                size = f"{self.done / _MB:,.1f} of {self.total / _MB:,.1f} MB"
                return f"reading {what}   {self.percent:>2} %   {size}   {self.objects:,} objects"
            case _:
                return f"reading {what}   {self.done / _MB:,.1f} MB   {self.objects:,} objects"

    def not_yet(self) -> str:
        """Why a key cannot do anything before the load is done."""
        match self.phase:
            case Phase.BUILDING:
                return "loading: the cluster is being built, then there is a walk"
            case Phase.READING if self.percent is not None:
                return f"loading: {self.percent} %, then there is a walk"
            case _:
                return "loading: when all is read there is a walk"


def waiting_line(reading: Reading, what: str, width: int) -> Line:
    """The title while there is nothing to walk yet."""
    return cut(join((run(" k8stui ", Ink.KEY), run(f" {reading.said(what)}", Ink.DIM))), width)


def not_yet_line(reading: Reading, width: int) -> Line:
    """Instead of the keys, for a moment: why this one did nothing."""
    why = run(f" {reading.not_yet()}", Ink.CHANGED)
    both = join((why, run("   meanwhile: ↑↓ Enter in the tree, / finds, q leaves", Ink.DIM)))
    return both if line_width(both) <= width else cut(why, width)
