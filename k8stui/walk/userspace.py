"""kube-proxy's userspace mode: it takes the connection itself and makes another one to a pod.

The rules (nodes room) lead to a socket of kube-proxy on the node. What it does there is a program's
doing, not the kernel's: it accepts, chooses the next endpoint in turn and connects on. So a walk is
two exchanges, and what joins them is a step of kind proxy. Source: kube-proxy 1.20
pkg/proxy/userspace/proxysocket.go (TryConnectEndpoints, ProxyLoop), roundrobin.go NextEndpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING

from k8stui.because import Because
from k8stui.cluster.model import Cluster
from k8stui.kernel.address import Address
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import NetNamespace, Network, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import UDP_PATIENCE_SECONDS, connect
from k8stui.kernel.step import Direction, SocketCause, StepKind
from k8stui.nodes.kubeproxy import relaying_sockets
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.alike import Endpoints
from k8stui.walk.explain import explain
from k8stui.walk.outcome import outcome
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep

if TYPE_CHECKING:
    from k8stui.nodes.kubeproxy.userspace import ProxySocket

_OWNER = "kube-proxy"
_SOURCE_PORT = 40001
"""Of kube-proxy's own first connection; stands for any free port, other than the client's."""

_DIALS = (0.25, 0.5, 1.0, 2.0)
"""Seconds for each try (proxysocket.go EndpointDialTimeouts)."""
_UDP_IDLE_SECONDS = 0.25
"""--udp-timeout of kube-proxy, in effect until 1.22 (userspace mode only)."""


@record()
class _Target:
    """An endpoint that kube-proxy connects to."""

    address: Address
    port: int
    origin: Origin | None
    turn: int = 1
    """1-based."""
    of: int = 1
    """How many take turns."""
    sticky_seconds: int | None = None
    """How long a client stays with it (sessionAffinity ClientIP); None: it moves on each time."""
    proxy: str = _OWNER
    """The process that connects on."""
    certain: bool = False
    """Whose turn it is is known: the proxy has served this client before."""
    mode: str = " (userspace mode)"
    """Said behind it, where the process has modes."""

    @property
    def share(self) -> Fraction:
        return Fraction(1) if self.certain else Fraction(1, self.of)


def relayed(
    cluster: Cluster, network: Network, request: Request, endpoints: Endpoints
) -> Iterator[Trace]:
    """Every branch of a request in userspace mode: one for each endpoint of the proxy's turn.

    Of many `endpoints` those that fare alike are one branch.

    A request that meets no socket of kube-proxy has one branch, as in any other mode. The first
    branch is that of the endpoint which a kube-proxy serves first that has just started.
    """
    if request.connect is None:
        return
    proxied = _WithProxies(cluster, network)
    for outer in branches(proxied, request.connect):
        for each in _onward(cluster, proxied, request, outer, endpoints):
            yield replace(each, probability=each.probability * outer.probability)


def _onward(
    cluster: Cluster,
    proxied: _WithProxies,
    request: Request,
    outer: Exchange,
    endpoints: Endpoints,
) -> Iterator[Trace]:
    """What becomes of one connection of the client; the probabilities sum to 1."""
    proxy = proxied.reached(outer)
    if proxy is None:
        yield replace(_plain(cluster, proxied, request, outer), probability=Fraction(1))
        return
    targets = list(_targets(proxy))
    everybody = tuple(targets)
    if targets and request.connect is not None and request.connect.earlier:
        targets = [_next(targets, request.connect)]
    if not targets:
        yield replace(_closed(cluster, proxied, request, outer, proxy), probability=Fraction(1))
    while targets:
        target = targets.pop(0)
        tries = _tries(target, everybody, request.protocol)
        inner, joined = _joined(cluster, proxied, request, outer, tries)
        same = endpoints.addresses(inner, target.address, [other.address for other in targets])
        twins = [one.address for one, is_same in zip(targets, same, strict=True) if is_same]
        targets = [one for one, is_same in zip(targets, same, strict=True) if not is_same]
        yield replace(
            joined,
            probability=joined.probability * (1 + len(twins)),
            alike=tuple(map(endpoints.named, twins)),
        )


def _next(targets: list[_Target], asked: Connect) -> _Target:
    """Whose turn it is once this client, and nobody else, has asked before.

    proxysocket.go udpProxySocket: a client's socket keeps its endpoint until it has been idle for
    ``udpIdleTimeout``.
    """
    sticky = targets[0].sticky_seconds
    keeps = asked.protocol is Protocol.UDP and asked.pause_seconds < _UDP_IDLE_SECONDS
    stays = keeps or (sticky is not None and asked.pause_seconds < sticky)
    return replace(targets[0 if stays else asked.earlier % len(targets)], certain=True)


def _tries(
    target: _Target, everybody: tuple[_Target, ...], protocol: Protocol
) -> tuple[tuple[_Target, float], ...]:
    """Whom kube-proxy tries, one after the other, each for so many seconds.

    proxysocket.go TryConnectEndpoints: the next in turn, four times in all. A UDP socket connects
    to whomever.
    """
    if protocol is not Protocol.TCP:
        return ((target, inf),)
    turns = (everybody[(target.turn - 1 + n) % len(everybody)] for n in range(1, len(_DIALS)))
    return tuple(zip((target, *turns), _DIALS, strict=True))


def passed_on(
    cluster: Cluster, network: Network, request: Request, outer: Exchange
) -> Trace | None:
    """The walk of an exchange that a process took and passes on (docker-proxy); None: none did.

    Such a process is a second connection, as kube-proxy's in userspace mode: the pod sees the node.
    """
    socket = _taken(outer)
    if socket is None or socket.onward is None or outer.felt.result is not Result.CONNECTED:
        return None
    address, port = socket.onward
    origin = socket.reason.origin if socket.reason is not None else None
    target = _Target(address, port, origin, proxy=socket.owner, mode="")
    _, joined = _joined(cluster, network, request, outer, ((target, inf),))
    return replace(joined, probability=outer.probability, forks=outer.forks)


def _taken(exchange: Exchange) -> Socket | None:
    for step in exchange.steps:
        if (
            step.kind is StepKind.DELIVER
            and step.direction is Direction.FORWARD
            and isinstance(step.cause, SocketCause)
        ):
            return step.cause.socket
    return None


class _WithProxies(Mapping[str, NetNamespace]):
    """A network in which kube-proxy's sockets stand on the nodes."""

    def __init__(self, cluster: Cluster, network: Network) -> None:
        self._cluster = cluster
        self._network = network
        self._sockets: dict[int, Mapping[str, ProxySocket]] = {}

    def __getitem__(self, name: str) -> NetNamespace:
        found = self._network[name]
        node = self._cluster.nodes.get(name)
        if node is None or not node.addresses:
            return found
        mine = tuple(_socket(s) for s in self._of(node.addresses[0].version).values())
        return replace(found, sockets=(*mine, *found.sockets))

    def __iter__(self) -> Iterator[str]:
        return iter(self._network)

    def __len__(self) -> int:
        return len(self._network)

    def reached(self, exchange: Exchange) -> ProxySocket | None:
        """The proxy's socket that an exchange was delivered to."""
        for step in exchange.steps:
            if step.kind is StepKind.DELIVER and isinstance(step.cause, SocketCause):
                socket = step.cause.socket
                reason = socket.reason if socket is not None else None
                if reason is not None and reason.owner == _OWNER:
                    for sockets in self._sockets.values():
                        if reason.service_port in sockets:
                            return sockets[str(reason.service_port)]
        return None

    def _of(self, version: int) -> Mapping[str, ProxySocket]:
        if version not in self._sockets:
            self._sockets[version] = relaying_sockets(self._cluster, version)
        return self._sockets[version]


