"""Did you mean? Imported only once something is wrong."""

from __future__ import annotations

from collections.abc import Collection

_SHORT = 5


def nearest(word: str, names: Collection[str]) -> str | None:
    """Find the name that `word` was probably meant to be; None when nothing is near."""
    folded = {name.lower(): name for name in names}
    if (same := folded.get(word.lower())) is not None:
        return same
    from difflib import get_close_matches  # noqa: PLC0415 - 5 ms CPU

    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.75)
    if close:
        return folded[close[0]]
    short = [name for name in folded if abs(len(name) - len(word)) <= 1]
    if len(word) <= _SHORT:  # one letter of three is more than a quarter
        close = [name for name in short if distance(word.lower(), name) == 1]
    return folded[close[0]] if len(close) == 1 else None


def distance(one: str, other: str) -> int:
    """Optimal string alignment: insert, delete, replace, swap neighbours."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
