"""The order in which a person looks for names, and lists of them that stay short."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

_NUMBER = re.compile(r"([0-9]{1,18})")

Key = tuple[tuple[str, int], ...]
_Item = TypeVar("_Item")


def natural(name: str) -> Key:
    """Sort key: numbers in a name count as numbers, web-2 comes before web-10."""
    parts = _NUMBER.split(name)
    return tuple(
        (text, int(number)) for text, number in zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    )


def by_place(namespace: str, name: str) -> tuple[bool, str, Key]:
    """Sort key of an object: the default namespace first, the others by name."""
    return namespace != "default", namespace, natural(name)


def listed(items: Sequence[_Item], say: Callable[[_Item], object] = str, most: int = 10) -> str:
    """``a, b, c and 4 more``: so long that a sentence about each of them stays short."""
    more = len(items) - most
    shown = ", ".join(str(say(one)) for one in items[:most])
    return f"{shown} and {more} more" if more > 0 else shown
