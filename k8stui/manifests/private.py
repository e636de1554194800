"""What of an object is private: values into which people write what they like, passwords too.

The table of fields decides (`schema.Scalar.private`): values of ``env``, arguments, annotations,
headers, data of ConfigMaps. What the table does not know may be anything; of that only values of
well-known keys are shown. Switches and small numbers are no passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from k8stui.manifests import tree
from k8stui.manifests.schema import KINDS, field_names
from k8stui.manifests.schema.types import (
    ANY,
    FREE,
    Anything,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    Type,
)
from k8stui.manifests.spans import runs
from k8stui.suggest import distance, nearest

_HARMLESS = re.compile(
    r"""\s*["']?(?:true|false|yes|no|on|off|null|~|\.inf|\.nan|[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}"""
    r"""|[\d.]+:\d{1,5}|:\d{1,5})?["']?\s*""",
    re.IGNORECASE | re.ASCII,
)
_PROGRAM = re.compile(r"[\w./-]{1,100}", re.ASCII)
_FLAG = re.compile(r"--?[a-z][a-z-]*(?:[=:]|$)|-[A-Za-z]$|-[A-Za-z](?==)", re.ASCII)
"""What of an argument names an option: ``--port=``, ``-p``. A short one may end in its value."""
_LONG_DASH = 2
_TYPING_ERROR = 2
"""Letters by which a key may differ from the one that was meant, to be taken for it."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
_UNTOLD = frozenset({"key", "value", "values", "user", "data", "message", "reason"})
"""Fields of known kinds that stand for something else elsewhere."""


def is_harmless(text: str) -> bool:
    """Whether a value is a switch, a port number, an address with a port, or nothing."""
    return _HARMLESS.fullmatch(text) is not None


@cache
def is_telling(key: str) -> bool:
    """Whether the values of `key` may be shown, whatever it is that they stand in."""
    return key in _told()


@cache
def is_field(key: str) -> bool:
    """Whether any kind has a field of that name."""
    return key in field_names()


@cache
def is_private(key: str) -> bool:
    """Whether `key` is, or was meant to be, one of those below which people write freely."""
    known = key in field_names()
    return key in _PRIVATE if known else nearest(key, _PRIVATE) is not None


_PRIVATE = frozenset(
    {"args", "command", "annotations", "data", "binaryData", "stringData", "value"}
)


@cache
def is_labels(key: str) -> bool:
    """Whether what stands below `key` has keys of its own, and none is private: labels."""
    return key in _tables()[1]


def _told() -> frozenset[str]:
    return _tables()[0]


@cache
def _tables() -> tuple[frozenset[str], frozenset[str]]:
    """Fields that are shown wherever they stand, and those whose fields are free names."""
    names: set[str] = set()
    labels: set[str] = set()
    private: set[str] = set(_UNTOLD | _PRIVATE)
    types: list[tuple[str, Type]] = [("", kind.fields) for kind in KINDS.values()]
    while types:
        name, type_ = types.pop()
        if isinstance(type_, Struct):
            types += type_.fields.items()
        elif isinstance(type_, ListOf):
            types.append((name, type_.item))
        elif isinstance(type_, MapOf):
            (private if type_.value.private else labels).add(name)
        elif isinstance(type_, Scalar | OneOf):
            (private if isinstance(type_, Scalar) and type_.private else names).add(name)
    return frozenset(names - private), frozenset(labels - private)


def _holds_private(type_: Type) -> bool:
    if isinstance(type_, Scalar):
        return type_.private
    if isinstance(type_, Struct):
        return any(map(_holds_private, type_.fields.values()))
    if isinstance(type_, ListOf):
        return _holds_private(type_.item)
    if isinstance(type_, MapOf):
        return type_.value.private
    return isinstance(type_, Anything)


class Private:
    """Finds the private values of a document."""

    def __init__(self, stretch: str, root: tree.TreeNode) -> None:
        self.stretch = stretch
        self.found: list[tuple[int, int]] = []
        """Start and end of runs of characters; none holds a line break."""
        self.texts: list[str] = []
        """What the hidden values say once quotes and escapes are read."""
        self._seen: set[tuple[int, int]] = set()
        self._object(root)

    def _object(self, node: tree.TreeNode) -> None:
        if not self._is_new(node, None):
            return
        if not node.mapping:
            for entry in node.entries:
                self._object(entry.node)
            if node.text is not None:
                self._hide(node)
            return
        kind = node.child("kind")
        known = KINDS.get((kind.node.text or "").strip()) if kind is not None else None
        items = node.child("items")
        if known is None and items is not None and not items.node.mapping:
            self._object(items.node)
        metadata = _METADATA if known is None else None
        for entry in self._entries(node):
            key = entry.key or ""
            if metadata is not None and key == "metadata":
                self._value(entry.node, metadata, key)
            elif items is None or entry.node is not items.node:
                self._field(entry, known.fields if known is not None else None)

    def _is_new(self, node: tree.TreeNode, type_: Type | None) -> bool:
        """Whether it is looked at for the first time: an anchor's node is met at each alias.

        None: as a document, or an object of a list.
        """
        before = len(self._seen)
        self._seen.add((id(node), id(type_)))
        return len(self._seen) > before

    @staticmethod
    def _entries(node: tree.TreeNode) -> Iterator[tree.TreeEntry]:
        yield from node.entries
        for source in node.sources():
            yield from source.entries

    def _field(self, entry: tree.TreeEntry, fields: Struct | None) -> None:
        key = entry.key or ""
        below = fields.fields.get(key) if fields is not None else ANY
        if fields is not None and below is None:
            meant = nearest(key, fields.fields)
            below = fields.fields[meant] if meant is not None else ANY
            if meant is not None and distance(key, meant) > _TYPING_ERROR:
                below = FREE if below.__class__ is Scalar else below
        self._value(entry.node, below or ANY, key)

    def _value(self, node: tree.TreeNode, type_: Type, key: str) -> None:
        if not self._is_new(node, type_):
            return
        if node.text is not None:
            if not (is_telling(key) if type_ is ANY else not _holds_private(type_)):
                self._hide(node)
        elif node.mapping:
            if isinstance(type_, ListOf):
                type_ = type_.item  # its dash is missing
            if isinstance(type_, Scalar | OneOf):
                type_ = FREE
            for entry in self._entries(node):
                if isinstance(type_, Struct):
                    self._field(entry, type_)
                else:
                    one: Type = type_.value if isinstance(type_, MapOf) else type_
                    self._value(entry.node, one, entry.key or "")
        else:
            below = type_.item if isinstance(type_, ListOf) else type_
            for index, entry in enumerate(node.entries):
                if below is FREE and entry.node.text is not None:
                    self._word(entry.node, first=index == 0 and key == "command")
                else:
                    self._value(entry.node, below, key)
        if node.text is None and _is_free(type_):
            # What is commented out stood there once.
            for match in _COMMENT.finditer(self.stretch, node.start, node.end):
                self.found.append(match.span())

    def _word(self, node: tree.TreeNode, *, first: bool) -> None:
        """A word of a command line: the program and the names of options are shown."""
        text = node.text or ""
        if first and _PROGRAM.fullmatch(text):
            return
        name = _FLAG.match(text)
        if name is not None and is_harmless(text[name.end() :].lstrip("=")):
            return
        written = self.stretch[node.start : node.end]
        quote = 1 if node.style in ("'", '"') else 0
        if name is not None and name.end() > _LONG_DASH and written.startswith(name[0], quote):
            self._hide(node, quote + name.end())
        else:
            self._hide(node)

    def _hide(self, node: tree.TreeNode, skip: int = 0) -> None:
        text = node.text or ""
        if is_harmless(text):
            return
        self.texts.append(text)
        stretch = self.stretch
        quoted = skip and node.style in ("'", '"')
        spans = list(runs(stretch, node.start + skip, node.end - (1 if quoted else 0)))
        if spans and node.style not in ("|", ">"):
            end = stretch.find("\n", spans[-1][1])
            rest = stretch[spans[-1][1] : end if end >= 0 else None]
            comment = _COMMENT.search(rest)
            if comment is not None:
                spans.append((spans[-1][1] + comment.start(), spans[-1][1] + len(rest)))
        self.found += spans


_METADATA = KINDS["Pod"].fields.fields["metadata"]


def _is_free(type_: Type) -> bool:
    return (isinstance(type_, ListOf) and type_.item is FREE) or (
        isinstance(type_, MapOf) and type_.value is FREE
    )
