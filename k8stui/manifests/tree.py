"""Where everything in one document stands: built only when somebody asks for a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from k8stui.manifests.events import (
    MAX_DEPTH,
    fault,
    most_expanded,
    parser,
    too_deep,
    too_many,
)
from k8stui.manifests.manifest import Path
from k8stui.manifests.scalars import key_text, resolve, tagged
from k8stui.record import record

_ENDS = (MappingEndEvent, SequenceEndEvent)


@record(frozen=False, eq=False)
class TreeEntry:
    """One ``key: value`` of a mapping; for a list item, `key` is None."""

    key: str | None
    start: int
    """Offset of the key, or of the item."""
    end: int
    """Behind the key as written, or behind the item."""
    node: TreeNode


@record(frozen=False, eq=False)
class TreeNode:
    """A value in YAML text, with where it stands."""

    start: int
    end: int
    style: str | None = None
    """Of a scalar: None plain, else one of ``' " | >``; libyaml's word."""
    text: str | None = None
    """Of a scalar: its text; None for a collection."""
    mapping: bool = False
    entries: list[TreeEntry] = field(default_factory=list)
    merged: list[TreeNode] = field(default_factory=list)
    """What ``<<`` names."""
    inherited: dict[str, TreeEntry] = field(default_factory=dict)
    """By key what comes by `merged`; own keys count before these."""
    height: int = 0
    """Levels below it, aliases written out."""

    def child(self, part: str | int) -> TreeEntry | None:
        """Find the entry that counts: of a repeated key the last; merged ones come after own."""
        if isinstance(part, int):
            return self.entries[part] if not self.mapping and part < len(self.entries) else None
        if not self.mapping:
            return None
        own = (entry for entry in reversed(self.entries) if entry.key == part)
        return next(own, None) or self.inherited.get(part)

    def sources(self) -> list[TreeNode]:
        """The mappings whose keys count where it has none of its own, the first ones first."""
        return [
            node
            for source in self.merged
            for node in ([source] if source.mapping else [one.node for one in source.entries])
        ]


def tree(content: str) -> TreeNode | None:
    """Build the nodes of the one document in `content`; None when it is empty.

    Raises:
        YamlFault: it cannot be parsed.

    """
    try:
        return _Builder(content).document()
    except (MarkedYAMLError, ReaderError) as error:
        raise fault(error, content) from None


def find(root: TreeNode, path: Path) -> tuple[TreeEntry | None, TreeNode]:
    """Find the entry and the node at `path`, or of its nearest parent that is written."""
    entry, node = None, root
    for part in path:
        found = node.child(part)
        if found is None:
            break
        entry, node = found, found.node
    return entry, node


class _Builder:
    def __init__(self, content: str) -> None:
        self.get: Callable[[], Any] = parser(content).get_event
        self.anchors: dict[str, TreeNode] = {}
        self.most = most_expanded(content)
        self.expanded = 0

    def document(self) -> TreeNode | None:
        self.get()
        if isinstance(self.get(), StreamEndEvent):
            return None
        return self.node(self.get(), 1)

    def node(self, event: Any, depth: int) -> TreeNode:
        start, end = event.start_mark.index, event.end_mark.index
        kind = event.__class__
        if kind is AliasEvent:
            # Written here, though what is in it stands elsewhere.
            target = self.anchors.get(event.anchor, TreeNode(start, end))
            if depth + target.height > MAX_DEPTH:
                raise too_deep(start)
            return target
        if kind is ScalarEvent:
            node = TreeNode(start, end, event.style, event.value)
        else:
            if depth > MAX_DEPTH:
                raise too_deep(start)
            node = TreeNode(start, end, mapping=kind is MappingStartEvent)
        if event.anchor:
            # Whoever names it before its end would stand in itself: nobody may follow that.
            self.anchors[event.anchor] = TreeNode(start, end)
        if node.mapping:
            self.mapping(node, depth)
        elif node.text is None:
            self.sequence(node, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    @staticmethod
    def stop(event: Any) -> int:
        end: int = event.end_mark.index
        return end

    def sequence(self, node: TreeNode, depth: int) -> None:
        event: Any = self.get()
        while event.__class__ not in _ENDS:
            at = event.start_mark.index
            below = self.node(event, depth + 1)
            node.entries.append(TreeEntry(None, at, below.end, below))
            event = self.get()
        node.end = self.stop(event)
        node.height = 1 + max((one.node.height for one in node.entries), default=0)

    def mapping(self, node: TreeNode, depth: int) -> None:
        event: Any = self.get()
        while event.__class__ not in _ENDS:
            start, end = event.start_mark.index, event.end_mark.index
            kind = event.__class__
            plain = kind is ScalarEvent and event.implicit[0]
            key = _key(event)
            named = self.node(event, depth + 1)
            value = self.node(self.get(), depth + 1)
            if key == "<<" and plain:
                node.merged.append(value)
            else:
                node.entries.append(TreeEntry(key or named.text or "", start, end, value))
            event = self.get()
        node.end = self.stop(event)
        for source in node.sources():
            self.expanded += len(source.inherited) + len(source.entries)
            if self.expanded > self.most:
                raise too_many(self.most, node.start)
            own = {entry.key or "": entry for entry in source.entries}
            node.inherited = source.inherited | own | node.inherited
        below = (*node.entries, *node.inherited.values())
        node.height = 1 + max((one.node.height for one in below), default=0)


def _key(event: Any) -> str | None:
    kind = event.__class__
    if kind is not ScalarEvent:
        return None
    try:
        if event.implicit[0]:
            return key_text(resolve(event.value))
        return str(event.value) if event.implicit[1] else key_text(tagged(event.tag, event.value))
    except ValueError:
        return str(event.value)
