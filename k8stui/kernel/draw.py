"""Which rule of a chain matches first, where chance has a say: the ways of a fork, exactly.

Random rules that follow one another are one draw: the first of them that matches is all that
matters, and its share is its own chance times that of all before it to fail. xt_statistic.c draws
anew for each rule, so the chances are independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from k8stui.kernel.compile import CompiledRule, compile_rule
from k8stui.kernel.derived import Derived
from k8stui.kernel.matches.base import Always, Comment
from k8stui.kernel.rules import Chain
from k8stui.kernel.step import Way

Holds = Callable[[CompiledRule], bool | str]
"""Whether all but chance holds of a rule; where that cannot be known, what stands in the way."""


_EXACT_BITS = 4096
"""A share that takes more is left to the next fork: odd chances multiply to ever longer numbers."""


class Draw(NamedTuple):
    """The ways from one random rule on. Without any the rule never matches."""

    ways: tuple[Way, ...]
    end: int
    """Place at which looking goes on when none of the rules matches."""


def draw(chain: Chain, places: Iterable[int], holds: Holds) -> Draw:
    """From the first of `places`, whose rule is random and holds otherwise, to the first sure one.

    `places`: those that the packet might match, ascending.
    """
    ways: list[Way] = []
    left = Fraction(1)
    end = len(chain.rules)
    for place in places:
        rule = compile_rule(chain.rules[place].text)
        if not (rule.chances or ways):
            end = place
            break
        held = holds(rule)
        if held is False:
            continue
        if held is not True:
            end = place
            break
        chance = _chance(rule)
        if chance:
            ways.append(Way(place, left * chance))
            left *= 1 - chance
        if not left:
            break
        if left.denominator.bit_length() > _EXACT_BITS:
            end = place + 1
            break
    if left and ways:
        ways.append(Way(None, left))
    return Draw(tuple(ways), end)


def _chance(rule: CompiledRule) -> Fraction:
    """That the rule matches, once all else in it holds."""
    found = Fraction(1)
    for chance in rule.chances:
        found *= chance.probability
    return found


class _Blind:
    """The draws of one chain in which no rule looks at the packet, by the place of the first."""

    def __init__(self, chain: Chain) -> None:
        self._length = len(chain.rules)
        self._kept: dict[int, Draw | None] = {}

    def at(self, chain: Chain, place: int) -> Draw | None:
        if place not in self._kept:
            self._kept[place] = self._draw(chain, place)
        return self._kept[place]

    def _draw(self, chain: Chain, first: int) -> Draw | None:
        found = draw(chain, range(first, self._length), _whoever)
        return found if found.end == self._length else None


def _whoever(rule: CompiledRule) -> bool | str:
    """Whether the rule holds for every packet; what it asks does not matter here."""
    return (
        all(isinstance(test, Always | Comment) for test in rule.tests) or "it looks at the packet"
    )


_blind = Derived(_Blind)


def blind(chain: Chain, place: int) -> Draw | None:
    """Give the draw from this rule on if it is the same for every packet: kube-proxy's are.

    Worked out once: a Service can have thousands of endpoints, and each walk comes by here.
    """
    return _blind.of(chain).at(chain, place)
