"""Make docs/keys.md of the one table of keys.

    python -m docs.make_keys

From the checkout's folder; tests/tui/test_keys.py holds that it was done.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from textual.binding import Binding

from k8stui.tui import keys
from k8stui.tui.against_screen import AgainstScreen
from k8stui.tui.copy_screen import CopyScreen
from k8stui.tui.find import FindBar
from k8stui.tui.listing import ListScreen
from k8stui.tui.request import RequestScreen

FILE = Path(__file__).parent / "keys.md"

_HEAD = """\
# The keys

Made by `python -m docs.make_keys` from the one table of all keys, `k8stui/tui/keys.py`, of which
footer, help (`?`) and palette (`:`) are made too.
"""

_IN_FRONT = (
    ("In a list", ListScreen),
    ("In a list of lines to copy", CopyScreen),
    ("While one types what to find", FindBar),
    ("In the request box", RequestScreen),
    ("In the box for another input", AgainstScreen),
)


def lines() -> Iterator[str]:
    """The page, line by line."""
    yield from _HEAD.splitlines()
    for heading, bindings in keys.GROUPS:
        yield from _table(heading, bindings)
    for heading, owner in _IN_FRONT:
        own = [each for each in owner.BINDINGS if isinstance(each, Binding)]
        yield from _table(heading, own)


def _table(heading: str, bindings: Sequence[Binding]) -> Iterator[str]:
    yield from ("", f"## {heading}", "", "| key | what it does |", "|---|---|")
    for binding in bindings:
        names = ", ".join(f"`{name}`" for name in keys.key_names(binding).split())
        yield f"| {names.replace('|', '&#124;')} | {binding.tooltip} |"


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
