"""The text of one input → objects, problems and notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from k8stui.manifests import events, foreign, json_text
from k8stui.manifests.check import Fault
from k8stui.manifests.documents import documents
from k8stui.manifests.events import Reading, YamlFault
from k8stui.manifests.found import Found, Report
from k8stui.manifests.identity import faults_of, list_defaults
from k8stui.manifests.json_text import JsonFault
from k8stui.manifests.judge import ObjectJudge
from k8stui.manifests.problem import Note
from k8stui.manifests.skip import ITEMS
from k8stui.manifests.source import SourceText
from k8stui.manifests.text import Text

if TYPE_CHECKING:
    from k8stui.manifests.dump import Dump

_MANY = 100_000
"""Characters of a document from which looking for repetition pays."""
_OBJECT_LIKE = re.compile(r"^[^\S\n]*[\"'{]*(?:api-?version|kind)\b", re.IGNORECASE | re.MULTILINE)


Tick = Callable[[int], None]
"""Told now and then up to which offset a text was read."""


def read_text(
    text: Text,
    found: Found,
    *,
    named: bool = True,
    any_kind: bool = False,
    tick: Tick = lambda _: None,
) -> None:
    """Read all documents of `text` into `found`.

    `named`: the user named this file; one met in a folder may be broken without being ours.
    `any_kind`: keep objects of any kind, and mappings that are no object, unchecked.
    """
    _Reader(text, found, tick, named=named, any_kind=any_kind).run()


class _Reader:
    def __init__(
        self, text: Text, found: Found, tick: Tick, *, named: bool, any_kind: bool
    ) -> None:
        self.text, self.found, self.tick = text, found, tick
        self.named, self.any_kind = named, any_kind
        self.report = Report(text, found)
        self.judge = ObjectJudge(self.report, any_kind=any_kind)
        self.taken = 0
        """Elements of a list in JSON that are in `found` while the list is not read to its end."""

    def run(self) -> None:
        content = self.text.content
        head = content[:4096].lstrip()
        if not (head.startswith(("{", "[")) and not head.startswith("{{") and self.json()):
            for start, end in documents(content):
                self.yaml(start, end)
                self.tick(end)
        self.judge.rest()

    def json(self) -> bool:
        """Read as JSON; False when it is rather YAML in flow style."""
        content = self.text.content
        try:
            read = json_text.read_all(content, ITEMS, self.take)
        except JsonFault as fault:
            if not self.text.file.endswith(".json"):
                try:
                    start, end = next(documents(content))
                    events.read(content[start:end])
                except YamlFault:
                    pass
                else:
                    return False
            if self.named or _OBJECT_LIKE.search(content):
                self.report.problem(fault.offset, fault.problem)
            else:
                self.report.note("not readable as JSON, and not Kubernetes by its look: skipped")
            return True
        for start, end, reading in read:
            self.document(reading, SourceText(self.text, start, end, True), reading.taken)
            self.report.doubled(reading, 0, SourceText(self.text, start, end, True))
        return True

    def take(self, item: dict[str, object], start: int, end: int) -> None:
        self.taken += 1
        self.element(item, SourceText(self.text, start, end, True), {})
        self.tick(end)

    def yaml(self, start: int, end: int) -> None:
        content = self.text.content
        piece = content if start == 0 and end == len(content) else content[start:end]
        one = SourceText(self.text, start, end, False)
        dump = self.dump(one, piece) if end - start > _MANY and not self.any_kind else None
        if dump is not None and dump.at == dump.last:
            self.part(dump.root, one)
            return
        try:
            reading = events.read(piece, None if self.any_kind else ITEMS)
        except YamlFault as fault:
            if dump is None:
                self.unreadable(one, fault)
            else:
                self.salvage(one, dump)
            return
        if reading.empty or reading.value is None:
            return
        self.document(reading, one, dump.count if dump else self.taken)
        self.taken = 0
        self.report.doubled(reading, start, one)

    def dump(self, one: SourceText, piece: str) -> Dump | None:
        """Read a long list by the shapes of its elements, as far as that goes."""
        from k8stui.manifests.dump import Dump, NotCutError  # noqa: PLC0415 - for big inputs

        try:
            dump = Dump(piece)
        except NotCutError:
            return None
        try:
            for element in dump.elements():
                begin, end = one.start + element.start, one.start + element.end
                here = SourceText(one.text, begin, end, False, cut=True)
                if self.element(element.data, here, dump.defaults, sure=element.sure):
                    dump.shapes.fits()
                self.tick(here.end)
        except NotCutError:
            pass
        return dump

    def salvage(self, one: SourceText, dump: Dump) -> None:
        """Read what is left of a list element by element: a broken one costs only itself."""
        for start, end in dump.pieces():
            here = SourceText(one.text, one.start + start, one.start + end, False)
            try:
                reading = events.read(here.piece()[0], ITEMS["items"])
            except YamlFault as fault:
                self.unreadable(here, fault)
            else:
                if reading.value is not None:
                    self.element(reading.value, here, dump.defaults)
                self.report.doubled(reading, here.start - 2, here)

    def unreadable(self, one: SourceText, fault: YamlFault) -> None:
        piece, base = one.piece()
        if foreign.is_unrendered(piece):
            self.found.templates += 1
        elif not self.named and not _OBJECT_LIKE.search(piece):
            line = self.text.position(base + fault.offset)[0]
            self.report.note("not readable as YAML, and not Kubernetes by its look: skipped", line)
        else:
            from k8stui.manifests.broken import examine  # noqa: PLC0415 - 7 ms, for mistakes only

            self.report.findings(examine(piece, _judge_document), base)

    def document(self, reading: Reading, one: SourceText, skipped: int = 0) -> None:
        """Take in a document; of a list, the first `skipped` elements are there already."""
        value = reading.value
        if not isinstance(value, dict):
            self.judge.stranger(value, one)
            return
        kind, items = value.get("kind"), value.get("items")
        if isinstance(kind, str) and kind.endswith("List") and (items is None or reading.items):
            self.list_(value, reading.items, one, skipped)
        elif isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
            self.list_(value, [], one)
        else:
            self.judge.one_object(value, one)

    def list_(
        self,
        value: dict[str, object],
        places: list[tuple[int, int]],
        one: SourceText,
        skipped: int = 0,
    ) -> None:
        items = value.get("items") or []
        if not isinstance(items, list):
            return
        self.part(value, one)
        filled = list_defaults(value)
        exact = len(places) == len(items)
        base = 0 if one.json else one.start
        for index, item in enumerate(items[skipped:], skipped):
            here = one
            if exact:
                start, end = places[index]
                here = SourceText(one.text, base + start, base + end, one.json)
            self.element(item, here, filled)

    def part(self, value: Mapping[str, object], one: SourceText) -> None:
        """Say of a list that an API server made when it is empty, or goes on elsewhere.

        Source: k8s.io/apimachinery pkg/apis/meta/v1 types.go ListMeta.
        """
        metadata = value.get("metadata")
        if not isinstance(metadata, dict) or "resourceVersion" not in metadata:
            return
        line, column = self.text.position(one.start)
        if metadata.get("continue"):
            left = metadata.get("remainingItemCount")
            more = f"{left} more stand" if isinstance(left, int) else "more stands"
            message = f"a part of a list: {more} on the server (metadata.continue)"
            hint = "kubectl get, without --raw, fetches all"
        elif value.get("items") == []:
            message, hint = "an empty list: kubectl found nothing", "another namespace, or -A?"
        else:
            return
        note = Note(message=message, file=self.text.file, line=line, column=column, hint=hint)
        self.found.notes.append(note)

    def element(
        self, item: object, here: SourceText, filled: Mapping[str, object], *, sure: bool = False
    ) -> bool:
        """Read one element of a list; tells whether the schema had nothing against it."""
        if not isinstance(item, dict):
            if item is not None:
                self.judge.stranger(item, here)
            return False
        if isinstance(item.get("kind"), str) and isinstance(item.get("items"), list):
            self.list_(item, [], here)
            return False
        return self.judge.one_object(
            {**filled, **item} if filled else item, here, filled, sure=sure
        )


def _judge_document(data: Mapping[str, object]) -> list[Fault]:
    kind = data.get("kind")
    if isinstance(kind, str) and kind.endswith("List"):
        return []
    if not foreign.looks_like_object(data):
        return []
    return faults_of(data) or []
