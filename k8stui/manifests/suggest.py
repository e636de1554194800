"""Did you mean? Imported only once something is wrong."""

from __future__ import annotations

from collections.abc import Collection


def nearest(word: str, names: Collection[str]) -> str | None:
    """Find the name that `word` was probably meant to be; None when nothing is near."""
    folded = {name.lower(): name for name in names}
    if (same := folded.get(word.lower())) is not None:
        return same
    from difflib import get_close_matches  # noqa: PLC0415 - 5 ms CPU

    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None
