"""Findings as SARIF 2.1.0 (OASIS standard): for code-scanning services and editors.

Only rules that found something are listed with the tool. A file read from standard input has no
location; the object's name stands in for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from k8stui import __version__
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.table import BY_ID
from k8stui.export.finding_words import hop, message
from k8stui.export.json import dumps
from k8stui.origin import Place, is_file

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def findings_sarif(findings: Sequence[Finding]) -> str:
    """Write a SARIF log with one run, with a final line feed."""
    used = [rule for rule in BY_ID.values() if any(f.rule == rule.id for f in findings)]
    index = {rule.id: number for number, rule in enumerate(used)}
    driver = {
        "name": "k8stui",
        "version": __version__,
        "semanticVersion": _semantic(__version__),
        "rules": [_rule(rule) for rule in used],
    }
    return dumps(
        {
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": driver},
                    "columnKind": "unicodeCodePoints",
                    "results": [_result(finding, index[finding.rule]) for finding in findings],
                }
            ],
        }
    )


def _semantic(version: str) -> str:
    """``0.1.0`` of ``0.1.0.dev1``: SARIF wants https://semver.org."""
    return ".".join(version.split(".")[:3])


def _rule(rule: CheckRule) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.help.partition("\n")[0] or rule.summary},
        "help": {"text": rule.help.strip() or rule.summary},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["kubernetes", "networking"]},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    text = message(finding)
    if finding.proof is not None:
        text += f". Hop: {hop(finding.proof)}. See: {finding.proof.command}"
    if finding.fix:
        text += f". Fix: {finding.fix}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding)],
        "partialFingerprints": {"k8stui/v1": _fingerprint(finding)},
    }


def _location(finding: Finding) -> dict[str, object]:
    location: dict[str, object] = {
        "logicalLocations": [{"fullyQualifiedName": finding.subject, "kind": "resource"}]
    }
    place = finding.place
    if place is not None and is_file(place.file):
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(place.file)},
            "region": _region(place),
        }
    return location


def _region(place: Place) -> dict[str, object]:
    return {"startLine": max(place.line, 1), "startColumn": max(place.column, 1)}


def _uri(file: str) -> str:
    """Write a path as URI reference: relative ones stay relative (SARIF 2.1.0 section 3.4)."""
    from pathlib import Path  # noqa: PLC0415 - both cost time, and only SARIF needs them
    from urllib.parse import quote  # noqa: PLC0415

    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix().encode("utf-8", "surrogateescape"), safe="/~")


def _fingerprint(finding: Finding) -> str:
    """Stay the same when lines above the finding come and go."""
    place = finding.place
    what = (
        finding.rule,
        finding.subject,
        place.file if place else "",
        place.field if place else "",
    )
    return sha256("\0".join(what).encode("utf-8", "backslashreplace")).hexdigest()
