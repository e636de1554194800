"""A rule gave the packet a source that is not the node's: whoever answers, answers elsewhere.

net/netfilter/nf_nat_core.c: SNAT --to-source takes any address; only MASQUERADE looks for one that
the device has.
"""

from __future__ import annotations

from k8stui.kernel.step import Direction, RuleCause, Step, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import origin_of


def foreign_source(case: Case) -> Diagnosis | None:
    """Recognise that the answer went to an address which the rewriting node does not have."""
    for step in case.exchange.steps:
        node = step.namespace
        if step.direction is not Direction.FORWARD or step.kind is not StepKind.SNAT:
            continue
        cause, source = step.cause, step.after.src
        if not isinstance(cause, RuleCause) or cause.rule is None or case.has(node, source):
            continue
        if not _went_elsewhere(case, step):
            continue
        return Diagnosis(
            f"rule {cause.index} of chain {cause.chain.name} (table {cause.table}) on {node} "
            f"rewrites the source to {source}, which no device of {node} has: the answer goes "
            f"there, and not back to {node}: {cause.rule.text}",
            f"let that rule end in -j MASQUERADE, or in --to-source with an address of {node} "
            f"that the others know the way to; or give {node} the address {source} again",
            origin_of(cause),
        )
    return None


def _went_elsewhere(case: Case, rewriting: Step) -> bool:
    """Whether an answer was sent, and none to that source came back to the node."""
    answers = [
        step
        for step in case.exchange.steps
        if step.direction is Direction.REPLY and step.before.dst == rewriting.after.src
    ]
    return bool(answers) and all(step.namespace != rewriting.namespace for step in answers)
