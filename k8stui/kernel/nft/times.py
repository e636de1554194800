"""How long something is kept, as nft writes it: ``3h``, ``1m30s`` (src/datatype.c time_print)."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PLAIN = re.compile(r"[0-9]{1,18}")
_PART = re.compile(r"([0-9]{1,18})(ms|[dhms])")


def seconds(text: str) -> int:
    """In whole seconds; a plain number is seconds.

    Raises:
        ValueError: no time.

    """
    if _PLAIN.fullmatch(text):
        return int(text)
    parts = _PART.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"not a time: {text}")
    return sum(int(number) * _UNITS.get(unit, 0) for number, unit in parts)


def written(seconds: int) -> str:
    """In days, hours, minutes and seconds."""
    shown = ""
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        shown += f"{count}{unit}" if count else ""
    return shown or "0s"
