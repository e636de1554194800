"""The answer arrives, and the client does not know whom it is from: it was not un-NATed."""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.connection import StateTest
from k8stui.kernel.packet import Protocol
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


def other_address(case: Case) -> Diagnosis | None:
    """Recognise a UDP server of several addresses that answers from another one (udp(7))."""
    step, felt = case.decided, case.felt
    if step is None or step.direction is not Direction.REPLY or case.rewritten is not None:
        return None
    answer = step.before
    if step.cause != SocketCause(socket=None) or answer.protocol is not Protocol.UDP:
        return None
    if felt.server_address is None or felt.server_port is None or felt.server is None:
        return None
    asked = felt.server_address.with_port(felt.server_port)
    return Diagnosis(
        f"{felt.server} answers from {answer.src.with_port(answer.sport)}, not from {asked}: a UDP "
        "server bound to every address answers from the one that the way back prefers, and a "
        "connected socket takes answers of the asked address only",
        f"ask {answer.src}, or bind the server to each address; a client with an unconnected "
        "socket (--unconnected) takes it",
    )


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
