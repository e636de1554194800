"""The walks that were looked at, back and forward, as pages are in a browser. No Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8stui.walk.trace import Trace
    from k8stui.walk.world import World

_MOST = 100
"""Walks that are kept; older ones are forgotten."""


@dataclass(slots=True)
class Visit:
    """A walk, and where one was in it."""

    world: World
    trace: Trace
    index: int


class History:
    """Walks in the order in which they were looked at."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []
        self._at = -1

    def visit(self, world: World, trace: Trace, index: int, left_at: int) -> None:
        """Go on to another walk; `left_at`: the 0-based step at which the present one is left.

        What one had gone back from is forgotten.
        """
        self._leave(left_at)
        if self._at >= 0 and self._visits[self._at].trace is trace:
            return
        del self._visits[self._at + 1 :]
        self._visits.append(Visit(world, trace, index))
        del self._visits[:-_MOST]
        self._at = len(self._visits) - 1

    def move(self, world: World, by: int, left_at: int) -> Visit | None:
        """Go back (-1) or forward (1) among the walks of this world; None: there is none."""
        at = self._at + by
        while 0 <= at < len(self._visits) and self._visits[at].world is not world:
            at += by
        if not 0 <= at < len(self._visits):
            return None
        self._leave(left_at)
        self._at = at
        return self._visits[at]

    def _leave(self, index: int) -> None:
        if self._at >= 0:
            self._visits[self._at].index = index

    def asked(self, most: int = 7) -> list[tuple[str, str]]:
        """Give the requests that were walked, each once, the last one first."""
        pairs = (
            (visit.trace.request.source, visit.trace.request.destination)
            for visit in reversed(self._visits)
        )
        return list(dict.fromkeys(pairs))[:most]
