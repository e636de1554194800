"""A finding and its hop in one sentence each: every format says the same."""

from __future__ import annotations

from k8stui.check.finding import Finding, Proof
from k8stui.kernel.exchange import Result


def message(finding: Finding) -> str:
    """Say who and why, in one sentence."""
    return f"{finding.subject}: {finding.why}"


def hop(proof: Proof) -> str:
    """Say where the packet dies, and what the client feels."""
    if proof.result is Result.CONNECTED:
        return proof.text
    step = f", step {proof.step}" if proof.step is not None else ""
    return f"{proof.result.value} at {proof.where}{step}: {proof.text}"
