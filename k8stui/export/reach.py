"""Who reaches whom: as a matrix in text, as JSON, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from k8stui.cluster.model import Cluster
from k8stui.export.drawing.ink import to_ascii
from k8stui.export.plain import wrap
from k8stui.export.reach_marks import MARKS, felt_words
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.reach.fold import Fold, Folding, Mark, mark_of
from k8stui.reach.reach import Class, Reach
from k8stui.reach.relations import bits
from k8stui.reach.told import told

_TOLD = 20
"""Reasons of failures that the text tells; all are in JSON."""
_NAMES = 3


def reach_lines(cluster: Cluster, found: Reach, columns: int) -> Iterator[str]:
    """The matrix, rows and columns that are alike drawn once, and why what fails does.

    `columns`: how wide the text may be.
    """
    pairs = len(found.askers) * len(found.asked)
    yield (
        f"{_many(len(found.askers), 'asker')}, {len(found.asked)} asked: {_many(pairs, 'pair')} in "
        f"{_many(len(found.classes), 'class', 'classes')}, {_many(len(found.parts), 'walk')}"
    )
    if not pairs:
        return
    folding = Folding(cluster, found)
    tall, wide = folding.rows(Fold.ALIKE), folding.columns(Fold.ALIKE)
    marks = {number: mark_of(one.felt) for number, one in found.classes.items()}
    labels = [_label([found.askers[place].name for place in row.places]) for row in tall]
    left = min(max(map(len, labels)), max(20, columns // 2))
    width = len(str(len(wide)))
    fits = max(1, (columns - left - 1) // (width + 1))
    for start in range(0, len(wide), fits):
        shown = range(start, min(start + fits, len(wide)))
        yield ""
        yield " " * left + " " + " ".join(f"{one + 1:>{width}}" for one in shown)
        for label, row in zip(labels, tall, strict=True):
            cells = (found.cell(row.places[0], wide[one].places[0]) for one in shown)
            signs = " ".join(f"{_sign(marks[cell.number]):>{width}}" for cell in cells)
            yield neutralise(f"{_cut(label, left):<{left}} {signs}")
    yield ""
    for number, alike in enumerate(wide, 1):
        names = _label([found.asked[place].name for place in alike.places])
        yield neutralise(f"{number:>{width}} {names}")
    yield ""
    used = set(marks.values())
    yield "   ".join(f"{_sign(mark)} {sign.word}" for mark, sign in MARKS.items() if mark in used)
    yield from _failures(found)


def _failures(found: Reach) -> Iterator[str]:
    told_alike: dict[tuple[str, str], list[Class]] = {}
    for one in found.classes.values():
        if one.felt.result is not Result.CONNECTED or one.felt.unenforced:
            told_alike.setdefault((felt_words(one.felt), one.felt.reason), []).append(one)
    failed = sorted(told_alike.items(), key=lambda each: -_pairs_of(each[1]))
    for (felt, reason), classes in failed[:_TOLD]:
        first = classes[0]
        pairs = _many(_pairs_of(classes), "pair")
        yield ""
        yield neutralise(f"{felt}: {pairs}, as {first.asker.name} -> {first.asked.name}")
        yield from wrap(neutralise(reason), "    ", "    ")
    if len(failed) > _TOLD:
        yield ""
        yield f"{len(failed) - _TOLD} reasons more: --format json has them all"


def _pairs_of(classes: Sequence[Class]) -> int:
    return sum(one.pairs for one in classes)


def reach_json(cluster: Cluster, found: Reach, *, summary: bool = False) -> Iterator[str]:
    """Write ``pairs`` (but for a `summary`) and ``classes`` as one object, in chunks."""
    from json import dumps  # noqa: PLC0415 - 9 ms, not needed for text

    yield '{"version": 1'
    if not summary:
        yield ',\n "pairs": ['
        comma = ""
        for pair in _pairs(cluster, found):
            yield f"{comma}\n  {dumps(pair)}"
            comma = ","
        yield "\n ]"
    yield ',\n "classes": ['
    members = _members(found)
    comma = ""
    for one in found.classes.values():
        sources, destinations = members[one.number]
        written = {
            "id": one.number,
            "result": one.felt.result.value,
            "outcomes": _shares(one),
            "decided_at": one.felt.decided_at,
            "reason": one.felt.reason,
            "walk": {"from": one.asker.name, "to": one.asked.name},
            **_not_enforced(one),
            "pairs": one.pairs,
            "sources": [found.askers[place].name for place in bits(sources)],
            "destinations": [found.asked[place].name for place in destinations],
        }
        yield f"{comma}\n  {dumps(written)}"
        comma = ","
    yield "\n ]}"


def reach_csv(cluster: Cluster, found: Reach) -> Iterator[str]:
    """Write a line for each pair, the head first (RFC 4180, with line feeds)."""
    from csv import DictWriter  # noqa: PLC0415 - for CSV only

    head = ("from", "to", "result", "decided_at", "reason", "class")
    line = StringIO()
    writer = DictWriter(line, head, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for pair in _pairs(cluster, found):
        writer.writerow({name: _plain(pair[name]) for name in head})
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _plain(value: object) -> object:
    """A text that a spreadsheet would take for a formula is made plain."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _pairs(cluster: Cluster, found: Reach) -> Iterator[dict[str, object]]:
    for place, asked in enumerate(found.asked):
        for asker, cell in zip(found.askers, found.column(place), strict=True):
            one = found.classes[cell.number]
            said = told(cluster, found.parts[cell.part], asker, asked, cell)
            written: dict[str, object] = {
                "from": asker.name,
                "to": asked.name,
                "result": one.felt.result.value,
                "decided_at": said.decided_at,
                "reason": said.reason,
                "class": cell.number,
            }
            if len(one.felt.shares) > 1:
                written["outcomes"] = _shares(one)
            yield written | _not_enforced(one)


def _not_enforced(one: Class) -> dict[str, object]:
    """Said only where it is so."""
    return {"not_enforced": True} if one.felt.unenforced else {}


def _shares(one: Class) -> dict[str, str]:
    return {result.value: str(share) for result, share in one.felt.shares.items()}


def _members(found: Reach) -> dict[int, tuple[int, list[int]]]:
    """Of each class who asks in it, and who is asked."""
    members: dict[int, tuple[int, list[int]]] = {}
    for place, column in enumerate(found.columns):
        for cell in column:
            sources, destinations = members.get(cell.number, (0, []))
            if destinations[-1:] != [place]:
                destinations.append(place)
            members[cell.number] = sources | cell.askers, destinations
    return members


def _sign(mark: Mark) -> str:
    return to_ascii(MARKS[mark].glyph)


def _label(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
