"""One YAML document → plain Python values, from libyaml's event stream.

Events are the fastest exact way (docs/facts/speed.md section 2) and bounded in memory: nesting is
limited before anything recurses, aliases share what they stand for. No tag makes an object.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from k8stui.manifests.scalars import Resolved, ScalarError, is_string, key_text, tagged
from k8stui.record import record

MAX_DEPTH = 150
"""Deepest nesting that is read; the deepest built-in object needs about 20 levels."""
MAX_EXPANDED = 500_000
"""Values that a document's aliases may stand for, all in all; a short document's for fewer, so
that many of them cost no more than one."""
MAX_DOUBLED = 1_000
"""Keys of a document that may stand twice; with more it is no Kubernetes object."""
_CACHED = 65_536

Skip = Mapping[str, "Skip | None"]
"""Fields to leave out: None drops the field, a mapping leads to what is dropped below it."""

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class YamlFault(Exception):  # noqa: N818 - not an error of the program
    """Why a document cannot be read. Offsets are into the text given."""

    def __init__(self, problem: str, offset: int, context: str = "", start: int = -1) -> None:
        super().__init__(problem)
        self.problem, self.offset, self.context = problem, offset, context
        self.start = start
        """Where the construct in question begins; -1 when the parser names none."""
        self.syntax = False
        """libyaml refused it; else it is YAML that Kubernetes cannot take."""


@record(frozen=False)
class Reading:
    """A document's value and what else was noticed on the way."""

    value: object = None
    empty: bool = False
    """Nothing but comments and white space."""
    items: list[tuple[int, int]] = field(default_factory=list)
    """Start and end of each element of the root's ``items`` list."""
    taken: int = 0
    """How many of them somebody got while the rest was read."""
    doubled: list[int] = field(default_factory=list)
    """Offsets of keys that were there before in the same mapping."""


def too_deep(offset: int) -> YamlFault:
    """Say that the value at `offset` is nested too deep, aliases written out."""
    return YamlFault(f"nested deeper than {MAX_DEPTH} levels", offset)


def too_many(most: int, offset: int) -> YamlFault:
    """Say that aliases up to `offset` stand for more than `most` values."""
    return YamlFault(f"its aliases stand for more than {most:,} values", offset)


def most_expanded(content: str) -> int:
    """For how many values the aliases of a text may stand."""
    return min(MAX_EXPANDED, 5_000 + 4 * len(content))


def parser(content: str) -> Any:
    """Make libyaml's parser; PyYAML's own where libyaml is not there."""
    try:
        from yaml._yaml import CParser  # noqa: PLC0415 - missing in builds without libyaml
    except ImportError:
        from k8stui.manifests.pure import PureParser  # noqa: PLC0415

        return PureParser(content)
    return CParser(content)


def fault(error: Exception, content: str) -> YamlFault:
    """Translate PyYAML's errors."""
    if isinstance(error, MarkedYAMLError):
        mark, start = error.problem_mark, error.context_mark
        found = YamlFault(
            error.problem or "not YAML",
            mark.index if mark else 0,
            error.context or "",
            start.index if start else -1,
        )
        found.syntax = True
        return found
    if isinstance(error, ReaderError):
        match = _CONTROL.search(content)
        code = f"U+{ord(match[0]):04X}" if match else "character"
        what = "NUL byte" if match and match[0] == "\0" else f"control character {code}"
        return YamlFault(f"{what} in the text", match.start() if match else 0)
    return YamlFault(str(error), 0)


def read(content: str, skip: Skip | None = None) -> Reading:
    """Read the one document in `content`.

    Raises:
        YamlFault: the document is not YAML, or YAML that Kubernetes cannot take.

    """
    try:
        return _Reader(content, skip).document()
    except _SkippedAnchorError:
        return read(content)
    except (MarkedYAMLError, ReaderError) as error:
        raise fault(error, content) from None


class _SkippedAnchorError(Exception):
    """An alias stands for something that was skipped: read again without skipping."""


_STR: dict[str, str] = {}
"""Keys that are strings however they are written, interned."""
_PLAIN = Resolved()


def forget() -> None:
    """Let go of the scalars kept for speed: some may have been values of a Secret."""
    _PLAIN.clear()


