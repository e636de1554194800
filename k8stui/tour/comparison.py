"""A position that is a comparison: how it is written, and the table or the two walks it shows.

``compare: ways``, ``compare: {setting: externalTrafficPolicy=Local}``, ``against: PATH``.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.manifests.tree import TreeNode
from k8stui.record import record
from k8stui.tour.page import TourPage, Words
from k8stui.tour.tour import Compare
from k8stui.walk.cases import Case, Cases
from k8stui.walk.compare import current, vary
from k8stui.walk.comparisons import Kind, table
from k8stui.walk.error import RequestError
from k8stui.walk.trace import Trace
from k8stui.walk.world import World

_FIELDS = ("table", "case", "column", "beside", "setting")
_MAX_TEXT = 500


@record(kw_only=True, eq=False)
class ShownComparison:
    """A table with its cursor, or two of its cases side by side."""

    kind: Kind
    cases: Cases
    row: int
    column: int
    pair: tuple[Case, Case] | None = None
    """Side by side; None: the table is shown."""
    step: int | None = None
    """0-based, of the second of them; None: where they part."""
    other: World | None = None
    """The other input, where that is compared with."""
    called: str = ""
    """By its name."""


def read_compare(page: TourPage, node: TreeNode | None, against: Words | None) -> Compare | None:
    """What a position compares; `against` alone means the table of both inputs."""
    if node is None:
        if against is None:
            return None
        return Compare(at=against.at, table=Words(Kind.VERSIONS, against.at))
    if not node.mapping:
        kind = page.words(node, "compare", _MAX_TEXT)
        return Compare(at=node.start, table=kind) if _is_kind(page, kind, against) else None
    fields = page.fields(node, "compare", _FIELDS)
    found = {name: page.words(one, name, _MAX_TEXT) for name, one in fields.items()}
    given = {name: words for name, words in found.items() if words is not None}
    beside = given["beside"].text if "beside" in given else ""
    if beside not in ("", "true", "false"):
        page.wrong(given["beside"].at, f"beside is true or false, not {beside!r}")
    if "setting" in given:
        for name in ("table", "case", "column"):
            if name in given:
                page.wrong(given[name].at, f"a setting is its own {name}", "leave it out")
        return Compare(at=node.start, setting=given["setting"], is_beside=beside != "false")
    kind = given.get("table")
    if kind is None and against is not None:
        kind = Words(Kind.VERSIONS, against.at)
    if kind is None:
        page.wrong(node.start, "compare says nothing of what", "add: table: ways, or setting: …")
        return None
    if not _is_kind(page, kind, against):
        return None
    return Compare(
        at=node.start,
        table=kind,
        case=given.get("case"),
        column=given.get("column"),
        is_beside=beside == "true",
    )


def _is_kind(page: TourPage, words: Words | None, against: Words | None) -> bool:
    if words is None:
        return False
    if words.text not in tuple(Kind):
        page.unknown(words, f"there is no table {words.text!r}", tuple(Kind))
        return False
    if words.text == Kind.VERSIONS and against is None:
        page.wrong(words.at, "versions of what?", "add: against: PATH, relative to this file")
        return False
    return True


class Comparing:
    """Makes tables, each once."""

    def __init__(self, page: TourPage) -> None:
        self._page = page
        self._made: dict[tuple[int, int, Kind, int], Cases] = {}

    def made(
        self,
        wanted: Compare,
        world: World,
        trace: Trace,
        other: tuple[World, str] | None,
    ) -> ShownComparison | None:
        """What is shown of the walk of a world; None, and a mistake noted, where nothing is."""
        turned = ""
        kind = Kind(wanted.table.text) if wanted.table is not None else Kind.SETTINGS
        if wanted.setting is not None:
            turned = self._turned(wanted.setting, world, trace)
            if not turned:
                return None
        cases = self._cases(wanted, world, trace, kind, other)
        if cases is None:
            return None
        names = [row.name for row in cases.rows]
        row = names.index(turned) if turned else self._number(wanted.case, "case", names)
        column = self._number(wanted.column, "column", cases.columns)
        if row is None or column is None:
            return None
        one = cases.at(row, column)
        if one is None:
            self._page.wrong((wanted.case or wanted.column or wanted).at, "nobody can ask this")
            return None
        pair = None
        if wanted.is_beside:
            partner = cases.partner(row, column)
            if partner is None:
                self._page.wrong(wanted.at, "there is nothing to set beside it")
                return None
            pair = (one, partner) if one is cases.first(row, column) else (partner, one)
        return ShownComparison(
            kind=kind,
            cases=cases,
            row=row,
            column=column,
            pair=pair,
            other=other[0] if other is not None else None,
            called=other[1] if other is not None else "",
        )

    def _turned(self, setting: Words, world: World, trace: Trace) -> str:
        """The row of ``SETTING=VALUE``; nothing, and a mistake noted, where there is none."""
        try:
            found = vary(world, trace.request, setting.text)
        except RequestError as error:
            self._page.refused(setting.at, error)
            return ""
        if current(world, trace.request, found.setting) is None:
            said = f"{found.setting} is {found.value_before}"
            self._page.wrong(setting.at, said, "compare another setting")
            return ""
        if found.value_before == found.value_after:
            said = f"{found.setting} is {found.value_after} already"
            self._page.wrong(setting.at, said, "compare it with another value")
            return ""
        return f"{found.setting} {found.value_after}"

    def _cases(
        self,
        wanted: Compare,
        world: World,
        trace: Trace,
        kind: Kind,
        other: tuple[World, str] | None,
    ) -> Cases | None:
        after, called = other if other is not None else (None, "")
        key = (id(world), id(trace), kind, id(after))
        if key not in self._made:
            try:
                self._made[key] = table(world, trace, kind, after, called)
            except RequestError as error:
                self._page.refused((wanted.table or wanted).at, error)
                return None
        return self._made[key]

    def _number(self, words: Words | None, what: str, names: Sequence[str]) -> int | None:
        if words is None:
            return 0
        text = words.text.replace("->", "─▶")
        if text in names:
            return names.index(text)
        self._page.unknown(words, f"there is no {what} {words.text!r}", names)
        return None
