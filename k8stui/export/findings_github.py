"""Findings as GitHub workflow commands: annotations beside the lines of a pull request.

Source: docs.github.com "Workflow commands for GitHub Actions"; escapes as actions/toolkit
packages/core/src/command.ts writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.check.finding import Finding, Severity
from k8stui.export.finding_words import hop, message
from k8stui.neutralise import neutralise
from k8stui.origin import is_file

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def findings_github(findings: Sequence[Finding]) -> Iterator[str]:
    """One command a finding, without line feeds."""
    for finding in findings:
        place = finding.place
        properties = {"title": f"{finding.rule}: {finding.subject}"}
        if place is not None and is_file(place.file):
            properties = {
                "file": place.file,
                "line": str(place.line),
                "col": str(place.column),
                **properties,
            }
        written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        yield f"::{_COMMANDS[finding.severity]} {written}::{_data(_message(finding))}"


def _message(finding: Finding) -> str:
    lines = [neutralise(message(finding))]
    if finding.proof is not None:
        lines.append(neutralise(f"hop: {hop(finding.proof)}"))
        lines.append(neutralise(f"see: {finding.proof.command}"))
    if finding.fix:
        lines.append(neutralise(f"fix: {finding.fix}"))
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a title or a path: a path's line feeds are what GitHub finds the file by."""
    return (
        _data("\n".join(map(neutralise, text.split("\n")))).replace(":", "%3A").replace(",", "%2C")
    )
