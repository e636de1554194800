"""A rule is not understood: the walk stops there and says so."""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import UnmodelledCause
from k8stui.walk.diagnosis.case import Case, Diagnosis


def cannot_evaluate(case: Case) -> Diagnosis | None:
    """Name the rule and both ways that the packet could take."""
    if case.felt.result is not Result.UNKNOWN:
        return None
    step, rule = case.decided, case.rule
    if step is not None and isinstance(step.cause, UnmodelledCause):
        why = step.cause.reason
        whom = f"Service {why.service}" if why.service else f"{step.before.dst} ({why.text})"
        return Diagnosis(
            reason=f"{step.cause.name} is not modelled: what it makes of a packet to {whom} on "
            f"{step.namespace} is not known",
            advice="ask a pod's address to see the way without Services, or walk it with "
            "--proxy-mode iptables",
            origin=why.origin,
        )
    if step is None or rule is None or rule.rule is None:
        return Diagnosis(reason=case.felt.reason)
    target = compile_rule(rule.rule.text).target_name or "its target"
    return Diagnosis(
        reason=f"cannot evaluate rule {rule.index} of {rule.table} {rule.chain.name} on "
        f"{step.namespace}: {step.text}; if it matches, the packet goes to {target}, else on to "
        f"rule {rule.index + 1}",
    )
