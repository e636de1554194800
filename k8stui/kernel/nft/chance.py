"""Where a number is drawn: which numbers come to the same, and one fork of all that differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Generic, TypeVar

from k8stui.kernel.nft.datatypes import Value
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.step import Way

T = TypeVar("T", bound=Hashable)

_MOST = 65536
"""So many numbers are looked at; nobody balances over more."""


class Draw(Generic[T]):
    """All that numbers come to which are as likely."""

    def __init__(self, numbers: range, of: Callable[[Value], T]) -> None:
        drawn: dict[T, list[int]] = {}
        for number in numbers:
            drawn.setdefault(of(number), []).append(number)
        self._outcomes = list(drawn)
        self._shares = [(Fraction(len(same), len(numbers)), same[0]) for same in drawn.values()]
        self._ways: dict[int, tuple[Way, ...]] = {}

    def taken(self, passage: Passage) -> T:
        """What it comes to this time."""
        if len(self._outcomes) == 1:
            return self._outcomes[0]
        place = passage.cause.index - 1
        ways = self._ways.get(place)
        if ways is None:
            ways = self._ways[place] = tuple(Way(place, *share) for share in self._shares)
        return self._outcomes[passage.draw(ways)]


def numbers_of(key: Expression) -> range | None:
    """Those that an expression draws from; None: it does not.

    Raises:
        UnknownError: too many numbers.

    """
    numbers: range | None = getattr(key, "numbers", None)
    if numbers is not None and not 0 < len(numbers) <= _MOST:
        raise UnknownError(str(key))
    return numbers


def outcome(key: Expression, passage: Passage, of: Callable[[Value], T]) -> T:
    """What `of` makes of the key's value; where that is drawn, a fork decides.

    Raises:
        UnknownError: too many numbers.

    """
    numbers = numbers_of(key)
    if numbers is None:
        return of(key.value(passage))
    return Draw(numbers, of).taken(passage)
