"""Findings as text: what editors, grep and people read.

One line a finding, ``file:line: severity rule: why``, as compilers write it; below it, indented,
where the packet dies, the walk that shows it and what mends it. Lines are not wrapped: commands are
there to be copied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from k8stui.check.finding import Finding, Severity
from k8stui.export.finding_words import hop, message
from k8stui.neutralise import neutralise

CALM = "no findings"
_INDENT = "    "
_PLURAL = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "infos"}


def findings_lines(findings: Sequence[Finding], calm: str = CALM) -> Iterator[str]:
    """Draw all findings, those of one file together, and the closing count; `calm`: of none."""
    last: str | None = None
    for finding in findings:
        file = finding.place.file if finding.place else ""
        if last is not None and file != last:
            yield ""
        last = file
        yield from _finding(finding)
    if findings:
        yield ""
    yield summary(findings, calm)


def encoded(form: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Write the findings as ``json``, ``sarif`` or ``github``, in chunks."""
    # Imported here: the other two formats are never needed.
    if form == "json":
        from k8stui.export.findings_json import findings_json  # noqa: PLC0415

        yield findings_json(findings)
    elif form == "sarif":
        from k8stui.export.findings_sarif import findings_sarif  # noqa: PLC0415

        yield findings_sarif(findings)
    else:
        from k8stui.export.findings_github import findings_github  # noqa: PLC0415

        for line in findings_github(findings):
            yield f"{line}\n"


def summary(findings: Sequence[Finding], calm: str = CALM) -> str:
    """``2 errors, 1 warning``; `calm` where there are none."""
    counted = Counter(finding.severity for finding in findings)
    parts = [
        f"{counted[severity]} {severity.value if counted[severity] == 1 else _PLURAL[severity]}"
        for severity in Severity
        if counted[severity]
    ]
    return ", ".join(parts) or calm


def _finding(finding: Finding) -> Iterator[str]:
    where = f"{finding.place.file}:{finding.place.line}: " if finding.place else ""
    yield neutralise(f"{where}{finding.severity.value} {finding.rule}: {message(finding)}")
    if finding.proof is not None:
        yield _INDENT + neutralise(f"hop: {hop(finding.proof)}")
        yield _INDENT + neutralise(f"see: {finding.proof.command}")
    if finding.fix:
        yield _INDENT + neutralise(f"fix: {finding.fix}")
