"""Where a number is drawn: which numbers come to the same, and one fork of all that differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import TypeVar

from k8stui.kernel.nft.datatypes import Value
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.passage import Passage

T = TypeVar("T", bound=Hashable)

_MOST = 65536
"""So many numbers are looked at; nobody balances over more."""


def outcome(key: Expression, passage: Passage, of: Callable[[Value], T]) -> T:
    """What `of` makes of the key's value; where that is drawn, a fork decides.

    An expression that draws has `numbers`: those that are as likely.

    Raises:
        UnknownError: too many numbers.

    """
    numbers: range | None = getattr(key, "numbers", None)
    if numbers is None:
        return of(key.value(passage))
    if not 0 < len(numbers) <= _MOST:
        raise UnknownError(str(key))
    drawn: dict[T, list[int]] = {}
    for number in numbers:
        drawn.setdefault(of(number), []).append(number)
    if len(drawn) == 1:
        return next(iter(drawn))
    shares = [(Fraction(len(same), len(numbers)), same[0]) for same in drawn.values()]
    return list(drawn)[passage.draw(shares)]
