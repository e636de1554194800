"""Chain: the rules that decide now, as iptables-save prints them; ten thousand cost nothing.

Rows are made when they are drawn: a row number becomes a rule, a part of the matching rule, or a
fold, by arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8stui.export.drawing.ink import (
    NOTHING,
    Ink,
    Line,
    cut,
    fit,
    hang,
    join,
    line_width,
    middle,
    run,
    sides,
    text_of,
    width_of,
    wrap,
)
from k8stui.export.drawing.words import origin_line, sentence
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import Met, RuleCause, StepKind
from k8stui.neutralise import neutralise
from k8stui.origin import Origin
from k8stui.tui.needle import understood
from k8stui.tui.sheet import Sheet, Spread, moved_over
from k8stui.tui.state import State

_LEAST_ROWS = 3
"""Rows that the reason below leaves to the rules."""
_MOST_BECAUSE = 9
_AROUND = 2
"""Rules shown on either side of the matching one while the others are folded."""
_WORTH_FOLDING = 6
"""A shorter run of rules is shown."""


@dataclass(frozen=True, slots=True)
class ShownChain:
    """The chain on show: that of the step, or one opened from it."""

    namespace: str
    table: str
    chain: Chain
    path: tuple[str, ...]
    """Breadcrumb of chains, the shown one last."""
    index: int
    """1-based place of the rule that decided; 0: the policy, or nothing (a chain only read)."""
    matched: frozenset[int]
    decided: bool
    """Whether the step under the cursor was decided in this chain."""
    met: tuple[Met, ...] = ()
    """Elements of nftables' sets and maps that the rule found."""

    @property
    def is_nft(self) -> bool:
        return " " in self.table


def shown_chain(state: State) -> ShownChain | None:
    """What the Chain pane has to show; None when the step is no rule, and no chain is opened."""
    step, hop = state.step, state.hop
    if step is None or hop is None:
        return None
    cause = step.cause
    path = state.breadcrumb()
    if state.chain.browsed and state.world is not None and step.before is not None:
        table, name = state.chain.browsed[-1]
        namespace = state.world.network[hop.namespace]
        chain = namespace.chain(step.before.src.version, table, name)
        if chain is not None:
            path = (*path, *(name for _, name in state.chain.browsed))
            return ShownChain(hop.namespace, table, chain, path, 0, frozenset(), decided=False)
    if not isinstance(cause, RuleCause):
        return None
    return ShownChain(
        hop.namespace,
        cause.table,
        cause.chain,
        path,
        cause.index,
        state.matched_rules(),
        decided=True,
        met=cause.met,
    )


