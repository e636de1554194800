"""Did you mean? The one measure of likeness between names, for all who ask who was meant.

`nearest` proposes: the most alike of several. `is_typo` believes: a slip of the finger, sure enough
to call what is written an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_SHORT = 5
_LONG = 8
"""Letters from which two slips of the finger are believed."""
_ALIKE = 0.75
"""Ratio of difflib from which a name is near."""
_LOOKS = 500
"""Names that are held against one word at most, where more may be as alike as the best."""
_LONGEST = 253
"""Of a name that the API server takes (RFC 1123 subdomain); what is longer is no name."""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Find the name that `word` was probably meant to be; None when nothing is near."""
    folded = {name.lower(): name for name in names}
    if (same := folded.get(word.lower())) is not None:
        return same
    from difflib import get_close_matches  # noqa: PLC0415 - 5 ms CPU

    close = get_close_matches(word.lower(), folded, n=1, cutoff=_ALIKE)
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


def things(name: str) -> Iterator[str]:
    """What a name says of which thing it is: two that are the same thing have one in common."""
    yield _core(name)
    if name.startswith("my"):
        yield _core(name.removeprefix("my").removeprefix("-"))


def parts(name: str) -> Iterator[str]:
    """The names that are part of this one (`is_part`)."""
    for dash in re.finditer("-", name):
        yield name[: dash.start()]
        yield name[dash.end() :]


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

    Names that differ only in their digits (``kafka-0``, ``kafka-1``) are two names, and so are a
    name and the same with a word behind it (``echo``, ``echo-x``).
    """
    if written == meant or not meant:
        return False
    if meant.startswith(f"{written}-") or written.startswith(f"{meant}-"):
        return False
    if written.lower() == meant.lower():
        return True
    shorter, longer = sorted((len(written), len(meant)))
    most = _slips(shorter)
    if longer - shorter > most or shorter < 2 or longer > _LONGEST:
        return False
    return _letters(written) != _letters(meant) and distance(written, meant) <= most


def _slips(shorter: int) -> int:
    """How many slips of the finger are believed, by the length of the shorter word."""
    return 2 if shorter >= _LONG else 1


class Wordbook:
    """Names against which many words are held, without looking at each of them for each word.

    Answers as `nearest` and `is_typo` do. A set of names is a number with a bit for each: so the
    letters that a word shares with a name are counted for all names at once. That bounds how alike
    they are (difflib's quick_ratio), and only the best of them are looked at.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[str]] = {}
        self._order: dict[str, int] = {}
        for name in names:
            self._order.setdefault(name, len(self._order))
            self._names.setdefault(name.lower(), []).append(name)
        self._words = sorted(self._names)
        having: dict[tuple[str, int], list[int]] = {}
        lengths: dict[int, list[int]] = {}
        lettered: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            lengths.setdefault(len(word), []).append(place)
            if self._names[word] == [word]:
                lettered.setdefault(_letters(word), []).append(place)
            for letter in _counted(word):
                having.setdefault(letter, []).append(place)
        self._having = _masks(having)
        """Those with a letter once, twice, …"""
        self._lengths = _masks(lengths)
        self._lettered = _masks({own: those for own, those in lettered.items() if len(those) > 1})
        """Those that differ in their digits only."""

    def __contains__(self, name: str) -> bool:
        return name in self._order

    def nearest(self, word: str, but: Collection[str] = ()) -> str | None:
        """Find the name that `word` was probably meant to be, and that is none of `but`."""
        asked = word.lower()
        if (same := self._name(asked, but)) is not None:
            return same
        common = self._in_common(asked)
        close = self._closest(asked, common, but)
        if close is None and len(word) <= _SHORT:
            near = self._within(asked, common, 1)
            found = (each for each in near if distance(asked, each) == 1)
            named = [name for each in found if (name := self._name(each, but)) is not None]
            close = named[0] if len(named) == 1 else None
        return close

    def typo(self, written: str) -> str | None:
        """The first name of which `written` is a typing error."""
        return next(iter(self.typos(written)), None)

    def typos(self, written: str) -> list[str]:
        """The names of which `written` is a typing error, in their order."""
        asked = written.lower()
        alike = self._lettered.get(_letters(asked), 0) if asked == written else 0
        near = (asked, *self._within(asked, self._in_common(asked), 2, alike))
        names = {name for each in near for name in self._names.get(each, ())}
        found = (name for name in names if is_typo(written, name))
        return sorted(found, key=self._order.__getitem__)

    def _name(self, word: str, but: Collection[str]) -> str | None:
        """The last name that is this word, capitals or not."""
        named = reversed(self._names.get(word, ()))
        return next((name for name in named if name not in but), None)

    def _in_common(self, word: str) -> list[int]:
        """How many letters each name shares with it: for each binary digit those that have it."""
        digits: list[int] = []
        for letter in _counted(word):
            carry = self._having.get(letter, 0)
            for index, digit in enumerate(digits):
                digits[index], carry = digit ^ carry, digit & carry
            if carry:
                digits.append(carry)
        return digits

    def _closest(self, word: str, common: list[int], but: Collection[str]) -> str | None:
        """The most alike, as difflib's get_close_matches has it: of several the last by name."""
        bounds: dict[float, int] = {}
        for length, those in self._lengths.items():
            for shared in range(min(length, len(word)), 0, -1):
                bound = 2.0 * shared / (length + len(word))
                if bound < _ALIKE:
                    break
                bounds[bound] = bounds.get(bound, 0) | _sharing(shared, common, those)
        if not any(bounds.values()):
            return None
        from difflib import SequenceMatcher  # noqa: PLC0415 - 5 ms CPU

        matcher = SequenceMatcher()
        matcher.set_seq2(word)
        best, found, looks = (_ALIKE, ""), None, 0
        for bound in sorted(bounds, reverse=True):
            for each in self._those(bounds[bound]):
                if (bound, each) <= best or looks == _LOOKS:
                    return found
                if (name := self._name(each, but)) is None:
                    continue
                looks += 1
                matcher.set_seq1(each)
                if (one := (matcher.ratio(), each)) > best:
                    best, found = one, name
        return found

    def _within(self, word: str, common: list[int], most: int, but: int = 0) -> Iterator[str]:
        """Names that may be so many slips away, by their letters."""
        for length in range(len(word) - most, len(word) + most + 1):
            shorter, longer = sorted((length, len(word)))
            slips = min(most, _slips(shorter))
            for shared in range(max(longer - slips, 0), shorter + 1):
                those = self._lengths.get(length, 0) & ~but
                yield from self._those(_sharing(shared, common, those))

    def _those(self, mask: int) -> Iterator[str]:
        """The names of a set, the last first."""
        while mask:
            place = mask.bit_length() - 1
            mask ^= 1 << place
            yield self._words[place]


def _counted(word: str) -> Iterator[tuple[str, int]]:
    """Each letter with its number among the same; those beyond ASCII count as one."""
    seen = Counter[str]()
    for letter in word:
        plain = letter if letter.isascii() else ""
        seen[plain] += 1
        yield plain, seen[plain]


def _masks(places: Mapping[_Key, Collection[int]]) -> dict[_Key, int]:
    """Sets of places as numbers with a bit for each."""
    found: dict[_Key, int] = {}
    for key, those in places.items():
        held = bytearray(max(those) // 8 + 1)
        for place in those:
            held[place >> 3] |= 1 << (place & 7)
        found[key] = int.from_bytes(held, "little")
    return found


def _sharing(shared: int, common: list[int], among: int) -> int:
    """Those that share exactly so many letters."""
    if shared >> len(common):
        return 0
    for index, digit in enumerate(common):
        among &= digit if shared >> index & 1 else ~digit
    return among


def is_digit_slip(written: int, meant: int) -> bool:
    """Whether a number has one digit too much, too few or wrong, two swapped, or is one off."""
    return written != meant and (
        abs(written - meant) == 1 or distance(str(written), str(meant)) == 1
    )


def _letters(name: str) -> str:
    return re.sub(r"\d+", "", name)
