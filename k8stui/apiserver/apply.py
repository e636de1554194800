"""Paths → what a cluster stores of them, as ``kubectl apply`` puts it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from k8stui.manifests import Manifest, Manifests, Note, load
from k8stui.manifests.progress import Watch


def apply(
    paths: Sequence[str],
    *,
    context: str | None = None,
    stdin: BinaryIO | None = None,
    watch: Watch | None = None,
) -> Manifests:
    """Read `paths` as `load` does, and leave out what the API server refuses.

    Never raises for what stands in a file: see `Manifests.problems`.
    """
    return stored(load(paths, context=context, stdin=stdin, watch=watch))


def stored(read: Manifests) -> Manifests:
    """What the API server keeps of what was read, with its words about the rest."""
    objects, problems, notes = read.objects, read.problems, read.notes
    refused: tuple[Manifest, ...] = ()
    if read.spoiled or not all(one.observed for one in objects):
        from k8stui.apiserver.validation import refuse  # noqa: PLC0415 - nothing for dumps

        verdict = refuse(objects, read.spoiled)
        objects = verdict.objects
        problems += verdict.problems
        notes += verdict.notes
        refused = verdict.refused
    return Manifests(
        objects=objects,
        problems=problems,
        skipped=read.skipped,
        notes=(*notes, *_repeated(objects)),
        refused=refused,
    )


def _repeated(objects: Sequence[Manifest]) -> list[Note]:
    """Name each object that is there more than once; the last one counts, as with kubectl apply."""
    seen: dict[tuple[str, str | None, str], list[Manifest]] = {}
    for one in objects:
        if one.name:
            seen.setdefault((one.kind, one.namespace or "default", one.name), []).append(one)
    notes = []
    for (kind, _, name), those in seen.items():
        if len(those) > 1:
            last = those[-1].place()
            shown = those[:-1] if len(those) <= 4 else those[:3]
            others = ", ".join(f"{one.file}:{one.place().line}" for one in shown)
            if len(shown) < len(those) - 1:
                others += f" and {len(those) - 1 - len(shown)} more"
            notes.append(
                Note(
                    message=f"{kind} {name} is also in {others}; this last one counts",
                    file=last.file,
                    line=last.line,
                    column=last.column,
                    count=len(those),
                )
            )
    return notes
