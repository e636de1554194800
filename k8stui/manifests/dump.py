"""A ``List`` as ``kubectl get -o yaml`` prints it, cut into its elements without a parser."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from k8stui.manifests import events
from k8stui.manifests.events import YamlFault
from k8stui.manifests.identity import kind_of, list_defaults
from k8stui.manifests.layout import FIELD
from k8stui.manifests.shapes import Shapes
from k8stui.manifests.skip import ITEMS
from k8stui.record import record

_HEAD = re.compile(r"(?:.*\n){0,8}?items:\n(?=- )")
_FOOT = re.compile(r"^[^ \n]", re.MULTILINE)
_LEFT = re.compile(r"\n(?!  |\n)")
_NAMES = ("  kind: ", "  apiVersion: ")


class NotCutError(Exception):
    """Only the parser can tell what this is."""


@record()
class CutElement:
    """One element of a list, cut out of a dump without the parser."""

    start: int
    end: int
    data: dict[str, object]
    sure: bool
    """The schema has nothing against it."""


class Dump:
    """One document that is a block-style list of objects."""

    def __init__(self, content: str) -> None:
        """Look at the frame around the elements.

        Raises:
            NotCutError: it is no such list.

        """
        head = _HEAD.match(content)
        last = content.rfind("\n- ") + 1
        if head is None:
            raise NotCutError
        self.at = first = head.end()
        """Where the next element begins, at its dash."""
        self.count = 0
        """Elements read so far."""
        foot = _FOOT.search(content, max(last, first) + 1)
        self.content, self.last = content, foot.start() if foot else len(content)
        try:
            frame = events.read(content[:first] + content[self.last :])
        except YamlFault:
            raise NotCutError from None
        if not isinstance(frame.value, dict) or frame.doubled or frame.value["items"] is not None:
            raise NotCutError
        if not str(frame.value.get("kind")).endswith("List"):
            raise NotCutError
        self.root: dict[str, object] = frame.value
        self.defaults = list_defaults(frame.value)
        self.shapes = Shapes()

    def elements(self) -> Iterator[CutElement]:
        """Read one element after the other. Goes on where it was broken off.

        Raises:
            NotCutError: an element is none by itself, or a key is there twice.

        """
        while self.at < self.last:
            start, end = self._next()
            stretch = self.content[start:end]
            lines = stretch.count("\n")
            if not stretch[:1].isalpha() or (
                lines != stretch.count("\n  ") + 1 and _LEFT.search(stretch[:-1])
            ):
                raise NotCutError
            try:
                data, sure = self._element("  " + stretch)
            except YamlFault:
                raise NotCutError from None
            self.at = end
            self.count += 1
            yield CutElement(start, end, self.defaults | data if self.defaults else data, sure)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Start and end of each element that `elements` did not come to."""
        while self.at < self.last:
            start, self.at = self._next()
            yield start, self.at

    def _next(self) -> tuple[int, int]:
        """Start and end of the next element, without its dash."""
        start = self.at + 2
        return start, self.content.find("\n- ", start, self.last) + 1 or self.last

    def _element(self, stretch: str) -> tuple[dict[str, object], bool]:
        fields = FIELD.split(stretch)
        named = {one: _named(one) for one in fields if one.startswith(_NAMES)}
        kind = kind_of(self.defaults | dict(named.values()))
        self.shapes.unsure.clear()
        data: dict[str, object] = {}
        count = 0
        for one in fields:
            if kind is not None and one.startswith(_NAMES):
                # It names a kind of the table: what is written there is what is meant.
                part = dict([named[one]])
            else:
                part = self.shapes.read(one, ITEMS["items"], kind)
            data |= part
            count += len(part)
        if self.shapes.doubled or count != len(data):
            raise NotCutError
        sure = (
            kind is not None
            and not self.shapes.unsure
            and "metadata" in data
            and all(one in data for one in kind.fields.required)
        )
        return data, sure


def _named(field: str) -> tuple[str, object]:
    name, _, value = field[2:].rstrip("\n").partition(": ")
    return sys.intern(name), sys.intern(value)
