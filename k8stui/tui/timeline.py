"""The deployment as a line: its objects in order, the present one in brackets, the answers below.

A moment is computed when somebody gets to it. No Textual here.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

from k8stui.export.drawing.ink import Ink, Line, cut, fit, join, line_width, run, skip, width_of
from k8stui.export.drawing.words import RESULTS
from k8stui.export.tour import moment_words
from k8stui.neutralise import neutralise
from k8stui.replay.change import Change, Verb, parse_change, possible, replicas
from k8stui.replay.replay import Moment, Player, Question, applied
from k8stui.walk.kinds import SHORT

if TYPE_CHECKING:
    from k8stui.manifests import Manifest
    from k8stui.walk.world import World

_SHORT = {**SHORT, "Service": "svc", "ConfigMap": "cm", "NetworkPolicy": "netpol", "Ingress": "ing"}
"""As ``kubectl api-resources`` has them."""


_AT_ONCE = 250
"""Moments that are computed before the first one is shown: about a second's work."""
_MOST_SCALED = 50
"""Endpoints of a Service whose workloads are scaled to see what has a place then."""


class Timeline:
    """One deployment, and the moment of it that is looked at."""

    def __init__(self, world: World, question: Question, order: str, namespace: str) -> None:
        self.world = world
        """When everything is there."""
        self.question = question
        self.order = order
        self._steps: list[Manifest | Change] = list(applied(world, order))
        """What leads from each moment to the next."""
        self.moments: list[Moment] = []
        """Those that were looked at, and what lies before them."""
        self.at = 0
        self.reached = 0
        """The last moment that was looked at."""
        self.is_closed = False
        self.tells = False
        """Whether one has just come to this moment: then it is said what it brought."""
        self._namespace = namespace
        self._player: Player | None = None
        self._places: list[Moment] | None = None
        """Where all moments are known: those that show whatever has a place, now and later."""
        self._telling: tuple[int, list[Moment]] = (0, [])
        """How many moments there were, and those that showed everything then."""
        self._lock = Lock()
        self._name_all()

    def _name_all(self) -> None:
        self.names = ("nothing yet", *map(_name, self._steps))

    def look_ahead(self) -> None:
        """Compute what is looked at; and all moments where they are few: they show all places."""
        is_short = len(self.names) <= _AT_ONCE
        self.fetch(len(self.names) - 1 if is_short else self.at)
        with self._lock:
            if is_short and self._places is None and not self.is_closed:
                self._places = [*self.telling(), *self._to_come()]

    def _to_come(self) -> Iterator[Moment]:
        """What scaling would add to the asked Service: what `possible` offers, at the end."""
        last = self.moments[-1]
        trace = last.asked[0].trace
        service = (trace.request.service or "") if trace is not None else ""
        slices = last.world.cluster.endpoint_slices.get(service, ())
        behind = {end.pod for each in slices for end in each.endpoints}
        player = Player(self.world, [self.question], self._namespace)
        player.stand_at(last)
        for workload in last.world.cluster.workloads:
            if behind.isdisjoint(workload.pods) or len(behind) > _MOST_SCALED:
                continue
            scaled = f"scale {workload.kind}/{workload.namespace}/{workload.name} "
            offers = [text for text in possible(player.objects) if text.startswith(scaled)]
            for text in offers[-1:]:
                for change in parse_change(text, player.objects, self._namespace):
                    yield player.do(change)

    def fetch(self, number: int) -> None:
        """Compute all moments up to a number; for a thread.

        Raises:
            RequestError: the question means nothing, even when everything is there.

        """
        with self._lock:
            if self._player is None:
                self._player = Player(self.world, [self.question], self._namespace)
            while len(self.moments) <= number and not self.is_closed:
                self.moments.append(self._next(self._player))

    def _next(self, player: Player) -> Moment:
        if not self.moments:
            return player.begin()
        step = self._steps[len(self.moments) - 1]
        return player.do(step) if isinstance(step, Change) else player.apply(step)

    def possible(self) -> list[str]:
        """What can be deleted or scaled at this moment, as it is typed."""
        moment = self.moment
        return list(possible(moment.world.manifests.objects)) if moment is not None else []

    def insert(self, text: str) -> None:
        """Delete or scale an object now; what else is applied comes behind it.

        Raises:
            ChangeError: `text` means nothing at this moment.

        """
        with self._lock:
            moment = self.moment
            if moment is None or self._player is None:
                return
            changes = parse_change(text, moment.world.manifests.objects, self._namespace)
            self._player.stand_at(moment)
            del self.moments[self.at + 1 :]
            self._telling = (0, [])
            self._steps[self.at : self.at] = changes
            self._name_all()
            self.at = self.reached = self.at + len(changes)

    def telling(self) -> list[Moment]:
        """Those of the moments known that show everything that has a place at any of them."""
        if self._places is not None:
            return self._places
        count, known = self._telling
        found: list[Moment] = []
        seen: set[object] = set()
        for moment in (*reversed(self.moments[count:]), *known):
            places = _places(moment)
            if not places <= seen:
                seen |= places
                found.append(moment)
        self._telling = (count + len(self.moments[count:]), found)
        return found

    @property
    def moment(self) -> Moment | None:
        """The one that is looked at; None: it is still being computed."""
        return self.moments[self.at] if self.at < len(self.moments) else None

    def move(self, by: int) -> bool:
        """Go on or back; whether there was anywhere to go."""
        at = max(0, min(self.at + by, len(self.names) - 1))
        moved, self.at = at != self.at, at
        self.reached = max(self.reached, at)
        return moved

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.names) - 1

    def said(self, width: int = 0) -> str:
        """What the moment brought, in a line; on `width` cells in fewer words."""
        moment = self.moment
        return moment_words(moment, width) if moment is not None else f"{self.names[self.at]} …"

    def lines(self, width: int, height: int) -> list[Line]:
        """The objects, the answers below them, and on a third line what the moment brought."""
        rows: tuple[list[Line], list[Line]] = ([run(" t ", Ink.KEY)], [run("   ")])
        answers = [self._answer(number) for number in range(len(self.moments))]
        least = max(map(line_width, answers), default=0)
        at = end = 0
        for number, name in enumerate(self.names):
            joint = "─ " if number else ""
            is_here = number == self.at
            text = f"[{name}]" if is_here else f" {name} "
            cell = max(width_of(text), least) + 1
            begin = sum(line_width(part) for part in rows[0]) + len(joint)
            if is_here:
                at, end = begin, begin + cell
            ink = Ink.HERE if is_here else Ink.TEXT if number < self.at else Ink.DIM
            # What is still to come is not told before.
            is_told = number <= self.reached and number < len(answers)
            word = answers[number] if is_told else run("…" if is_here else "", Ink.DIM)
            rows[0].extend((run(joint, Ink.DIM), fit(run(text, ink), cell)))
            rows[1].extend((run(" " * len(joint)), fit(join((run(" "), word)), cell)))
        lines = [_around(join(row), at, end, width) for row in rows]
        if height > 2:
            lines.append(cut(run(f"    {self.said(width - 4)}", Ink.STRONG), width))
        return [fit(line, width) for line in lines[:height]]

    def _answer(self, number: int) -> Line:
        """What came of the request at a moment."""
        asked = self.moments[number].asked[0]
        if asked.trace is None:
            return run("✗ not yet", Ink.DIM)
        sign = RESULTS[asked.result]
        return run(f"{sign.glyph} {sign.word}", sign.ink)


def _places(moment: Moment) -> set[object]:
    """Pods and where they are, who is behind a Service, and where the packet gets to."""
    cluster = moment.world.cluster
    found: set[object] = {(key, p.node_name, p.addresses) for key, p in cluster.pods.items()}
    for service, slices in cluster.endpoint_slices.items():
        found |= {(service, end.pod) for each in slices for end in each.endpoints}
    for asked in moment.asked:
        found |= {hop.namespace for hop in asked.trace.hops} if asked.trace is not None else set()
    return found


def _name(step: Manifest | Change) -> str:
    one = step.manifest if isinstance(step, Change) else step
    name = neutralise(f"{one.name} {_SHORT.get(one.kind, one.kind.lower())}")
    if not isinstance(step, Change):
        return name
    return f"-{name}" if step.verb is Verb.DELETED else f"{name} ×{replicas(one)}"


def _around(line: Line, at: int, end: int, width: int) -> Line:
    """The part of a line in which `at` to `end` is seen, as much as possible of what was before."""
    left = max(0, min(end + 12, line_width(line)) - width)
    left = min(left, max(0, at - 2))
    if not left:
        return line
    return join((run("… ", Ink.DIM), skip(line, left + 2)))
