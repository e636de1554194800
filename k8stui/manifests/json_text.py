"""JSON input: values from the standard library, places by scanning one object when asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from k8stui.manifests.events import MAX_DEPTH, Reading, Skip
from k8stui.manifests.manifest import Path

_TOGETHER = 200
"""Elements that are decoded at once."""


class JsonFault(Exception):  # noqa: N818 - not an error of the program
    """Why the text is no JSON; `offset` is into the text given."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.problem, self.offset = problem, offset


Take = Callable[[dict[str, object], int, int], None]
"""Is given an element of a list, its start and its end, while the others are still to be read."""


def read_all(
    content: str, skip: Skip | None = None, take: Take | None = None
) -> list[tuple[int, int, Reading]]:
    """Every JSON value in `content`, one after the other, with its start and end.

    Elements of a root's ``items`` are decoded a few at a time, so that what `skip` names is gone
    before the next ones are there. `take` gets those that say themselves what they are; how many
    of a reading's first ones it got is in `Reading.taken`.

    Raises:
        JsonFault: it is not JSON, or nested deeper than `MAX_DEPTH`.

    """
    cursor = _Cursor(content, 0)
    found = []
    try:
        cursor.blank()
        while cursor.at < len(content):
            start, reading = cursor.at, Reading()
            if content[start] == "{":
                _root(cursor, reading, skip or {}, take)
            else:
                reading.value = cursor.value()
            found.append((start, cursor.at, reading))
            cursor.blank()
    except json.JSONDecodeError as error:
        # No line break may stand in a string: one that is not closed goes to the end.
        if error.msg.startswith("Unterminated string") or not content[error.pos :].strip():
            end = len(content.rstrip())
            raise JsonFault("the text breaks off here: was what prints it stopped?", end) from None
        raise JsonFault(_words(error.msg), min(error.pos, len(content))) from None
    except RecursionError:
        raise JsonFault(f"nested deeper than {MAX_DEPTH} levels", cursor.at) from None
    except ValueError as error:
        raise JsonFault(str(error), cursor.at) from None
    return found


def find(content: str, start: int, path: Path) -> int:
    """Offset of the key or list item at `path` in the object at `start`, else of its parent."""
    return _find(content, start, path)[0]


def span(content: str, start: int, path: Path) -> tuple[int, int]:
    """Start and end of the value at `path`, or of its nearest parent that is written."""
    value = _find(content, start, path)[1]
    cursor = _Cursor(content, value)
    cursor.value()
    return value, cursor.at


def value_at(content: str, start: int) -> tuple[object, int]:
    """Decode the value at `start`; gives it and its end."""
    cursor = _Cursor(content, start)
    return cursor.value(), cursor.at


def strings(content: str, start: int, path: Path) -> list[tuple[int, int]]:
    """Start and end, inside the quotes, of every string value at and below `path`."""
    at, end = span(content, start, path)
    found: list[tuple[int, int]] = []
    cursor = _Cursor(content, at)
    if cursor.here() == '"':
        found.append((at + 1, end - 1))
    elif cursor.here() == "{":
        for key, _ in cursor.entries():
            found += strings(content, at, (key,))
    elif cursor.here() == "[":
        for index, _ in enumerate(cursor.elements()):
            found += strings(content, at, (index,))
    return found


def _find(content: str, start: int, path: Path) -> tuple[int, int]:
    cursor = _Cursor(content, start)
    cursor.blank()
    at = value = cursor.at
    for part in path:
        found = None
        cursor = _Cursor(content, value)
        if isinstance(part, str) and cursor.here() == "{":
            for key, key_at in cursor.entries():
                if key == part:
                    found = key_at, cursor.at  # no break: of a repeated key the last one counts
        elif isinstance(part, int) and cursor.here() == "[":
            for index, _ in enumerate(cursor.elements()):
                if index == part:
                    found = cursor.at, cursor.at
                    break
        if found is None:
            break
        at, value = found
    return at, value


