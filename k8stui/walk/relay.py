"""A process takes a connection and makes another one: two exchanges that are one walk.

docker-proxy does so, and kube-proxy in userspace mode (`userspace`). It is a program's doing, not
the kernel's: what joins the two exchanges is a step of kind proxy, and the server sees the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from fractions import Fraction
from math import inf

from k8stui.cluster.model import Cluster
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import Network, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import UDP_PATIENCE_SECONDS, connect
from k8stui.kernel.step import Direction, SocketCause, StepKind
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.explain import explain
from k8stui.walk.outcome import outcome
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep

OWNER = "kube-proxy"
SOURCE_PORT = 40001
"""Of the process's own first connection; stands for any free port, other than the client's."""
_DOCKER_IDLE_SECONDS = 90.0
"""UDPConnTrackTimeout of moby's cmd/docker-proxy/udp_proxy_linux.go."""
DIALS = (0.25, 0.5, 1.0, 2.0)
"""Seconds for each try (proxysocket.go EndpointDialTimeouts)."""


@record()
class RelayTarget:
    """An endpoint that the process connects to."""

    address: Address
    port: int
    origin: Origin | None
    turn: int = 1
    """1-based."""
    of: int = 1
    """How many take turns."""
    sticky_seconds: int | None = None
    """How long a client stays with it (sessionAffinity ClientIP); None: it moves on each time."""
    proxy: str = OWNER
    """The process that connects on."""
    certain: bool = field(default=False, compare=False)
    """Whose turn it is is known: the proxy has served this client before."""
    idle_seconds: float = 0.25
    """How long a client's datagrams go by one socket that nothing passes: --udp-timeout of
    kube-proxy, in effect until 1.22 (userspace mode only)."""
    mode: str = " (userspace mode)"
    """Said behind it, where the process has modes."""

    @property
    def share(self) -> Fraction:
        return Fraction(1) if self.certain else Fraction(1, self.of)


Tries = tuple[tuple[RelayTarget, float], ...]
"""Whom a process tries, one after the other, and for how many seconds."""


def passed_on(
    cluster: Cluster, network: Network, request: Request, outer: Exchange
) -> Trace | None:
    """The walk of an exchange that a process took and passes on (docker-proxy); None: none did.

    Such a process is a second connection, as kube-proxy's in userspace mode: the pod sees the node.
    """
    tries = onward(outer)
    if tries is None:
        return None
    trace, _ = joined(cluster, network, request, outer, tries)
    return replace(trace, probability=outer.probability, forks=outer.forks)


def onward(outer: Exchange) -> Tries | None:
    """Whom a process connects to for an exchange that it took; None: it was no such process."""
    socket = taken(outer)
    if socket is None or socket.onward is None or outer.felt.result is not Result.CONNECTED:
        return None
    address, port = socket.onward
    origin = socket.reason.origin if socket.reason is not None else None
    target = RelayTarget(
        address, port, origin, proxy=socket.owner, mode="", idle_seconds=_DOCKER_IDLE_SECONDS
    )
    return ((target, inf),)


def keeps_socket(target: RelayTarget, asked: Connect) -> bool:
    """Whether a client that asks again is passed on by the socket that there is for it."""
    is_udp = asked.protocol is Protocol.UDP
    return is_udp and asked.earlier > 0 and asked.pause_seconds < target.idle_seconds


def taken(exchange: Exchange) -> Socket | None:
    """The socket that took the question; None: none did."""
    for step in exchange.steps:
        if (
            step.kind is StepKind.DELIVER
            and step.direction is Direction.FORWARD
            and isinstance(step.cause, SocketCause)
        ):
            return step.cause.socket
    return None


def joined(
    cluster: Cluster,
    network: Network,
    request: Request,
    outer: Exchange,
    tries: Tries,
) -> tuple[Trace, tuple[Exchange, ...]]:
    """Put the client's connection around those that the process tries; these, too, each once."""
    node = str(outer.felt.server)
    there, back = there_and_back(explain(request, outer, cluster)[0])
    hops = list(there)
    dialled: dict[RelayTarget, _Dialled] = {}
    spent = 0.0
    for target, patience in tries:
        if target not in dialled:
            made = dialled[target] = _dial(network, request, node, target)
            step = _proxy_step(there[-1].steps[-1], made.exchange, target, is_next=len(dialled) > 1)
            made.first_step = sum(len(hop.steps) for hop in hops) + 1
            onward, made.numbers = explain(
                made.request, made.exchange, cluster, offset=made.first_step
            )
            hops += [replace(there[-1], steps=(step,)), *onward]
        one = dialled[target]
        felt = one.exchange.felt
        spent += min(felt.seconds, patience)
        if felt.result in (Result.CONNECTED, Result.UNKNOWN) or felt.established:
            break
    numbers = {index: number + one.first_step for index, number in one.numbers.items()}
    done = outcome(cluster, network, one.request, one.exchange, numbers)
    told = _as_felt(replace(done, seconds=round(spent, 2)), request, node, one)
    # A connection is taken whatever becomes of it; a datagram is answered with an answer only.
    is_answered = request.protocol is Protocol.TCP or told.result is Result.CONNECTED
    first = tries[0][0]
    trace = Trace(
        request=request,
        hops=merged((*hops, *(back if is_answered else ()))),
        outcome=told,
        probability=first.share,
        branch=first.turn,
    )
    return trace, tuple(one.exchange for one in dialled.values())


