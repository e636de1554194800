"""Objects in the order in which they would be applied → what a server stores, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8stui.apiserver.validation.allocation import Ledger
from k8stui.apiserver.validation.kept import (
    is_completed,
    is_kept,
    missing_accounts,
    missing_namespaces,
    old_version,
)
from k8stui.apiserver.validation.mistake import Mistake
from k8stui.apiserver.validation.quota import Quotas
from k8stui.apiserver.validation.ranges import known_ranges
from k8stui.apiserver.validation.table import mistakes
from k8stui.apiserver.validation.unfinished import is_filled_in, unfinished
from k8stui.manifests.manifest import Manifest, field_name
from k8stui.manifests.problem import Doubt, Note, Problem
from k8stui.manifests.scalars import is_string
from k8stui.manifests.schema import KINDS
from k8stui.manifests.source import SourceText
from k8stui.record import record


@record()
class Verdict:
    """What becomes of an input at the server."""

    objects: tuple[Manifest, ...]
    """What is stored, in the order of the input."""
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    refused: tuple[Manifest, ...]
    """What is not stored, each with a Problem of its subject."""


def refuse(objects: Sequence[Manifest], spoiled: Iterable[Manifest] = ()) -> Verdict:
    """Leave out of `objects` what an API server refuses, as kubectl would leave it out.

    What a dump holds was there before anything else is applied. `spoiled`: objects that are left
    out already because a value of theirs is wrong; the server tells their other mistakes too.
    """
    return _Server(objects).run(objects, spoiled)


class _Server:
    def __init__(self, objects: Sequence[Manifest]) -> None:
        self.ledger = Ledger(known_ranges(objects))
        self.quotas = Quotas()
        self.there: dict[tuple[str, str], Manifest] = {}
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        self.refused: list[Manifest] = []
        for one in objects:
            if one.observed and one.kind == "Service":
                self.ledger.enter(_key(one), one)

    def run(self, objects: Sequence[Manifest], spoiled: Iterable[Manifest]) -> Verdict:
        stored = tuple(one for one in objects if self.takes(one))
        for one in spoiled:
            self.takes(one, again=True)
        self.notes += missing_namespaces(stored)
        self.notes += missing_accounts(stored)
        return Verdict(stored, tuple(self.problems), tuple(self.notes), tuple(self.refused))

    def takes(self, one: Manifest, *, again: bool = False) -> bool:
        """Judge `one`, and store it when it is right. `again`: it is refused already."""
        kind = KINDS.get(one.kind)
        if kind is None or not kind.named:
            return True
        key = _key(one)
        if not one.observed:
            found, kept = self.judge(one, key)
            if why := unfinished(one, found):
                self.notes.append(_skipped(one, why))
                return False
            if found or again:
                self.refused.append(one)
                self.problems += [
                    _problem(one, mistake, " is refused and left out" if not again else "")
                    for mistake in found + kept
                ]
                return False
            self.notes += [_note(_problem(one, mistake), mistake) for mistake in kept]
            if note := old_version(one):
                self.notes.append(note)
            if one.kind == "Service":
                self.ledger.enter(key, one)
        self.quotas.enter(one, self.there.get((one.kind, key)))
        self.there[one.kind, key] = one
        return True

    def judge(self, one: Manifest, key: str) -> tuple[list[Mistake], list[Mistake]]:
        """Give the mistakes that cost the object, and those in spite of which it is kept."""
        found: list[Mistake] = []
        kept: list[Mistake] = []
        for mistake in mistakes(one.kind, one.data):
            stays = is_kept(mistake) or is_completed(one, mistake) or is_filled_in(one, mistake)
            (kept if stays else found).append(mistake)
        if one.kind == "Service":
            found += self.ledger.judge(key, one)
        before = self.there.get((one.kind, key))
        found += self.quotas.judge(one, before)
        if before is not None:
            from k8stui.apiserver.validation.changes import (  # noqa: PLC0415 - for what comes twice
                check_change,
            )

            (found if before.observed else kept).extend(check_change(before, one))
        return found, kept


def _key(one: Manifest) -> str:
    return f"{one.namespace or 'default'}/{one.name}"


def _skipped(one: Manifest, why: str) -> Note:
    place = one.place()
    return Note(
        message=f"{one.kind} {one.name}: {why}, skipped",
        file=one.file,
        line=place.line,
        column=place.column,
    )


def _note(problem: Problem, mistake: Mistake) -> Note:
    """`Doubt.REFUSED` where nobody else fills in what is missing."""
    refusing = "the API server refuses that"
    if mistake.since:
        refusing = f"API servers refuse that since {mistake.since}"
    return Note(
        message=f"{problem.message} ({refusing}; kept here)",
        file=problem.file,
        line=problem.line,
        column=problem.column,
        hint=mistake.hint,
        doubt=Doubt.REFUSED if is_kept(mistake) and not mistake.placeholder else None,
    )


def _problem(one: Manifest, mistake: Mistake, fate: str = "") -> Problem:
    subject = f"{one.kind} {one.name}" if one.name else one.kind
    field = field_name(mistake.path)
    place = one.place(*(mistake.at or mistake.path))
    line, column, source, caret, hint = place.line, place.column, "", 0, mistake.hint
    message = mistake.message
    source_of = one.locator
    if isinstance(source_of, SourceText):
        text = source_of.text
        spans = [] if mistake.at_key else source_of.scalars(mistake.at or mistake.path)
        start, mended = source_of.offset(place.path), ""
        if len(spans) == 1 and text.content.count("\n", *spans[0]) == 0:
            start, end = spans[0]
            if text.content[start - 1 : start] in ("'", '"'):
                start, end = start - 1, end + 1
            line, column = text.position(start)
            if mistake.mended:
                first = text.content.rfind("\n", 0, start) + 1
                last = text.content.find("\n", end)
                after = text.content[end : last if last >= 0 else None]
                meant = _written(mistake.mended, text.content[start:end])
                mended = f"{text.content[first:start]}{meant}{after}"
        shown, veil = text.shown(start)
        source, caret = shown.line, shown.column
        message = veil.said(message, shown, "is wrong (a Secret's text is not shown)")
        if mended and (mended := veil.mended(mended, shown)):
            hint = "\n".join(filter(None, [hint, f"did you mean:\n{mended}"]))
    return Problem(
        file=one.file,
        line=line,
        column=column,
        message=" ".join(filter(None, (f"{subject}{fate}:", field, message))),
        hint=hint,
        source_line=source,
        caret=caret,
        field=field,
        wrong=mistake.wrong.value,
        subject=f"{one.kind} {_key(one)}",
    )


def _written(mended: str, before: str) -> str:
    """Quote `mended` as the value was quoted, where the quotes are needed."""
    if mended.isdigit() or (is_string(mended) and before[:1] not in ("'", '"')):
        return mended
    quote = before[:1] if before[:1] in ("'", '"') else '"'
    return f"{quote}{mended}{quote}"
