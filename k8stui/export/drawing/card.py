"""The packet's header as a card that travels with it: what NAT swaps, and a card in a card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import inf
from operator import add, sub

from k8stui.export.drawing.canvas import Canvas, Cell, Rect
from k8stui.export.drawing.header import endpoint, what
from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    join,
    line_width,
    run,
    skip,
    wrap,
)
from k8stui.export.drawing.words import STOPS, sentence, step_sign
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import StepKind
from k8stui.walk.trace import TraceStep
from k8stui.walk.turns import undone

_NAT = {StepKind.DNAT: "DNAT", StepKind.SNAT: "SNAT", StepKind.PROXY: "proxy"}
_PENALTY = {Ink.FAINT: 4.0, Ink.DIM: 12.0}
"""What it costs to hide a cell that is not blank; any other ink costs `_DEAR`."""
_DEAR = 24.0
_BAR = 0.5
"""Of the wire or a bridge: it goes on behind the card."""
_TOUCH = 0.4
"""Of that for a text or a line that the card would touch."""
_WRONG = 60.0
"""For a place in another node."""
_SPARED = 4
"""Columns that a card has to be narrower before its TTL stands in the lower edge."""
_TOLD = (44, 34)
"""Columns for the reason why a packet goes no further, on at most `_MOST_TOLD` lines."""
_MOST_TOLD = 4
_FAR = 45
"""A card stands at most so many columns from its packet, and `_LOW` rows."""
_LOW = 12


def cards(step: TraceStep, frame: Ink) -> list[list[Line]]:
    """The header after a step, framed; none before there is a packet.

    Where the packet goes no further, with the reason, wide and narrow; then, for where that would
    hide much, with the word alone. A card in a card, then, for where it is too high, beside it.
    """
    after = step.after
    if after is None:
        return []
    before, word = step.before or after, _word(step)
    framed = [_framed(before, after, word, frame, end) for end in _ends(step)]
    if after.carried is not None and step.kind not in STOPS:
        framed.append(_beside(after, after.carried, frame))
    return framed


def closed(step: TraceStep, frame: Ink) -> list[list[Line]]:
    """A card in a card whose inner one is shut: what it is and where it goes, at length and short.

    None of a card without another in it.
    """
    outer = step.after
    inner = outer.carried if outer is not None else None
    if outer is None or inner is None or step.kind in STOPS:
        return []
    *open_, _ = _framed(outer, outer, "", frame, is_whole=False)
    goes = endpoint(inner, source=False)
    return [
        _shut(open_, join((run(" ▷ ", Ink.NAT), run(f"{name} ", ink), run(f"{goes} "))), frame)
        for name, ink in ((what(inner), Ink.STRONG), ("to", Ink.DIM))
    ]


def _shut(rows: Sequence[Line], said: Line, frame: Ink) -> list[Line]:
    """Rows of a card with a lower edge in which something stands; as wide as that needs."""
    width = line_width(rows[0]) - 2
    more = max(0, line_width(said) - width)
    wider = []
    for row, fill in zip(rows, ("─", *" " * len(rows)), strict=False):
        *most, (bar, ink) = row
        wider.append(join((tuple(most), run(bar[:-1] + fill * more + bar[-1], ink))))
    rest = run("─" * (width + more - line_width(said)), frame)
    return [*wider, join((run("└", frame), said, rest, run("┘", frame)))]


def _beside(outer: Packet, inner: Packet, frame: Ink) -> list[Line]:
    """A card in a card, the inner one on the right."""
    left = _framed(outer, outer, "", frame, is_whole=False)
    right = _framed(inner, inner, "", frame)
    height = max(len(left), len(right))
    edges = ["┬", *"│" * (height - 2), "┴"]
    return [
        join((cut(one, line_width(one) - 1, ellipsis=False), run(edge, frame), skip(other, 1)))
        for one, edge, other in zip(_high(left, height), edges, _high(right, height), strict=True)
    ]


def _high(card: list[Line], height: int) -> list[Line]:
    """A card with blank rows above its lower edge."""
    (bar, ink), *_ = card[1]
    blank = join((run(bar[0], ink), run(" " * (line_width(card[0]) - 2)), run(bar[0], ink)))
    return [*card[:-1], *[blank] * (height - len(card)), card[-1]]


def _ends(step: TraceStep) -> list[list[Line]]:
    """Why the packet goes no further, at length and in a word; nothing of one that goes on."""
    if step.kind not in STOPS:
        return [[]]
    whole = [wrap(f"✗ {sentence(step)}", cells)[:_MOST_TOLD] for cells in _TOLD]
    short = [f"✗ {step_sign(step).word}"]
    return [[run(text, Ink.DROP) for text in said] for said in (*whole, short)]


def _word(step: TraceStep) -> str:
    """How a change of addresses is called."""
    word = _NAT.get(step.kind, "")
    return word or undone(step)


def _framed(
    before: Packet,
    after: Packet,
    word: str,
    frame: Ink,
    end: Sequence[Line] = (),
    *,
    is_whole: bool = True,
) -> list[Line]:
    """`is_whole`: with the packet that it carries in it."""
    inner = after.carried if is_whole else None
    title = f" {what(after)}" + (f" vni {after.vni}" if after.vni is not None else "") + " "
    ttl = f" ttl {after.ttl} "
    if after.carried is not None or before.carried is not None:
        before = after  # wrapped or unwrapped: another card, not another header
    body = [
        *_side("src", endpoint(before, source=True), endpoint(after, source=True), word),
        *_side("dst", endpoint(before, source=False), endpoint(after, source=False), word),
    ]
    *wrapped, floor = _framed(inner, inner, "", frame) if inner is not None else [NOTHING]
    mark = _mark(before, after)
    if len(end) == 1 and not mark:  # in the edge, as a mark: a row less
        mark = join((run(" "), end[0], run(" ")))
    else:
        body += end
    life = run(ttl, Ink.CHANGED if before.ttl != after.ttl else Ink.TEXT)
    least = max(line_width(line) for line in body)
    if not mark and inner is None and len(title) + len(ttl) > least + _SPARED:
        mark, life = life, NOTHING  # in the other edge: the card is narrower by that
    least = max(least, line_width(floor) + line_width(mark) - 2)
    width = max(len(title) + line_width(life) + 1, least)
    top = join(
        (
            run("┌", frame),
            run(title, Ink.STRONG),
            run("─" * (width + 2 - len(title) - line_width(life)), frame),
            life,
            run("┐", frame),
        )
    )
    sides = [join((run("│ ", frame), fit(line, width), run(" │", frame))) for line in body]
    sides += [join((run("│", frame), fit(line, width + 2), run("│", frame))) for line in wrapped]
    edge = "".join(text for text, _ in floor).replace("└", "┴").replace("┘", "┴")
    edge += "─" * (width + 2 - len(edge) - line_width(mark))
    return [top, *sides, join((run("└" + edge, frame), mark, run("┘", frame)))]


def _mark(before: Packet, after: Packet) -> Line:
    """Of the packet, but in no header: it stands in the card's edge."""
    if not before.mark and not after.mark:
        return NOTHING
    changed = before.mark != after.mark
    text = f"{after.mark:#x} " if after.mark else "0x0 "
    return join((run(" mark ", Ink.DIM), run(text, Ink.CHANGED if changed else Ink.TEXT)))


