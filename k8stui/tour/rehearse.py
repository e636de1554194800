"""A tour → its stops: every position walked before anybody looks, so that none fails on stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from itertools import islice

from k8stui.errors import K8sTuiError
from k8stui.record import record
from k8stui.replay.change import Verb
from k8stui.replay.replay import Moment, Question, parse_question, replay
from k8stui.tour.comparison import Comparing, ShownComparison
from k8stui.tour.page import TourPage, Words
from k8stui.tour.tour import Compare, Input, Position, Tour
from k8stui.tour.where import step_of
from k8stui.walk.compare import Variation, common_steps, vary
from k8stui.walk.error import RequestError
from k8stui.walk.kinds import api_kind, kind_words
from k8stui.walk.request import outside_addresses, parse_request
from k8stui.walk.source import parse_source
from k8stui.walk.trace import Request, Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world
from k8stui.whole import whole

MOST_BRANCHES = 200
"""Branches of a request among which one is looked for."""
START = "start"
"""The moment before anything is deployed."""


@record(kw_only=True)
class Stop:
    """One position, ready to be shown."""

    position: Position
    base: World
    """When all is there, or at its moment; as the input has it."""
    moment: Moment | None
    variations: tuple[Variation, ...]
    """Settings turned one after the other; the last one's world is what is shown."""
    before: Trace | None
    """The walk without them."""
    trace: Trace | None
    """None: at this moment nobody can ask so yet; `failure` says why."""
    index: int
    """0-based step."""
    question: Question
    failure: str = ""
    comparison: ShownComparison | None = None
    """What is shown in place of the walk."""

    @property
    def world(self) -> World:
        return self.variations[-1].world if self.variations else self.base


@record(kw_only=True)
class Rehearsal:
    """A tour that can be given."""

    tour: Tour
    world: World
    stops: tuple[Stop, ...] = field(default=())


def rehearse(tour: Tour) -> Rehearsal:
    """Walk every position.

    Raises:
        TourError: with everything that cannot be shown, each at its place.

    """
    page = tour.page
    world = _world(page, tour.input)
    stops = _Rehearsing(tour, world).stops() if world is not None else []
    page.stop()
    assert world is not None
    return Rehearsal(tour=tour, world=world, stops=tuple(stops))


def _world(page: TourPage, source: Input) -> World | None:
    try:
        return build_world([one.text for one in source.paths], source.cluster, source.nodes)
    except (K8sTuiError, OSError) as error:
        page.refused(source.at, error)
        return None


