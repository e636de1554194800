"""Stretches of a dump that are alike but for their values: the parser sees one of each shape.

A dump repeats itself: ten thousand pods, and in most of their lines only a name or a number
differs. A stretch's *shape* is its lines with the values of simple one-line scalars left out. The
first two stretches of a shape go through libyaml; at the second one the places of the values are
noted in a `Slots` (judged by libyaml's marks), and from then on values are taken from there. Every
structure was thus accepted by the real parser, and what varies cannot change a structure
(docs/facts/speed.md section 2, "The shape cache").
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import field
from itertools import accumulate
from typing import Any

from k8stui.manifests import events, tree
from k8stui.manifests.events import Skip, YamlFault
from k8stui.manifests.fits import fits
from k8stui.manifests.scalars import Resolved, ScalarError
from k8stui.manifests.schema.objects import Kind
from k8stui.manifests.schema.types import ANY, ListOf, MapOf, Scalar, Struct, Type
from k8stui.record import record

MOST = 10_000
"""Lines or shapes that are remembered at a time."""

_RECENT = 100
"""Values of one part that are remembered at a time."""

_SAFE = "[A-Za-z0-9_./@+=-]"
_LINE = re.compile(
    # Blanks, dashes and a key. What says how to read the rest is no value: it stays in the shape.
    r"(\ *(?:-\ )*(?:(?!kind:|apiVersion:)[A-Za-z0-9_./-]+:\ )?)"
    # A plain scalar that no context takes for anything else (YAML 1.1, section 9.1.3), or a
    # quoted one without escapes. ASCII alone: some of the rest break lines or are refused.
    rf"(?:(?=[A-Za-z0-9_/.])({_SAFE}+(?:(?:\ |:+){_SAFE}+)*)"
    r"""|"([ !\#-\[\]-~]+)"|'([ -&(-~]+)'"""
    # A line of JSON, as it stands under kubectl's last-applied-configuration.
    r"""|(?<![-:]\ )(\{"[ -~]*\}))""",
    re.VERBOSE,
)
_ODD = re.compile(r"[&*!]|^ *\? ", re.MULTILINE)
"""In what has no value: perhaps an anchor, an alias, a tag, a key that is a mapping."""
_MARKS = ("", "", "\0", '\0"', "\0'", "\0{")
"""What stands in a line's shape for the value in each group; libyaml takes no text with a NUL."""


Key = str | int


@record(frozen=False, eq=False)
class Slots:
    """Where the values stand in all stretches of one shape; a mapping's or a list's part of it.

    Leaves are (key or index, line, column), sorted by what the schema wants of them.
    """

    template: Any
    """The mapping or list with the values that are the same in all, and all keys in order."""
    texts: list[tuple[Key, int, int]]
    """Plain scalars where any text fits, but nothing else."""
    free: list[tuple[Key, int, int]]
    """Plain scalars that the schema does not look at."""
    quoted: list[tuple[Key, int, int]]
    bound: list[tuple[Key, int, int, Type, set[str]]]
    """Plain scalars that are to be numbers, in a range, one of a few words; those that were."""
    below: list[tuple[Key, Slots]]
    used: list[int]
    """Lines that all of this comes from."""
    made: dict[tuple[str, ...], Any] = field(default_factory=dict)
    """What was made of these lines of late: replicas share it. Nobody changes what was read."""

    def shared(
        self, lines: list[str], scalars: Mapping[str, object], unsure: list[KnownShape]
    ) -> Any:
        """As `build`; of the same lines the same value."""
        key = tuple(map(lines.__getitem__, self.used))
        value = self.made.get(key)
        if value is None:
            before = len(unsure)
            value = self.build(lines, scalars, unsure)
            if len(unsure) == before:
                if len(self.made) >= _RECENT:
                    self.made.clear()
                self.made[key] = value
        return value

    def build(
        self, lines: list[str], scalars: Mapping[str, object], unsure: list[KnownShape]
    ) -> Any:
        """Make the value that `lines` stand for."""
        out = self.template.copy()
        for key, line, column in self.texts:
            out[key] = value = scalars[lines[line][column:]]
            if value.__class__ is not str:
                unsure.append(KnownShape())
        for key, line, column in self.free:
            out[key] = scalars[lines[line][column:]]
        for key, line, column in self.quoted:
            out[key] = lines[line][column:-1]
        for key, line, column, wanted, fitting in self.bound:
            text = lines[line][column:]
            out[key] = value = scalars[text]
            if text not in fitting:
                # A null is as if nothing was there, which only the whole mapping can judge.
                if value is not None and fits(value, wanted):
                    fitting.add(text)
                else:
                    unsure.append(KnownShape())
        for key, plan in self.below:
            out[key] = plan.shared(lines, scalars, unsure)
        return out


class ShapedLines(dict[str, str]):
    """Line → its shape: the line with the value taken out, the line itself where none is."""

    def __missing__(self, line: str) -> str:
        match = _LINE.fullmatch(line)
        shape = line[: match.end(1)] + _MARKS[match.lastindex or 0] if match else line
        if len(self) >= MOST:
            self.clear()
        self[line] = shape
        return shape


@record(frozen=False, eq=False)
class KnownShape:
    """What is known of one shape."""

    plan: Slots | None = None
    irregular: bool = False
    """It has no plan: the parser reads each stretch."""
    fits: bool = False
    """The schema had nothing against a stretch of it."""


class Shapes:
    """Reads stretches of YAML, each one block mapping, and keeps what it learns from them."""

    def __init__(self) -> None:
        self.unsure: list[KnownShape] = []
        """What the schema has to be asked about, of the stretches read since this was empty."""
        self.doubled = False
        """In one of them a key stood twice."""
        self._lines = ShapedLines()
        self._scalars = Resolved()
        self._known: dict[tuple[Kind | None, tuple[str, ...]], KnownShape] = {}

    def read(self, stretch: str, skip: Skip | None, kind: Kind | None) -> dict[str, object]:
        """Give the mapping that `stretch`, a part of an object of this kind, holds.

        Raises:
            YamlFault: it is not YAML, or no mapping.

        """
        lines = stretch.split("\n")
        shape = tuple(map(self._lines.__getitem__, lines))
        known = self._known.get((kind, shape))
        if known is not None and known.plan is not None:
            try:
                built: dict[str, object] = known.plan.build(lines, self._scalars, self.unsure)
            except ScalarError:
                pass  # libyaml's way can say where
            else:
                if not known.fits:
                    self.unsure.append(known)
                return built
        reading = events.read(stretch, skip)
        value = reading.value
        if not isinstance(value, dict):
            raise YamlFault("a mapping is expected here", 0)
        self.doubled |= bool(reading.doubled)
        if known is None:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[kind, shape] = KnownShape()
        elif known.plan is None and not known.irregular:
            known.irregular = True
            if not reading.doubled:
                known.plan = _plan(stretch, lines, shape, value, kind)
        self.unsure.append(known)
        return value

    def fits(self) -> None:
        """Note that the schema has nothing against what was unsure."""
        for known in self.unsure:
            known.fits = True
        self.unsure.clear()


class IrregularError(Exception):
    """Something stands where shapes cannot follow it: the parser has to look."""


def _plan(
    stretch: str,
    lines: list[str],
    shape: tuple[str, ...],
    value: dict[str, object],
    kind: Kind | None,
) -> Slots | None:
    """Find the place of each value of `value` in the lines; None where one cannot be told."""
    try:
        root = tree.tree(stretch)
        if root is None:
            return None
        planner = _Planner(stretch, lines, shape)
        planner.judge(root)
        return planner.plan(value, root, kind.fields if kind else ANY)
    except (IrregularError, YamlFault):
        return None


def judged(
    root: tree.TreeNode, stretch: str, lines: list[str], shape: tuple[str, ...]
) -> list[int]:
    """Hold a stretch's shape against what the parser made of it. Gives the offset of each line.

    Raises:
        IrregularError: another stretch of this shape might be something else.

    """
    planner = _Planner(stretch, lines, shape)
    planner.judge(root)
    return planner.starts


class _Planner:
    def __init__(self, stretch: str, lines: list[str], shape: tuple[str, ...]) -> None:
        self.stretch, self.lines, self.shape = stretch, lines, shape
        self.starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self.open = {at for at, mark in enumerate(shape) if "\0" in mark}
        """Lines with a value that no scalar of the parser's has claimed."""

    def stretch_of(self, node: tree.TreeNode) -> tuple[int, int]:
        """First and last line of a node. A block's end mark stands before what follows it."""
        first, last = bisect_right(self.starts, node.start) - 1, node
        while last.entries:
            last = last.entries[-1].node
        return first, max(first, bisect_right(self.starts, last.end - 1) - 1)

    def judge(self, root: tree.TreeNode) -> None:
        """Hold each line's value against the parser's marks.

        Raises:
            IrregularError: not every value is a scalar of its own, or something refers to another.

        """
        pairs = zip(self.lines, self.shape, strict=True)
        if any(line is mark and _ODD.search(line) for line, mark in pairs):
            raise IrregularError
        self._claim(root)
        if self.open:
            raise IrregularError

    def _claim(self, node: tree.TreeNode) -> None:
        if node.merged:
            raise IrregularError
        first, last = self.stretch_of(node)
        if node.text is None:
            if self.stretch[node.start] in "[{" and first != last:
                raise IrregularError  # a comma in a value would count
            for entry in node.entries:
                self._claim(entry.node)
        elif first == last:
            mark = self.shape[first]
            if "\0" in mark:
                if (node.start, node.end) != (
                    self.starts[first] + mark.index("\0"),
                    self.starts[first] + len(self.lines[first]),
                ):
                    raise IrregularError
                self.open.discard(first)
        else:
            for at in range(first, last + 1):
                # A quote would end a scalar in quotes; a plain value changes nothing.
                if node.style not in ("|", ">") and self.shape[at][-2:-1] == "\0":
                    raise IrregularError
                self.open.discard(at)

    def plan(self, value: Any, node: tree.TreeNode, type_: Type) -> Slots:
        plan = Slots(value.copy(), [], [], [], [], [], [])
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            entry = node.child(key)
            if entry is None:
                raise IrregularError
            below = entry.node
            first, last = self.stretch_of(below)
            if not any("\0" in mark for mark in self.shape[first : last + 1]):
                continue  # the same in all stretches of this shape
            wanted = _below(type_, key)
            if below.text is None:
                part = self.plan(one, below, wanted)
                plan.below.append((key, part))
                plan.used += part.used
            elif first != last:
                raise IrregularError
            else:
                self.leaf(plan, key, first, wanted)
        return plan

    def leaf(self, plan: Slots, key: Key, line: int, wanted: Type) -> None:
        plan.used.append(line)
        mark = self.shape[line]
        column = mark.index("\0")
        types = wanted.types if isinstance(wanted, Scalar) else ()
        if not mark.endswith("\0"):
            if wanted is not ANY and str not in types:
                raise IrregularError
            plan.quoted.append((key, line, column + 1))
        elif wanted is ANY:
            plan.free.append((key, line, column))
        elif types == (str,):
            plan.texts.append((key, line, column))
        else:
            plan.bound.append((key, line, column, wanted, set()))


def _below(type_: Type, key: Key) -> Type:
    """What the schema wants one level down; unknown fields were noted when the shape was new."""
    if isinstance(type_, Struct):
        return type_.fields.get(key, ANY) if isinstance(key, str) else ANY
    if isinstance(type_, ListOf):
        return type_.item
    return type_.value if isinstance(type_, MapOf) else ANY
