"""Findings as JSON: version 1. Every key is always there; null stands for what does not apply."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.check.finding import Finding, Proof, Severity
from k8stui.export.json import dumps

VERSION = 1


def findings_json(findings: Sequence[Finding]) -> str:
    """Write all findings as one object, with a final line feed."""
    return dumps(
        {
            "version": VERSION,
            "counts": {
                severity.value: sum(f.severity is severity for f in findings)
                for severity in Severity
            },
            "findings": [_finding(finding) for finding in findings],
        }
    )


def _finding(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "object": finding.subject,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "field": place.field if place else None,
        "why": finding.why,
        "fix": finding.fix,
        "hop": _hop(finding.proof),
    }


def _hop(proof: Proof | None) -> dict[str, object] | None:
    if proof is None:
        return None
    return {
        "namespace": proof.where,
        "step": proof.step,
        "result": proof.result.value,
        "text": proof.text,
        "walk": proof.command,
    }
