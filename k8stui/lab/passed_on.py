"""A process in the middle: the client's exchange and the process's own, compared as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING

from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange, Felt, Result
from k8stui.kernel.namespace import NetNamespace, Network, Socket
from k8stui.kernel.packet import Protocol, TcpFlags
from k8stui.kernel.simulate import UDP_PATIENCE_SECONDS, connect
from k8stui.kernel.skb import REQUEST
from k8stui.kernel.step import Capture, Direction, Step, StepKind
from k8stui.lab.anew import Changed, chosen
from k8stui.lab.errors import NotComparedError
from k8stui.lab.plan import Onward
from k8stui.nodes.kubeproxy import relays
from k8stui.record import record
from k8stui.walk import userspace
from k8stui.walk.relay import SOURCE_PORT, Tries, joined, keeps_socket, left_alone, onward, taken
from k8stui.walk.trace import Outcome, Request

if TYPE_CHECKING:
    from k8stui.walk.world import World

_LONGEST_SECONDS = 10.0
"""That a lab waits for a process which waits for others."""


@record(kw_only=True)
class Relayed:
    """What a process does with the connections that it takes."""

    socket: Socket
    namespace: str
    onward: tuple[tuple[Onward, ...] | None, ...]
    """Whom it tries, for each time that it is asked; None: it goes on by the socket that it has."""
    exchanges: tuple[Exchange, ...]
    """Its own for the last of them, each once."""
    before: tuple[Exchange, ...]
    """Those for what was asked before, by sockets of their own."""
    begun: tuple[Exchange, ...] = ()
    """With what the socket was first asked by which it goes on: what chance came to then, holds."""


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
    one = replace(request, connect=asked)
    if relays(world.cluster):
        for proxied, outer, turns in userspace.passed_on(world.cluster, network, asked):
            yield _way(world, proxied, one, outer, turns)
        return
    for outer in branches(network, asked):
        tries = onward(outer)
        turns = None if tries is None else (tries,) * (asked.earlier + 1)
        yield _way(world, network, one, outer, turns)


def knows_already(way: QuestionBranch) -> bool:
    """Whether one of its exchanges asks for a neighbour that another one has asked for.

    A process's own know what its client's, and those before, have found (`_Knowing`): not what
    was found later, and not whom they have asked for in vain.
    """
    if way.relayed is None:
        return False
    told = set()
    for one in way.exchange.captures:
        if one.arp and one.incoming:
            told.add((one.namespace, one.packet.src))
        elif _asks(one) and (one.namespace, one.packet.dst) in told:
            return True
    return _meet(
        {(one.namespace, one.packet.dst) for one in each.captures if _asks(one)}
        for each in (*way.relayed.before, *way.relayed.exchanges)
    )


def _asks(capture: Capture) -> bool:
    """Whether somebody asks for a neighbour."""
    return capture.arp and not capture.incoming and capture.packet.icmp_type == REQUEST


def _judge_given_up(tries: Tries, exchanges: Sequence[Exchange]) -> None:
    """Whether something is seen of a try only when the process has left it, and may have ended."""
    for patience, exchange in zip(dict(tries).values(), exchanges, strict=False):
        seen: dict[tuple[object, ...], float] = {}
        for one in exchange.captures:
            place = (one.namespace, one.device, one.incoming, one.packet)
            seen.setdefault(place, one.time_seconds)
        if any(seconds > patience for seconds in seen.values()):
            raise NotComparedError("more is seen of a try that a process has given up")


def _judge_tunnels(exchanges: Sequence[Exchange]) -> None:
    """Whether a tunnel knows a flow of one exchange from another one.

    What has ports has others each time; an error has none, and goes by the same port of the tunnel.
    """
    if _meet(
        {
            (step.namespace, step.before.src, step.before.dst)
            for step in each.steps
            if step.kind is StepKind.ENCAPSULATE and step.before.inner is not None
        }
        for each in exchanges
    ):
        raise NotComparedError("a process hears of the same error by a tunnel again")


def _meet(sets: Iterable[set[tuple[object, ...]]]) -> bool:
    """Whether two of them have something in common."""
    found: set[tuple[object, ...]] = set()
    for one in sets:
        if found & one:
            return True
        found |= one
    return False


class _Knowing(Changed):
    """With the neighbours that somebody has come to know in some exchanges."""

    def __init__(self, network: Network, exchanges: Sequence[Exchange]) -> None:
        super().__init__(network)
        self._exchanges = exchanges

    def change(self, space: NetNamespace) -> NetNamespace:
        learned = (one for each in self._exchanges for one in each.learned.get(space.name, ()))
        known = {(one.device, one.address) for one in space.neighbours}
        more = tuple(one for one in learned if (one.device, one.address) not in known)
        return replace(space, neighbours=(*space.neighbours, *more)) if more else space


def _way(
    world: World,
    network: Network,
    request: Request,
    outer: Exchange,
    turns: tuple[Tries, ...] | None,
) -> QuestionBranch:
    socket, asked = taken(outer), request.connect
    if turns is None or asked is None or socket is None or outer.felt.server is None:
        return QuestionBranch(network=network, exchange=outer)
    done: list[tuple[Outcome | None, tuple[Exchange, ...]]] = []
    keeps = bool(turns[-1]) and keeps_socket(turns[-1][0][0], asked)
    mute = _Mute(network, socket, outer.felt.server)
    # A datagram is answered when the process has been answered: till then nobody asks for the way
    # back to the client, whereas a connection is taken at once.
    is_udp = request.protocol is Protocol.UDP
    known = _Knowing(network, (connect(mute, asked, chosen(outer)) if is_udp else outer,))
    for turn, tries in enumerate(turns):
        if not tries or (keeps and turn < asked.earlier):
            done.append((None, ()))
            continue
        then = replace(request, connect=replace(asked, earlier=turn))
        trace, exchanges = joined(world.cluster, known, then, outer, tries)
        known = _Knowing(known, exchanges)
        _judge_given_up(tries, exchanges)
        done.append((trace.outcome, exchanges))
    _judge_earlier(request.protocol, [one for one, _ in done], keeps=keeps)
    _judge_tunnels([one for _, exchanges in done for one in exchanges])
    end, inner = done[-1]
    if end is not None:
        felt, share = inner[-1].felt, turns[-1][0][0].share
        felt = replace(felt, result=end.result, errno=end.errno, seconds=end.seconds)
    else:
        result, errno, seconds = left_alone(request.protocol, 0.0)
        felt = replace(outer.felt, result=result, errno=errno, seconds=seconds, established=False)
        share = Fraction(1)
    _judge(request.protocol, felt)
    made = Relayed(
        socket=socket,
        namespace=outer.felt.server,
        onward=tuple(
            None
            if keeps and turn
            else _onward(tries, inner if keeps else done[turn][1], 0 if keeps else turn)
            for turn, tries in enumerate(turns)
        ),
        exchanges=inner,
        before=tuple(one for _, exchanges in done[:-1] for one in exchanges),
        begun=_begun(world, network, request, outer, turns[-1]) if keeps else (),
    )
    if felt.result is not Result.CONNECTED and not felt.established:
        # Nothing is answered; a connection ends before its client has said anything.
        if is_udp:
            network = mute
            made = replace(made, socket=replace(socket, answers=False))
            felt = replace(felt, seconds=UDP_PATIENCE_SECONDS)
        outer = connect(network, replace(asked, data_bytes=_unsaid(asked)), chosen(outer))
    whole = replace(_whole(outer, made, felt), probability=outer.probability * share)
    return QuestionBranch(network=network, exchange=whole, relayed=made)


def _begun(
    world: World, network: Network, request: Request, outer: Exchange, tries: Tries
) -> tuple[Exchange, ...]:
    assert request.connect is not None
    first = replace(request, connect=replace(request.connect, earlier=0))
    return joined(world.cluster, network, first, outer, tries)[1]


def _judge_earlier(protocol: Protocol, ends: Sequence[Outcome | None], *, keeps: bool) -> None:
    """Whether all go to their end, and the client waits for each datagram as for the last one."""
    if any(end is not None and end.result is Result.UNKNOWN for end in ends):
        raise NotComparedError("an earlier request does not go to its end")
    answered = {end is not None and end.result is Result.CONNECTED for end in ends}
    if protocol is Protocol.UDP and not keeps and len(answered) > 1:
        raise NotComparedError("a process passes on one datagram and not the other")


def _judge(protocol: Protocol, felt: Felt) -> None:
    if felt.result is Result.UNKNOWN:
        raise NotComparedError(f"the walk does not go to its end: {felt.reason}")
    if protocol is not Protocol.TCP:
        return
    if felt.established and felt.result is Result.REFUSED:
        raise NotComparedError("a process passes on the end of a connection of its own")
    if felt.seconds > _LONGEST_SECONDS and not felt.established:
        raise NotComparedError(f"a process waits {felt.seconds:.0f} s for somebody else")


def _unsaid(asked: Connect) -> int | None:
    return None if asked.protocol is Protocol.TCP else asked.data_bytes


class _Mute(Changed):
    """With a process that has no answer to pass back."""

    def __init__(self, network: Network, socket: Socket, server: str) -> None:
        super().__init__(network)
        self._socket, self._server = socket, server

    def change(self, space: NetNamespace) -> NetNamespace:
        if space.name != self._server:
            return space
        sockets = tuple(
            replace(one, answers=False) if one == self._socket else one for one in space.sockets
        )
        return replace(space, sockets=sockets)


def _onward(tries: Tries, exchanges: Sequence[Exchange], turn: int) -> tuple[Onward, ...]:
    tried = dict(zip(dict.fromkeys(target for target, _ in tries), exchanges, strict=False))
    return tuple(
        Onward(
            address=str(target.address),
            port=target.port,
            source_port=SOURCE_PORT + 2 * turn,
            patience_seconds=_patience(patience, tried.get(target)),
        )
        for target, patience in tries
    )


def _patience(patience: float, tried: Exchange | None) -> float:
    """Seconds until the process gives a try up; one that is answered may be late: a lab is busy."""
    is_answered = tried is not None and tried.felt.seconds < patience
    return _LONGEST_SECONDS if is_answered else min(patience, _LONGEST_SECONDS)


def _whole(outer: Exchange, relayed: Relayed, felt: Felt) -> Exchange:
    """In the order of time.

    A datagram is answered when the process has its own answer; a connection's data goes on when
    the process has its own connection.
    """
    inner = relayed.exchanges
    is_answered = felt.result is Result.CONNECTED
    steps = [one for one in outer.steps if is_answered or not _is_answer(one)]
    for each in inner:
        last = max((step.packet_number for step in steps), default=0)
        steps += [replace(step, packet_number=step.packet_number + last) for step in each.steps]
    own = [capture for each in inner for capture in each.captures]
    asks = list(takewhile(_is_question, outer.captures))
    answers = outer.captures[len(asks) :]
    if outer.steps[0].before.protocol is Protocol.TCP:
        greets, says, later = _parts(outer.captures)
        first, asked, answered = _parts(own)
        asks, own = [*greets, *first], [*says, *asked, *answered]
        answers = tuple(later) if is_answered else ()
    return replace(
        outer,
        steps=tuple(steps),
        captures=(*asks, *own, *answers),
        conntrack=_tracked((outer, *relayed.before, *inner)),
        felt=felt,
        forks=(*outer.forks, *(fork for each in inner for fork in each.forks)),
    )


def _is_question(capture: Capture) -> bool:
    return capture.direction is Direction.FORWARD


def _parts(
    captures: Sequence[Capture],
) -> tuple[Sequence[Capture], Sequence[Capture], Sequence[Capture]]:
    """Of a connection: how it is made, what is said, what is answered."""
    said = next((n for n, one in enumerate(captures) if _has_data(one)), len(captures))
    answered = next(
        (n for n, one in enumerate(captures) if _has_data(one) and not _is_question(one)),
        len(captures),
    )
    return captures[:said], captures[said:answered], captures[answered:]


def _is_answer(step: Step) -> bool:
    """Whether it is about what answers a connection's data."""
    return step.direction is Direction.REPLY and bool(step.before.flags & TcpFlags.PSH)


def _has_data(capture: Capture) -> bool:
    return bool(capture.packet.flags & TcpFlags.PSH)


def _tracked(exchanges: Sequence[Exchange]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in exchanges:
        for name, lines in each.conntrack.items():
            found[name] = (*found.get(name, ()), *lines)
    return found
