"""The API server refuses the object, though everything that decides about packets is there.

A container without an image: it is kept in the cluster that is shown, for a sketch leaves it out,
and nothing of the kind can be applied (ValidatePodSpec: Required value).

Does not apply to a patch of a kustomization.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.place import TextPlace
from k8stui.manifests import Doubt

ID = "kept-refused"


def look(ground: Ground) -> Iterator[Finding]:
    for note in ground.world.notes:
        if note.doubt is Doubt.REFUSED:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=ground.object_at(note.file, note.line),
                place=TextPlace(file=note.file, line=note.line, column=note.column),
                why=note.message,
                fix=note.hint,
            )


RULE = CheckRule(
    id=ID,
    summary="The API server refuses an object that is kept here",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
