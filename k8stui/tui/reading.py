"""How far a load is, in words. The first updates come before the lower rooms: none is needed."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from k8stui.export.drawing.ink import Ink, Line, cut, join, line_width, run

_UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


class LoadPhase(Enum):
    """What is being done."""

    COMING = auto()
    """Standard input is still being written."""
    READING = auto()
    BUILDING = auto()
    """All is read; the cluster is made of it."""


class LoadProgress(NamedTuple):
    """How far the load is."""

    phase: LoadPhase
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
            case LoadPhase.COMING if not self.done:
                return f"reading {what} …"
            case LoadPhase.COMING:
                return f"reading {what}   {size_of(self.done)} so far"
            case LoadPhase.BUILDING:
                return f"building the cluster of {self.objects:,} objects …"
            case LoadPhase.READING if self.percent is not None:
                size = f"{size_of(self.done, self.total)} of {size_of(self.total)}"
                return f"reading {what}   {self.percent:>2} %   {size}   {self.objects:,} objects"
            case _:
                return f"reading {what}   {size_of(self.done)}   {self.objects:,} objects"

    def not_yet(self) -> str:
        """Why a key cannot do anything before the load is done."""
        match self.phase:
            case LoadPhase.BUILDING:
                return "loading: the cluster is being built, then there is a walk"
            case LoadPhase.READING if self.percent is not None:
                return f"loading: {self.percent} %, then there is a walk"
            case _:
                return "loading: when all is read there is a walk"


def size_of(count: int, whole: int = 0) -> str:
    """``34.8 MB``, ``2.1 kB``, ``312 bytes``; of a `whole` in its unit, without the word."""
    size, unit = next(((n, u) for n, u in _UNITS if (whole or count) >= n), (1, "bytes"))
    number = f"{count / size:,.1f}" if size > 1 else f"{count}"
    return number if whole else f"{number} {unit}"


def waiting_line(reading: LoadProgress, what: str, width: int) -> Line:
    """The title while there is nothing to walk yet."""
    return cut(join((run(" k8stui ", Ink.KEY), run(f" {reading.said(what)}", Ink.DIM))), width)


def not_yet_line(reading: LoadProgress, width: int) -> Line:
    """Instead of the keys, for a moment: why this one did nothing."""
    why = run(f" {reading.not_yet()}", Ink.CHANGED)
    both = join((why, run("   meanwhile: ↑↓ Enter in the tree, / finds, q leaves", Ink.DIM)))
    return both if line_width(both) <= width else cut(why, width)
