"""Paths as they are typed: what stands in the folder that is typed so far. No Textual."""

from __future__ import annotations

import os
from itertools import islice

from k8stui.neutralise import neutralise
from k8stui.order import natural
from k8stui.tui.candidates import Candidates

_MOST_ENTRIES = 5_000
"""Of a folder that are looked at: it is done with each letter, in a few milliseconds."""


def completions(typed: str, most: int = 50) -> list[str]:
    """Paths that begin with the folder typed and whose last part matches, as `Candidates` has it.

    Folders come first and end in ``/``. Hidden ones are left out unless a dot is typed; names that
    cannot be shown as they are (a terminal would obey them) always.
    """
    folder, slash, last = typed.rpartition("/")
    folder += slash
    entries = sorted(_entries(folder), key=lambda name: (not name.endswith("/"), natural(name)))
    shown = (
        name
        for name in entries
        if (last.startswith(".") or not name.startswith("."))
        and neutralise(folder + name) == folder + name
    )
    return [folder + name for name in Candidates(shown).matching(last, most)]


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(given(folder) or ".") as found:
            return [each.name + "/" * each.is_dir() for each in islice(found, _MOST_ENTRIES)]
    except (OSError, ValueError):  # a path with a NUL in it is a ValueError
        return []


def given(typed: str) -> str:
    """The path that is meant: ``~`` is the user's home, as for a shell."""
    return os.path.expanduser(typed.strip())  # noqa: PTH111 - what a pathlib.Path leaves out stays


def is_there(typed: str) -> bool:
    """Whether the path leads to something."""
    return "\0" not in typed and os.path.exists(given(typed))  # noqa: PTH110 - as above
