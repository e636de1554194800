"""What the check found: marks in the tree, a line each in the list, all of it below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, overload

from k8stui.check.finding import Finding, Severity
from k8stui.cluster.model import Cluster
from k8stui.export.drawing.ink import NOTHING, Ink, Line, cut, fit, join, middle, run, wrap
from k8stui.export.drawing.words import RESULTS, Sign
from k8stui.neutralise import neutralise
from k8stui.order import by_place
from k8stui.tui.cluster_rows import branch_of
from k8stui.tui.listing import Told

SIGNS = {
    Severity.ERROR: Sign("✗", "error", Ink.DROP),
    Severity.WARNING: Sign("!", "warning", Ink.CHANGED),
    Severity.INFO: Sign("·", "info", Ink.DIM),
}
_WORST = tuple(Severity)
_WIDE = 100
"""Columns from which on the rules have one of their own."""
_RULE = 20


def by_weight(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first; of one weight by rule, namespace and name."""
    return tuple(sorted(findings, key=_weight))


def _weight(finding: Finding) -> tuple[object, ...]:
    namespace, _, name = finding.subject.rpartition(" ")[2].rpartition("/")
    return (_WORST.index(finding.severity), finding.rule, *by_place(namespace, name))


def _group(finding: Finding) -> tuple[Severity, str]:
    return finding.severity, finding.rule


class Checkup(NamedTuple):
    """What the check of one world found, ready for the screen."""

    findings: tuple[Finding, ...]
    """Errors first."""
    marks: Mapping[str, Sign]
    """Signs by key of the tree's row; a branch carries the worst sign and the number inside."""
    calm: str = ""
    """What is said where there are no findings."""


def checkup(cluster: Cluster, findings: Sequence[Finding], calm: str = "") -> Checkup:
    """Put findings in order, and mark what they are about; `calm` is said where there are none."""
    pods = {f"{w.kind} {w.namespace}/{w.name}": w.pods for w in cluster.workloads}
    worst: dict[str, Severity] = {}
    ordered = by_weight(findings)
    for finding in ordered:
        for key in _rows(finding.subject, pods):
            worst.setdefault(key, finding.severity)
    marks = {key: SIGNS[severity] for key, severity in worst.items()}
    inside: dict[str, list[Severity]] = {}
    for key, severity in worst.items():
        if severity is not Severity.INFO and (branch := branch_of(cluster, key)):
            inside.setdefault(branch, []).append(severity)
    for branch, severities in inside.items():
        sign = SIGNS[min(severities, key=_WORST.index)]
        marks.setdefault(branch, sign._replace(word=str(len(severities))))
    return Checkup(ordered, marks, calm)


def _rows(subject: str, pods: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Keys of the rows that show a subject; of a workload its pods."""
    kind, _, name = subject.partition(" ")
    match kind:
        case "Service" | "Endpoints":
            return (f"service/{name}",)
        case "Pod":
            return (f"pod/{name}",)
        case "Node":
            return (f"node/{name}",)
    return [f"pod/{pod}" for pod in pods.get(subject, ())]


def summary(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 warning``."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    words = [
        f"{count:,} {severity.value}{'' if count == 1 or severity is Severity.INFO else 's'}"
        for severity, count in counts.items()
        if count
    ]
    return ", ".join(words) or "nothing found"


class FindingLines(Sequence[Line]):
    """One line a finding: severity, rule, object, why. Made when seen: there may be 10,000.

    They stand by rule and namespace; severity and rule are said once for those that share them.
    """

    def __init__(self, findings: Sequence[Finding], width: int) -> None:
        self._findings = findings
        self._width = width
        self._longest = min(34, max(len(finding.subject) for finding in findings))

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, row: int) -> Line: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Line]: ...
    def __getitem__(self, row: int | slice) -> Line | Sequence[Line]:
        if isinstance(row, slice):
            return [self[n] for n in range(*row.indices(len(self)))]
        finding, longest = self._findings[row], self._longest
        sign = SIGNS[finding.severity]
        subject = cut(run(neutralise(f"{finding.subject:<{longest}}"), Ink.STRONG), longest)
        lead = run(f" {sign.glyph} {sign.word:<8}", sign.ink)
        if self._width >= _WIDE:
            is_first = not row or _group(self._findings[row - 1]) != _group(finding)
            rule = fit(run(middle(finding.rule, _RULE) if is_first else "", Ink.DIM), _RULE)
            lead = join((lead if is_first else run(f" {sign.glyph}{' ' * 9}", sign.ink), rule))
            subject = join((run("  "), subject))
        return cut(join((lead, subject, run(f"  {neutralise(finding.why)}"))), self._width)


def finding_lines(findings: Sequence[Finding], width: int, calm: str = "") -> Sequence[Line]:
    """What the list of findings shows; `calm` where there are none."""
    if findings:
        return FindingLines(findings, width)
    return [NOTHING, *(run(f" {line}") for line in wrap(calm or "Nothing was found.", width - 2))]


def told_of(finding: Finding) -> list[Told]:
    """Why, what would mend it, the walk that shows it, and where it is written."""
    proof = finding.proof
    shows = ""
    if proof is not None:
        shows = f"{RESULTS[proof.result].word} at {proof.where}: {proof.text}"
    place = finding.place
    where = f"{place.file}:{place.line}  {place.field}" if place is not None else ""
    return [
        Told(run(f" {label:<6} ", Ink.DIM), text, ink, rows)
        for label, text, ink, rows in (
            ("why", finding.why, Ink.TEXT, 3),
            ("mend", finding.fix, Ink.KEY, 2),
            ("walk", shows, Ink.DROP, 2),
            ("from", where, Ink.DIM, 1),
            ("rule", finding.rule, Ink.DIM, 1),
        )
    ]
