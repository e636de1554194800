"""A field that its object does not have: misspelt, or too deep or not deep enough.

kubectl refuses to apply it since 1.25 (server-side field validation, ``--validate=strict``); older
ones and other clients drop it without a word, and the default counts instead of what was meant.

A warning where the name is close to that of a field, or a field elsewhere has it; else only an
information: k8stui's table of fields may be older than the cluster. Does not apply to dumps of a
cluster, to kinds that k8stui does not read, and to fields whose inside it does not look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.place import TextPlace
from k8stui.manifests import Doubt, Note
from k8stui.manifests.schema import KINDS
from k8stui.manifests.schema.types import ListOf, Struct, Type

ID = "unknown-field"


def look(ground: Ground) -> Iterator[Finding]:
    for note in ground.world.notes:
        if note.doubt is Doubt.FIELD:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING if _is_meant(note) else Severity.INFO,
                subject=ground.object_at(note.file, note.line),
                place=TextPlace(file=note.file, line=note.line, column=note.column),
                why=note.message,
                fix=f"write {note.hint}" if "did you mean" in note.message else note.hint,
            )


def _is_meant(note: Note) -> bool:
    name = note.message.partition("no field '")[2].partition("'")[0]
    return bool(note.hint) or "did you mean" in note.message or name in _everywhere()


@cache
def _everywhere() -> frozenset[str]:
    """Names of all fields of all kinds."""
    found: set[str] = set()
    seen: set[int] = set()
    rest: list[Type] = [kind.fields for kind in KINDS.values()]
    while rest:
        one = rest.pop()
        if isinstance(one, ListOf):
            rest.append(one.item)
        elif isinstance(one, Struct) and id(one) not in seen:
            seen.add(id(one))
            found |= one.fields.keys()
            rest += one.fields.values()
    return frozenset(found)


RULE = CheckRule(
    id=ID,
    summary="A field that its object does not have",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
