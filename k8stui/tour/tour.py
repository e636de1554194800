"""A tour as it is written: an input, and positions in its walks, each with a caption."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.tour.page import TourPage, Words

PANES = ("nodes", "layout", "chain", "walk")
"""What a position can bring to the front."""


@record(kw_only=True)
class Where:
    """Which step of the walk is meant: the first one that is all of this."""

    at: int
    """Offset in the file."""
    word: Words | None = None
    """A step's number, or one of `k8stui.tour.where.WORDS`."""
    wanted: Mapping[str, Words]
    """By field: ``kind``, ``node``, ``pod``, ``chain``, ``direction``."""
    nth: int = 1
    """1-based, among those that fit."""


@record(kw_only=True)
class Compare:
    """What a position compares: a table of `k8stui.walk.comparisons.Kind`, or one setting."""

    at: int
    """Offset in the file."""
    table: Words | None = None
    case: Words | None = None
    """The row under the cursor, by its name; None: the first."""
    column: Words | None = None
    setting: Words | None = None
    """``SETTING=VALUE``."""
    is_beside: bool = False
    """Whether the case and what it is compared with are shown side by side."""


@record(kw_only=True)
class Position:
    """What is shown while its caption is said."""

    number: int
    """1-based."""
    at: int
    """Offset in the file."""
    caption: str
    ask: Words | None
    """``SOURCE -> DESTINATION``; None: the request of the position before."""
    branch: Words | None
    """A branch's number, or the pod that answers in it."""
    where: Where | None
    after: Words | None
    """The moment of the deployment behind an object; None: when all is there."""
    what_ifs: tuple[Words, ...]
    """``SETTING=VALUE``, turned one after the other."""
    compare: Compare | None
    """What is shown in place of a walk."""
    against: Words | None
    """Path of another input that is compared with, found relative to the tour's file."""
    pane: str
    """One of `PANES`."""
    zoom: bool
    """Whether it stands alone on the screen."""


@record(kw_only=True)
class Input:
    """What the tour is about."""

    at: int
    paths: tuple[Words, ...]
    """Relative to the tour's file."""
    cluster: ClusterOptions
    nodes: NodeOptions
    namespace: str
    order: str
    """One of `k8stui.replay.order.ORDERS`."""
    then: tuple[Words, ...]
    """What is done when all objects are there: ``delete KIND/NAME``, ``scale KIND/NAME N``."""


@record(kw_only=True, eq=False)
class Tour:
    """The whole file."""

    page: TourPage
    title: str
    input: Input
    positions: tuple[Position, ...]
