"""Two walks side by side: which step of one stands beside which of the other."""

from __future__ import annotations

from enum import Enum, auto
from itertools import zip_longest

from k8stui.kernel.step import RouteCause, RuleCause, StepKind
from k8stui.record import record
from k8stui.walk.compare import common_steps, decision
from k8stui.walk.trace import Hop, Trace, TraceStep

_DETAILED = (RuleCause, RouteCause)
"""Causes that are another decision where their text is another one. What conntrack, a neighbour or
a socket says names the packet itself."""


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
    # What is written into the header is the decision itself; where NAT is undone it follows.
    target = step.after.dst if step.kind is StepKind.DNAT and step.after is not None else None
    return hop.namespace, hop.direction, step.kind, step.hook, detail, target
