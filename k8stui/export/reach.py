"""Who reaches whom: as a matrix in text, as JSON, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.cluster.model import Cluster
from k8stui.export.plain import wrap
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.reach.reach import Cell, Class, Reach, bits
from k8stui.reach.told import told
from k8stui.walk.outcome import RESULT_WORDS

_MARKS = {
    Result.CONNECTED: "+",
    Result.REFUSED: "x",
    Result.UNREACHABLE: "!",
    Result.TIMEOUT: "-",
    Result.NO_SUCH_NAME: "0",
    Result.UNKNOWN: "?",
}
_SOMETIMES = "~"
_TOLD = 20
"""Reasons of failures that the text tells; all are in JSON."""
_NAMES = 3


def reach_lines(found: Reach, columns: int) -> Iterator[str]:
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
    marks = [_marks(found, place) for place in range(len(found.asked))]
    tall = _grouped(list(zip(*marks, strict=True)))
    wide = _grouped([tuple(column[rows[0]] for rows in tall) for column in marks])
    labels = [_label([found.askers[place].name for place in rows]) for rows in tall]
    left = min(max(map(len, labels)), max(20, columns // 2))
    width = len(str(len(wide)))
    fits = max(1, (columns - left - 1) // (width + 1))
    for start in range(0, len(wide), fits):
        shown = range(start, min(start + fits, len(wide)))
        yield ""
        yield " " * left + " " + " ".join(f"{one + 1:>{width}}" for one in shown)
        for label, rows in zip(labels, tall, strict=True):
            cells = " ".join(f"{marks[wide[one][0]][rows[0]]:>{width}}" for one in shown)
            yield neutralise(f"{_cut(label, left):<{left}} {cells}")
    yield ""
    for number, alike in enumerate(wide, 1):
        names = _label([found.asked[place].name for place in alike])
        yield neutralise(f"{number:>{width}} {names}")
    yield ""
    used = {mark for column in marks for mark in column}
    words = {mark: RESULT_WORDS[result] for result, mark in _MARKS.items()}
    words[_SOMETIMES] = "now this, now that"
    yield "   ".join(f"{mark} {word}" for mark, word in words.items() if mark in used)
    yield from _failures(found)


def _failures(found: Reach) -> Iterator[str]:
    told_alike: dict[tuple[str, str], list[Class]] = {}
    for one in found.classes.values():
        if one.felt.result is not Result.CONNECTED:
            told_alike.setdefault((_felt(one), one.felt.reason), []).append(one)
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


def _felt(one: Class) -> str:
    if len(one.felt.shares) == 1:
        return RESULT_WORDS[one.felt.result]
    return ", ".join(f"{RESULT_WORDS[each]} {share}" for each, share in one.felt.shares.items())


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
            "pairs": one.pairs,
            "sources": [found.askers[place].name for place in bits(sources)],
            "destinations": [found.asked[place].name for place in destinations],
        }
        yield f"{comma}\n  {dumps(written)}"
        comma = ","
    yield "\n ]}"


def reach_csv(cluster: Cluster, found: Reach) -> Iterator[str]:
    """Write a line for each pair, the head first."""
    head = ("from", "to", "result", "decided_at", "reason", "class")
    yield ",".join(head) + "\n"
    for one in _pairs(cluster, found):
        yield ",".join(_quoted(str(one[name])) for name in head) + "\n"


def _quoted(text: str) -> str:
    """After RFC 4180; a text that a spreadsheet would take for a formula is made plain."""
    plain = f"'{text}" if text[:1] in "=+-@" and text else text
    return f'"{plain.replace(chr(34), chr(34) * 2)}"' if set('",\n\r') & set(plain) else plain


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
            yield written


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


def _marks(found: Reach, place: int) -> list[str]:
    def mark(cell: Cell) -> str:
        felt = found.classes[cell.number].felt
        return _MARKS[felt.result] if len(felt.shares) == 1 else _SOMETIMES

    return [mark(cell) for cell in found.column(place)]


def _grouped(lines: Sequence[Sequence[str]]) -> list[list[int]]:
    """Places of lines that are equal, in the order of the first of each."""
    groups: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault("".join(line), []).append(place)
    return list(groups.values())


def _label(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
