"""An API server refuses the object, though everything that decides about packets is there.

A container without an image: it is kept in the cluster that is shown, for a sketch leaves it out,
and nothing of the kind can be applied (ValidatePodSpec: Required value). A range of addresses with
bits behind its length (10.0.0.1/8): servers before 1.36 take it and read the network that it is
part of (IsValidCIDRForLegacyField, StrictIPCIDRValidation).

Does not apply to a patch of a kustomization.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from k8stui.apiserver.fields import text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.place import TextPlace
from k8stui.manifests import Doubt

ID = "kept-refused"


def look(ground: Ground) -> Iterator[Finding]:
    for note in ground.world.notes:
        if note.doubt is Doubt.REFUSED and not _is_patch(note.file):
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=ground.object_at(note.file, note.line),
                place=TextPlace(file=note.file, line=note.line, column=note.column),
                why=note.message,
                fix=note.hint,
            )
    yield from _of_sets(ground)


def _of_sets(ground: Ground) -> Iterator[Finding]:
    """A StatefulSet is taken without a look at its pods' images, and each pod is refused then."""
    for template in ground.templates:
        manifest = template.manifest
        if template.kind != "StatefulSet" or manifest.observed or _is_patch(manifest.file):
            continue
        for container in template.containers():
            if not text(container.data, "image"):
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=manifest.place(*container.path),
                    why=f"container {container.name} has no image: the API server refuses each of "
                    "the pods (kept here)",
                    fix="write image: NAME:TAG",
                )


def _is_patch(file: str) -> bool:
    """Whether it is called a patch: what it leaves out stands in the object that it changes."""
    return any("patch" in part for part in PurePath(file).parts[-2:])


RULE = CheckRule(
    id=ID,
    summary="The API server refuses an object that is kept here",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
