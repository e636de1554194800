"""The tours that ship with the samples."""

from __future__ import annotations

import re
from pathlib import Path

from k8stui.walk.world import sample

_FOLDER = "tours"
_DIGITS = re.compile(r"(\d+)")


def bundled_tours() -> dict[str, Path]:
    """Path by name, numbers in their natural order: ``row-2`` before ``row-10``."""
    found = sorted(sample(_FOLDER).glob("*.yaml"), key=lambda one: _natural(one.stem))
    return {one.stem: one for one in found}


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]
