"""Resource quantities: ``500m``, ``1Gi``, ``2``, ``0.5``, ``1e3``.

Source: apimachinery/pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re

_FACTORS = {
    "n": 1,
    "u": 1_000,
    "m": 1_000_000,
    "": 1_000_000_000,
    "k": 10**12,
    "M": 10**15,
    "G": 10**18,
    "T": 10**21,
    "P": 10**24,
    "E": 10**27,
    "Ki": 2**10 * 10**9,
    "Mi": 2**20 * 10**9,
    "Gi": 2**30 * 10**9,
    "Ti": 2**40 * 10**9,
    "Pi": 2**50 * 10**9,
    "Ei": 2**60 * 10**9,
}
"""Suffixes in billionths, the smallest unit that can be written."""
_MOST = (2**63 - 1) * 10**9

_FORM = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")


def is_quantity(written: object) -> bool:
    """Whether the API server can read it (quantity.go ParseQuantity)."""
    if isinstance(written, str):
        return bool(_FORM.fullmatch(written)) and written.count(".") < 2
    return isinstance(written, int | float) and not isinstance(written, bool)


def show(amount: int) -> str:
    """Write billionths in the shortest way that loses nothing: ``3``, ``1500m``, ``1Gi``."""
    whole, rest = divmod(amount, _FACTORS[""])
    if rest:
        return f"{amount // _FACTORS['m']}m" if not amount % _FACTORS["m"] else f"{amount}n"
    for suffix in ("Gi", "Mi", "Ki"):
        if whole and not amount % _FACTORS[suffix]:
            return f"{amount // _FACTORS[suffix]}{suffix}"
    return str(whole)


def parse(written: object) -> int:
    """A quantity in billionths of its unit (core, byte, piece); 0 for what is none.

    More than an int64 is cut to that, as apimachinery's ``resource.Quantity`` does.
    """
    return max(-_MOST, min(_MOST, _parse(written)))


def _parse(written: object) -> int:
    if isinstance(written, bool):
        return 0
    if isinstance(written, int):
        return written * _FACTORS[""]
    if isinstance(written, float):
        amount = written * _FACTORS[""]
        return round(amount) if abs(amount) < _MOST else _MOST * (-1 if amount < 0 else 1)
    if not isinstance(written, str):
        return 0
    digits = written.rstrip("numkMGTPEi")
    factor = _FACTORS.get(written[len(digits) :])
    if factor is None:
        return 0
    try:
        return int(digits) * factor
    except ValueError:
        pass
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415 - fractions are rare

    try:
        number = Decimal(digits)
    except InvalidOperation:
        return 0
    if not number.is_finite():
        return 0  # ``NaN`` is a number for Python
    if number.adjusted() > len(str(_MOST)):  # ``1e999999999``: too many digits to write out
        return _MOST * (-1 if number < 0 else 1)
    return int(number * factor)
