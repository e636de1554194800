"""Why a node does not fit a pod, and the scheduler's sentence about all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from k8stui.record import record


@record()
class Refusal:
    """Why a node does not fit. `final`: no preemption could help there."""

    reasons: tuple[str, ...]
    final: bool


def message(refusals: Sequence[Refusal], helpless: Sequence[str] | str) -> str:
    """Word a failure as the scheduler does (framework/types.go FitError.Error).

    `helpless`: why no pod of lower priority could make room, a reason for each node where one
    might; or the text that stands for all of it.
    """
    total = len(refusals)
    head = f"0/{total} nodes are available"
    if not total:
        return "no nodes available to schedule pods"
    counted = Counter([reason for refusal in refusals for reason in refusal.reasons])
    why = f"{head}: {_histogram(counted)}. no new claims to deallocate, preemption: "
    if isinstance(helpless, str):
        return f"{why}{helpless}"
    final = sum(refusal.final for refusal in refusals)
    after = Counter(helpless)
    if final:
        after["Preemption is not helpful for scheduling"] = final
    return f"{why}{head}: {_histogram(after)}."


def _histogram(counted: Counter[str]) -> str:
    """``COUNT TEXT`` of each reason, sorted as texts."""
    return ", ".join(sorted(f"{n} {reason}" for reason, n in counted.items()))


def early_message(reason: str, nodes: int) -> str:
    """Word a failure that was clear before any node was looked at (a plugin's PreFilter)."""
    return f"0/{nodes} nodes are available: {reason}. not found"
