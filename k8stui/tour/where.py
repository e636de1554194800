"""A step by what happens there: ``at: dnat``, ``at: {kind: snat, node: node-1}``, ``at: reply``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from k8stui.kernel.step import Direction, RuleCause, StepKind
from k8stui.tour.page import TourPage, listed
from k8stui.tour.tour import Where
from k8stui.walk.landmarks import Landmark, landmarks
from k8stui.walk.trace import Hop, Trace, TraceStep
from k8stui.walk.turns import undone
from k8stui.whole import whole

FIELDS = ("kind", "node", "pod", "chain", "direction", "nth")
"""Of a step that is told by more than a word."""


def _start(_: Trace) -> int | None:
    return 0


def _end(trace: Trace) -> int | None:
    return len(trace.steps) - 1


def _landmark(wanted: Landmark) -> Callable[[Trace], int | None]:
    return lambda trace: next(
        (one.index for one in landmarks(trace) if one.landmark is wanted), None
    )


def _server(trace: Trace) -> int | None:
    """Where the server's socket gets the packet; behind a proxy, where the last one does."""
    out = [
        (n, hop.namespace)
        for n, (hop, step) in enumerate(trace.placed)
        if hop.direction is Direction.FORWARD and step.kind is StepKind.DELIVER
    ]
    theirs = [n for n, namespace in out if namespace == trace.outcome.server_pod]
    return theirs[0] if theirs else out[-1][0] if out else None


def _un_nat(trace: Trace) -> int | None:
    return _first(trace, lambda _, step: bool(undone(step)))


_WORDS: Mapping[str, tuple[Callable[[Trace], int | None], str]] = {
    "start": (_start, ""),
    "end": (_end, ""),
    "failure": (_landmark(Landmark.FAILURE), "this walk does not fail: the client is connected"),
    "reply": (_landmark(Landmark.REPLY), "nothing answers in this walk"),
    "server": (_server, "no server gets the packet in this walk"),
    "un-nat": (_un_nat, "nothing in this walk is translated back"),
    "fork": (_landmark(Landmark.FORK), "chance decides nothing in this walk"),
}
KINDS = tuple(kind.value for kind in StepKind)
WORDS = (*_WORDS, *KINDS)
"""What can stand behind ``at:`` beside a number."""


def step_of(page: TourPage, where: Where, trace: Trace) -> int | None:
    """0-based step; None, and a mistake noted on the page, where the walk has none like it."""
    count = len(trace.steps)
    word = where.word
    if word is None:
        return _matching(page, where, trace)
    if word.text.isdecimal():
        number = whole(word.text)
        if number is not None and 1 <= number <= count:
            return number - 1
        page.wrong(word.at, f"there is no step {number}: the walk has {count} steps")
        return None
    if word.text in _WORDS:
        find, missing = _WORDS[word.text]
        found = find(trace)
        if found is None or found < 0:
            page.wrong(word.at, missing or "the walk has no steps", _has(trace))
            return None
        return found
    found = _first(trace, lambda _, step: step.kind.value == word.text)
    if found is None:
        page.wrong(word.at, f"this walk has no step of kind {word.text}", _has(trace))
    return found


def _matching(page: TourPage, where: Where, trace: Trace) -> int | None:
    """The step that fits all fields; where none does, the first field that no step fits is told."""
    left = list(enumerate(trace.placed))
    said: list[str] = []
    for name, words in where.wanted.items():
        fits = _TESTS[name]
        kept = [(n, one) for n, one in left if fits(*one, words.text)]
        if not kept:
            behind = f" of those with {', '.join(said)}" if said else ""
            choices = sorted({value for _, one in left for value in _VALUES[name](*one)})
            page.unknown(words, f"no step{behind} has {name} {words.text}", choices)
            return None
        left = kept
        said.append(f"{name} {words.text}")
    if where.nth > len(left):
        fit = "one step fits" if len(left) == 1 else f"{len(left)} steps fit"
        page.wrong(where.at, f"there is no step number {where.nth} of these: {fit}")
        return None
    return left[where.nth - 1][0]


def _pod_fits(hop: Hop, _: TraceStep, text: str) -> bool:
    return "/" in hop.namespace and text in (hop.namespace, hop.namespace.partition("/")[2])


def _kind_fits(_: Hop, step: TraceStep, text: str) -> bool:
    return step.kind.value == text or (text == "un-nat" and bool(undone(step)))


def _chain_of(step: TraceStep) -> tuple[str, ...]:
    return (step.cause.chain.name,) if isinstance(step.cause, RuleCause) else ()


_TESTS: Mapping[str, Callable[[Hop, TraceStep, str], bool]] = {
    "kind": _kind_fits,
    "node": lambda hop, _, text: hop.namespace == text,
    "pod": _pod_fits,
    "chain": lambda _, step, text: any(name.startswith(text) for name in _chain_of(step)),
    "direction": lambda hop, _, text: hop.direction.value == text,
}
_VALUES: Mapping[str, Callable[[Hop, TraceStep], Sequence[str]]] = {
    "kind": lambda _, step: (step.kind.value,),
    "node": lambda hop, _: () if "/" in hop.namespace else (hop.namespace,),
    "pod": lambda hop, _: (hop.namespace.partition("/")[2],) if "/" in hop.namespace else (),
    "chain": lambda _, step: _chain_of(step),
    "direction": lambda hop, _: (hop.direction.value,),
}


def _first(trace: Trace, fits: Callable[[Hop, TraceStep], bool]) -> int | None:
    return next((n for n, one in enumerate(trace.placed) if fits(*one)), None)


def _has(trace: Trace) -> str:
    return listed(list(_kinds(trace)))


def _kinds(trace: Trace) -> Iterator[str]:
    yield from dict.fromkeys(step.kind.value for step in trace.steps)
