"""What workers tell the screen, with the generation it was asked for: late ones are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from k8stui.cluster.graph import Related
    from k8stui.export.reach_map import ReachMap
    from k8stui.origin import Place
    from k8stui.tui.desk import Desk
    from k8stui.tui.findings import Checkup
    from k8stui.tui.found_rows import FoundRow
    from k8stui.tui.reading import LoadProgress
    from k8stui.tui.source_lines import Numbered
    from k8stui.tui.timeline import Timeline
    from k8stui.walk.cases import Cases
    from k8stui.walk.comparisons import Kind
    from k8stui.walk.trace import Trace
    from k8stui.walk.world import World


@dataclass(eq=False, repr=False)
class ReadOn(Message):
    """More of the input was read."""

    reading: LoadProgress
    rows: list[FoundRow]
    """Of the objects that were found since the last time."""


@dataclass(eq=False, repr=False)
class WorldLoaded(Message):
    """The manifests are read and the cluster stands."""

    desk: Desk


@dataclass(eq=False, repr=False)
class Reloaded(Message):
    """The input changed, and was read again."""

    desk: Desk


@dataclass(eq=False, repr=False)
class ReloadFailed(Message):
    """The input changed, and cannot be read any more."""

    error: Exception


@dataclass(eq=False, repr=False)
class OtherRead(Message):
    """Another input was read, or the one that is compared with was read again."""

    world: World
    said: str = ""
    """Which objects differ from what was read before."""


@dataclass(eq=False, repr=False)
class OtherFailed(Message):
    """Another input cannot be read."""

    error: Exception


@dataclass(eq=False, repr=False)
class LoadFailed(Message):
    """Nothing could be read."""

    error: Exception


@dataclass(eq=False, repr=False)
class Walked(Message):
    """A request was walked."""

    trace: Trace
    generation: int
    index: int = 0
    """0-based step to begin at."""


@dataclass(eq=False, repr=False)
class TableMade(Message):
    """A table of cases is there, or why there is none."""

    kind: Kind
    found: Cases | Exception


@dataclass(eq=False, repr=False)
class ReachOn(Message):
    """More of who reaches whom is known."""

    done: int
    """Of those who are asked."""
    total: int
    walks: int


@dataclass(eq=False, repr=False)
class ReachMade(Message):
    """Who reaches whom is known, or why it is not."""

    found: ReachMap | Exception


@dataclass(eq=False, repr=False)
class MomentMade(Message):
    """A moment of a deployment is known."""

    timeline: Timeline


@dataclass(eq=False, repr=False)
class Checked(Message):
    """A world was checked."""

    world: World
    checkup: Checkup


@dataclass(eq=False, repr=False)
class CheckFailed(Message):
    """A check came to no end: a bug."""

    error: Exception


@dataclass(eq=False, repr=False)
class LinesFound(Message):
    """The manifest lines around a place were found."""

    place: Place
    what: str
    """What the place says: a kind of origin, an object."""
    lines: tuple[Numbered, ...]
    values: bool
    """Whether the values of containers' variables are shown."""


@dataclass(eq=False, repr=False)
class NeighboursFound(Message):
    """Who uses an object and whom it uses is known."""

    key: str
    """Of the object, as in the tree."""
    neighbours: tuple[Related, ...]


@dataclass(eq=False, repr=False)
class LinesMissing(Message):
    """There are none to show."""

    why: str


@dataclass(eq=False, repr=False)
class WalkFailed(Message):
    """A request could not be walked."""

    error: Exception
    generation: int


@dataclass(eq=False, repr=False)
class Branched(Message):
    """All branches of a request were walked, or the first ones of very many."""

    traces: tuple[Trace, ...]
    is_capped: bool
    generation: int