class _Cursor:
    def __init__(self, content: str, at: int) -> None:
        self.content, self.at = content, at
        self.is_printed = True

    def here(self) -> str:
        """Return the character at the cursor; empty at the end."""
        return self.content[self.at : self.at + 1]

    def blank(self) -> None:
        content, at = self.content, self.at
        while at < len(content) and content[at] in " \t\n\r":
            at += 1
        self.at = at

    def value(self) -> object:
        start = self.at
        value, self.at = _decoder.raw_decode(self.content, start)
        self._guard(value, start, self.at)
        return value

    def single(self) -> tuple[object, int, int]:
        """Decode the value here; with its start and end."""
        start = self.at
        return self.value(), start, self.at

    def printed(self) -> list[tuple[object, int, int]]:
        """Decode many elements at once where each begins on a line of its own, as kubectl prints.

        The decoder then shares their keys. No string holds a line break, so what looks like the
        begin of an object is one. Empty where they are not elements of one list.
        """
        content, at = self.content, self.at
        # First whether it ends a line: on one long line the begin of the line is far away.
        if not self.is_printed or not content.startswith("{\n", at):
            return []
        indent = content[content.rfind("\n", 0, at) + 1 : at]
        if indent.strip():
            return []
        mark = f"\n{indent}{{\n"
        starts = [at]
        while len(starts) <= _TOGETHER and (found := content.find(mark, starts[-1])) >= 0:
            starts.append(found + 1 + len(indent))
        # The last one is where the next look begins: what is behind it is not known yet.
        last = content.rfind(",", at, starts[-1])
        if len(starts) < 3 or content[last + 1 : starts[-1]].strip():
            return []
        try:
            values = _decoder.decode(f"[{content[at:last]}]")
        except (ValueError, RecursionError):
            values = []
        if len(values) != len(starts) - 1:
            self.is_printed = False  # one by one: the broken one has a place
            return []
        ends = [content.rfind("}", start, after) + 1 for start, after in pairwise(starts)]
        found_all = list(zip(values, starts, ends, strict=False))
        for value, start, end in found_all:
            self._guard(value, start, end)
        self.at = last
        return found_all

    def _guard(self, value: object, start: int, end: int) -> None:
        """Refuse deep nesting, so that nobody behind needs to think of it.

        Most values have not brackets enough for it: counting them is quicker than a look inside.
        """
        brackets = self.content.count("{", start, end) + self.content.count("[", start, end)
        if brackets > MAX_DEPTH:
            _limit(value, 1)

    def entries(self) -> Iterator[tuple[str, int]]:
        """Yield each key and its offset, the cursor on its value; leave it or move behind it."""
        self._open()
        if self._closed("}"):
            return
        while True:
            key_at = self.at
            if self.here() != '"':
                raise json.JSONDecodeError("Expecting property name", self.content, key_at)
            key, self.at = scanstring(self.content, key_at + 1, True)
            self.blank()
            if self.here() != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", self.content, self.at)
            self._open()
            before = self.at
            yield key, key_at
            if self.at == before:
                self.value()
            if self._next("}"):
                return

    def elements(self) -> Iterator[None]:
        """Put the cursor on each element in turn; leave it there or move behind the element."""
        self._open()
        if self._closed("]"):
            return
        while True:
            before = self.at
            yield
            if self.at == before:
                self.value()
            if self._next("]"):
                return

    def _open(self) -> None:
        self.at += 1
        self.blank()

    def _closed(self, close: str) -> bool:
        if self.here() == close:
            self.at += 1
            return True
        return False

    def _next(self, close: str) -> bool:
        """Move behind a comma (False) or the closing bracket (True)."""
        self.blank()
        if self._closed(close):
            return True
        if self.here() != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", self.content, self.at)
        self._open()
        return False


def _root(cursor: _Cursor, reading: Reading, skip: Skip, take: Take | None) -> None:
    value: dict[str, object] = {}
    for key, key_at in cursor.entries():
        if key in value:
            reading.doubled.append(key_at)
            take = None
        if key == "items" and cursor.here() == "[":
            # kubectl prints a List's kind behind its items; nothing else of v1 has any.
            kind = value.get("kind", "List" if value.get("apiVersion") == "v1" else "")
            if not str(kind).endswith("List"):
                take = None
            reading.items.clear()
            value[key] = _items(cursor, reading, skip.get("items") or {}, take)
        else:
            value[key] = cursor.value()
    reading.value = value


def _items(cursor: _Cursor, reading: Reading, skip: Skip, take: Take | None) -> list[object]:
    items: list[object] = []
    for _ in cursor.elements():
        for one, start, end in cursor.printed() or [cursor.single()]:
            items.append(pruned(one, skip))
            reading.items.append((start, end))
            if take and isinstance(one, dict) and "kind" in one and "apiVersion" in one:
                take(one, start, end)
                reading.taken += 1
            else:
                take = None  # the rest needs to know what the list is
    return items


def pruned(value: object, skip: Skip) -> object:
    """Take what `skip` names out of `value`, in place."""
    if isinstance(value, dict):
        for key in skip.keys() & value.keys():
            below = skip[key]
            if below is None:
                del value[key]
            else:
                pruned(value[key], below)
    elif isinstance(value, list):
        for one in value:
            pruned(one, skip)
    return value


def _limit(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RecursionError
    if not isinstance(value, dict | list):
        return
    for one in value.values() if isinstance(value, dict) else value:
        if one.__class__ is dict or one.__class__ is list:
            _limit(one, depth + 1)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")


_decoder = json.JSONDecoder(parse_constant=_refuse)

_WORDS = {
    "Expecting property name": "a key in double quotes is expected here",
    "Expecting value": "a value is expected here",
    "Expecting ',' delimiter": "a comma is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Invalid control character": "a line break or control character inside a string",
    "Invalid \\escape": "no such escape in JSON",
    "Invalid \\uXXXX escape": "no such escape in JSON",
}


def _words(message: str) -> str:
    return next((text for start, text in _WORDS.items() if message.startswith(start)), message)
