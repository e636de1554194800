"""A process in the middle: the client's exchange and the process's own, compared as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING

from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange, Felt, Result
from k8stui.kernel.namespace import Network, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import Capture, Direction
from k8stui.lab.errors import NotComparedError
from k8stui.lab.plan import Onward
from k8stui.nodes.kubeproxy import relays
from k8stui.record import record
from k8stui.walk import userspace
from k8stui.walk.relay import SOURCE_PORT, Tries, joined, left_alone, onward, taken
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World

_LONGEST_SECONDS = 10.0
"""That a lab waits for a process which waits for others."""


@record(kw_only=True)
class Relayed:
    """What a process does with the connection that it has taken."""

    socket: Socket
    namespace: str
    onward: tuple[Onward, ...]
    exchanges: tuple[Exchange, ...]
    """Its own, each once."""


@record(kw_only=True)
class QuestionBranch:
    """One branch of one question."""

    network: Network
    exchange: Exchange
    """All that is seen of it."""
    relayed: Relayed | None = None


def ways(
    world: World, network: Network, request: Request, asked: Connect
) -> Iterator[QuestionBranch]:
    """Each branch, with what a process does that takes the connection (`walk.relay`).

    Raises:
        NotComparedError: a process does what the lab's own does not.

    """
    if relays(world.cluster):
        for proxied, outer, tries in userspace.passed_on(world.cluster, network, asked):
            yield _way(world, proxied, replace(request, connect=asked), outer, tries)
        return
    for outer in branches(network, asked):
        tries = onward(outer)
        yield _way(world, network, replace(request, connect=asked), outer, tries)


def _way(
    world: World, network: Network, request: Request, outer: Exchange, tries: Tries | None
) -> QuestionBranch:
    socket = taken(outer)
    if tries is None or socket is None or outer.felt.server is None:
        return QuestionBranch(network=network, exchange=outer)
    asked = request.connect
    if asked is None or asked.earlier or asked.data_bytes is not None:
        raise NotComparedError("the lab's own process passes on one plain request")
    if tries:
        trace, inner = joined(world.cluster, network, request, outer, tries)
        felt, done = inner[-1].felt, trace.outcome
        felt = replace(felt, result=done.result, errno=done.errno, seconds=done.seconds)
        share = tries[0][0].share
    else:
        result, errno, seconds = left_alone(request.protocol, 0.0)
        felt = replace(outer.felt, result=result, errno=errno, seconds=seconds)
        inner, share = (), Fraction(1)
    if felt.result is not Result.CONNECTED and request.protocol is Protocol.UDP:
        raise NotComparedError("a process takes a datagram and has no answer to pass back")
    if felt.result is Result.UNKNOWN:
        raise NotComparedError(f"the walk does not go to its end: {felt.reason}")
    if request.protocol is Protocol.TCP and felt.seconds > _LONGEST_SECONDS:
        raise NotComparedError(f"a process waits {felt.seconds:.0f} s for somebody else")
    tried = dict(zip(dict.fromkeys(target for target, _ in tries), inner, strict=False))
    made = Relayed(
        socket=socket,
        namespace=outer.felt.server,
        onward=tuple(
            Onward(
                address=str(target.address),
                port=target.port,
                source_port=SOURCE_PORT,
                patience_seconds=_patience(patience, tried.get(target)),
            )
            for target, patience in tries
        ),
        exchanges=inner,
    )
    whole = replace(_whole(outer, inner, felt), probability=outer.probability * share)
    return QuestionBranch(network=network, exchange=whole, relayed=made)


def _patience(patience: float, tried: Exchange | None) -> float:
    """Seconds until the process gives a try up; one that is answered may be late: a lab is busy."""
    is_answered = tried is not None and tried.felt.seconds < patience
    return _LONGEST_SECONDS if is_answered else min(patience, _LONGEST_SECONDS)


def _whole(outer: Exchange, inner: Sequence[Exchange], felt: Felt) -> Exchange:
    """In the order of time: a datagram is answered when the process has its own answer."""
    steps = list(outer.steps)
    for each in inner:
        last = max((step.packet_number for step in steps), default=0)
        steps += [replace(step, packet_number=step.packet_number + last) for step in each.steps]
    asks = outer.captures
    if outer.steps[0].before.protocol is Protocol.UDP:
        asks = tuple(takewhile(_is_question, asks))
    own = (capture for each in inner for capture in each.captures)
    return replace(
        outer,
        steps=tuple(steps),
        captures=(*asks, *own, *outer.captures[len(asks) :]),
        conntrack=_tracked((outer, *inner)),
        felt=felt,
        forks=(*outer.forks, *(fork for each in inner for fork in each.forks)),
    )


def _is_question(capture: Capture) -> bool:
    return capture.arp or capture.direction is Direction.FORWARD


def _tracked(exchanges: Sequence[Exchange]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in exchanges:
        for name, lines in each.conntrack.items():
            found[name] = (*found.get(name, ()), *lines)
    return found
