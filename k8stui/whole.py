"""Whole numbers in what others wrote: decimal digits alone, and no more than a number needs."""

from __future__ import annotations

_DIGITS = 18
"""All of them below 2**63. `int` takes digits of other scripts too, and refuses 4,301 of them."""


def whole(text: str) -> int | None:
    """Read decimal digits; None: it is not digits alone, or more of them than 64 bits hold.

    >>> whole("8080"), whole("0x50"), whole("٣"), whole("9" * 5000)
    (8080, None, None, None)
    """
    if len(text) > _DIGITS or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)
