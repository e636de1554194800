"""Everything that is wrong with one object's text, not only the first thing.

A broken line is mended in memory and reading goes on, until nothing new turns up; so one look at
a file tells all its mistakes. What was mended is only ever shown, never loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate

from k8stui.manifests import outline, repair
from k8stui.manifests.check import Fault, Mend
from k8stui.manifests.events import YamlFault, read
from k8stui.manifests.repair import Mark, Repair
from k8stui.manifests.secrecy import ShownLine, Veil
from k8stui.manifests.suspicion import suspicious
from k8stui.manifests.tree import TreeNode, find, tree
from k8stui.record import record

MAX_ROUNDS = 60
"""Mends in one object; more than that is no Kubernetes file."""
_MEANT = "did you mean:\n"
MAX_PER_LINE = 3
"""Mends of one line; a line that needs more was guessed wrongly."""


@record()
class BrokenText:
    """One mistake in a piece of text. Line and column count from 0 in the piece as given."""

    line: int
    column: int
    message: str
    hint: str
    note: bool
    shown: ShownLine


Judge = Callable[[Mapping[str, object]], list[Fault]]


def examine(piece: str, judge: Judge, *, secret: bool = False) -> list[BrokenText]:
    """Find all mistakes in `piece`, in the order of its lines.

    `judge` gives the faults of the object once it can be read. `secret`: it is known to be one.
    """
    return _Examination(piece, judge, secret=secret).run()


class _Examination:
    def __init__(self, piece: str, judge: Judge, *, secret: bool) -> None:
        self.veil = Veil(piece, secret=secret)
        self.original = piece.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.original)]
        self.lines = list(self.original)
        self.judge = judge
        self.mends: Counter[int] = Counter()
        self.findings: dict[tuple[int, str], BrokenText] = {}

    def run(self) -> list[BrokenText]:
        if self.moved():
            return list(self.findings.values())
        for _ in range(MAX_ROUNDS):
            if not self.round():
                break
        return sorted(self.findings.values(), key=lambda one: (one.line, one.column))

    def moved(self) -> bool:
        """Whether one line, indented otherwise, would put everything right: then it is told."""
        content = "\n".join(self.lines)
        at = None if suspicious(content) else self.first_fault(content)
        if at is None:
            return False
        from k8stui.manifests.reindent import misplaced  # noqa: PLC0415 - broken objects only

        shift = misplaced(self.lines, at, self.sound)
        if shift is None:
            return False
        text = self.lines[shift.line]
        column = outline.indent_of(text)
        message = f"indented by {column}; {shift.column} was meant"
        mended = " " * shift.column + text.lstrip(" ")
        self.add(shift.line, column, message, f"did you mean:\n{mended}")
        return True

    def first_fault(self, content: str) -> int | None:
        """The line of what indentation may have broken: bad YAML, or a field that is missing."""
        try:
            value = read(content).value
        except YamlFault as fault:
            return _position(content, fault.offset)[0] if fault.syntax else None
        root = tree(content)
        faults = self.judge(value) if isinstance(value, dict) and root is not None else []
        grave = next((one for one in faults if one.missing), None)
        if grave is None or root is None:
            return None
        # A field that stands in the wrong place is nearer to it than the gap that it leaves.
        told = next((one for one in faults if one.note), grave)
        entry, node = find(root, told.path)
        return _position(content, entry.start if entry else node.start)[0]

    def sound(self, content: str) -> bool:
        try:
            value = read(content).value
        except YamlFault:
            return False
        return isinstance(value, dict) and not self.judge(value)

    def round(self) -> bool:
        """Read what stands there now; True when something was mended."""
        content = "\n".join(self.lines)
        try:
            value = read(content).value
            root = tree(content)
        except YamlFault as fault:
            return self.unreadable(fault, content)
        if root is None:
            return False
        mended = self.mend(_swallowed(self.lines, content, root))
        if isinstance(value, dict):
            faults = self.judge(value)
            for one in faults:
                if not one.missing:
                    mended |= self.faulty(one, content, root)
            for one in faults:
                if one.missing and not mended:
                    self.faulty(one, content, root)
        return mended

    def unreadable(self, fault: YamlFault, content: str) -> bool:
        line, column = _position(content, fault.offset)
        start = _position(content, fault.start) if fault.start >= 0 else (-1, -1)
        if fault.syntax:
            spot = Mark(line, column, *start, fault.problem, fault.context)
            return self.mend(repair.diagnose(self.lines, spot))
        return self.mend([Repair(line, column, fault.problem)])

    def faulty(self, fault: Fault, content: str, root: TreeNode) -> bool:
        entry, node = find(root, fault.path)
        if fault.mend is Mend.STRUCTURE:
            repairs = self.structure(fault, content, entry.start if entry else node.start, node)
            if repairs:
                return self.mend(repairs)
        at = entry.start if entry and fault.at_key else node.start
        end = entry.end if entry and fault.at_key else node.end
        line, column = _position(content, at)
        hint = fault.hint
        raw = content[at:end]
        if fault.mend is not Mend.NONE and fault.mend is not Mend.STRUCTURE and "\n" not in raw:
            text = self.lines[line]
            meant = _meant(fault, raw)
            hint = f"did you mean:\n{text[:column]}{meant}{text[column + len(raw) :]}"
        self.add(line, column, fault.message, hint, note=fault.note)
        return False

    def structure(self, fault: Fault, content: str, key_at: int, node: TreeNode) -> list[Repair]:
        first, _ = _position(content, node.start)
        if fault.at_key:
            line, _ = _position(content, key_at)
            found = repair.structure(self.lines, line)
            if found is None and "{" not in self.lines[line]:
                found = repair.add_dash(self.lines, line)
            return [found] if found else []
        if node.text is None:
            dropped = repair.drop_dash(self.lines, first)
            return [dropped] if dropped else []
        last, _ = _position(content, max(node.start, node.end - 1))
        repairs = (repair.structure(self.lines, line) for line in range(first, last + 1))
        return [one for one in repairs if one]

    def mend(self, repairs: list[Repair]) -> bool:
        """Report each guilty line once; True when a line could be mended."""
        changed = False
        for one in repairs:
            hint = one.hint
            if one.mended is not None:
                hint = "\n".join(filter(None, [one.hint, f"did you mean:\n{one.mended}"]))
            self.add(one.line, one.column, one.message, hint)
            if one.mended is None or one.mended == self.lines[one.line]:
                continue
            if self.mends[one.line] < MAX_PER_LINE:
                self.mends[one.line] += 1
                self.lines[one.line] = one.mended
                changed = True
        return changed

    def add(self, line: int, column: int, message: str, hint: str, *, note: bool = False) -> None:
        line = min(line, len(self.original) - 1)
        shown = self.veil.line(self.starts[line], column + 1)
        said, (first, meant, mended) = message, hint.rpartition(_MEANT)
        if meant:
            mended = self.veil.mended(mended, shown)
            hint = f"{first}{_MEANT}{mended}" if mended else first.rstrip("\n")
        message = self.veil.said(message, shown)
        hint = "" if message != said and self.veil.is_secret else hint
        found = BrokenText(line, column, message, hint, note, shown)
        self.findings.setdefault((line, message), found)


def _meant(fault: Fault, raw: str) -> str:
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    if fault.mend is Mend.RENAME:
        return f"{quote}{fault.text}{quote}"
    if fault.mend is Mend.QUOTE:
        return f'"{raw}"' if '"' not in raw and "\\" not in raw else f"'{raw}'"
    return fault.text


def _swallowed(lines: list[str], content: str, root: TreeNode) -> list[Repair]:
    """Plain values of several lines that hold what was meant as fields."""
    found: list[Repair] = []
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.text is None:
            nodes += [entry.node for entry in node.entries]
        elif not node.style and "\n" in content[node.start : node.end]:
            first, _ = _position(content, node.start)
            last, _ = _position(content, node.end - 1)
            found += repair.swallowed(lines, first, last)
    return found


def _position(content: str, offset: int) -> tuple[int, int]:
    """0-based line and column."""
    before = content[: max(0, offset)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1
