"""What a daemon of the input is told by its arguments."""

from __future__ import annotations

from collections.abc import Sequence


def argument(words: Sequence[str], flag: str) -> str | None:
    """The value of ``--flag=value``, ``-flag value`` …; None: it is not given.

    Go's flag package and pflag take one dash or two (a switch alone is ``true``); the last counts.
    """
    found = None
    for word, following in zip(words, (*words[1:], "-"), strict=True):
        name, equals, value = word.partition("=")
        if name in (f"--{flag}", f"-{flag}"):
            found = value if equals else "true" if following.startswith("-") else following
    return found


def told(words: Sequence[str], flag: str, *, otherwise: bool) -> bool:
    """A switch among a program's arguments."""
    found = argument(words, flag)
    return otherwise if found is None else found.lower() not in {"false", "0", "f"}
