"""The deployment as a line: its objects in order, the present one in brackets, the answers below.

A moment is computed when somebody gets to it. No Textual here.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from k8stui.export.drawing.ink import Ink, Line, cut, fit, join, line_width, run, skip, width_of
from k8stui.export.drawing.words import RESULTS
from k8stui.export.tour import moment_words
from k8stui.neutralise import neutralise
from k8stui.replay.replay import Moment, Question, applied, replay
from k8stui.walk.kinds import SHORT

if TYPE_CHECKING:
    from k8stui.manifests import Manifest
    from k8stui.walk.world import World

_SHORT = {**SHORT, "Service": "svc", "ConfigMap": "cm", "NetworkPolicy": "netpol", "Ingress": "ing"}
"""As ``kubectl api-resources`` has them."""


class Timeline:
    """One deployment, and the moment of it that is looked at."""

    def __init__(self, world: World, question: Question, order: str, namespace: str) -> None:
        self.world = world
        """When everything is there."""
        self.question = question
        self.order = order
        self.names = ("nothing yet", *(_name(one) for one in applied(world, order)))
        self.moments: list[Moment] = []
        """Those that were looked at, and what lies before them."""
        self.at = 0
        self.is_closed = False
        self.tells = False
        """Whether one has just come to this moment: then it is said what it brought."""
        self._rest = replay(world, order, [question], namespace=namespace)
        self._lock = Lock()

    def fetch(self, number: int) -> None:
        """Compute all moments up to a number; for a thread.

        Raises:
            RequestError: the question means nothing, even when everything is there.

        """
        with self._lock:
            while len(self.moments) <= number and not self.is_closed:
                self.moments.append(next(self._rest))

    @property
    def moment(self) -> Moment | None:
        """The one that is looked at; None: it is still being computed."""
        return self.moments[self.at] if self.at < len(self.moments) else None

    def move(self, by: int) -> bool:
        """Go on or back; whether there was anywhere to go."""
        at = max(0, min(self.at + by, len(self.names) - 1))
        moved, self.at = at != self.at, at
        return moved

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.names) - 1

    def said(self) -> str:
        """What the moment brought, in a line."""
        moment = self.moment
        return moment_words(moment) if moment is not None else f"{self.names[self.at]} …"

    def lines(self, width: int, height: int) -> list[Line]:
        """The objects, the answers below them, and on a third line what the moment brought."""
        rows: tuple[list[Line], list[Line]] = ([run(" t  ", Ink.KEY)], [run("    ")])
        at = end = 0
        for number, name in enumerate(self.names):
            joint = " ─ " if number else ""
            is_here = number == self.at
            text = f"[{name}]" if is_here else name
            word = self._answer(number)
            cell = max(width_of(text), line_width(word))
            begin = sum(line_width(part) for part in rows[0]) + len(joint)
            if is_here:
                at, end = begin, begin + cell
            ink = Ink.HERE if is_here else Ink.TEXT if number < self.at else Ink.DIM
            rows[0].extend((run(joint, Ink.DIM), fit(run(text, ink), cell)))
            rows[1].extend((run(" " * len(joint)), fit(word, cell)))
        lines = [_around(join(row), at, end, width) for row in rows]
        if height > 2:
            lines.append(cut(run(f"    {self.said()}", Ink.STRONG), width))
        return [fit(line, width) for line in lines[:height]]

    def _answer(self, number: int) -> Line:
        """What came of the request at a moment."""
        if number >= len(self.moments):
            return run("…" if number <= self.at else "", Ink.DIM)
        asked = self.moments[number].asked[0]
        if asked.trace is None:
            return run("✗ not yet", Ink.DIM)
        sign = RESULTS[asked.result]
        return run(f"{sign.glyph} {sign.word}", sign.ink)


def _name(one: Manifest) -> str:
    return neutralise(f"{one.name} {_SHORT.get(one.kind, one.kind.lower())}")


def _around(line: Line, at: int, end: int, width: int) -> Line:
    """The part of a line in which `at` to `end` is seen, as much as possible of what was before."""
    left = max(0, min(end + 12, line_width(line)) - width)
    left = min(left, max(0, at - 2))
    if not left:
        return line
    return join((run("… ", Ink.DIM), skip(line, left + 2)))