class _Rehearsing:
    """Walks positions; the same request in the same world is walked once."""

    def __init__(self, tour: Tour, world: World) -> None:
        self._page, self._input, self._world = tour.page, tour.input, world
        self._positions = tour.positions
        self._moments: list[Moment] | None = None
        self._walked: dict[tuple[object, ...], list[Trace]] = {}
        self._varied: dict[tuple[object, ...], tuple[Variation, ...]] = {}
        self._comparing = Comparing(tour.page)
        self._others: dict[str, World | None] = {}
        """Other inputs, by path; None: there is a mistake in it, and it is noted."""

    def stops(self) -> list[Stop]:
        asked: tuple[Question, Words] | None = None
        branch: Words | None = None
        found = []
        for position in self._positions:
            if position.ask is not None:
                asked, branch = self._question(position.ask), None
            branch = position.branch or branch
            if asked is not None and (stop := self._stop(position, *asked, branch)) is not None:
                found.append(stop)
        return found

    def _question(self, words: Words) -> tuple[Question, Words] | None:
        try:
            return parse_question(words.text), words
        except RequestError as error:
            self._page.wrong(words.at, error.message, error.hint)
            return None

    def _stop(
        self, position: Position, question: Question, words: Words, branch: Words | None
    ) -> Stop | None:
        # With everything there it has to mean something, whatever the moment.
        if self._request(self._world, question, words) is None:
            return None
        moment = None
        if position.after is not None:
            moment = self._moment(position.after)
            if moment is None:
                return None
        base = moment.world if moment is not None else self._world
        moment_number = moment.number if moment is not None else None
        try:
            request = self._parsed(base, question)
        except RequestError as error:
            return self._not_yet(position, base, moment, question, error)
        key = (moment_number, question, branch.text if branch is not None else "")
        before = self._trace(key, base, request, branch)
        variations = self._variations(key, base, request, position.what_ifs)
        if before is None or variations is None:
            return None
        trace: Trace | None = before
        if variations:
            turned = tuple(one.text for one in position.what_ifs)
            world = variations[-1].world
            trace = self._trace((*key, turned), world, self._parsed(world, question), branch)
        if trace is None:
            return None
        comparison, index = None, 0
        if position.compare is not None:
            comparison = self._comparison(position, position.compare, base, trace)
            if comparison is None:
                return None
        else:
            index = self._index(position, before, trace)
        return Stop(
            position=position,
            base=base,
            moment=moment,
            variations=variations,
            before=before if variations else None,
            trace=trace,
            index=index,
            question=question,
            comparison=comparison,
        )

    def _comparison(
        self, position: Position, wanted: Compare, world: World, trace: Trace
    ) -> ShownComparison | None:
        other = None
        if position.against is not None:
            other = self._other(position.against)
            if other is None:
                return None
        made = self._comparing.made(wanted, world, trace, other)
        if made is None or made.pair is None or position.where is None:
            return made
        step = step_of(self._page, position.where, made.pair[1].trace)
        return replace(made, step=step) if step is not None else None

    def _other(self, path: Words) -> tuple[World, str] | None:
        """Another input, read as the tour's own, and its name."""
        if path.text not in self._others:
            source = self._input
            read = _world(self._page, replace(source, at=path.at, paths=(path,)))
            if read is not None and not read.manifests.objects:
                self._page.wrong(path.at, f"nothing of Kubernetes in {path.text}")
                read = None
            self._others[path.text] = read
        world = self._others[path.text]
        name = path.text.rstrip("/").rpartition("/")[2]
        return (world, name) if world is not None else None

    def _not_yet(
        self,
        position: Position,
        base: World,
        moment: Moment | None,
        question: Question,
        error: RequestError,
    ) -> Stop | None:
        at = position.where or position.compare
        if at is not None:
            what = "it has no steps" if position.where else "nothing can be compared"
            said = f"there is no walk at this moment, so {what}"
            self._page.wrong(at.at, said, error.message)
            return None
        return Stop(
            position=position,
            base=base,
            moment=moment,
            variations=(),
            before=None,
            trace=None,
            index=0,
            question=question,
            failure=f"{error.message} yet",
        )

    def _index(self, position: Position, before: Trace, trace: Trace) -> int:
        """The step that is said; else where a change shows, the end of a moment, the begin."""
        if position.where is not None:
            return step_of(self._page, position.where, trace) or 0
        last = max(0, len(trace.steps) - 1)
        if position.what_ifs:
            return min(common_steps(before, trace), last)
        return last if position.after is not None else 0

    # Requests

    def _parsed(self, world: World, question: Question) -> Request:
        return parse_request(world, question.source, question.destination, self._input.namespace)

    def _request(self, world: World, question: Question, words: Words) -> Request | None:
        """Understand it; what is wrong with it is told at the side that it is wrong with."""
        try:
            return self._parsed(world, question)
        except RequestError as error:
            hint = "\n".join(error.render().split("\n")[1:])
            self._page.wrong(words.at + self._side(world, question, words), error.message, hint)
            return None

    def _side(self, world: World, question: Question, words: Words) -> int:
        """Where in the words the side stands that means nothing."""
        beyond = outside_addresses(world)
        try:
            parse_source(world.cluster, question.source, self._input.namespace, beyond)
        except RequestError:
            return words.text.index(question.source)
        return words.text.rindex(question.destination)

    def _trace(
        self, key: tuple[object, ...], world: World, request: Request, branch: Words | None
    ) -> Trace | None:
        most = MOST_BRANCHES if branch is not None else 1
        if key not in self._walked:
            self._walked[key] = list(islice(walks(world, request), most))
        found = self._walked[key]
        if branch is None:
            return found[0]
        text = branch.text
        if text.isdecimal():
            chosen = next((t for t in found if t.branch == whole(text)), None)
            if chosen is None:
                self._page.wrong(branch.at, f"there is no branch {text}: there are {len(found)}")
            return chosen
        servers = {server: trace for trace in found for server in _servers(trace)}
        if text not in servers:
            self._page.unknown(branch, f"{text!r} answers in no branch", dict.fromkeys(servers))
        return servers.get(text)

    # What if

    def _variations(
        self, key: tuple[object, ...], base: World, request: Request, what_ifs: Sequence[Words]
    ) -> tuple[Variation, ...] | None:
        """The worlds in which the settings are turned, one after the other."""
        full = (*key, *(one.text for one in what_ifs))
        if full in self._varied:
            return self._varied[full]
        found: list[Variation] = []
        for words in what_ifs:
            world = found[-1].world if found else base
            try:
                found.append(vary(world, request, words.text))
            except RequestError as error:
                self._page.refused(words.at, error)
                return None
        self._varied[full] = tuple(found)
        return self._varied[full]

    # Moments

    def _moment(self, after: Words) -> Moment | None:
        moments = self._replayed()
        text = after.text.strip()
        if text == START and moments:
            return moments[0]
        for moment in reversed(moments):
            if text in _names(moment):
                return moment
        names = [name for moment in moments for name in _names(moment)[:1]]
        if moments:
            said = f"no step of the deployment is called {text!r}"
            self._page.unknown(after, said, [START, *dict.fromkeys(names)])
        return None

    def _replayed(self) -> list[Moment]:
        """Every moment of the deployment; none, and a mistake noted, where one cannot be had."""
        if self._moments is not None:
            return self._moments
        self._moments = []
        doing: list[Words] = []

        def then() -> Iterator[str]:
            for words in self._input.then:
                doing[:] = [words]
                yield words.text

        source = self._input
        try:
            self._moments = list(
                replay(self._world, source.order, then=then(), namespace=source.namespace)
            )
        except K8sTuiError as error:
            self._page.refused(doing[0].at if doing else source.at, error)
        return self._moments


def _names(moment: Moment) -> list[str]:
    """How a moment can be called: ``Service/mysql``, ``delete Service/mysql``."""
    change = moment.change
    if change is None:
        return []
    one = change.manifest
    lead = {Verb.DELETED: "delete "}.get(change.verb, "scale " if change.words else "")
    tail = change.words.rpartition("→")[2] if change.words else ""
    kinds = dict.fromkeys((one.kind, *_kinds(one.kind)))
    names = (one.name, f"{one.namespace or 'default'}/{one.name}")
    return [f"{lead}{kind}/{name}{tail}" for name in names for kind in kinds]


def _kinds(kind: str) -> Iterator[str]:
    """Other words for a kind of the API."""
    yield from (word for word in kind_words() if api_kind(word) == kind)


def _servers(trace: Trace) -> Iterator[str]:
    """The pods that this branch leads to: with their namespace, and without."""
    for pod in (trace.outcome.server_pod, *trace.alike):
        if pod:
            yield pod
            yield pod.partition("/")[2] or pod