def _socket(proxy: ProxySocket) -> Socket:
    return Socket(
        protocol=proxy.protocol,
        port=proxy.port,
        owner=_OWNER,
        reason=Because(
            text=f"kube-proxy's own socket for {proxy.name}",
            origin=proxy.origin,
            owner=_OWNER,
            service=proxy.service.key,
            service_port=proxy.name,
        ),
    )


def _targets(proxy: ProxySocket) -> Iterator[_Target]:
    count = len(proxy.backends)
    service = proxy.service
    is_sticky = service.session_affinity == "ClientIP"
    sticky = service.session_affinity_timeout_seconds if is_sticky else None
    for turn, backend in enumerate(proxy.backends, start=1):
        port = int(backend.text.rpartition(":")[2])
        origin = backend.endpoint.origin
        yield _Target(Address.parse(backend.address), port, origin, turn, count, sticky)


def _plain(cluster: Cluster, network: Network, request: Request, outer: Exchange) -> Trace:
    hops, numbers = explain(request, outer, cluster)
    return Trace(
        request=request,
        hops=hops,
        outcome=outcome(cluster, network, request, outer, numbers),
        probability=outer.probability,
        forks=outer.forks,
    )


def _joined(
    cluster: Cluster,
    network: Network,
    request: Request,
    outer: Exchange,
    tries: Sequence[tuple[_Target, float]],
) -> tuple[Exchange, Trace]:
    """Put the client's connection around those that the process tries; the first of them too."""
    node = str(outer.felt.server)
    there, back = _ways(explain(request, outer, cluster)[0])
    hops = list(there)
    dialled: dict[_Target, _Dialled] = {}
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
    first = tries[0][0]
    return dialled[first].exchange, Trace(
        request=request,
        hops=_merged((*hops, *back)),
        outcome=_as_felt(replace(done, seconds=round(spent, 2)), request, node, one),
        probability=first.share,
        branch=first.turn,
    )


