"""Whether one name was probably meant to be another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from k8stui.suggest import distance

_LONG = 8
"""Letters from which two slips of the finger are believed."""
_LONGEST = 253
"""Of a name that the API server takes (RFC 1123 subdomain); what is longer is no name."""


def is_typo(written: str, meant: str) -> bool:
    """Whether `written` is `meant` with a letter too much, too few, wrong, or two swapped.

    Names that differ only in their digits (``kafka-0``, ``kafka-1``) are two names.
    """
    if written == meant or not meant or _letters(written) == _letters(meant):
        return False
    if written.lower() == meant.lower():
        return True
    if max(len(written), len(meant)) > _LONGEST:
        return False
    most = 2 if min(len(written), len(meant)) >= _LONG else 1
    if abs(len(written) - len(meant)) > most or min(len(written), len(meant)) < 2:
        return False
    return distance(written, meant) <= most


class Lexicon:
    """Names, found again through a typing error without looking at each of them.

    Words that are one slip apart have a word in common among what is left of each when one letter
    is taken away, or none (symmetric deletes).
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._found: dict[str, dict[str, None]] = {}
        for name in names:
            for part in _parts(name):
                self._found.setdefault(part, {})[name] = None

    def typo(self, written: str) -> str | None:
        """The name that `written` is a typing error of; it may be one of them itself."""
        for part in _parts(written):
            for name in self._found.get(part, ()):
                if is_typo(written, name):
                    return name
        return None


def _parts(name: str) -> Iterator[str]:
    word = name.lower()
    yield word
    if len(word) > _LONGEST:
        return
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


def is_digit_slip(written: int, meant: int) -> bool:
    """Whether a number has one digit too much, too few or wrong, two swapped, or is one off."""
    return written != meant and (
        abs(written - meant) == 1 or distance(str(written), str(meant)) == 1
    )


def _letters(name: str) -> str:
    return re.sub(r"\d+", "", name)
