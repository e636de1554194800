"""A request → the whole walk, there and back: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.packet import Protocol
from k8stui.walk.explain import explain
from k8stui.walk.outcome import no_such_name, outcome
from k8stui.walk.trace import Request, Trace

if TYPE_CHECKING:
    from k8stui.walk.world import World

_USERSPACE = "userspace"
_FIRST_DATA_BYTES = 100
"""A question as short as most: it fits into every segment."""


def walk(world: World, request: Request, *, diagnose: bool = True) -> Trace:
    """The branch in which the first address is asked and every random rule matches that can."""
    return next(walks(world, request, diagnose=diagnose))


def walks(world: World, request: Request, *, diagnose: bool = True) -> Iterator[Trace]:
    """Every branch, numbered from 1; their probabilities sum to 1. The first is `walk`'s.

    Without `diagnose` a failed walk says what the kernel knows, and looks for no typing errors in
    ten thousand pods' labels: `Outcome.reason` and `advice` may be empty.
    """
    if request.connect is None:
        yield _unresolved(world, request)
        return
    asked = (request.connect, *request.alternatives)
    assumptions = tuple(note.render() for note in world.stand_ins)
    number = 0
    for connect in asked:
        for each in _branches(world, request, connect, diagnose=diagnose):
            number += 1
            probability = each.probability / len(asked)
            yield replace(each, branch=number, probability=probability, assumptions=assumptions)


def _branches(
    world: World, request: Request, connect: Connect, *, diagnose: bool
) -> Iterator[Trace]:
    """All outcomes of asking one address."""
    if world.cluster.proxy.mode == _USERSPACE:
        from k8stui.walk.userspace import relayed  # noqa: PLC0415 - a mode of old clusters

        yield from relayed(world.cluster, world.network, replace(request, connect=connect))
        return
    if connect.data_bytes is None and connect.protocol is Protocol.TCP and world.options.iptables:
        # What k8stui writes treats later packets as the first; a real node's rules may not.
        connect = replace(connect, data_bytes=_FIRST_DATA_BYTES)
    from k8stui.kernel.branches import branches  # noqa: PLC0415 - not for a name without address

    for exchange in branches(world.network, connect, until_answered=True):
        joined = _passed_on(world, replace(request, connect=connect), exchange)
        yield joined or trace(world, request, exchange, 1, diagnose=diagnose)


def _passed_on(world: World, request: Request, exchange: Exchange) -> Trace | None:
    server = exchange.felt.server
    if server is None or not any(s.onward for s in world.network[server].sockets):
        return None
    from k8stui.walk.userspace import passed_on  # noqa: PLC0415 - docker-proxy and the like

    return passed_on(world.cluster, world.network, request, exchange)


def trace(
    world: World, request: Request, exchange: Exchange, branch: int, *, diagnose: bool = True
) -> Trace:
    """Explain one exchange of the kernel room as branch number `branch` of the walk."""
    hops, numbers = explain(request, exchange)
    return Trace(
        request=request,
        hops=hops,
        outcome=outcome(
            world.cluster, world.network, request, exchange, numbers, diagnosed=diagnose
        ),
        probability=exchange.probability,
        forks=exchange.forks,
        branch=branch,
    )


def _unresolved(world: World, request: Request) -> Trace:
    hops, _ = explain(request, None)
    return Trace(
        request=request,
        hops=hops,
        outcome=no_such_name(world.cluster, request),
        probability=Fraction(1),
    )
