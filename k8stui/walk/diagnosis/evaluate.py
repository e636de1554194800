"""A rule is not understood: the walk stops there and says so."""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import UnmodelledCause
from k8stui.nodes.kubeproxy import ipvs, is_modelled
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.ipvs import taken_address, taken_answer
from k8stui.walk.diagnosis.vpn import into_a_vpn


def cannot_evaluate(case: Case) -> Diagnosis | None:
    """Name the rule and both ways that the packet could take."""
    if case.felt.result is not Result.UNKNOWN:
        return None
    step, rule = case.decided, case.rule
    if step is not None and isinstance(step.cause, UnmodelledCause):
        taken = taken_address(case, step.namespace, step.cause.name) or taken_answer(case, step)
        if taken is not None:
            return taken
        why = step.cause.reason
        whom = f"Service {why.service}" if why.service else f"{step.before.dst} ({why.text})"
        return Diagnosis(
            reason=f"{step.cause.name} is not modelled: what it makes of a packet to {whom} on "
            f"{step.namespace} is not known"
            + (f": {ipvs.WHAT_IT_DOES}" if ipvs.IPVS in step.cause.name else ""),
            advice=f"ask a pod's address to see the way without Services, or {_otherwise(case)}"
            + (f" ({ipvs.ITS_END})" if ipvs.IPVS in step.cause.name else ""),
            origin=why.origin,
        )
    if step is None or rule is None or rule.rule is None:
        return into_a_vpn(case) or Diagnosis(reason=case.felt.reason)
    place = f"rule {rule.index} of {rule.table} {rule.chain.name} on {step.namespace}"
    reason = f"cannot evaluate {place}: {step.text}"
    origin = rule.rule.reason.origin if rule.rule.reason else None
    if rule.is_nft:
        return Diagnosis(reason=reason, origin=origin)
    target = compile_rule(rule.rule.text).target_name or "its target"
    return Diagnosis(
        reason=f"{reason}; if it matches, the packet goes to {target}, else on to rule "
        f"{rule.index + 1}",
        origin=origin,
    )


def _otherwise(case: Case) -> str:
    """What shows the way with Services: the mode is the input's, or what a node's dump shows."""
    if is_modelled(case.cluster):
        return "leave out the dump that shows the mode"
    return "walk it with --proxy-mode nftables or iptables"