class ChainSheet(Sheet):
    """The Chain pane when a rule or a policy decided."""

    def __init__(self, shown: ShownChain, state: State, width: int, height: int) -> None:
        self.shown = shown
        self._state = state
        self._width = width
        self._count = len(shown.chain.rules)
        self._whole = width >= 120
        self._digits = len(str(self._count))
        self._lit = self._matching_lines()
        self.title = chain_title(shown.namespace, f"{shown.table} · {shown.chain.name}", width)
        self.head = (*_breadcrumb(shown.path, width), _policy(shown, self._count, width))
        self._spread: Spread | None = None
        self._fold()
        self._place_cursor(None)
        self.note = run(self._note())
        if not self._above and not self._below:  # whatever the cursor is on
            foot = self._because(height, moved=False)
            room = height - 2 - len(self.head) - len(foot)
            count = self._count + self._has_policy
            self._spread = Spread.within(room, count, self._whole_rule)
        self._place_cursor(state.chain.cursor)
        self.foot = self._because(height, moved=state.chain.cursor is not None)

    def _place_cursor(self, moved: int | None) -> None:
        shown = self.shown
        if shown.index:
            self.cursor = self._row_of(shown.index)
        elif shown.decided and shown.chain.policy:
            self.cursor = len(self) - 1
        else:
            self.cursor = 0
        if moved is not None:
            self.cursor = max(0, min(moved, len(self) - 1))
        if shown.index and self.cursor == self._row_of(shown.index):
            self.extent = len(self._lit)

    # Rows: [rules or a fold above] [the matching rule, wrapped] [rules or a fold below] [policy]

    def _fold(self) -> None:
        index, count = self.shown.index, self._count
        closed = not self._state.chain.unfolded and self.shown.decided
        above = max(0, index - 1 - _AROUND) if index else max(0, count - _AROUND)
        below = max(0, count - index - _AROUND) if index else 0
        self._above = above if closed and above >= _WORTH_FOLDING else 0
        self._below = below if closed and below >= _WORTH_FOLDING else 0
        self._has_policy = bool(self.shown.chain.policy)

    def __len__(self) -> int:
        if self._spread is not None:
            return len(self._spread.rows)
        return (
            self._count
            - self._above
            + bool(self._above)
            - self._below
            + bool(self._below)
            + max(0, len(self._lit) - 1)
            + self._has_policy
        )

    def _row_of(self, index: int) -> int:
        """Row of the 1-based rule `index`, which is not folded away."""
        if self._spread is not None:
            return self._spread.first[index - 1]
        row = index - 1 - self._above + bool(self._above)
        if self.shown.index and index > self.shown.index:
            row += len(self._lit) - 1
        return row

    def rule_at(self, row: int) -> tuple[int, int] | None:
        """(1-based rule, line of it) on `row`; None on a fold or the policy."""
        if self._spread is not None:
            entry, part = self._spread.rows[row]
            return (entry + 1, part) if entry < self._count else None
        if self._above:
            if row == 0:
                return None
            row += self._above - 1
        lit = self.shown.index
        if lit and row >= lit - 1:
            part = row - (lit - 1)
            if part < len(self._lit):
                return lit, part
            row -= len(self._lit) - 1
        if row >= self._count - self._below:
            return None
        return row + 1, 0

    def is_fold(self, row: int) -> bool:
        if self._above and row == 0:
            return True
        return bool(self._below) and row == len(self) - 1 - self._has_policy

    def first_folded(self, row: int) -> int | None:
        """Row that the first rule of the fold on `row` has once everything is unfolded."""
        if not self.is_fold(row):
            return None
        if self._above and row == 0:
            return 0
        return self._count - self._below + max(0, len(self._lit) - 1)

    def line(self, row: int) -> Line:
        found = self.rule_at(row)
        at_cursor = self._state.chain.cursor is not None and row == self.cursor
        if self._spread is not None:
            line = self._spread.line(row)
        else:
            line = self._other_line(row) if found is None else self._rule_line(*found)
        if at_cursor:
            return tuple((text, Ink.CURSOR) for text, _ in fit(line, self._width))
        return line

    def _other_line(self, row: int) -> Line:
        if self.is_fold(row):
            upper = self._above and row == 0
            count = self._above if upper else self._below
            first = self.shown.chain.rules[0 if upper else self._count - 1]
            what = _difference(first.text) if upper else "not looked at"
            return run(f" ┄ {count:,} rules: {what} ┄  (Enter opens)", Ink.DIM)
        return self._policy_line()

    def _policy_line(self) -> Line:
        policy = f"   policy {self.shown.chain.policy}"
        if self.shown.decided and not self.shown.index:
            drops = self.shown.chain.policy == "DROP"
            ink = Ink.DROP if drops else Ink.MATCH
            mark = "✗ DROP" if drops else "MATCH"
            return sides(run("▶" + policy[1:], ink), run(f"{mark} ", ink), self._width)
        return run(policy, Ink.DIM)

    def _rule_line(self, index: int, part: int) -> Line:
        if index == self.shown.index:
            return self._lit[part]
        lead, text, ink = self._other_rule(index)
        return cut(join((lead, run(text, ink))), self._width)

    def _whole_rule(self, entry: int) -> list[Line]:
        """All rows of a rule, counted from 0, or of the policy behind the last one."""
        if entry == self._count:
            return [self._policy_line()]
        if entry + 1 == self.shown.index:
            return self._lit
        lead, text, ink = self._other_rule(entry + 1)
        taken = line_width(lead)
        texts = wrap(text, self._width - taken - 1, indent=2)
        leads = (lead, *(run(" " * taken) for _ in texts[1:]))
        return [join((one, run(part, ink))) for one, part in zip(leads, texts, strict=True)]

    def _other_rule(self, index: int) -> tuple[Line, str, Ink]:
        """What leads a rule that did not decide, its text, and its ink."""
        passed = index in self.shown.matched
        lead = run(f" {'✓' if passed else ' '}{index:>{self._digits}} ", Ink.DIM)
        text = neutralise(self._text(self.shown.chain.rules[index - 1]))
        return lead, text, Ink.TEXT if passed or not self.shown.decided else Ink.DIM

    def _text(self, rule: Rule) -> str:
        prefix = f"-A {self.shown.chain.name} "
        return rule.text if self._whole else rule.text.removeprefix(prefix)

    def _matching_lines(self) -> list[Line]:
        index = self.shown.index
        if not index:
            return []
        rule = self.shown.chain.rules[index - 1]
        lead = f"▶ {index:>{self._digits}} "
        room = self._width - len(lead) - 7
        texts = wrap(neutralise(rule.text), room, indent=2)
        for one in self.shown.met:
            texts += wrap(neutralise(f"@{one.name}: {one.element.text}"), room - 2, indent=4)
        lines = [
            fit(run((lead if not n else " " * len(lead)) + text, Ink.MATCH), self._width - 6)
            for n, text in enumerate(texts)
        ]
        last = join((lines[-1], run("MATCH ", Ink.MATCH)))
        return [fit(line, self._width, Ink.MATCH) for line in (*lines[:-1], last)]

    def _note(self) -> str:
        total = f"{self._count:,} rule{'' if self._count == 1 else 's'}"
        if self.shown.index:
            return f"rule {self.shown.index:,} of {total}"
        return total if self.shown.decided else f"{total}, only read"

    def selected(self) -> Rule | None:
        """The rule under the cursor."""
        found = self.rule_at(self.cursor or 0) if len(self) else None
        return self.shown.chain.rules[found[0] - 1] if found else None

    def _because(self, height: int, *, moved: bool) -> tuple[Line, ...]:
        """Why the rule under the cursor is there; `moved`: whether that is another one."""
        if height < 9:
            return ()
        rule = self.selected()
        lines: list[Line] = [run("─" * self._width, Ink.FAINT)]
        if moved and rule is not None and height >= 14 and self._spread is None:
            texts = wrap(neutralise(rule.text), self._width - 2, indent=2)
            lines += [run(" " + text) for text in texts[:4]]
        why = rule.reason if rule is not None else None
        step = self._state.step
        if not moved and step is not None and isinstance(step.cause, RuleCause):
            why = step.cause.reason if self.shown.decided else why
        if step is not None and step.kind is StepKind.SNAT and self.shown.decided and not moved:
            # Why *this* packet: the rule is the same for all that is marked.
            changed, _, reason = sentence(step).partition(", because ")
            said, origin = reason or changed, step.origin
            owner = f"  ({why.owner})" if why is not None and why.owner else ""
        elif why is not None:
            said, origin = why.text, why.origin or None
            owner = f"  ({why.owner})" if why.owner else ""
        else:
            said, owner = "nobody said why: the rule is as it was found", ""
            origin = step.origin if step is not None and not moved else None
            if rule is None:
                said = "no rule of the chain matched: the policy" if self._has_policy else ""
        if said:
            said += owner
        room = height - 2 - len(self.head) - len(lines) - max(_LEAST_ROWS, self.extent)
        return (*lines, *because_lines(said, origin, self._width, min(room, _MOST_BECAUSE)))

    def moved(self, row: int, by: int) -> int:
        if self._spread is not None:
            return self._spread.moved(row, by)
        lit = self._row_of(self.shown.index) if self.shown.index else None
        return moved_over(lit, len(self._lit), row, by, len(self))

    def copied(self, row: int) -> str:
        found = self.rule_at(row)
        return self.shown.chain.rules[found[0] - 1].text if found else super().copied(row)

    def find(self, needle: str, start: int, direction: int) -> int | None:
        """Look at rules' text, not at rows, so that folded rules are found as well."""
        rules = self.shown.chain.rules
        here = self.rule_at(start)
        base = here[0] - 1 if here else 0
        is_it = understood(needle).finder()
        for n in range(self._count):
            at = (base + n * direction) % self._count
            if is_it(rules[at].text.lower()):
                self._state.chain.unfolded = True
                self._fold()
                return self._row_of(at + 1)
        return None


