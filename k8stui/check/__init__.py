"""Findings: what is wrong, or soon will be, each backed by a walk where a walk can show it."""

from __future__ import annotations

from k8stui.check.assertion import Assertion, AssertionSyntaxError
from k8stui.check.check import check, worst
from k8stui.check.finding import CheckRule, Finding, Proof, Severity
from k8stui.check.heard import nothing_found
from k8stui.check.unreadable import rule_of, unreadable

__all__ = [
    "Assertion",
    "AssertionSyntaxError",
    "CheckRule",
    "Finding",
    "Proof",
    "Severity",
    "check",
    "nothing_found",
    "rule_of",
    "unreadable",
    "worst",
]
