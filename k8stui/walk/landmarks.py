"""The places of a walk that one asks for by name: where chance chose, where it failed, the answer.

Each says what happened there and why, so that a list of them is the walk in a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction, Fork, RouteCause, RuleCause, StepKind
from k8stui.record import record
from k8stui.walk.trace import Trace, TraceStep


class Landmark(StrEnum):
    """What can be asked for."""

    FORK = "chance chose"
    DESTINATION = "destination rewritten"
    SOURCE = "source rewritten"
    TUNNEL = "wrapped in a tunnel"
    SERVER = "at the server"
    FAILURE = "where it failed"
    REPLY = "the answer begins"


@record()
class FoundLandmark:
    """A landmark of one walk."""

    landmark: Landmark
    index: int
    """0-based place in `Trace.steps`."""


def landmarks(trace: Trace) -> tuple[FoundLandmark, ...]:
    """Give the landmarks that a walk has, in its order; of each kind the first."""
    steps = trace.steps
    found = {each.landmark: each for each in reversed([*_found(trace, steps)])}
    return tuple(sorted(found.values(), key=lambda each: each.index))


def telling(trace: Trace) -> int:
    """Where a walk that was not chosen step by step is looked at: where it failed, else its begin.

    0-based, in `Trace.steps`.
    """
    failed = (each.index for each in landmarks(trace) if each.landmark is Landmark.FAILURE)
    return next(failed, 0)


def _found(trace: Trace, steps: tuple[TraceStep, ...]) -> Iterator[FoundLandmark]:
    forward = sum(len(hop.steps) for hop in trace.hops if hop.direction is Direction.FORWARD)
    reply = next(
        (hop.steps[0].number - 1 for hop in trace.hops if hop.direction is Direction.REPLY), None
    )
    on_the_way = steps[: forward if reply is None else reply]
    for fork in trace.forks:
        at = _place(trace, fork)
        if at is not None:
            yield FoundLandmark(Landmark.FORK, at)
    tests: tuple[tuple[Landmark, Callable[[TraceStep], bool]], ...] = (
        (Landmark.DESTINATION, lambda step: step.kind is StepKind.DNAT),
        (Landmark.SOURCE, _moves_source),
        (Landmark.TUNNEL, lambda step: step.kind is StepKind.ENCAPSULATE),
    )
    for landmark, is_it in tests:
        for at, step in enumerate(on_the_way):
            if is_it(step):
                yield FoundLandmark(landmark, at)
    if trace.outcome.result is not Result.CONNECTED:
        if steps:
            yield FoundLandmark(Landmark.FAILURE, (trace.outcome.step or len(steps)) - 1)
    elif on_the_way:
        arrived = [n for n, step in enumerate(on_the_way) if step.kind is StepKind.DELIVER]
        yield from (FoundLandmark(Landmark.SERVER, at) for at in arrived[-1:])
    if reply is not None:
        yield FoundLandmark(Landmark.REPLY, reply)


def _place(trace: Trace, fork: Fork) -> int | None:
    """Where the fork was met: the rule that chance chose, or the one behind those it passed by."""
    place = fork.way.place
    for hop in trace.hops:
        if hop.namespace != fork.namespace:
            continue
        for step in hop.steps:
            cause = step.cause
            if isinstance(cause, RouteCause) and fork.hop is not None and fork.hop is cause.route:
                return step.number - 1
            if (
                isinstance(cause, RuleCause)
                and cause.table == fork.table
                and cause.chain.name == fork.chain.name
                and (place is None or cause.index == place + 1)
            ):
                return step.number - 1
    return None


def _moves_source(step: TraceStep) -> bool:
    if step.kind is not StepKind.SNAT or step.before is None or step.after is None:
        return False
    return step.before.src != step.after.src
