r"""What is looked for: a part of a name, a pattern, what does not hold it, or labels.

As in k9s: ``web``; ``^web-\d`` is a regular expression; ``!web`` is all that does not hold it;
``-l app=web,tier!=cache`` looks at labels as ``kubectl get -l`` does. A pattern that is not
finished yet is looked for as it stands; so is one that could try without end (``(a+)+$``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from re import _parser as parser  # type: ignore[attr-defined]  # it tells what a pattern is made of
from typing import Any, NamedTuple

_PATTERN = re.compile(r"[\^$*+?\[\](){}|\\]")
"""Letters that no name or address has: with one of them it is a pattern."""
_MOST_REPEATS = 2
"""``^web-.*-[0-9]+$`` has two; each more costs a line's length in time where nothing is found."""
_TERM = re.compile(r"(?P<not>!)?(?P<key>[^=!\s]+)(?:\s*(?P<op>=|==|!=)\s*(?P<value>[^=!\s]*))?")


class Term(NamedTuple):
    """One requirement of a label selector."""

    key: str
    value: str | None
    """None: whether there is such a label."""
    is_wanted: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil it (apimachinery labels/selector.go Requirement.Matches)."""
        if self.value is None:
            return (self.key in labels) is self.is_wanted
        return (labels.get(self.key) == self.value) is self.is_wanted


class Needle(NamedTuple):
    """What is looked for, understood."""

    plain: str = ""
    """In lower case; empty: something else is looked for."""
    pattern: re.Pattern[str] | None = None
    is_inverse: bool = False
    terms: tuple[Term, ...] = ()

    def finder(self) -> Callable[[str], bool]:
        """Give the test of a text in lower case; labels are no text."""
        pattern, plain, is_inverse = self.pattern, self.plain, self.is_inverse
        if pattern is not None:
            return lambda text: (pattern.search(text) is not None) is not is_inverse
        return lambda text: (plain in text) is not is_inverse


def understood(typed: str) -> Needle:
    """Understand what was typed behind the slash."""
    if typed.startswith("-l"):
        return Needle(terms=_terms(typed[2:]))
    is_inverse = typed.startswith("!")
    text = typed[1:] if is_inverse else typed
    if is_inverse and not text:
        return Needle(plain=typed)
    if _PATTERN.search(text) and (pattern := _pattern(text)) is not None:
        return Needle(pattern=pattern, is_inverse=is_inverse)
    return Needle(plain=text.lower(), is_inverse=is_inverse)


def _pattern(text: str) -> re.Pattern[str] | None:
    """Compile a pattern; None: it is none, or one that backtracking may never be done with."""
    try:
        tree = list(parser.parse(text, re.IGNORECASE))
        if _repeats(tree) > _MOST_REPEATS:
            return None
        return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError, _EndlessError):
        return None


class _EndlessError(Exception):
    """Ways to match that double with each letter."""


def _repeats(tree: Iterable[tuple[Any, Any]], *, is_inside: bool = False) -> int:
    """How many repetitions a parsed pattern has: time grows with the text's length to that power.

    Raises:
        _EndlessError: one has a choice inside (``(a+)+``, ``(a|a)*``), or refers back.

    """
    count = 0
    for operator, argument in tree:
        name = str(operator)
        if name.startswith("GROUPREF") or (is_inside and name == "BRANCH"):
            raise _EndlessError
        is_repeat = name.endswith("_REPEAT") and argument[1] > 1
        if name.endswith("_REPEAT") and argument[0] != argument[1]:
            if is_inside:
                raise _EndlessError
            count += is_repeat
        for part in _parts(argument):
            count += _repeats(part, is_inside=is_inside or is_repeat)
    return count


def _parts(argument: object) -> Iterator[Iterable[tuple[Any, Any]]]:
    """The patterns in an argument of a parsed pattern."""
    if isinstance(argument, parser.SubPattern):
        yield list(argument)
    elif isinstance(argument, tuple | list):
        for each in argument:
            yield from _parts(each)


def _terms(text: str) -> tuple[Term, ...]:
    found = []
    for part in text.split(","):
        match = _TERM.fullmatch(part.strip())
        if match is not None:
            is_wanted = match["not"] is None and match["op"] != "!="
            found.append(Term(match["key"], match["value"], is_wanted))
    return tuple(found)
