"""The text of one input → objects, problems and notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.manifests import events, foreign, json_text, source, tree
from k8stui.manifests.check import Fault
from k8stui.manifests.documents import documents
from k8stui.manifests.events import Reading, YamlFault
from k8stui.manifests.identity import faults_of, kind_of, list_defaults
from k8stui.manifests.json_text import JsonFault
from k8stui.manifests.manifest import Manifest, Path
from k8stui.manifests.problem import Doubt, Note, Problem
from k8stui.manifests.schema import Kind
from k8stui.manifests.skip import ITEMS, LAST_APPLIED
from k8stui.manifests.source import Source
from k8stui.manifests.suspicion import suspicious
from k8stui.manifests.text import Text
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests.broken import Finding
    from k8stui.manifests.dump import Dump

_LARGE = 2_000_000
"""Characters of one object from which a second, slower look is not worth its time."""
_MANY = 100_000
"""Characters of a document from which looking for repetition pays."""
_OBJECT_LIKE = re.compile(r"^\s*[\"'{]*(?:api-?version|kind)\b", re.IGNORECASE | re.MULTILINE)


@record(frozen=False)
class Found:
    """What texts gave."""

    objects: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    spoiled: list[Manifest] = field(default_factory=list)
    """Objects that are left out, though a server could decode them: a value is wrong."""
    strangers: list[tuple[str, str]] = field(default_factory=list)
    """(apiVersion, kind) of each object of a kind that is not known."""
    templates: int = 0
    """Documents that are unrendered templates."""


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
        self.secret: list[tuple[int, int]] = []
        self.taken = 0
        """Elements of a list in JSON that are in `found` while the list is not read to its end."""

    def run(self) -> None:
        content = self.text.content
        head = content[:4096].lstrip()
        if not (head.startswith(("{", "[")) and not head.startswith("{{") and self.json()):
            for start, end in documents(content):
                self.yaml(start, end)
        if self.secret:
            self.text.blank(self.secret)
            source.forget()
            events.forget()

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
                line, column = self.text.position(fault.offset)
                self.problem(line, column, fault.problem, "", self.shown(fault.offset))
            else:
                self.note("not readable as JSON, and not Kubernetes by its look: skipped")
            return True
        for start, end, reading in read:
            self.document(reading, Source(self.text, start, end, True), reading.taken)
            self.doubled(reading, 0, Source(self.text, start, end, True))
        return True

    def take(self, item: dict[str, object], start: int, end: int) -> None:
        self.taken += 1
        self.element(item, Source(self.text, start, end, True), {})
        self.tick(end)

    def yaml(self, start: int, end: int) -> None:
        content = self.text.content
        piece = content if start == 0 and end == len(content) else content[start:end]
        one = Source(self.text, start, end, False)
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
        self.doubled(reading, start, one)

    def dump(self, one: Source, piece: str) -> Dump | None:
        """Read a long list by the shapes of its elements, as far as that goes."""
        from k8stui.manifests.dump import Dump, NotCutError  # noqa: PLC0415 - for big inputs

        try:
            dump = Dump(piece)
        except NotCutError:
            return None
        try:
            for element in dump.elements():
                here = Source(one.text, one.start + element.start, one.start + element.end, False)
                if self.element(element.data, here, dump.defaults, sure=element.sure):
                    dump.shapes.fits()
                self.tick(here.end)
        except NotCutError:
            pass
        return dump

    def salvage(self, one: Source, dump: Dump) -> None:
        """Read what is left of a list element by element: a broken one costs only itself."""
        for start, end in dump.pieces():
            here = Source(one.text, one.start + start, one.start + end, False)
            try:
                reading = events.read(here.piece()[0], ITEMS["items"])
            except YamlFault as fault:
                self.unreadable(here, fault)
            else:
                if reading.value is not None:
                    self.element(reading.value, here, dump.defaults)
                self.doubled(reading, here.start - 2, here)

    def unreadable(self, one: Source, fault: YamlFault) -> None:
        piece, base = one.piece()
        if foreign.is_template(piece):
            self.found.templates += 1
        elif not self.named and not _OBJECT_LIKE.search(piece):
            line = self.text.position(base + fault.offset)[0]
            self.note("not readable as YAML, and not Kubernetes by its look: skipped", line)
        else:
            from k8stui.manifests.broken import examine  # noqa: PLC0415 - 7 ms, for mistakes only

            self.report(examine(piece, _judge_document), base)

    def document(self, reading: Reading, one: Source, skipped: int = 0) -> None:
        """Take in a document; of a list, the first `skipped` elements are there already."""
        value = reading.value
        if not isinstance(value, dict):
            self.stranger(value, one)
            return
        kind, items = value.get("kind"), value.get("items")
        if isinstance(kind, str) and kind.endswith("List") and (items is None or reading.items):
            self.list_(value, reading.items, one, skipped)
        elif isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
            self.list_(value, [], one)
        else:
            self.one_object(value, one)

    def list_(
        self,
        value: dict[str, object],
        places: list[tuple[int, int]],
        one: Source,
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
                here = Source(one.text, base + start, base + end, one.json)
            self.element(item, here, filled)

    def part(self, value: Mapping[str, object], one: Source) -> None:
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
        self, item: object, here: Source, filled: Mapping[str, object], *, sure: bool = False
    ) -> bool:
        """Read one element of a list; tells whether the schema had nothing against it."""
        if not isinstance(item, dict):
            if item is not None:
                self.stranger(item, here)
            return False
        if isinstance(item.get("kind"), str) and isinstance(item.get("items"), list):
            self.list_(item, [], here)
            return False
        return self.one_object({**filled, **item} if filled else item, here, filled, sure=sure)

    def one_object(
        self,
        data: dict[str, object],
        one: Source,
        filled: Mapping[str, object] | None = None,
        *,
        sure: bool = False,
    ) -> bool:
        """Judge and keep one object; tells whether the schema had nothing against it.

        `filled`: what its list says for it. `sure`: the schema has nothing against it, if it comes
        from a cluster.
        """
        kind = kind_of(data)
        if self.any_kind and kind is None:
            self.keep(data, None, one, observed=False)
            return True
        if kind is None and not foreign.looks_like_object(data):
            self.stranger(data, one)
            return True
        observed = is_observed(data)
        faults = [] if sure and observed else faults_of(data)
        if faults is None:
            version, name = data.get("apiVersion"), data.get("kind")
            self.found.strangers.append((str(version or ""), str(name)))
            return True
        if observed:
            faults = [fault for fault in faults if not fault.note]
        look = faults or not (observed or one.json)
        if look and self.faulty(data, faults, one, filled or {}):
            if kind is not None and faults and all(fault.wrong or fault.note for fault in faults):
                self.keep(data, kind, one, observed=observed, spoiled=True)
        elif kind is not None:
            self.keep(data, kind, one, observed=observed)
        return not faults

    def faulty(
        self,
        data: Mapping[str, object],
        faults: list[Fault],
        one: Source,
        filled: Mapping[str, object],
    ) -> bool:
        """Report what is wrong; True when the object cannot be used."""
        piece, base = one.piece()
        if not faults and (len(piece) > _LARGE or not suspicious(piece)):
            return False
        from k8stui.manifests.broken import examine  # noqa: PLC0415 - as above

        def judge(value: Mapping[str, object]) -> list[Fault]:
            return faults_of({**filled, **value}) or []

        findings = examine(piece, judge) if len(piece) <= _LARGE else []
        self.report(findings, base)
        broken = any(not finding.note for finding in findings)
        if not broken and any(not fault.note for fault in faults):
            # The exact look saw nothing (JSON that YAML cannot read): say it without a line.
            for fault in faults:
                offset = one.offset(fault.path)
                line, column = self.text.position(offset)
                shown = "" if data.get("kind") == "Secret" else self.shown(offset)
                self.problem(line, column, fault.message, fault.hint, shown)
            return True
        return broken

    def keep(
        self,
        data: dict[str, object],
        kind: Kind | None,
        one: Source,
        *,
        observed: bool,
        spoiled: bool = False,
    ) -> None:
        metadata = data.get("metadata")
        meta: Mapping[str, object] = metadata if isinstance(metadata, dict) else {}
        name = meta.get("name")
        if not name and isinstance(prefix := meta.get("generateName"), str) and kind:
            # The API server adds five random characters; a stable stand-in keeps output stable.
            name = f"{prefix}00000"
            line, _ = one.find(("metadata", "generateName"))
            self.note(f"generateName {prefix!r}: called {name!r} here", line)
        namespace = meta.get("namespace")
        if kind is not None and kind.name == "Secret":
            data = self.without_values(data, one)
        (self.found.spoiled if spoiled else self.found.objects).append(
            Manifest(
                api_version=_text(data.get("apiVersion")),
                kind=_text(data.get("kind")),
                name=_text(name),
                namespace=namespace if isinstance(namespace, str) and namespace else None,
                data=data,
                file=self.text.file,
                observed=observed,
                locator=one,
            )
        )

    def without_values(self, data: dict[str, object], one: Source) -> dict[str, object]:
        """Drop a Secret's values from the data and from the text that is kept for places."""
        data = dict(data)
        paths: list[Path] = [("metadata", "annotations", LAST_APPLIED)]
        for part in ("data", "stringData"):
            values = data.get(part)
            if values is not None:
                data[part] = dict.fromkeys(values) if isinstance(values, dict) else None
                paths.append((part,))
        metadata = data.get("metadata")
        notes = metadata.get("annotations") if isinstance(metadata, dict) else None
        if isinstance(metadata, dict) and isinstance(notes, dict):
            kept = {key: value for key, value in notes.items() if key != LAST_APPLIED}
            data["metadata"] = {**metadata, "annotations": kept}
        for path in paths:
            if one.has(path):
                self.secret += one.scalars(path)
        return data

    def stranger(self, value: object, one: Source) -> None:
        if self.any_kind:
            return
        if isinstance(value, str) and foreign.is_template(value):
            self.found.templates += 1
            return
        line, _ = self.text.position(one.start)
        self.note(f"{foreign.name_of(value, self.text.file)}: skipped", line if line > 1 else 0)

    def doubled(self, reading: Reading, base: int, one: Source) -> None:
        """Say of each repeated key where it stands; the last one won."""
        for offset in reading.doubled:
            at = base + offset
            here = next(
                (
                    Source(self.text, base + start, base + end, one.json)
                    for start, end in reading.items
                    if start <= offset < end
                ),
                one,
            )
            if here.end - here.start <= _LARGE:
                self.repeated(at, here)

    def repeated(self, at: int, here: Source) -> None:
        piece, base = here.piece()
        try:
            root = tree.tree(piece)
        except YamlFault:
            return
        nodes = [root] if root else []
        while nodes:
            node = nodes.pop()
            for entry in node.entries:
                nodes.append(entry.node)
                if base + entry.start == at and node.mapping:
                    first = next(e for e in node.entries if e.key == entry.key)
                    before, _ = self.text.position(base + first.start)
                    line, column = self.text.position(at)
                    objects = node is root and entry.key in ("apiVersion", "kind", "metadata")
                    note = Note(
                        message=f"{entry.key!r} stands twice, in lines {before} and {line}; "
                        "the last one counts",
                        file=self.text.file,
                        line=line,
                        column=column,
                        hint="is a line --- missing between two objects?" if objects else "",
                        doubt=Doubt.MELTED if objects else Doubt.KEY,
                    )
                    self.found.notes.append(note)
                    return

    def report(self, findings: list[Finding], base: int) -> None:
        for one in findings:
            line, column = self.text.relative(base, one.line, one.column)
            if one.note:
                mended = one.hint.removeprefix("did you mean:\n").strip()
                self.found.notes.append(
                    Note(
                        message=one.message,
                        file=self.text.file,
                        line=line,
                        column=column,
                        hint=mended,
                        doubt=Doubt.FIELD,
                    )
                )
            else:
                left = self.text.line_column(base)[1] if one.line == 0 else 0
                self.problem(line, column, one.message, one.hint, " " * left + one.source_line)

    def shown(self, offset: int) -> str:
        return self.text.line_at(offset)

    def problem(self, line: int, column: int, message: str, hint: str, source_line: str) -> None:
        self.found.problems.append(
            Problem(
                file=self.text.file,
                line=line,
                column=column,
                message=message,
                hint=hint,
                source_line=source_line,
            )
        )

    def note(self, message: str, line: int = 0) -> None:
        self.found.notes.append(Note(message=message, file=self.text.file, line=line))


def is_observed(data: Mapping[str, object]) -> bool:
    """Whether an API server has written into the object.

    ``kubectl create --dry-run=client -o yaml`` prints ``creationTimestamp: null`` and an empty
    status: that is no dump.
    """
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and any(
        metadata.get(key) for key in ("uid", "resourceVersion", "creationTimestamp")
    ):
        return True
    return _says_something(data.get("status"))


def _says_something(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    return bool(value)


def _judge_document(data: Mapping[str, object]) -> list[Fault]:
    kind = data.get("kind")
    if isinstance(kind, str) and kind.endswith("List"):
        return []
    if not foreign.looks_like_object(data):
        return []
    return faults_of(data) or []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
