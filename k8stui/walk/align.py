"""Two walks side by side: which step of one stands beside which of the other."""

from __future__ import annotations

from enum import Enum, auto
from itertools import zip_longest

from k8stui.kernel.step import RouteCause, RuleCause, StepKind
from k8stui.record import record
from k8stui.walk.compare import common_steps, decision
from k8stui.walk.reason import service_of
from k8stui.walk.trace import Hop, Trace, TraceStep

_DETAILED = (RuleCause, RouteCause)
"""Causes that are another decision where their text is another one. What conntrack, a neighbour or
a socket says names the packet itself."""

_WHERE_SERVICES_ARE_FOUND = ("KUBE-SERVICES", "KUBE-NODEPORTS", "services")
"""By kube-proxy's modes."""


class Likeness(Enum):
    """How like each other two steps are that stand side by side."""

    SAME = auto()
    """The same decision about the same packet."""
    ALIKE = auto()
    """The same decision about a packet that has become another one."""
    UNLIKE = auto()
    """Here the walks part, or are apart."""


@record()
class Pair:
    """Two steps side by side, by 0-based place in their walks; None: nothing stands there."""

    left: int | None
    right: int | None
    likeness: Likeness


def align(one: Trace, other: Trace) -> tuple[Pair, ...]:
    """Every step of both, in order; like ones beside each other.

    Up to the parting they are the same. Behind it the longest common subsequence of decisions is
    kept together, as ``diff`` does, and what stands between is laid side by side.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - 3 ms, for comparisons only

    lefts, rights = one.placed, other.placed
    common = common_steps(one, other)
    pairs = [Pair(n, n, Likeness.SAME) for n in range(common)]
    mine, its = ([_key(*each) for each in side[common:]] for side in (lefts, rights))
    matcher = SequenceMatcher(None, mine, its, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        left, right = range(common + i1, common + i2), range(common + j1, common + j2)
        for a, b in zip_longest(left, right):
            likeness = Likeness.UNLIKE
            if tag == "equal":
                is_same = decision(*lefts[a]) == decision(*rights[b])
                likeness = Likeness.SAME if is_same else Likeness.ALIKE
            pairs.append(Pair(a, b, likeness))
    return tuple(pairs)


def _key(hop: Hop, step: TraceStep) -> tuple[object, ...]:
    detail = step.detail if isinstance(step.cause, _DETAILED) else ""
    decided = _decided(step)
    # What was decided, not by which of two modes' rules; where NAT is undone it follows.
    said = detail if decided is None else ""
    return hop.namespace, hop.direction, step.kind, step.hook, said, decided


def _decided(step: TraceStep) -> object:
    """What a rule decided, whichever rule it was: the Service found, the endpoint, mark, source.

    None: the rule is the decision.
    """
    after, cause = step.after, step.cause
    if after is None or not isinstance(cause, RuleCause):
        return None
    match step.kind:
        case StepKind.DNAT:
            return after.dst
        case StepKind.SNAT:
            return after.src
        case StepKind.MARK:
            return after.mark
        case StepKind.JUMP if cause.chain.name in _WHERE_SERVICES_ARE_FOUND:
            return service_of(cause)
        case _:
            return None
