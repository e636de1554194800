"""The order in which a person looks for names."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")

Key = tuple[tuple[str, int], ...]


def natural(name: str) -> Key:
    """Sort key: numbers in a name count as numbers, web-2 comes before web-10."""
    parts = _NUMBER.split(name)
    return tuple(
        (text, int(number)) for text, number in zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    )


def by_place(namespace: str, name: str) -> tuple[bool, str, Key]:
    """Sort key of an object: the default namespace first, the others by name."""
    return namespace != "default", namespace, natural(name)
