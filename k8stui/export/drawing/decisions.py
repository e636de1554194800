"""What in a walk is a decision: a step that changes the packet, chooses its way, or ends it.

Plain routes, jumps and bridges are none: without them a walk is a line that can be read at once.
"""

from __future__ import annotations

from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.words import STOPS, Sign, step_sign
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.neutralise import neutralise
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.turns import forks_at, undone

_DECIDING = STOPS | {
    StepKind.DNAT,
    StepKind.SNAT,
    StepKind.ENCAPSULATE,
    StepKind.DECAPSULATE,
    StepKind.PROXY,
    StepKind.DELIVER,
}
"""Decisions whatever they say."""
_POLICIES = ("externalTrafficPolicy: ", "internalTrafficPolicy: ")
"""Settings of a Service; of each the first rule that it put there is told: the others follow."""


def decision(step: TraceStep, trace: Trace) -> Sign | None:
    """How a step is called as a decision of the walk; None: it is no decision."""
    if step.kind in _DECIDING:
        return step_sign(step)
    if step.kind is StepKind.MARK:
        # That a mark is cleared changes nothing any more: what it stood for is done next.
        is_set = step.after is not None and bool(step.after.mark)
        return step_sign(step) if is_set else None
    if step.kind is StepKind.CONNTRACK:
        back = undone(step)
        return Sign("⇄", back, Ink.NAT) if back else None
    return _choice(step, trace)


def is_decision(step: TraceStep, trace: Trace) -> bool:
    """Whether a step of `trace` changes the packet, chooses its way, or ends it."""
    return decision(step, trace) is not None


def _choice(step: TraceStep, trace: Trace) -> Sign | None:
    """A rule that chance chose, or that a policy put there."""
    fork = next((each for each in forks_at(step.cause, trace) if len(each.ways) > 1), None)
    if fork is not None:
        return Sign("◇", f"{fork.chosen + 1} of {len(fork.ways)}", Ink.CHANGED)
    policy = _policy(step)
    if policy and next(each for each in trace.steps if _policy(each) == policy) is step:
        return Sign("▸", neutralise(policy.partition(": ")[2]), Ink.CHANGED)
    return None


def _policy(step: TraceStep) -> str:
    """``externalTrafficPolicy: Local``, where that put the rule there; else nothing."""
    rule = step.cause.rule if isinstance(step.cause, RuleCause) else None
    setting = rule.reason.setting if rule is not None and rule.reason is not None else None
    return setting if setting is not None and setting.startswith(_POLICIES) else ""
