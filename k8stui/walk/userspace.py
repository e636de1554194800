"""kube-proxy's userspace mode: it takes the connection itself and makes another one to a pod.

The rules (nodes room) lead to a socket of kube-proxy on the node. What it does there is a program's
doing, not the kernel's: it accepts, chooses the next endpoint in turn and connects on. So a walk is
two exchanges, and what joins them is a step of kind proxy. Source: kube-proxy 1.20
pkg/proxy/userspace/proxysocket.go (TryConnectEndpoints, ProxyLoop), roundrobin.go NextEndpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from k8stui.kernel.step import Direction, SocketCause, StepKind
from k8stui.nodes.kubeproxy import relaying_sockets
from k8stui.walk.alike import Endpoints
from k8stui.walk.explain import explain
from k8stui.walk.outcome import outcome
from k8stui.walk.relay import (
    DIALS,
    OWNER,
    RelayTarget,
    Tries,
    joined,
    keeps_socket,
    left_alone,
)
from k8stui.walk.trace import Request, Trace

if TYPE_CHECKING:
    from k8stui.nodes.kubeproxy.userspace import ProxySocket


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


def passed_on(
    cluster: Cluster, network: Network, asked: Connect
) -> Iterator[tuple[Network, Exchange, tuple[Tries, ...] | None]]:
    """Each exchange of a client, and whom kube-proxy tries for it, each endpoint's turn by itself.

    With the network in which its sockets stand. Of a request that is made again: whom it has tried
    each time, the last one at the end. None: it is not taken by kube-proxy; nobody: it closes what
    it took.
    """
    proxied = _WithProxies(cluster, network)
    for outer in branches(proxied, asked):
        proxy = proxied.reached(outer)
        if proxy is None or outer.felt.result is not Result.CONNECTED:
            yield proxied, outer, None
            continue
        targets = tuple(_targets(proxy))
        if not targets:
            yield proxied, outer, ((),) * (asked.earlier + 1)
        elif asked.earlier:
            turns = (_next(targets, replace(asked, earlier=n)) for n in range(asked.earlier + 1))
            yield proxied, outer, tuple(_tries(one, targets, asked.protocol) for one in turns)
        else:
            for target in targets:
                yield proxied, outer, (_tries(target, targets, asked.protocol),)


def _onward(
    cluster: Cluster,
    proxied: _WithProxies,
    request: Request,
    outer: Exchange,
    endpoints: Endpoints,
) -> Iterator[Trace]:
    """What becomes of one connection of the client; the probabilities sum to 1."""
    proxy = proxied.reached(outer)
    if proxy is None or outer.felt.result is not Result.CONNECTED:
        yield replace(_plain(cluster, proxied, request, outer), probability=Fraction(1))
        return
    everybody = tuple(_targets(proxy))
    targets = list(everybody)
    if targets and request.connect is not None and request.connect.earlier:
        targets = [_next(targets, request.connect)]
    if not targets:
        yield replace(_closed(cluster, proxied, request, outer, proxy), probability=Fraction(1))
    walked: dict[RelayTarget, Trace] = {}

    def tried(target: RelayTarget) -> Exchange:
        tries = _tries(target, everybody, request.protocol)
        walked[target], exchanges = joined(cluster, proxied, request, outer, tries)
        return exchanges[0]

    if len(targets) == 1:
        tried(targets[0])
        yield walked[targets[0]]
        return
    kinds = _Kinds(targets, endpoints, tried)
    groups: dict[tuple[tuple[int, int], ...], list[tuple[RelayTarget, RelayTarget]]] = {}
    for target in targets:
        asked = [one for one, _ in _tries(target, everybody, request.protocol)]
        met = kinds.met(asked)
        groups.setdefault(met, []).append((target, asked[len(met) - 1]))
    for (first, _), *others in groups.values():
        if first not in walked:
            tried(first)
        yield replace(
            walked[first],
            probability=walked[first].probability * (1 + len(others)),
            alike=tuple(endpoints.named(last.address) for _, last in others),
        )


class _Kinds:
    """Endpoints by how a connection of the proxy to them ends; one of each kind is tried."""

    def __init__(
        self,
        targets: list[RelayTarget],
        endpoints: Endpoints,
        tried: Callable[[RelayTarget], Exchange],
    ) -> None:
        self._endpoints = endpoints
        self._of: dict[RelayTarget, int] = {}
        self._are_last: list[bool] = []
        """Of each kind: whether the proxy tries nobody after it."""
        left = targets
        while left:
            target, *left = left
            done = tried(target)
            felt = done.felt
            is_last = felt.result in (Result.CONNECTED, Result.UNKNOWN) or felt.established
            same = endpoints.addresses(done, target.address, [other.address for other in left])
            pairs = list(zip(left, same, strict=True))
            mine = [target, *(one for one, is_same in pairs if is_same)]
            self._of |= dict.fromkeys(mine, len(self._are_last))
            self._are_last.append(is_last)
            left = [one for one, is_same in pairs if not is_same]

    def met(self, tries: list[RelayTarget]) -> tuple[tuple[int, int], ...]:
        """The kinds that one after the other of these is, up to the last that is tried.

        Each with its node, numbered as they are met: those of one kind may be on several.
        """
        found: list[tuple[int, int]] = []
        nodes: dict[str | None, int] = {}
        for target in tries:
            kind, node = self._of[target], self._endpoints.node_of(target.address)
            found.append((kind, nodes.setdefault(node, len(nodes))))
            if self._are_last[kind]:
                break
        return tuple(found)


def _next(targets: Sequence[RelayTarget], asked: Connect) -> RelayTarget:
    """Whose turn it is once this client, and nobody else, has asked before.

    proxysocket.go udpProxySocket: a client's socket keeps its endpoint until it has been idle for
    ``udpIdleTimeout``.
    """
    sticky = targets[0].sticky_seconds
    stays = keeps_socket(targets[0], asked) or (sticky is not None and asked.pause_seconds < sticky)
    return replace(targets[0 if stays else asked.earlier % len(targets)], certain=True)


def _tries(target: RelayTarget, everybody: tuple[RelayTarget, ...], protocol: Protocol) -> Tries:
    """Whom kube-proxy tries, one after the other, each for so many seconds.

    proxysocket.go TryConnectEndpoints: the next in turn, four times in all. A UDP socket connects
    to whomever.
    """
    if protocol is not Protocol.TCP:
        return ((target, inf),)
    turns = (everybody[(target.turn - 1 + n) % len(everybody)] for n in range(1, len(DIALS)))
    return tuple(zip((target, *turns), DIALS, strict=True))


class _WithProxies(Mapping[str, NetNamespace]):
    """A network in which kube-proxy's sockets stand on the nodes."""

    def __init__(self, cluster: Cluster, network: Network) -> None:
        self._cluster = cluster
        self._network = network
        self._sockets: dict[int, Mapping[str, ProxySocket]] = {}
        self._made: dict[str, tuple[NetNamespace, NetNamespace]] = {}
        """Each as it is without the sockets, and with them."""

    def __getitem__(self, name: str) -> NetNamespace:
        found = self._network[name]
        node = self._cluster.nodes.get(name)
        if node is None or not node.addresses:
            return found
        known = self._made.get(name)
        if known is None or known[0] is not found:
            mine = tuple(_socket(s) for s in self._of(node.addresses[0].version).values())
            known = self._made[name] = found, replace(found, sockets=(*mine, *found.sockets))
        return known[1]

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
                if reason is not None and reason.owner == OWNER:
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
        owner=OWNER,
        reason=Because(
            text=f"kube-proxy's own socket for {proxy.name}",
            origin=proxy.origin,
            owner=OWNER,
            service=proxy.service.key,
            service_port=proxy.name,
        ),
    )


