"""All outcomes of all random choices of one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import filterfalse
from typing import Protocol

from k8stui.kernel.client import Speak
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.namespace import Network
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Fork


class SameEnd(Protocol):
    """Says which branches differ in nothing that matters."""

    def ways(self, exchange: Exchange, others: Sequence[int]) -> Sequence[int]:
        """Of `others`, ways of the exchange's last fork, those that end as it does."""


def branches(
    network: Network,
    request: Connect,
    *,
    until_answered: bool = False,
    speak: Speak | None = None,
    alike: SameEnd | None = None,
    given: tuple[int, ...] = (),
) -> Iterator[Exchange]:
    """Each branch once, the one where every random rule matches first.

    A walk is a function of its choices: it is replayed with a prefix of them, and beyond the
    prefix every fork's first way is taken. The probabilities sum to 1. `until_answered`, `speak`:
    see `connect`. Of branches that are `alike` the first is walked, and stands for the others: see
    `Exchange.alike`. `given`: the ways of the first forks are these, and only what comes behind is
    tried; the probabilities sum to theirs.
    """
    pending: list[tuple[tuple[int, ...], tuple[int, ...]]] = [(given, ())]
    """Choices up to a fork, and the ways of that fork that are still to be walked."""
    while pending:
        before, ways = pending.pop()
        prefix = (*before, *ways[:1])
        forks: list[Fork] = []

        def choose(fork: Fork, prefix: tuple[int, ...] = prefix, forks: list[Fork] = forks) -> int:
            place = len(forks)
            forks.append(fork)
            return prefix[place] if place < len(prefix) else 0

        exchange = connect(network, request, choose, until_answered=until_answered, speak=speak)
        taken = (*prefix, *(0,) * (len(forks) - len(prefix)))
        # Of the choices made freely the other ways are still to be walked, those of the last first.
        left = [(before, ways[1:])] if ways else []
        left += [
            (taken[:place], tuple(range(1, len(forks[place].ways))))
            for place in range(len(prefix), len(forks))
        ]
        if alike is not None and left and len(left[-1][0]) + 1 == len(forks):
            # Only of the last choice: nothing that was decided behind it is hidden by it.
            last, others = left.pop()
            same = frozenset(alike.ways(exchange, others)) if others else frozenset()
            left.append((last, tuple(filterfalse(same.__contains__, others))))
            exchange = _standing_for(exchange, tuple(filter(same.__contains__, others)))
        yield exchange
        pending += [(choices, others) for choices, others in left if others]


def _standing_for(exchange: Exchange, ways: tuple[int, ...]) -> Exchange:
    if not ways:
        return exchange
    fork = exchange.forks[-1]
    share = fork.way.share
    parts: dict[int, int] = {}
    for each in (share, *(fork.ways[way].share for way in ways)):
        # Most have one denominator: to add fractions one by one looks for it thousands of times.
        parts[each.denominator] = parts.get(each.denominator, 0) + each.numerator
    whole = sum((Fraction(top, bottom) for bottom, top in parts.items()), Fraction(0))
    return replace(exchange, probability=exchange.probability / share * whole, alike=ways)
