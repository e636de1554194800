"""A rule or a chain's policy drops or rejects the packet."""

from __future__ import annotations

from k8stui.kernel.step import StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import words


def dropped_by_rule(case: Case) -> Diagnosis | None:
    """Name the rule that ended the walk."""
    step, rule = case.decided, case.rule
    if step is None or rule is None or step.kind not in (StepKind.DROP, StepKind.REJECT):
        return None
    done = "rejected" if step.kind is StepKind.REJECT else "dropped"
    if rule.rule is None:
        return Diagnosis(
            reason=f"{done} on {step.namespace} by the policy {rule.chain.policy} of chain "
            f"{rule.chain.name} (table {rule.table}): no rule accepted the packet",
            advice=f"add a rule to {rule.chain.name} that accepts it; for pods the CNI plug-in "
            "usually does",
        )
    said = words(rule)
    return Diagnosis(
        reason=f"{done} on {step.namespace} by rule {rule.index} of chain {rule.chain.name} "
        f"(table {rule.table})" + (f": {said}" if said else ""),
        advice=f"look who made this rule: {rule.rule.text}",
    )
