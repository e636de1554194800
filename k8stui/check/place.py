"""A spot that is known by its line alone."""

from __future__ import annotations

from k8stui.record import record


@record(kw_only=True)
class TextPlace:
    """A `Place` in a text of which no object was made."""

    file: str
    line: int
    column: int = 1
    field: str = ""