class _Reader:
    def __init__(self, content: str, skip: Skip | None) -> None:
        self.get = parser(content).get_event
        self.anchored = "&" in content
        self.skip = skip
        self.anchors: dict[str, object] = {}
        self.open: set[str] = set()
        self.expanded = 0
        self.most = most_expanded(content)
        self.measured: dict[int, tuple[int, int]] = {}
        self.result = Reading()
        self.keep: list[object] = []
        self.end: Any = None

    def document(self) -> Reading:
        result = self.result
        self.get()  # stream start
        if isinstance(self.get(), StreamEndEvent):
            result.empty = True
            return result
        event = self.get()
        result.value = self.node(event, self.skip, 1)
        self.get()  # document end
        event = self.get()
        if not isinstance(event, StreamEndEvent):
            raise YamlFault("a second document begins without ---", event.start_mark.index)
        return result

    def node(self, event: Any, skip: Skip | None, depth: int) -> object:
        kind = event.__class__
        if kind is ScalarEvent:
            return self.scalar(event)
        if kind is AliasEvent:
            return self.alias(event, depth)
        anchor = event.anchor if self.anchored else None
        if anchor:
            self.open.add(anchor)
        value: object
        if kind is MappingStartEvent:
            value = self.mapping(event, skip, depth)
        else:
            value = self.sequence(event, skip, depth)
        if anchor:
            self.open.discard(anchor)
            self.anchors[anchor] = value
        return value

    def scalar(self, event: Any) -> object:
        implicit = event.implicit
        text = event.value
        try:
            if implicit[0]:
                value = _PLAIN[text]
            elif implicit[1]:
                value = text
            else:
                value = tagged(event.tag, text)
        except ScalarError as error:
            raise YamlFault(str(error), event.start_mark.index) from None
        if self.anchored and event.anchor:
            self.anchors[event.anchor] = value
        return value

    def mapping(self, start: Any, skip: Skip | None, depth: int) -> dict[str, object]:
        if depth > MAX_DEPTH:
            raise too_deep(start.start_mark.index)
        get = self.get
        out: dict[str, object] = {}
        merged: list[Any] = []
        spans = depth == 1
        while True:
            event = get()
            if event.__class__ is not ScalarEvent:
                if event.__class__ is MappingEndEvent:
                    self.end = event
                    break
                key = self.odd_key(event)
            else:
                text = event.value
                known = _STR.get(text)
                if known is not None and not (self.anchored and event.anchor):
                    key = known
                else:
                    if text == "<<" and event.implicit[0]:
                        merged.append(self.merge(get(), depth))
                        continue
                    key = self.key(event)
            if key in out:
                self.result.doubled.append(event.start_mark.index)
                if len(self.result.doubled) > MAX_DOUBLED:
                    where = event.start_mark.index
                    raise YamlFault(f"more than {MAX_DOUBLED:,} keys stand twice", where)
            event = get()
            below = None
            if skip is not None and key in skip:
                below = skip[key]
                if below is None:
                    self.drop(event)
                    continue
            kind = event.__class__
            if kind is ScalarEvent:
                # The commonest path is written out: a call costs as much as the look-up.
                if event.implicit[0] and not self.anchored:
                    text = event.value
                    value = _PLAIN.get(text, self)
                    out[key] = self.scalar(event) if value is self else value
                else:
                    out[key] = self.scalar(event)
            elif spans and key == "items" and kind is SequenceStartEvent:
                out[key] = self.items(event, below)
            else:
                out[key] = self.node(event, below, depth + 1)
        for source in merged:
            for one in source if isinstance(source, list) else [source]:
                out |= {k: v for k, v in one.items() if k not in out}
        return out

    def sequence(self, start: Any, skip: Skip | None, depth: int) -> list[object]:
        if depth > MAX_DEPTH:
            raise too_deep(start.start_mark.index)
        get, node = self.get, self.node
        out: list[object] = []
        while (event := get()).__class__ is not SequenceEndEvent:
            out.append(node(event, skip, depth + 1))
        self.end = event
        return out

    def items(self, start: Any, skip: Skip | None) -> list[object]:
        """Read the root's ``items``: a sequence whose elements' places are kept."""
        anchor = start.anchor
        out: list[object] = []
        spans = self.result.items
        spans.clear()  # the key may be there twice
        get = self.get
        while (event := get()).__class__ is not SequenceEndEvent:
            first = event.start_mark.index
            self.end = event
            out.append(self.node(event, skip, 3))
            spans.append((first, self.end.end_mark.index))
        if anchor:
            self.anchors[anchor] = out
        return out

    def key(self, event: Any) -> str:
        value = self.scalar(event)
        text = key_text(value)
        if text is None:
            raise YamlFault("a key without a name (null)", event.start_mark.index)
        raw = event.value
        if raw != "<<" and text == raw and len(_STR) < _CACHED and is_string(raw):
            text = _STR[raw] = sys.intern(raw)
        return text

    def odd_key(self, event: Any) -> str:
        at = event.start_mark.index
        if event.__class__ is AliasEvent:
            text = key_text(self.alias(event, 1))
            if isinstance(text, str):
                return text
        raise YamlFault("a key that is a list or a mapping", at)

    def merge(self, event: Any, depth: int) -> object:
        value = self.node(event, None, depth + 1)
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in sources):
            raise YamlFault("<< needs a mapping, or a list of mappings", event.start_mark.index)
        return value

    def alias(self, event: Any, depth: int) -> object:
        name, at = event.anchor, event.start_mark.index
        if name in self.open:
            raise YamlFault(f"*{name} contains itself", at)
        if name not in self.anchors:
            if self.skip is not None:
                raise _SkippedAnchorError
            raise YamlFault(f"*{name} stands for nothing: there is no &{name} before it", at)
        value = self.anchors[name]
        size, height = self.measure(value)
        self.expanded += size
        if self.expanded > self.most:
            raise too_many(self.most, at)
        if depth + height > MAX_DEPTH:
            raise too_deep(at)
        return value

    def measure(self, value: object) -> tuple[int, int]:
        """Values and levels below `value`, aliases written out; each container is seen once."""
        if not isinstance(value, dict | list):
            return 1, 0
        known = self.measured.get(id(value))
        if known is None:
            self.keep.append(value)  # an id is good only while its object lives
            size, height = 1, 0
            for one in value.values() if isinstance(value, dict) else value:
                below = self.measure(one)
                size, height = size + below[0], max(height, below[1])
            known = self.measured[id(value)] = (size, height + 1)
        return known

    def drop(self, event: Any) -> None:
        depth = 0
        get = self.get
        while True:
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
            if depth == 0:
                return
            event = get()
