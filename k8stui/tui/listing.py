"""A full-size list in front of the screen: help, manifest lines, problems, branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    fit,
    hang,
    join,
    line_width,
    middle,
    run,
    text_of,
)
from k8stui.neutralise import neutralise
from k8stui.tui.drawn import Bar
from k8stui.tui.filtering import Filtering
from k8stui.tui.fitted import Fitted
from k8stui.tui.once import Once
from k8stui.tui.pane import Pane
from k8stui.tui.sheet import Sheet

_UNSEEN_COLUMNS = 80
"""For what width lines are made that nobody sees."""


class Told(NamedTuple):
    """One of the things that are said below a list."""

    lead: Line
    text: str
    ink: Ink
    rows: int
    """That it has in any case, and no more than these where the list needs all others."""


def told_below(said: Sequence[Told], width: int, room: int) -> tuple[Line, ...]:
    """What is said below a list, under a rule; on so many rows (`room`) as the list leaves free."""
    lines = [run("─" * width, Ink.FAINT)]
    spare = max(0, room - 1 - sum(one.rows for one in said))
    for lead, text, ink, rows in said:
        indent = line_width(lead)
        made = hang(lead, neutralise(text), width, ink, indent=indent, rows=rows + spare)
        spare -= max(0, len(made) - rows)
        lines += [*made, *[NOTHING] * (rows - len(made))]
    return tuple(lines)


class ListSheet(Sheet):
    """Given lines; with a cursor where a line can be chosen."""

    def __init__(self, title: str, lines: Sequence[Line], chosen: int | None, width: int) -> None:
        self.title = run(middle(title, width - 6), Ink.STRONG)
        self._lines = lines
        self._width = width
        self.cursor = chosen
        self._is_choice = chosen is not None

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, row: int) -> Line:
        line = self._lines[row]
        if self._is_choice and row == self.cursor:
            return tuple((text, Ink.CURSOR) for text, _ in fit(line, self._width))
        return line


class ListScreen(Fitted, Once, Filtering, ModalScreen[int | None]):
    """Shows lines; Enter gives back the chosen one where there is something to choose."""

    BINDINGS: ClassVar = [
        Binding("down,j", "move(1)", "down", id="list-down", tooltip="Down one line"),
        Binding("up,k", "move(-1)", "up", id="list-up", tooltip="Up one line"),
        Binding(
            "pagedown,space,ctrl+d",
            "page(1)",
            "page down",
            id="list-page-down",
            tooltip="Down a page",
        ),
        Binding("pageup,ctrl+u", "page(-1)", "page up", id="list-page-up", tooltip="Up a page"),
        Binding("home,g", "move(-1000000)", "top", id="list-top", tooltip="To the first line"),
        Binding("end,G", "move(1000000)", "end", id="list-end", tooltip="To the last line"),
        Binding("slash", "filter", "filter", id="list-filter", tooltip="Only lines that hold …"),
        Binding("enter", "choose", "choose", id="list-choose", tooltip="Take this line"),
        Binding(
            "escape,q,question_mark,f1,ctrl+c",
            "close",
            "close",
            id="list-close",
            tooltip="Close this list",
        ),
        Binding("ctrl+q", "app.leave", "quit", id="list-quit", tooltip="Leave k8stui"),
    ]

    choosing: ClassVar = "choose"
    """What Enter does with a line, in a word."""

    def __init__(
        self,
        title: str,
        lines: Callable[[int], Sequence[Line]],
        *,
        choices: range | None = None,
        at: int | None = None,
        foot: Callable[[int], Sequence[Told]] | None = None,
    ) -> None:
        """Show `lines` (for a width). `choices`: rows that can be chosen; `at`: the first seen.

        `foot`: row → what is said below about the row under the cursor.
        """
        super().__init__()
        self._foot = foot
        self._title = title
        self._make = lines
        self._made: tuple[int, Sequence[Line]] | None = None
        """Width, and the lines for it: the same until the window changes. None: not drawn yet."""
        self._choices = choices
        self._at = at if at is not None else (choices.start if choices else None)
        self._shown: Sequence[int] | None = None
        """Rows that hold it; None: not looked for yet."""

    def compose(self) -> ComposeResult:
        yield Pane(self._sheet, id="sheet", focused=True)
        yield Bar(self._keys, id="keys")

    def _sheet(self, width: int, height: int) -> Sheet:
        if self._made is None or self._made[0] != width:
            self._made = (width, self._make(width))
            self._shown = None
        chosen = self._at if self._choices else None
        lines = self._lines
        if self.needle:
            rows = self.rows
            chosen = rows.index(self._at) if chosen is not None and self._at in rows else None
            lines = [lines[row] for row in rows]
        sheet = ListSheet(self._title, lines, chosen, width)
        if self.needle:
            sheet.note = run(f"{len(lines):,} of {len(self._lines):,}")
        if self._choices is None and self._at is not None and not self.needle:
            sheet.cursor = self._at
        if self._foot is not None and self._choices and self._at is not None and height >= 16:
            sheet.foot = told_below(self._foot(self._at), width, height - 2 - len(lines))
        return sheet

    @property
    def _lines(self) -> Sequence[Line]:
        """All lines; keys may come before any were drawn, as in a terminal of one column."""
        if self._made is None:
            self._made = (_UNSEEN_COLUMNS, self._make(_UNSEEN_COLUMNS))
        return self._made[1]

    @property
    def rows(self) -> Sequence[int]:
        """Rows that are shown: of those that can be chosen, or of all."""
        lines = self._lines
        if not self.needle:
            return self._choices or range(len(lines))
        if self._shown is None:
            self._shown = [
                row
                for row in self._choices or range(len(lines))
                if self.needle in text_of(lines[row]).lower()
            ]
        return self._shown

    def row_at(self, row: int) -> int | None:
        """The row that stands on a row of the list as it is shown."""
        rows = self.rows if self.needle else range(len(self._lines))
        return rows[row] if 0 <= row < len(rows) else None

    def _keys(self, width: int, _height: int) -> list[Line]:
        if self.types:
            return [self.typed_line(width)]
        choose = (
            (run("Enter ", Ink.KEY), run(f"{self.choosing}   ", Ink.DIM)) if self._choices else ()
        )
        return [
            fit(
                join(
                    (
                        run(" ↑↓ ", Ink.KEY),
                        run("move   ", Ink.DIM),
                        *choose,
                        *self.own_keys(),
                        run("/ ", Ink.KEY),
                        run("filter   ", Ink.DIM),
                        run("Esc ", Ink.KEY),
                        run("close", Ink.DIM),
                    )
                ),
                width,
            )
        ]

    def own_keys(self) -> tuple[Line, ...]:
        """Keys of this list alone, for the lowest line."""
        return ()

    def _pane(self) -> Pane:
        return self.query_one("#sheet", Pane)

    def filter(self, needle: str) -> None:
        """Show only lines that hold it."""
        self.needle, self._shown = needle.lower(), None
        rows = self.rows
        if self._choices and self._at not in rows and rows:
            self._at = rows[0]
        self._pane().look_again()
        self._pane().redraw()
        self.query_one("#keys", Bar).redraw()

    def action_move(self, by: int) -> None:
        if self._choices and self._at is not None:
            rows = self.rows
            if rows:
                here = rows.index(self._at) if self._at in rows else 0
                self._at = rows[max(0, min(here + by, len(rows) - 1))]
            self._pane().redraw()
        else:
            self._pane().scroll_by(by)

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self._pane().page - 1))

    def action_choose(self) -> None:
        if self.rows or not self._choices:
            self.dismiss(self._at if self._choices else None)

    def action_close(self) -> None:
        if self.needle:
            self.filter("")
        else:
            self.dismiss(None)

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        row = self.row_at(event.row)
        if self._choices and row is not None and row in self._choices:
            self._at = row
            self.action_choose()