def _side(name: str, before: str, after: str, word: str) -> list[Line]:
    """One line of the header; two where it is rewritten: the old one dim, the new one bold."""
    if before == after:
        return [join((run(f"{name} ", Ink.DIM), run(after)))]
    return [
        run(f"{name} {before}", Ink.DIM),
        join((run("  ⇒ ", Ink.CHANGED), run(after, Ink.CHANGED), run(f" {word}", Ink.NAT))),
    ]


class Room:
    """Where on a drawing a card hides least; the sums are made once for a drawing."""

    def __init__(self, canvas: Canvas) -> None:
        self._width, self._height = canvas.width, canvas.height
        self._sums = [[0.0] * (canvas.width + 1)]
        for y in range(canvas.height):
            line = accumulate(_costs(canvas, y), initial=0.0)
            self._sums.append([*map(add, self._sums[-1], line)])

    def place(
        self,
        width: int,
        height: int,
        near: Cell,
        keep: Sequence[Rect],
        elsewhere: Sequence[Rect] = (),
    ) -> Cell | None:
        """The best corner for a card beside `near`; None: it does not fit.

        `keep`: not to hide; `elsewhere`: where the packet is not, and its card seems to be wrong.
        """
        x, y = near
        tops = range(max(0, y - _LOW - height), min(self._height - height, y + _LOW) + 1)
        lefts = range(max(0, x - _FAR - width), min(self._width - width, x + _FAR) + 1)
        asides = sorted((_apart(x, left, width), left) for left in lefts)
        best, least = None, (inf, 0, 0)
        # The nearest first: whatever is further away than the best one costs can be left out.
        for off, top in sorted((_apart(y, top, height), top) for top in tops):
            if 4.0 * off > least[0]:
                break
            up_to = [*map(sub, self._sums[top + height], self._sums[top])]  # as in _cost
            up_to = [0.0, *up_to, up_to[-1]]  # beside the first column and the last is nothing
            kept = _columns(keep, top, height)
            wrong = _columns(elsewhere, top, height)
            for aside, left in asides:
                cost = 4.0 * off + 0.7 * aside
                if cost > least[0]:
                    break
                right = left + width
                hidden = up_to[right + 1] - up_to[left + 1]
                cost += hidden
                if cost > least[0]:
                    continue
                cost += _TOUCH * (up_to[right + 2] - up_to[left] - hidden)
                if cost > least[0] or _share(left, right, kept):
                    continue
                cost += _WRONG * _share(left, right, wrong)
                if (cost, top, left) < least:
                    best, least = (left, top), (cost, top, left)
        return best

    def hides(self, at: Rect) -> float:
        """What it costs to hide what stands there."""
        return self._cost(*at)

    def touches(self, at: Rect) -> float:
        """What it would cost to hide what stands right beside it."""
        x, y, width, height = at
        left, right = max(0, x - 1), min(self._width, x + width + 1)
        return self._cost(left, y, right - left, height) - self._cost(*at)

    def _cost(self, x: int, y: int, width: int, height: int) -> float:
        low, high = self._sums[y], self._sums[y + height]
        return high[x + width] - high[x] - low[x + width] + low[x]


def _apart(at: int, first: int, size: int) -> int:
    """How far a stretch of `size` cells from `first` is from a cell."""
    return first - at if first > at else max(0, at - (first + size - 1))


def _columns(rects: Iterable[Rect], top: int, height: int) -> list[tuple[int, int]]:
    """The columns (the last excluded) of those that have one of some rows."""
    return [
        (at.x, at.x + at.width) for at in rects if top < at.y + at.height and at.y < top + height
    ]


def _share(left: int, right: int, columns: list[tuple[int, int]]) -> bool:
    """Whether one of them has a column from `left` to `right` (excluded)."""
    return any(left < end and first < right for first, end in columns)


def meets(x: int, y: int, width: int, height: int, rect: Rect) -> bool:
    return (
        x < rect.x + rect.width
        and rect.x < x + width
        and y < rect.y + rect.height
        and rect.y < y + height
    )


def _costs(canvas: Canvas, y: int) -> list[float]:
    costs: list[float] = []
    for text, ink in canvas.line(y):
        price = _PENALTY.get(ink, _DEAR)
        costs += [0.0 if char == " " else _BAR if char == "━" else price for char in text]
    return (costs + [0.0] * canvas.width)[: canvas.width]