def _targets(proxy: ProxySocket) -> Iterator[RelayTarget]:
    count = len(proxy.backends)
    service = proxy.service
    is_sticky = service.session_affinity == "ClientIP"
    sticky = service.session_affinity_timeout_seconds if is_sticky else None
    for turn, backend in enumerate(proxy.backends, start=1):
        port = int(backend.text.rpartition(":")[2])
        origin = backend.endpoint.origin
        yield RelayTarget(Address.parse(backend.address), port, origin, turn, count, sticky)


def _plain(cluster: Cluster, network: Network, request: Request, outer: Exchange) -> Trace:
    hops, numbers = explain(request, outer, cluster)
    return Trace(
        request=request,
        hops=hops,
        outcome=outcome(cluster, network, request, outer, numbers),
        probability=outer.probability,
        forks=outer.forks,
    )


def _closed(
    cluster: Cluster, network: Network, request: Request, outer: Exchange, proxy: ProxySocket
) -> Trace:
    """No endpoint: the proxy accepts, finds nobody to connect to, and closes."""
    from k8stui.walk.diagnosis.endpoints import without_endpoints  # noqa: PLC0415

    plain = _plain(cluster, network, request, outer)
    found = without_endpoints(cluster, proxy.service, proxy.service_port)
    node = str(outer.felt.server)
    result, errno, seconds = left_alone(request.protocol, 0.0)
    is_tcp = request.protocol is Protocol.TCP
    does = "accepts the connection and closes it" if is_tcp else "takes the datagram and drops it"
    asks = tuple(hop for hop in plain.hops if hop.direction is Direction.FORWARD)
    return replace(
        plain,
        hops=plain.hops if is_tcp else asks,
        outcome=replace(
            plain.outcome,
            result=result,
            errno=errno,
            seconds=seconds,
            decided_at=node,
            reason=f"kube-proxy on {node} {does}: "
            + (found.reason if found else f"Service {proxy.service.key} has no endpoints"),
            advice=found.advice if found else "",
            server_address=None,
            server_port=None,
            source_seen_by_server=None,
        ),
    )
