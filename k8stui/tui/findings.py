"""What the check found: marks in the tree, a line each in the list, all of it below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8stui.check.finding import Finding, Severity
from k8stui.cluster.model import Cluster
from k8stui.manifests.neutralise import neutralise
from k8stui.tui.ink import NOTHING, Ink, Line, cut, join, run, wrap
from k8stui.tui.words import RESULTS, Sign

SIGNS = {
    Severity.ERROR: Sign("✗", "error", Ink.DROP),
    Severity.WARNING: Sign("!", "warning", Ink.CHANGED),
    Severity.INFO: Sign("·", "info", Ink.DIM),
}
_WORST = tuple(Severity)


def by_weight(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first; else as they were."""
    return tuple(sorted(findings, key=lambda finding: _WORST.index(finding.severity)))


def marks(cluster: Cluster, findings: Sequence[Finding]) -> Mapping[str, Sign]:
    """Signs by key of the tree's row; a branch carries the worst sign and the number inside."""
    worst: dict[str, Severity] = {}
    for finding in by_weight(findings):
        for key in _rows(cluster, finding):
            worst.setdefault(key, finding.severity)
    found = {key: SIGNS[severity] for key, severity in worst.items()}
    inside: dict[str, list[Severity]] = {}
    for key, severity in worst.items():
        if severity is not Severity.INFO and (branch := _branch(cluster, key)):
            inside.setdefault(branch, []).append(severity)
    for branch, severities in inside.items():
        sign = SIGNS[min(severities, key=_WORST.index)]
        found.setdefault(branch, sign._replace(word=str(len(severities))))
    return found


def _rows(cluster: Cluster, finding: Finding) -> Sequence[str]:
    kind, _, name = finding.subject.partition(" ")
    match kind:
        case "Service" | "Endpoints":
            return (f"service/{name}",)
        case "Pod":
            return (f"pod/{name}",)
        case "Node":
            return (f"node/{name}",)
    return [
        f"pod/{pod}"
        for workload in cluster.workloads
        if workload.kind == kind and f"{workload.namespace}/{workload.name}" == name
        for pod in workload.pods
    ]


def _branch(cluster: Cluster, key: str) -> str:
    kind, _, name = key.partition("/")
    if kind == "service":
        return "services"
    pod = cluster.pods.get(name) if kind == "pod" else None
    if pod is None:
        return ""
    return f"node/{pod.node_name}" if pod.node_name else "pending"


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


def finding_lines(findings: Sequence[Finding], width: int) -> list[Line]:
    """One line a finding: severity, object, why."""
    if not findings:
        return [NOTHING, run(" Nothing is wrong: every Service leads to pods that listen.")]
    longest = min(34, max(len(finding.subject) for finding in findings))
    lines: list[Line] = []
    for finding in findings:
        sign = SIGNS[finding.severity]
        subject = cut(run(neutralise(f"{finding.subject:<{longest}}"), Ink.STRONG), longest)
        lead = run(f" {sign.glyph} {sign.word:<8}", sign.ink)
        lines.append(cut(join((lead, subject, run(f"  {neutralise(finding.why)}"))), width))
    return lines


def finding_foot(finding: Finding, width: int) -> tuple[Line, ...]:
    """Why, what would mend it, the walk that shows it, and where it is written: ten rows."""
    proof = finding.proof
    shows = ""
    if proof is not None:
        shows = f"{RESULTS[proof.result].word} at {proof.where}: {proof.text}"
    place = finding.place
    where = f"{place.file}:{place.line}  {place.field}" if place is not None else ""
    lines: list[Line] = [run("─" * width, Ink.FAINT)]
    for label, text, ink, rows in (
        ("why", finding.why, Ink.TEXT, 3),
        ("mend", finding.fix, Ink.KEY, 2),
        ("walk", shows, Ink.DROP, 2),
        ("from", where, Ink.DIM, 1),
        ("rule", finding.rule, Ink.DIM, 1),
    ):
        texts = wrap(neutralise(text), width - 9)
        texts = [*texts[: rows - 1], " ".join(texts[rows - 1 :])]
        for n, part in enumerate([*texts, *[""] * rows][:rows]):
            lead = run(f" {label if not n else '':<6} ", Ink.DIM)
            lines.append(cut(join((lead, run(part, ink))), width))
    return tuple(lines)
