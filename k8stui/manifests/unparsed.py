"""Of a text that cannot be parsed: what may be shown, line by line.

Nobody knows where a value ends, so what may go on with a hidden one is hidden too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.manifests.private import is_field, is_harmless, is_labels, is_private, is_telling
from k8stui.manifests.secret import COLON, is_key_name

HIDDEN = "…"
_LONG_LINE = 20_000
_KEY = re.compile(
    r"""(?P<before>^[ \t]*(?:-[ \t]*)*(?:\#[-\#\ \t]*)?|[{,][ \t]*)"""
    r"""["']?(?P<key>[A-Za-z][\w.-]*)["']?(?P<colon>[ \t]*[:=：]|(?=[ \t]|$))"""
)
"""What may be a key, also in a comment, and where the colon was forgotten."""
_NAMING = frozenset({"annotations", "data", "binaryData"})
_COMMENT_LINE = re.compile(r"^[ \t]*(?:- )?#[^\n]*", re.MULTILINE)
_NAMED = re.compile(r"""\s*["']?[A-Za-z][\w./-]*["']?:(?=\s|$)""")
_WORDS = frozenset({"v1", "Secret", "SecretList", "List", "Opaque"})
"""Values of a Secret that are shown."""


def private_lines(stretch: str) -> Iterator[tuple[int, str]]:
    """Each line's start and what may be shown of it; the text is nobody's Secret.

    Only values of well-known keys and of labels are shown.
    """
    offset, opened = 0, 0
    """How many brackets of a private value are not yet closed."""
    above = _Above()
    for text in stretch.split("\n"):
        indent = len(text) - len(text.lstrip(" \t"))
        if not text.strip():
            shown = text
        elif opened > 0 or len(text) > _LONG_LINE:
            shown = text[:indent] + HIDDEN
            opened = max(0, opened + _opening(text)) if opened > 0 else 0
        else:
            above.leave(indent, text.lstrip()[0])
            if above.is_private:
                named = _NAMED.match(text) if above.is_named(indent) else None
                shown = f"{named[0]} {HIDDEN}" if named else text[:indent] + HIDDEN
            else:
                end = above.private_part(text)
                shown = text
                if end is not None:
                    rest = text[end:].rstrip()
                    closing = rest[len(rest.rstrip(",}] ")) :].lstrip()
                    blank = text[end : len(text) - len(text[end:].lstrip())]
                    shown = f"{text[:end]}{blank}{HIDDEN}{closing}"
                    opened = max(0, _opening(text[end:]))
        yield offset, shown
        offset += len(text) + 1


def private_comments(stretch: str) -> Iterator[tuple[int, int]]:
    """What is private of lines that were commented out."""
    for match in _COMMENT_LINE.finditer(stretch):
        end = _Above(shows=True).private_part(match[0])
        if end is not None:
            yield match.start() + end, match.end()


class _Above:
    """What the lines above say of a line: below which key it stands."""

    def __init__(self, *, shows: bool = False) -> None:
        """`shows`: what stands below no key is shown."""
        self.deep = -1
        """Column of the key; what is deeper stands below it."""
        self.is_private = False
        self.shows = shows
        self._labels = False
        self._named = False
        self._first: int | None = None

    def leave(self, indent: int, first: str) -> None:
        """Go on to a line that begins in column `indent` with the letter `first`."""
        if self.deep >= 0 and not (indent > self.deep or (indent == self.deep and first in "-#")):
            self.deep, self.is_private, self.shows, self._labels = -1, False, False, False

    def is_named(self, indent: int) -> bool:
        """Whether a line below stands where private values have keys of their own."""
        if self._first is None:
            self._first = indent
        return self._named and indent == self._first

    def private_part(self, text: str) -> int | None:
        """Where what is private begins; remembers what goes on below."""
        labels, has_key = self._labels, False
        end = len(text.rstrip().rstrip(",}] "))  # once: a line may have thousands of both
        for found in _KEY.finditer(text):
            key, at = found["key"], found.start("key")
            if not (found["colon"] or is_field(key) or is_private(key)):
                continue
            has_key = True
            bare = text[found.end() : end].lstrip()
            bare = "" if bare in ("[", "{") else bare
            if is_private(key):
                self._enter(at, private=True)
                self._named = key in _NAMING and not bare
                return None if is_harmless(bare) else found.end()
            if is_labels(key):
                labels = True
                self._enter(at, labels=True)
            elif not bare:
                if not self._labels:
                    self._enter(at, shows=is_telling(key))
            elif not labels and not is_telling(key):
                lists = bare[0] == "[" and bare[1:].lstrip()[:1] != "{"
                if not is_harmless(bare) and (lists or bare[0] not in "{["):
                    self._enter(at, private=True)
                    return found.end()
        if not (has_key or labels or self.shows or is_harmless(text.strip(" -\t"))) and (
            text.lstrip()[:1] != "#"
        ):
            return len(text) - len(text.lstrip())
        return None

    def _enter(
        self, deep: int, *, private: bool = False, labels: bool = False, shows: bool = False
    ) -> None:
        self.deep, self.is_private, self._labels, self.shows = deep, private, labels, shows
        self._first, self._named = None, False


def _opening(text: str) -> int:
    return sum(text.count(sign) for sign in "{[") - sum(text.count(sign) for sign in "}]")


_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)|(?P<mark>[{}\[\],])|(?P<quoted>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)"""
    r"""|(?P<colon>:(?=[\s"'{\[]|$))|(?P<word>[^\s"'{}\[\],:](?:[^\s":]|:(?![\s"'{\[]|$))*|:)"""
)


def secret_lines(stretch: str) -> Iterator[tuple[int, str]]:
    """Each line's start, and what of it may be shown when nobody knows where values end."""
    offset = 0
    deep: int | None = None
    """Lines deeper than this go on with the value of one above."""
    for text in stretch.split("\n"):
        indent = len(text) - len(text.lstrip(" \t"))
        if text.strip() and deep is not None and indent > deep:
            yield offset, text[:indent] + HIDDEN
        elif not text.strip() or len(text) > _LONG_LINE:
            yield offset, HIDDEN if text.strip() else ""
        else:
            shown, goes_on = _guess_line(text)
            if text.strip():
                deep = indent + (2 if re.match(r"\s*- ", text) else 0) if goes_on else None
            yield offset, shown
        offset += len(text) + 1


def _guess_line(text: str) -> tuple[str, bool]:
    """What may be shown of a line, and whether deeper ones would go on with its value."""
    parts: list[str] = []
    before, colons = "start", 0
    flow = has_value = False
    for match in _TOKEN.finditer(text):
        kind, written = match.lastgroup or "", match[0]
        names = (
            kind in ("quoted", "word")
            and before in ("start", "dash", "open")
            and COLON.match(text, match.end()) is not None
            and is_key_name(written.strip("\"'"))
        )
        if kind == "blank":
            parts.append(written)
        elif kind == "mark":
            flow = flow or written == "{"
            parts.append(written)
            before = "open" if written in ("{", "[") or (flow and written == ",") else "closed"
        elif kind == "colon":
            colons += 1
            parts.append(written)
            before = "colon" if before == "key" else "value"
        elif written == "-" and before == "start":
            parts.append(written)
            before = "dash"
        elif names:
            parts.append(written)
            before = "key"
        else:
            shown = written if before == "colon" and written.strip("\"'") in _WORDS else HIDDEN
            if not (shown == HIDDEN and "".join(parts).rstrip().endswith(HIDDEN)):
                parts.append(shown)
            has_value, before = True, "value"
    if colons > 1 and not flow:
        # Of two keys on one line one is none, and nobody knows which.
        return text[: len(text) - len(text.lstrip())] + HIDDEN, True
    return "".join(parts), has_value and not flow