def chain_title(namespace: str, what: str, width: int) -> Line:
    """Title of the Chain pane: where, and what is shown; of the two the place gives way."""
    room = max(8, width - len("─ 3 Chain   · ─") - width_of(what))
    where = f"  {middle(neutralise(namespace), room)} · {neutralise(what)}"
    return join((run("3 ", Ink.KEY), run("Chain", Ink.STRONG), run(where)))


def because_lines(said: str, origin: Origin | None, width: int, room: int) -> list[Line]:
    """Why it is so, and where that is written: all of it where there is room, at least a line each.

    Two rows of each are always kept, so that little moves between two steps.
    """
    where = origin_line(origin)
    needed = len(hang(run(" " * 10), text_of(where), width - 1, indent=10)) if where else 1
    rows = max(1, room - min(needed, 2))
    lines: list[Line] = []
    if said:
        lead = run(" because  ", Ink.DIM)
        lines = hang(lead, neutralise(said), width - 1, indent=10, rows=rows)
        lines += [NOTHING] * (min(2, rows) - len(lines))
    if not where:
        return [*lines, NOTHING]
    rows = max(1, room - len(lines))
    lead, ink = run(" from     ", Ink.DIM), where[0][1]
    return [*lines, *hang(lead, text_of(where), width - 1, ink, indent=10, rows=rows)]


