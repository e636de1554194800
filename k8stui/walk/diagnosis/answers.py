"""The answer arrives, and the client does not know whom it is from: it was not un-NATed."""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.connection import StateTest
from k8stui.kernel.step import Direction, SocketCause, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.masquerade import not_masqueraded


def foreign_answer(case: Case) -> Diagnosis | None:
    """Recognise an answer that comes from the endpoint itself, past the node that rewrote."""
    step, rewriting = case.decided, case.rewritten
    if step is None or rewriting is None or step.direction is not Direction.REPLY:
        return None
    lost = step.cause == SocketCause(socket=None) or _is_invalid(case)
    if not lost or step.before.src != rewriting.after.dst:
        return None
    node, asked, server = rewriting.namespace, rewriting.before, rewriting.after
    said = (
        f"the answer comes from {server.dst.with_port(server.dport)} itself, which the client "
        f"never asked: it does not pass {node}, the only one that knows of "
        f"{asked.dst.with_port(asked.dport)}"
    )
    missing = not_masqueraded(case, rewriting)
    if missing is None:
        return Diagnosis(said, f"see to it that the answer goes back by {node}")
    return Diagnosis(f"{said}. {missing.reason}", missing.advice, missing.origin)


def _is_invalid(case: Case) -> bool:
    """Whether kube-proxy's rule against packets of no known connection dropped it."""
    rule = case.rule
    return (
        case.decided is not None
        and case.decided.kind is StepKind.DROP
        and rule is not None
        and rule.rule is not None
        and any(
            isinstance(test, StateTest) and "INVALID" in test.states
            for test in compile_rule(rule.rule.text).tests
        )
    )
