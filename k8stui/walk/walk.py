"""A request → the whole walk, there and back: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.kernel.exchange import Exchange
from k8stui.walk.explain import explain
from k8stui.walk.outcome import no_such_name, outcome
from k8stui.walk.trace import Request, Trace

if TYPE_CHECKING:
    from k8stui.walk.world import World

_USERSPACE = "userspace"


def walk(world: World, request: Request) -> Trace:
    """The branch in which every random rule that can match does: the first endpoint's."""
    from k8stui.kernel.simulate import connect  # noqa: PLC0415 - not needed to say "no such name"

    if request.connect is None:
        return _unresolved(world, request)
    if world.cluster.proxy.mode == _USERSPACE:
        return next(walks(world, request))
    return trace(world, request, connect(world.network, request.connect), 1)


def walks(world: World, request: Request) -> Iterator[Trace]:
    """Every branch, numbered from 1; their probabilities sum to 1. The first is `walk`'s."""
    from k8stui.kernel.branches import branches  # noqa: PLC0415

    if request.connect is None:
        yield _unresolved(world, request)
        return
    if world.cluster.proxy.mode == _USERSPACE:
        from k8stui.walk.userspace import relayed  # noqa: PLC0415 - a mode of old clusters

        yield from relayed(world.cluster, world.network, request)
        return
    for number, exchange in enumerate(branches(world.network, request.connect), start=1):
        yield trace(world, request, exchange, number)


def trace(world: World, request: Request, exchange: Exchange, branch: int) -> Trace:
    """Explain one exchange of the kernel room as branch number `branch` of the walk."""
    hops, numbers = explain(request, exchange)
    return Trace(
        request=request,
        hops=hops,
        outcome=outcome(world.cluster, world.network, request, exchange, numbers),
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
