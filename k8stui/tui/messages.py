"""What workers tell the screen, with the generation it was asked for: late ones are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from k8stui.check import Finding
    from k8stui.tui.desk import Desk
    from k8stui.walk.trace import Trace


@dataclass
class WorldLoaded(Message):
    """The manifests are read and the cluster stands."""

    desk: Desk


@dataclass
class LoadFailed(Message):
    """Nothing could be read."""

    error: Exception


@dataclass
class Walked(Message):
    """A request was walked."""

    trace: Trace
    generation: int
    index: int = 0
    """0-based step to begin at."""


@dataclass
class WalkedAgain(Message):
    """The same request was walked in another world."""

    trace: Trace
    generation: int
    differs_at: int | None
    """0-based step from which the walks differ; None: nothing does."""


@dataclass
class Checked(Message):
    """The world was checked."""

    desk: Desk
    findings: tuple[Finding, ...]
    error: Exception | None = None
    """Why the check came to no end: a bug."""


@dataclass
class WalkFailed(Message):
    """A request could not be walked."""

    error: Exception
    generation: int


@dataclass
class Branched(Message):
    """All branches of a request were walked, or the first ones of very many."""

    traces: tuple[Trace, ...]
    is_capped: bool
    generation: int
