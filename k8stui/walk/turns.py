"""Two turns that a step can be, asked by every view: NAT is taken back, chance chose the rule."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.step import Cause, Fork, RouteCause, RuleCause, StepKind
from k8stui.walk.trace import Trace, TraceStep


def undone(step: TraceStep) -> str:
    """What conntrack takes back of an answer: its source was the DNAT's, its destination SNAT's.

    ``un-SNAT``, ``un-DNAT``, both, or nothing.
    """
    before, after = step.before, step.after
    if step.kind is not StepKind.CONNTRACK or before is None or after is None:
        return ""
    parts = []
    if (before.dst, before.dport) != (after.dst, after.dport):
        parts.append("un-SNAT")
    if (before.src, before.sport) != (after.src, after.sport):
        parts.append("un-DNAT")
    return " ".join(parts)


def forks_at(cause: Cause | None, trace: Trace) -> Iterator[Fork]:
    """The forks of a walk at which chance chose the rule that decided, or the next hop."""
    if isinstance(cause, RouteCause) and cause.route is not None and cause.route.weight:
        yield from (fork for fork in trace.forks if fork.hop is cause.route)
    if not isinstance(cause, RuleCause) or cause.rule is None:
        return
    for fork in trace.forks:
        if (fork.table, fork.chain.name) == (cause.table, cause.chain.name) and (
            fork.rule(fork.chosen) is cause.rule
        ):
            yield fork
