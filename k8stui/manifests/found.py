"""What was found in texts, and how it is said where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.manifests import tree
from k8stui.manifests.events import Reading, YamlFault
from k8stui.manifests.manifest import Manifest
from k8stui.manifests.problem import Doubt, Note, Problem
from k8stui.manifests.source import SourceText
from k8stui.manifests.text import Text
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests.broken import BrokenText
    from k8stui.manifests.secrecy import ShownLine

LARGE = 2_000_000
"""Characters of one object from which a second, slower look is not worth its time."""


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


class Report:
    """Says what is to be said of one text."""

    def __init__(self, text: Text, found: Found) -> None:
        self.text, self.found = text, found

    def problem(self, offset: int, message: str, hint: str = "", subject: str = "") -> None:
        """Say what is wrong at `offset`; `subject`: in which object, where that is known."""
        shown, veil = self.text.shown(offset)
        said = veil.said(message, shown)
        hint = "" if shown.hidden else hint
        self._problem(self.text.position(offset), said, hint, shown, subject)

    def _problem(
        self, at: tuple[int, int], message: str, hint: str, shown: ShownLine, subject: str
    ) -> None:
        line, column = at
        if not hint and "${" in shown.line:
            hint = "fill in its variables first: envsubst < FILE | k8stui -"
        self.found.problems.append(
            Problem(
                file=self.text.file,
                line=line,
                column=column,
                message=message,
                hint=hint,
                source_line=shown.line,
                caret=shown.column,
                subject=subject,
            )
        )

    def note(self, message: str, line: int = 0) -> None:
        self.found.notes.append(Note(message=message, file=self.text.file, line=line))

    def findings(self, those: list[BrokenText], base: int, subject: str = "") -> None:
        for one in those:
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
                shown = one.shown.shifted(left)
                self._problem((line, column), one.message, one.hint, shown, subject)

    def doubled(self, reading: Reading, base: int, one: SourceText) -> None:
        """Say of each repeated key where it stands; the last one won."""
        places: dict[tuple[int, int] | None, set[int]] = {}
        for offset in reading.doubled:
            item = next((span for span in reading.items if span[0] <= offset < span[1]), None)
            places.setdefault(item, set()).add(base + offset)
        for item, those in places.items():
            start, end = item or (one.start - base, one.end - base)
            if end - start <= LARGE:
                self._repeated(those, SourceText(self.text, base + start, base + end, one.json))

    def _repeated(self, places: Collection[int], here: SourceText) -> None:
        from k8stui.manifests.secrecy import is_key  # noqa: PLC0415 - mistakes only

        piece, base = here.piece()
        try:
            root = tree.tree(piece)
        except YamlFault:
            return
        notes: dict[int, Note] = {}
        nodes = [root] if root else []
        while nodes:
            node = nodes.pop()
            for entry in node.entries:
                nodes.append(entry.node)
                at = base + entry.start
                if at in places and node.mapping:
                    first = next(e for e in node.entries if e.key == entry.key)
                    before, _ = self.text.position(base + first.start)
                    line, column = self.text.position(at)
                    key = repr(entry.key) if is_key(entry.key or "") else "a key"
                    objects = node is root and entry.key in ("apiVersion", "kind", "metadata")
                    notes[at] = Note(
                        message=f"{key} stands twice, in lines {before} and {line}; "
                        "the last one counts",
                        file=self.text.file,
                        line=line,
                        column=column,
                        hint="is a line --- missing between two objects?" if objects else "",
                        doubt=Doubt.MELTED if objects else Doubt.KEY,
                    )
        self.found.notes += (notes[at] for at in sorted(notes))
