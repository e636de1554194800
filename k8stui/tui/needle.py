r"""What is looked for: a part of a name, a pattern, what does not hold it, or labels.

As in k9s: ``web``; ``^web-\d`` is a regular expression; ``!web`` is all that does not hold it;
``-l app=web,tier!=cache`` looks at labels as ``kubectl get -l`` does. A pattern that is not
finished yet is looked for as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_PATTERN = re.compile(r"[\^$*+?\[\](){}|\\]")
"""Letters that no name or address has: with one of them it is a pattern."""
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
    if _PATTERN.search(text):
        try:
            return Needle(pattern=re.compile(text, re.IGNORECASE), is_inverse=is_inverse)
        except re.error:
            pass
    return Needle(plain=text.lower(), is_inverse=is_inverse)


def _terms(text: str) -> tuple[Term, ...]:
    found = []
    for part in text.split(","):
        match = _TERM.fullmatch(part.strip())
        if match is not None:
            is_wanted = match["not"] is None and match["op"] != "!="
            found.append(Term(match["key"], match["value"], is_wanted))
    return tuple(found)