def _difference(text: str) -> str:
    """Why the rules of a fold did not match, in two words."""
    if " -d " in text or " --to-ports" in text:
        return "other destinations"
    return "other ports" if "--dport" in text else "no match"


def _policy(shown: ShownChain, count: int, width: int) -> Line:
    """The chain's own line of iptables-save, or as nft names a chain or a set."""
    chain = shown.chain
    text = f" :{chain.name} {chain.policy or '-'} [0:0]"
    if shown.is_nft:
        text = f" {chain.name}" if chain.name.startswith("@") else f" chain {chain.name}"
    return cut(sides(run(neutralise(text), Ink.DIM), run(f"{count:,} ", Ink.FAINT), width), width)


def _breadcrumb(path: tuple[str, ...], width: int) -> tuple[Line, ...]:
    """``PREROUTING ▸ KUBE-SERVICES ▸ …`` on at most two lines; the middle gives way."""
    names = [neutralise(name) for name in path]
    while names:
        lines: list[list[str]] = [[]]
        used = 1
        for name in names:
            if lines[-1] and used + 3 + len(name) > width - 1:
                lines.append([])
                used = 1
            used += len(name) + 3
            lines[-1].append(name)
        if len(lines) <= 2 or len(names) <= 2:
            break
        middle = 1 if names[1] != "…" else 2
        names[middle : middle + 1] = ["…"] if names[1] != "…" else []
    drawn: list[Line] = []
    for at, group in enumerate(lines):
        last = at == len(lines) - 1
        lead = run(" " if not at else " ▸ ", Ink.DIM)
        inner = [
            run(name, Ink.STRONG if last and n == len(group) - 1 else Ink.TEXT)
            for n, name in enumerate(group)
        ]
        parts = [lead]
        for n, part in enumerate(inner):
            parts += [run(" ▸ ", Ink.DIM), part] if n else [part]
        drawn.append(cut(join(parts), width))
    return tuple(drawn)
