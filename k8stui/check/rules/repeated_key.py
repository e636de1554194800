"""A key that stands twice in one mapping: the last one counts, the first is lost.

kubectl refuses to apply it since 1.25 (``--validate=strict``); older ones take the last. Where it
is ``apiVersion``, ``kind`` or ``metadata`` of an object, the line ``---`` between two objects is
missing, and the first of them is lost: an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.place import TextPlace
from k8stui.manifests import Doubt

ID = "repeated-key"


def look(ground: Ground) -> Iterator[Finding]:
    melted: set[tuple[str, str]] = set()
    doubts = [note for note in ground.world.notes if note.doubt in (Doubt.KEY, Doubt.MELTED)]
    for note in sorted(doubts, key=lambda note: (note.doubt is Doubt.KEY, note.line)):
        subject = ground.object_at(note.file, note.line)
        if (note.file, subject) in melted:
            continue  # one missing line makes several keys stand twice
        if note.doubt is Doubt.MELTED:
            melted.add((note.file, subject))
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if note.doubt is Doubt.MELTED else Severity.WARNING,
            subject=subject,
            place=TextPlace(file=note.file, line=note.line, column=note.column),
            why=note.message,
            fix="take one away"
            if note.doubt is Doubt.KEY
            else "write a line --- between the two objects",
        )


RULE = CheckRule(
    id=ID,
    summary="A key stands twice",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
