"""Did you mean? The one measure of likeness between names, for all who ask who was meant.

`nearest` proposes: the most alike of several. `is_typo` believes: a slip of the finger, sure enough
to call what is written an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SHORT = 5
_LONG = 8
"""Letters from which two slips of the finger are believed."""
_LONGEST = 253
"""Of a name that the API server takes (RFC 1123 subdomain); what is longer is no name."""


def nearest(word: str, names: Iterable[str]) -> str | None:
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


_SAY_NOTHING = frozenset(
    """service svc srv server headless hs cs clusterip loadbalancer lb nodeport internal cluster
    deployment deploy statefulset sts pod pods host""".split()  # noqa: SIM905
)
"""Words that say what kind of thing it is, not which."""


_ALSO = {
    "primary": "master", "leader": "master", "slave": "replica", "secondary": "replica",
    "follower": "replica", "db": "database", "postgresql": "postgres", "mongodb": "mongo",
}  # fmt: skip
"""Words of which people use now one, now the other."""


def is_same_thing(one: str, other: str) -> bool:
    """Whether two names are one but for words that say what kind of thing it is.

    ``kafka`` and ``kafka-service``, ``db`` and ``my-db``.
    """
    first, second = _core(one), _core(other)
    if one == other or not first or not second:
        return False
    return first == second or any(
        long.startswith("my") and _core(long.removeprefix("my").removeprefix("-")) == _core(short)
        for short, long in ((one, other), (other, one))
    )


def is_part(short: str, long: str) -> bool:
    """Whether a name stands whole at an end of a longer one: ``cache`` and ``staging-cache``.

    A prefix of a kustomization or a release makes such names.
    """
    return long.endswith(f"-{short}") or long.startswith(f"{short}-")


def _core(name: str) -> str:
    words = re.split(r"[-_]", name.lower())
    return "-".join(_ALSO.get(word, word) for word in words if word not in _SAY_NOTHING)


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


def is_typo(written: str, meant: str) -> bool:
    """Whether `written` is `meant` with a letter too much, too few, wrong, or two swapped.

    Names that differ only in their digits (``kafka-0``, ``kafka-1``) are two names.
    """
    if written == meant or not meant:
        return False
    if written.lower() == meant.lower():
        return True
    shorter, longer = sorted((len(written), len(meant)))
    most = 2 if shorter >= _LONG else 1
    if longer - shorter > most or shorter < 2 or longer > _LONGEST:
        return False
    return _letters(written) != _letters(meant) and distance(written, meant) <= most


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