@record(frozen=False)
class _Dialled:
    """A connection that the process made, or tried to make."""

    target: RelayTarget
    request: Request
    exchange: Exchange
    numbers: Mapping[int, int]
    first_step: int = 0


def _dial(network: Network, request: Request, node: str, target: RelayTarget) -> _Dialled:
    asked = request.connect
    turn = asked.earlier if asked is not None else 0
    keeps = asked is not None and keeps_socket(target, asked)
    made = Connect(
        namespace=node,
        destination=target.address,
        port=target.port,
        protocol=request.protocol,
        source_port=SOURCE_PORT if keeps else SOURCE_PORT + 2 * turn,
        data_bytes=asked.data_bytes if asked is not None else None,
        earlier=turn if keeps else 0,
        pause_seconds=asked.pause_seconds if asked is not None else 0.0,
    )
    return _Dialled(target, replace(request, names=(), connect=made), connect(network, made), {})


def _proxy_step(
    delivered: TraceStep, inner: Exchange, target: RelayTarget, *, is_next: bool
) -> TraceStep:
    whom = target.address.with_port(target.port)
    said = f"{target.proxy} takes the connection and makes its own to {whom}: {_turn(target)}"
    if is_next:
        said = f"{target.proxy} gets no connection there and tries {whom}: {_turn(target)}"
    return replace(
        delivered,
        kind=StepKind.PROXY,
        before=delivered.after,
        after=inner.steps[0].before if inner.steps else delivered.after,
        origin=target.origin,
        text=said,
    )


def _turn(target: RelayTarget) -> str:
    """Whose turn it is, and whose the next connection's (roundrobin.go NextEndpoint)."""
    if target.of == 1:
        return "the only endpoint"
    turn = f"Round Robin, {_ordinal(target.turn)} of {target.of}"
    following = _ordinal(target.turn % target.of + 1)
    if target.sticky_seconds is None:
        return f"{turn}, next: {following}"
    return (
        f"{turn}; sessionAffinity ClientIP: this client stays with it for "
        f"{target.sticky_seconds} s, next for another client: {following}"
    )


def _ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``11th``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"


def _as_felt(done: Outcome, request: Request, node: str, last: _Dialled) -> Outcome:
    """Give what the client feels: its own connection was to the proxy."""
    target, felt = last.target, last.exchange.felt
    if done.result is Result.CONNECTED:
        seen = f"{node} ({done.source_seen_by_server})"
        return replace(
            done,
            reason=f"The pod sees {seen}, not the client: {target.proxy} on {node} made the "
            f"connection itself{target.mode}",
        )
    if done.result is Result.UNKNOWN or felt.established:
        return replace(done, reason=f"{target.proxy} on {node} passes it on: {done.reason}")
    result, errno, seconds = left_alone(request.protocol, done.seconds)
    does = "accepts the connection, gets no endpoint to answer and closes it"
    if request.protocol is not Protocol.TCP:
        does = "takes the datagram, and no answer comes to pass back"
    return replace(
        done,
        result=result,
        errno=errno,
        seconds=seconds,
        reason=f"{target.proxy} on {node} {does}: {done.reason}",
    )


def left_alone(protocol: Protocol, seconds: float) -> tuple[Result, str | None, float]:
    """What a client feels whose process got no connection of its own for `seconds`.

    It is closed with the client's first data unread (net/ipv4/tcp.c tcp_close); a datagram is
    simply not answered.
    """
    if protocol is Protocol.TCP:
        return Result.REFUSED, "ECONNRESET", seconds
    return Result.TIMEOUT, None, UDP_PATIENCE_SECONDS


def there_and_back(hops: tuple[Hop, ...]) -> tuple[tuple[Hop, ...], tuple[Hop, ...]]:
    """The hops of the question, and those of the answer."""
    there = tuple(hop for hop in hops if hop.direction is Direction.FORWARD)
    return there, hops[len(there) :]


def merged(hops: tuple[Hop, ...]) -> tuple[Hop, ...]:
    """Join neighbours in one namespace and direction, and number all steps anew."""
    found: list[Hop] = []
    number = 0
    for hop in hops:
        steps: list[TraceStep] = []
        for step in hop.steps:
            number += 1
            steps.append(replace(step, number=number))
        if found and (found[-1].namespace, found[-1].direction) == (hop.namespace, hop.direction):
            found[-1] = replace(found[-1], steps=(*found[-1].steps, *steps))
        else:
            found.append(replace(hop, steps=tuple(steps)))
    return tuple(found)
