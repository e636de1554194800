"""A mesh's proxies: each takes a connection that was turned to it, and makes the next one.

What a proxy asks the kernel is where a connection was meant to go (SO_ORIGINAL_DST), and there it
goes on: Istio's by PassthroughCluster, InboundPassthroughCluster, Linkerd's likewise. With rules of
its own (an Envoy that knows the Service picks an endpoint itself) it may choose another endpoint of
the same Service, never another Service: routes of VirtualServices, mutual TLS and
AuthorizationPolicies are not modelled, which is said with the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import NamedTuple

from k8stui.cluster.model import Cluster
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import GoesOn, Network, Socket
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import Direction, StepKind
from k8stui.walk.explain import explain
from k8stui.walk.outcome import outcome
from k8stui.walk.relay import SOURCE_PORT, left_alone, merged, taken, there_and_back
from k8stui.walk.trace import Hop, Outcome, Request, Trace

_MOST = 4
"""Proxies on one way: the client's, the server's, and what a loop is stopped at."""


class _Leg(NamedTuple):
    """One connection of several."""

    request: Request
    exchange: Exchange
    proxy: Socket | None
    """Whose it is; None: the client's."""


def through(
    cluster: Cluster, network: Network, request: Request, outer: Exchange
) -> Iterator[Trace] | None:
    """Every way that an exchange takes on from the proxy that took it; None: none did."""
    if _onward(outer) is None:
        return None
    legs = (_Leg(request, outer, None),)
    return (_trace(cluster, network, way) for way in _ways(network, legs))


def _ways(network: Network, legs: tuple[_Leg, ...]) -> Iterator[tuple[_Leg, ...]]:
    last = legs[-1]
    found = _onward(last.exchange) if len(legs) <= _MOST else None
    server = last.exchange.felt.server
    if found is None or server is None:
        yield legs
        return
    socket, goes_on, meant = found
    own = {entry.address for one in network[server].interfaces for entry in one.addresses}
    source = goes_on.own_source if meant.dst in own else None
    made = Connect(
        namespace=server,
        destination=meant.dst,
        port=meant.dport,
        protocol=last.request.protocol,
        source=source if source is not None and source.version == meant.dst.version else None,
        source_port=SOURCE_PORT + len(legs),
        uid=goes_on.uid,
    )
    request = replace(last.request, names=(), connect=made)
    for exchange in branches(network, made, until_answered=True):
        yield from _ways(network, (*legs, _Leg(request, exchange, socket)))


def _onward(exchange: Exchange) -> tuple[Socket, GoesOn, Packet] | None:
    """The proxy that took an exchange, and for whom it was meant before it was turned to it."""
    socket = taken(exchange)
    if socket is None or socket.goes_on is None or exchange.felt.result is not Result.CONNECTED:
        return None
    turned = [
        step.before
        for step in exchange.steps
        if step.kind is StepKind.DNAT
        and step.direction is Direction.FORWARD
        and step.namespace == exchange.felt.server
    ]
    return (socket, socket.goes_on, turned[-1]) if turned else None


def _trace(cluster: Cluster, network: Network, legs: tuple[_Leg, ...]) -> Trace:
    first, last = legs[0], legs[-1]
    there, back = there_and_back(explain(first.request, first.exchange, cluster)[0])
    hops: list[Hop] = list(there)
    at, begins = there[-1], 0
    numbers: Mapping[int, int] = {}
    for leg in legs[1:]:
        step, asked = at.steps[-1], leg.request.connect
        if leg.proxy is None or asked is None:
            continue
        begun = leg.exchange.steps[0].before if leg.exchange.steps else step.after
        reason = leg.proxy.reason
        said = (
            f"{leg.proxy.owner} takes the connection and makes its own to "
            f"{asked.destination.with_port(asked.port)}, where it was meant to go (its own routes, "
            "mutual TLS and policies: not modelled)"
        )
        proxied = replace(
            step,
            kind=StepKind.PROXY,
            before=step.after,
            after=begun,
            text=said,
            origin=reason.origin if reason is not None else None,
        )
        begins = sum(len(hop.steps) for hop in hops) + 1
        made, numbers = explain(leg.request, leg.exchange, cluster, offset=begins)
        hops += [replace(at, steps=(proxied,)), *made]
        forward = there_and_back(made)[0]
        at = forward[-1] if forward else at
    placed = {index: number + begins for index, number in numbers.items()}
    done = outcome(cluster, network, last.request, last.exchange, placed)
    exchanges = [leg.exchange for leg in legs]
    return Trace(
        request=first.request,
        hops=merged((*hops, *back)),
        outcome=_as_felt(done, legs),
        probability=prod((one.probability for one in exchanges), start=Fraction(1)),
        forks=tuple(fork for one in exchanges for fork in one.forks),
    )


def _as_felt(done: Outcome, legs: tuple[_Leg, ...]) -> Outcome:
    """What the client feels, whose own connection was to the first proxy."""
    proxy, asked = legs[-1].proxy, legs[-1].request.connect
    by = f"{proxy.owner} of {asked.namespace}" if proxy is not None and asked is not None else ""
    if done.result is Result.CONNECTED:
        seen = done.source_seen_by_server
        return replace(done, reason=f"The server sees {by} ({seen}), which made the connection")
    if done.result is Result.UNKNOWN:
        return replace(done, reason=f"{by} passes it on: {done.reason}")
    protocol = legs[0].request.protocol
    result, errno, seconds = left_alone(protocol, done.seconds)
    does = "takes the connection, gets none itself and closes it (HTTP: answers 503)"
    if protocol is not Protocol.TCP:
        does = "takes the datagram, and no answer comes to pass back"
    return replace(
        done, result=result, errno=errno, seconds=seconds, reason=f"{by} {does}: {done.reason}"
    )