@record(frozen=False)
class _Dialled:
    """A connection that the process made, or tried to make."""

    target: _Target
    request: Request
    exchange: Exchange
    numbers: Mapping[int, int]
    first_step: int = 0


def _dial(network: Network, request: Request, node: str, target: _Target) -> _Dialled:
    asked = request.connect
    made = Connect(
        namespace=node,
        destination=target.address,
        port=target.port,
        protocol=request.protocol,
        source_port=_SOURCE_PORT + 2 * (asked.earlier if asked is not None else 0),
        data_bytes=asked.data_bytes if asked is not None else None,
    )
    return _Dialled(target, replace(request, names=(), connect=made), connect(network, made), {})


def _proxy_step(
    delivered: TraceStep, inner: Exchange, target: _Target, *, is_next: bool
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


def _turn(target: _Target) -> str:
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
    if request.protocol is not Protocol.TCP:
        return replace(
            done,
            result=Result.TIMEOUT,
            errno=None,
            seconds=UDP_PATIENCE_SECONDS,
            reason=f"{target.proxy} on {node} takes the datagram, and no answer comes to pass "
            f"back: {done.reason}",
        )
    return replace(
        done,
        result=Result.REFUSED,
        errno="ECONNRESET",
        reason=f"{target.proxy} on {node} accepts the connection, gets no endpoint to answer and "
        f"closes it: {done.reason}",
    )


def _closed(
    cluster: Cluster, network: Network, request: Request, outer: Exchange, proxy: ProxySocket
) -> Trace:
    """No endpoint: the proxy accepts, finds nobody to connect to, and closes."""
    from k8stui.walk.diagnosis.endpoints import without_endpoints  # noqa: PLC0415

    plain = _plain(cluster, network, request, outer)
    found = without_endpoints(cluster, proxy.service, proxy.service_port)
    node = str(outer.felt.server)
    is_tcp = request.protocol is Protocol.TCP
    does = "accepts the connection and closes it" if is_tcp else "takes the datagram and drops it"
    return replace(
        plain,
        outcome=replace(
            plain.outcome,
            result=Result.REFUSED if is_tcp else Result.TIMEOUT,
            errno="ECONNRESET" if is_tcp else None,
            seconds=0.0 if is_tcp else UDP_PATIENCE_SECONDS,
            decided_at=node,
            reason=f"kube-proxy on {node} {does}: "
            + (found.reason if found else f"Service {proxy.service.key} has no endpoints"),
            advice=found.advice if found else "",
            server_address=None,
            server_port=None,
            source_seen_by_server=None,
        ),
    )


def _ways(hops: tuple[Hop, ...]) -> tuple[tuple[Hop, ...], tuple[Hop, ...]]:
    there = tuple(hop for hop in hops if hop.direction is Direction.FORWARD)
    return there, hops[len(there) :]


def _merged(hops: tuple[Hop, ...]) -> tuple[Hop, ...]:
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
