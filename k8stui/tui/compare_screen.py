"""Comparing: a table of cases with a cursor; two of them side by side, stepped by one key.

What is seen is made in the export room (cases.py, beside.py); here are the cursor and the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from k8stui.export.beside import Beside
from k8stui.export.cases import CaseTable, row_words, unlike_cells
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, join, line_width, middle, run
from k8stui.export.drawing.words import pair
from k8stui.neutralise import neutralise
from k8stui.tui import keys
from k8stui.tui.desk import Desk
from k8stui.tui.drawn import Bar, Drawn
from k8stui.tui.filtering import Filtering
from k8stui.tui.fitted import Fitted
from k8stui.tui.footer import named_keys
from k8stui.tui.jobs import Jobs
from k8stui.tui.listings import mistake_lines
from k8stui.tui.messages import TableMade
from k8stui.tui.needle import understood
from k8stui.tui.once import Once
from k8stui.tui.working import Working
from k8stui.walk.cases import Case, CaseRow, Cases
from k8stui.walk.comparisons import Kind
from k8stui.walk.trace import Trace
from k8stui.walk.whatif import first_difference

_KINDS = tuple(Kind)


class CompareScreen(Fitted, Once, Filtering, Working, Screen[tuple[Case, int] | None]):
    """Gives back the case to go on with on the workbench, and its 0-based step."""

    BINDINGS: ClassVar = [*keys.COMPARE]
    AUTO_FOCUS = ""
    sideways: ClassVar = "← →"
    """The keys that step both, as the lowest line has them."""
    typed_hint = "^pattern$   !not   -l app=web"

    def __init__(self, jobs: Jobs, desk: Desk, kind: Kind | None = None, named: str = "") -> None:
        """`kind`: the table to begin with, at the row that is called `named`.

        None: after a what-if the two walks side by side; else the other input, or the ways.
        """
        super().__init__()
        self._jobs = jobs
        self._desk = desk
        self._named = named
        pair = desk.turned() if kind is None else None
        self.kind = kind or self._first_kind(is_turned=pair is not None)
        self._made: dict[Kind, Cases | Exception] = {}
        self._cursors: dict[Kind, tuple[int, int]] = {}
        """By kind: row and column."""
        self._table: CaseTable | None = None
        """Of the kind that is shown, at the width that is shown."""
        self.rows: Sequence[int] = ()
        """Of the table that is shown, those that hold what was typed."""
        self.beside: Beside | None = None
        """Two walks side by side; None: the table is shown."""
        self.at = 0
        """Their place: a pair of steps."""
        self._drawn: bool | None = None
        self._reopens = False
        """Whether the two walks are shown again once the table is there."""
        self._chosen: Case | None = None
        """Of the two: the one that was under the cursor."""
        if pair is not None:
            self.set_beside(pair, pair[1])

    def _first_kind(self, *, is_turned: bool) -> Kind:
        is_other = self._desk.world is self._jobs.other
        if is_turned and not is_other:
            return Kind.SETTINGS
        return Kind.VERSIONS if self._jobs.against else Kind.WAYS

    def compose(self) -> ComposeResult:
        yield Bar(self._title, id="title")
        yield Bar(self._kinds, id="kinds")
        yield Bar(self._face, id="face")
        yield Bar(self._keys, id="keys")

    def on_mount(self) -> None:
        if self.beside is None:
            self._show(self.kind)

    def redraw(self) -> None:
        """Draw everything anew; only what differs is sent."""
        for widget in self.walk_children(Drawn):
            widget.redraw()

    # What stands where

    @property
    def _trace(self) -> Trace:
        """The walk that stands on the desk."""
        assert self._desk.state.trace is not None
        return self._desk.state.trace

    @property
    def cases(self) -> Cases | None:
        """The table of the kind that is shown; None: it is being made, or there is none."""
        found = self._made.get(self.kind)
        return found if isinstance(found, Cases) else None

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the case under the cursor."""
        return self._cursors.get(self.kind, (0, 0))

    def _title(self, width: int, _height: int) -> list[Line]:
        cases, request = self.cases, self._trace.request
        text = cases.title if cases is not None else pair(request.source, request.destination)
        parts = [run(f" {middle(neutralise(text), width - 1)}", Ink.STRONG)]
        if self._desk.state.turned and self.kind is not Kind.VERSIONS:
            turned = neutralise(self._desk.state.turned_words)
            parts.append(run(f"   {turned}", Ink.CHANGED))
        if cases is not None and self._is_in_title(cases, width):
            parts.append(run(f"   {neutralise(cases.about)}", Ink.DIM))
        return [fit(cut(join(parts), width), width)]

    def _kinds(self, width: int, _height: int) -> list[Line]:
        parts = []
        for gap in ("  ", " "):
            parts = [run(" ")]
            for n, kind in enumerate(_KINDS, start=1):
                ink = Ink.CURSOR if kind is self.kind else Ink.DIM
                parts += [run(f"{n} ", Ink.KEY), run(kind.value, ink), run(gap)]
            if line_width(join(parts)) <= width:
                break
        return [fit(cut(join(parts), width), width)]

    def _face(self, width: int, height: int) -> list[Line]:
        if self.beside is not None:
            return self.beside.lines(width, height, self.at, drawn=self._drawn)
        found = self._made.get(self.kind)
        if isinstance(found, Cases):
            if self._table is None or self._table.cases is not found or self._table.width != width:
                self._table = CaseTable(found, width)
            table, above = self._table, self._about(found, width)
            table.shown = self.rows
            if self.rows:
                lines = [*above, *table.page(height - len(above), *self.cursor)]
            else:
                nothing = fit(run(f" No row holds {self.needle}", Ink.DIM), width)
                lines = [*above, table.head(), nothing]
        elif found is not None:
            lines = mistake_lines(self.mistake(found), width)
            if self.kind is Kind.VERSIONS:
                lines += [NOTHING, join((run(" a ", Ink.KEY), run("names another one: a path")))]
        else:
            lines = [NOTHING, run(f" asking: {self.kind.value} …", Ink.DIM)]
        return [*lines, *[NOTHING] * (height - len(lines))][:height]

    @staticmethod
    def _is_in_title(cases: Cases, width: int) -> bool:
        """Whether what holds for all of a table stands behind its title: if there is room."""
        return bool(cases.about) and len(cases.title) + len(cases.about) + 5 <= width

    def _about(self, cases: Cases, width: int) -> list[Line]:
        """What holds for all of a table, where the title has no room for it."""
        if not cases.about or self._is_in_title(cases, width):
            return []
        return [cut(run(f" {neutralise(cases.about)}", Ink.DIM), width)]

    @property
    def _troubles(self) -> int:
        """How much is wrong with the two inputs, where these are compared."""
        other = self._jobs.other
        if self.kind is not Kind.VERSIONS or other is None:
            return 0
        return len(self._desk.as_read.problems) + len(other.problems)

    def _keys(self, width: int, _height: int) -> list[Line]:
        if self.types:
            return [self.typed_line(width)]
        hints = tuple(self.hints())
        line = named_keys(hints)
        if line_width(line) > width:
            line = named_keys(hints, "  ")
        return [fit(cut(line, width, ellipsis=False), width)]

    def hints(self) -> Iterator[tuple[str, str]]:
        """Keys that mean something now, and what they do."""
        if self.beside is not None:
            yield from (
                (self.sideways, "step both"),
                (", .", "≠"),
                ("d", "drawings"),
                ("Enter", "workbench"),
                ("Esc", "table"),
                ("?", "help"),
            )
            return
        if self._troubles:
            yield "!", f"{self._troubles} problem{'' if self._troubles == 1 else 's'}"
        is_versions = self.kind is Kind.VERSIONS
        yield from (
            (f"↑↓{self.sideways}".replace(" ", ""), "case"),
            (", .", "≠"),
            ("Enter", "walks"),
            ("o", "open"),
            ("/", "filter"),
            ("a", "other input") if is_versions else ("1-7", "tables"),
            ("Esc", "back"),
            ("?", "help"),
        )

    # Work

    def _show(self, kind: Kind) -> None:
        """Show the table of a kind; make it where it is not there yet."""
        if kind is not self.kind:
            self.needle = ""
        self.kind, self.beside = kind, None
        if kind not in self._made:
            world = self._desk.as_read if kind is Kind.VERSIONS else self._desk.world
            self.work("table", partial(self._jobs.table, world, self._trace, kind, self.post))
        self.filter(self.needle)

    def filter(self, needle: str) -> None:
        """Show only rows that hold it; the cursor goes to the first where it stood on another."""
        self.needle = needle
        if (cases := self.cases) is not None:
            self.rows = rows_holding(cases, needle)
            row, column = self.cursor
            if self.rows and row not in self.rows:
                self._cursors[self.kind] = (self.rows[0], column)
        self.redraw()

    def action_filter(self) -> None:
        if self.beside is None and self.cases is not None:
            super().action_filter()

    def take(self, cases: Cases, cursor: tuple[int, int]) -> None:
        """Take up a table that is made already, of the kind that is shown."""
        self._made[self.kind], self._cursors[self.kind] = cases, cursor
        self.rows = range(len(cases.rows))

    def renew(self, desk: Desk) -> None:
        """Make the tables anew: an input was read again."""
        self._desk = desk
        self._made.clear()
        self._reopens = self.beside is not None
        self._show(self.kind)

    def on_table_made(self, event: TableMade) -> None:
        """Show it."""
        found = self._made[event.kind] = event.found
        if isinstance(found, Cases) and event.kind not in self._cursors:
            rows = [n for n, row in enumerate(found.rows) if row.name == self._named]
            self._cursors[event.kind] = (rows[0], 0) if rows else _asked(found, self._trace)
        elif isinstance(found, Cases):
            row, column = self._cursors[event.kind]
            self._cursors[event.kind] = (min(row, len(found.rows) - 1), column)
        if self._reopens and event.kind is self.kind:
            self._reopens = False
            self.action_into()
        self.filter(self.needle)

    # Keys

    def action_table(self, number: int) -> None:
        self._show(_KINDS[number - 1])

    def action_kind(self, by: int) -> None:
        self._show(_KINDS[(_KINDS.index(self.kind) + by) % len(_KINDS)])

    def action_move(self, by: int) -> None:
        """To another row, round the end; two walks: a step of both."""
        if self.beside is not None:
            self.action_step(by)
        elif self.cases is not None and self.rows:
            row, column = self.cursor
            at = self.rows.index(row) + by
            self._put((self.rows[at % len(self.rows)], column))

    def _put(self, cursor: tuple[int, int]) -> None:
        self._cursors[self.kind] = cursor
        self.redraw()

    def action_step(self, by: int) -> None:
        """Both walks on or back; in the table to another column."""
        if self.beside is not None:
            self._go(self.at + by)
        elif (cases := self.cases) is not None:
            row, column = self.cursor
            self._put((row, max(0, min(column + by, len(cases.columns) - 1))))

    def _go(self, at: int) -> None:
        if self.beside is not None:
            self.at = max(0, min(at, len(self.beside) - 1))
            self.redraw()

    def action_difference(self, by: int) -> None:
        """To the next place where two walks part; in the table to the next unlike case."""
        if self.beside is not None:
            self._go(self.beside.difference(self.at, by))
        elif (cases := self.cases) is not None:
            marked = [each for each in unlike_cells(cases) if each[0] in self.rows]
            later = [each for each in marked if each > self.cursor]
            earlier = [each for each in marked if each < self.cursor]
            if marked:
                self._put((later or marked)[0] if by > 0 else (earlier or marked)[-1])

    def action_end(self, by: int) -> None:
        if self.beside is not None:
            self._go(len(self.beside) if by > 0 else 0)
        elif self.cases is not None and self.rows:
            self._put((self.rows[-1 if by > 0 else 0], self.cursor[1]))

    def action_draw(self) -> None:
        if self.beside is not None:
            size = self.query_one("#face").size
            self._drawn = not self.beside.is_drawn(size.width, size.height, drawn=self._drawn)
            self.redraw()

    @property
    def _case(self) -> Case | None:
        return self.cases.at(*self.cursor) if self.cases is not None and self.rows else None

    def action_into(self) -> None:
        """From the table to two walks, from there to the workbench."""
        if self.beside is not None:
            self.action_open()
            return
        cases, one = self.cases, self._case
        if cases is None or one is None:
            return
        partner = cases.partner(*self.cursor)
        if partner is None:
            self.action_open()
            return
        pair = (one, partner) if one is cases.first(*self.cursor) else (partner, one)
        self.set_beside(pair, one)
        self.redraw()

    def set_beside(self, pair: tuple[Case, Case], chosen: Case, step: int | None = None) -> None:
        """Set two cases side by side, at a 0-based step of the second, else where they part.

        `chosen`: the one to go on with.
        """
        self.beside, self._chosen = Beside(*pair), chosen
        self.at = self.beside.opening(step)

    def action_open(self) -> None:
        """Go on with the case on the workbench."""
        one = self._chosen if self.beside is not None else self._case
        if one is None:
            return
        if self.beside is not None:
            index = self.beside.index(self.beside.cases.index(one), self.at)
        elif one.world is self._desk.world:
            index = 0
        else:
            index = first_difference(self._trace, one.trace) or 0
        self.dismiss((one, index))

    def action_out(self) -> None:
        if self.beside is not None:
            self._show(self.kind)
        elif self.needle:
            self.filter("")
        else:
            self.dismiss(None)

    def action_against(self) -> None:
        """Ask for another input, and show what differs."""
        from k8stui.tui.against_screen import AgainstScreen  # noqa: PLC0415 - only when asked for

        def read(is_read: bool | None) -> None:
            if is_read:
                self._made.pop(Kind.VERSIONS, None)
                self._cursors.pop(Kind.VERSIONS, None)
                self._show(Kind.VERSIONS)

        self.app.push_screen(AgainstScreen(self._jobs), read)

    def action_problems(self) -> None:
        """Show what is wrong with the input, and with the other one."""
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import problem_lines  # noqa: PLC0415

        worlds = [(self._jobs.what, self._desk.as_read)]
        if self._jobs.other is not None:
            worlds.append((self._jobs.other_name, self._jobs.other))
        worlds.sort(key=lambda each: not each[1].problems)

        def lines(width: int) -> list[Line]:
            found: list[Line] = []
            for name, world in worlds:
                found += [run(f" {name}", Ink.STRONG), *problem_lines(world, width), NOTHING]
            return found

        self.app.push_screen(ListScreen("What is wrong with the inputs", lines))

    def action_help(self) -> None:
        from k8stui.tui.listing import ListScreen  # noqa: PLC0415 - only when asked for
        from k8stui.tui.listings import help_lines  # noqa: PLC0415

        groups = (("Comparing", keys.COMPARE),)
        self.app.push_screen(ListScreen("Help", partial(help_lines, groups=groups)))


def rows_holding(cases: Cases, typed: str) -> Sequence[int]:
    """The rows that hold what was typed; labels are those of the pods that answer."""
    found = understood(typed)
    if not found.terms:
        holds = found.finder()
        return [n for n in range(len(cases.rows)) if holds(row_words(cases, n).lower())]
    return [
        n
        for n, row in enumerate(cases.rows)
        if any(all(t.holds(labels) for t in found.terms) for labels in _answering(row))
    ]


def _answering(row: CaseRow) -> Iterator[Mapping[str, str]]:
    """The labels of the pods that answer in a row."""
    for one in row.cells:
        pod = one.trace.outcome.server_pod if one is not None else None
        if one is not None and pod is not None:
            yield one.world.cluster.pods[pod].labels


def _asked(cases: Cases, trace: Trace) -> tuple[int, int]:
    """The cell of the request that is shown; else the first one that somebody can ask."""
    cells = [
        (row, column, one)
        for row, line in enumerate(cases.rows)
        for column, one in enumerate(line.cells)
        if one is not None
    ]
    request = trace.request
    for row, column, one in cells:
        mine = one.trace.request
        if (mine.source, mine.destination) == (request.source, request.destination):
            return row, column
    return cells[0][:2] if cells else (0, 0)
