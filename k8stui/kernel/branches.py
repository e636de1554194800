"""All outcomes of all random choices of one request."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.namespace import Network
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import RuleCause


def branches(
    network: Network, request: Connect, *, until_answered: bool = False
) -> Iterator[Exchange]:
    """Each branch once, the one where every random rule matches first.

    A walk is a function of its choices: it is replayed with a prefix of them, and beyond the
    prefix every random rule matches. The probabilities sum to 1. `until_answered`: see `connect`.
    """
    prefixes: list[tuple[bool, ...]] = [()]
    while prefixes:
        prefix = prefixes.pop()
        taken: list[bool] = []
        certain: list[bool] = []

        def choose(
            cause: RuleCause,  # noqa: ARG001
            probability: Fraction,
            prefix: tuple[bool, ...] = prefix,
            taken: list[bool] = taken,
            certain: list[bool] = certain,
        ) -> bool:
            place = len(taken)
            matched = prefix[place] if place < len(prefix) else probability > 0
            taken.append(matched)
            certain.append(probability in (0, 1))
            return matched

        yield connect(network, request, choose, until_answered=until_answered)
        # Of the choices made freely the other way is still to be walked, the last one first.
        prefixes.extend(
            (*taken[:place], False)
            for place in range(len(prefix), len(taken))
            if not certain[place]
        )
