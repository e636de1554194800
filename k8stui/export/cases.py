"""A table of cases: drawn for a width, as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.export.answers import answers_json
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    middle,
    repaint,
    run,
    width_of,
    wrap,
)
from k8stui.export.drawing.ink import text_of as plain
from k8stui.export.drawing.words import RESULTS, told
from k8stui.neutralise import neutralise
from k8stui.walk.cases import Case, CaseRow, Cases, outcome_words
from k8stui.walk.compare import common_steps

_GAP = "  "
_DRAWN_FROM = (80, 14)
"""Columns and rows that are left over from which on the way of a case is drawn."""
_LEAST_NAME = 18
"""Cells that a column's name keeps, where it gives way."""
NOBODY = "-"
"""In a cell that nobody can ask."""


class CaseTable:
    """A table of cases at one width: one line a row, two where the width is short of that."""

    def __init__(self, cases: Cases, width: int) -> None:
        self.cases = cases
        self.width = width
        self.shown: Sequence[int] = range(len(cases.rows))
        """The rows that are seen, of those that there are."""
        self._cells = [
            [_cell(cases, n, column) for column in range(len(cases.columns))]
            for n in range(len(cases.rows))
        ]
        self._most: int | None = None
        self._pictures: dict[tuple[int, int, int], list[Line]] = {}
        self._tails = [_tail(cases, row) for row in cases.rows]
        self._tail_names = _tail_names(cases)
        self._name = max((len(row.name) for row in cases.rows), default=0)
        least = [
            max(1, *(line_width(cells[n]) for cells in self._cells))
            for n in range(len(cases.columns))
        ]
        names = [width_of(neutralise(name)) + 2 for name in cases.columns]
        self._widths = [max(each) for each in zip(names, least, strict=True)]
        _squeeze(self._widths, least, width - 1 - self._name - 2 * len(least))
        tails = zip(*self._tails, strict=True)
        self._tail_widths = [
            max(len(name), *map(len, values))
            for name, values in zip(self._tail_names, tails, strict=False)
        ]
        body = 1 + self._name + sum(2 + each for each in self._widths)
        self.is_tall = body + sum(2 + each for each in self._tail_widths) > width
        if body > width:
            self._name = max(12, self._name - (body - width))

    @property
    def lines_a_row(self) -> int:
        return 2 if self.is_tall and self._tail_names else 1

    def head(self) -> Line:
        """The columns' names."""
        parts = [run(f" {'':<{self._name}}")]
        for name, width in zip(self.cases.columns, self._widths, strict=True):
            shown = fit(run(middle(neutralise(name), width - 2), Ink.STRONG), width - 2)
            parts += [run(f"{_GAP}  "), shown]
        if not self.is_tall:
            for name, width in zip(self._tail_names, self._tail_widths, strict=False):
                parts.append(run(f"{_GAP}{name:<{width}}", Ink.STRONG))
        return join(parts)

    def lines(self, number: int, lit: int | None = None) -> list[Line]:
        """One row of the table; `lit`: the column under the cursor."""
        row = self.cases.rows[number]
        parts = [fit(run(f" {middle(neutralise(row.name), self._name)}"), self._name + 1)]
        for n, (cell, width) in enumerate(zip(self._cells[number], self._widths, strict=True)):
            shown = fit(cell, width)
            parts += [run(_GAP), repaint(shown, Ink.CURSOR) if n == lit else shown]
        tails = self._tails[number]
        if not self.is_tall:
            parts += [
                run(f"{_GAP}{text:<{width}}", Ink.DIM)
                for text, width in zip(tails, self._tail_widths, strict=False)
            ]
            return [join(parts)]
        if not self._tail_names:
            return [join(parts)]
        said = "   ".join(
            f"{name} {text}" for name, text in zip(self._tail_names, tails, strict=False) if text
        )
        return [join(parts), cut(run(f"     {said}", Ink.DIM), self.width)]

    def height(self, row: int, column: int) -> int:
        """Lines that a page needs to show all of the table and what is said of a cell."""
        return 2 + len(self._cells) * self.lines_a_row + len(self._said(row, column))

    def page(self, height: int, row: int, column: int) -> list[Line]:
        """The table round a cell of a row that is seen, and below it what is to be said of that.

        These are `height` lines.

        Where much room is left the way of the case is drawn between them.
        """
        said = self._said(row, column)
        room_said = max(0, min(max(8, height // 3, len(said)), height - 5))
        if len(said) > room_said > 0:
            last = cut(join((said[room_said - 1], run(" …"))), self.width)
            said = [*said[: room_said - 1], last]
        said += [NOTHING] * (min(self._most_said, room_said) - len(said))
        whole = len(self.shown) * self.lines_a_row
        spare = height - 3 - len(said) - whole
        one = self.cases.at(row, column)
        if one is not None and spare >= _DRAWN_FROM[1] and self.width >= _DRAWN_FROM[0]:
            drawn = self._picture(row, column, spare - 1)
            said = [*drawn, run("─" * self.width, Ink.FAINT), *said]
        room = max(1, height - 2 - len(said))
        seen = max(1, room // self.lines_a_row)
        top = max(0, min(self.shown.index(row) - seen // 2, len(self.shown) - seen))
        rows: list[Line] = [self.head()]
        for number in self.shown[top : top + seen]:
            rows += self.lines(number, column if number == row else None)
        rows = rows[: room + 1]
        above = f" {top} more above  " if top else " "
        if len(self.shown) < len(self._cells):
            above = f" {len(self.shown)} of {len(self._cells)} rows {above}"
        below = len(self.shown) - top - seen
        more = run(f"{above}{f'{below} more below' if below > 0 else ''}".rstrip(), Ink.DIM)
        rows += [NOTHING] * (room + 1 - len(rows))
        rule = run("─" * max(0, self.width - line_width(more) - 1), Ink.FAINT)
        return [*rows, join((rule, more)), *said][:height]

    @property
    def _most_said(self) -> int:
        """Lines that are said of the case of which most is said: the table keeps its place."""
        if self._most is None:
            cells = [(n, m) for n, row in enumerate(self._cells) for m in range(len(row))]
            self._most = max((len(self._said(*each)) for each in cells), default=0)
        return self._most

    def _picture(self, row: int, column: int, height: int) -> list[Line]:
        """The way of a case, there and back; every case of its line has its place on it."""
        from k8stui.export.drawing.picture import film  # noqa: PLC0415 - where there is room

        key = (row, column, height)
        if key not in self._pictures:
            one, partner = self.cases.at(row, column), self.cases.partner(row, column)
            assert one is not None
            others = (partner.trace,) if partner is not None else ()
            shown = film(one.world, one.trace, self.width, height, others)
            lines = shown.whole().lines() if len(shown) else []
            blank = [NOTHING] * max(0, height - len(lines))
            self._pictures[key] = [*lines[:height], *blank]
        return self._pictures[key]

    def _said(self, row: int, column: int) -> list[Line]:
        """The case under the cursor: what comes of it and why; at last what was not asked."""
        one = self.cases.at(row, column)
        width = max(8, self.width - 2)
        if one is None:
            return [run(" nobody can ask this", Ink.DIM)]
        sign = RESULTS[one.trace.outcome.result]
        felt = run(f"{sign.glyph} {outcome_words(one.trace)}", sign.ink)
        lead = run(f" {neutralise(one.name)}  ", Ink.STRONG)
        lines = [cut(join((lead, felt)), self.width)]
        partner = self.cases.partner(row, column)
        if partner is not None and is_unlike(one, partner):
            words = f"≠ {partner.name}: {outcome_words(partner.trace)}"
            lines.append(cut(run(f" {neutralise(words)}", Ink.CHANGED), self.width))
        outcome = one.trace.outcome
        texts = wrap(told(outcome.reason), width)
        if outcome.advice:
            texts += wrap(told(f"→ {outcome.advice}"), width, indent=2)
        lines += [run(f" {text}") for text in texts if text]
        if self.cases.left_out:
            lines.append(run(f" {self.cases.left_out}", Ink.DIM))
        return lines


def _squeeze(widths: list[int], least: list[int], room: int) -> None:
    """Make the widest columns narrower until all have room: names give way, not what is said."""
    least = [min(width, max(one, _LEAST_NAME)) for width, one in zip(widths, least, strict=True)]
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda n: widths[n] - least[n])
        if widths[widest] == least[widest]:
            return
        widths[widest] -= 1


def row_words(cases: Cases, number: int) -> str:
    """All that a row says, and what comes of its cases: what it can be found by."""
    row = cases.rows[number]
    asked = [one for one in row.cells if one is not None]
    cells = (plain(_cell(cases, number, column)) for column in range(len(row.cells)))
    said = (f"{one.name} {outcome_words(one.trace)}" for one in asked)
    return " ".join((row.name, row.service, *cells, *_tail(cases, row), *said))


def is_unlike(one: Case, other: Case) -> bool:
    """Whether client or server can tell two cases from one another, or the NAT on the way is."""
    return one.answers != other.answers or (one.changes, one.sees_client) != (
        other.changes,
        other.sees_client,
    )


def unlike_cells(cases: Cases) -> list[tuple[int, int]]:
    """The cells that a table marks with ``≠``: row and column, row by row."""
    every = ((n, m) for n, row in enumerate(cases.rows) for m in range(len(row.cells)))
    return [each for each in every if _is_marked(cases, *each)]


def _is_marked(cases: Cases, row: int, column: int) -> bool:
    one, partner = cases.at(row, column), cases.partner(row, column)
    if one is None or partner is None or one is cases.first(row, column):
        return False
    return is_unlike(one, partner)


def _cell(cases: Cases, row: int, column: int) -> Line:
    """Verdict, then the NAT on the way; ``≠`` where it is another one than its partner's."""
    one = cases.at(row, column)
    if one is None:
        return run(f"  {NOBODY}", Ink.DIM)
    is_marked, is_first = _is_marked(cases, row, column), one is cases.first(row, column)
    sign = RESULTS[one.trace.outcome.result]
    # What is as the first one stands back, so that what is not is seen at a glance.
    ink = Ink.DIM if not is_marked and not is_first and one.is_delivered else sign.ink
    words = sign.glyph
    if one.chance not in (0, 1):
        words += f" {one.chance}"
    if one.is_delivered:
        words += f" {' '.join(one.changes) or 'no NAT'}"
    else:
        words += f" {sign.word}"
    if cases.along and one.seen is not None:
        words += f" {seen_words(one)}"
    return join((run("≠ " if is_marked else "  ", Ink.CHANGED), run(words, ink)))


def seen_words(one: Case) -> str:
    """What the server takes for its client."""
    if one.seen is None:
        return NOBODY
    return "the asker" if one.sees_client else str(one.seen)


def _tail_names(cases: Cases) -> tuple[str, ...]:
    if cases.along:
        return ()
    return ("pod sees", "ports") if len(cases.columns) > 1 else ("pod sees", "differs")


def _tail(cases: Cases, row: CaseRow) -> tuple[str, ...]:
    """What is said of the whole row."""
    if cases.along:
        return ()
    asked = [one for one in row.cells if one is not None]
    seen = dict.fromkeys(seen_words(one) for one in asked if one.seen is not None)
    sees = ", ".join(seen) or NOBODY
    if len(cases.columns) > 1:
        return sees, " ⇒ ".join(map(str, row.ports))
    return sees, _parting(cases, row)


def _parting(cases: Cases, row: CaseRow) -> str:
    first, mine = cases.rows[0].cells[0], row.cells[0]
    if first is None or mine is None or mine is first:
        return ""
    common = common_steps(first.trace, mine.trace)
    if common == len(first.trace.steps) == len(mine.trace.steps):
        return "nothing"
    return f"from step {common + 1}"


def cases_lines(cases: Cases, width: int) -> Iterator[str]:
    """The table as text, then the reasons: each once, with the cases that it is the reason of."""
    yield neutralise(f"{cases.title}   {cases.about}".rstrip())
    yield ""
    table = CaseTable(cases, width)
    yield plain(table.head()).rstrip()
    for n in range(len(cases.rows)):
        for line in table.lines(n):
            yield plain(line).rstrip()
    reasons: dict[str, list[str]] = {}
    for row in cases.rows:
        for one in row.cells:
            if one is not None and one.trace.outcome.reason and not one.sees_client:
                reasons.setdefault(one.trace.outcome.reason, []).append(one.name)
    for reason, names in reasons.items():
        yield ""
        more = f", and {len(names) - 2} more" if len(names) > 2 else ""
        yield neutralise(f"{'; '.join(names[:2])}{more}")
        yield from (f"   {text}" for text in wrap(neutralise(reason), max(8, width - 4)))
    if cases.left_out:
        yield ""
        yield cases.left_out


def cases_json(cases: Cases) -> str:
    """Write the table as one object; `cases` of a row stand in the order of `columns`."""
    from k8stui.export.json import dumps  # noqa: PLC0415 - 9 ms, not needed for text

    document = {
        "version": 1,
        "title": cases.title,
        "about": cases.about,
        "columns": list(cases.columns),
        "compared_along": "row" if cases.along else "column",
        "left_out": cases.left_out or None,
        "rows": [
            {
                "name": row.name,
                "service": row.service or None,
                "ports": list(row.ports),
                "cases": [_case_json(one) for one in row.cells],
            }
            for row in cases.rows
        ],
    }
    return dumps(document)


def _case_json(one: Case | None) -> dict[str, object] | None:
    if one is None:
        return None
    outcome, request = one.trace.outcome, one.trace.request
    return {
        "name": one.name,
        "source": request.source,
        "destination": request.destination,
        "result": outcome.result.value,
        "delivered": one.is_delivered,
        "nat": list(one.changes),
        "source_sent": str(one.sent) if one.sent is not None else None,
        "source_seen_by_server": str(one.seen) if one.seen is not None else None,
        "source_is_client": one.sees_client,
        "server": outcome.server_pod,
        "seconds": outcome.seconds,
        "reason": outcome.reason,
        "answers": answers_json(one.answers),
    }
