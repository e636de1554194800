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


def message(refusals: Sequence[Refusal]) -> str:
    """Word a failure as the scheduler does (framework/types.go FitError.Error)."""
    total = len(refusals)
    head = f"0/{total} nodes are available"
    if not total:
        return "no nodes available to schedule pods"
    counted = Counter(reason for refusal in refusals for reason in refusal.reasons)
    final = sum(refusal.final for refusal in refusals)
    preemption = []
    if final:
        preemption.append(f"{final} Preemption is not helpful for scheduling")
    if final < total:
        preemption.append(f"{total - final} No preemption victims found for incoming pod")
    return (
        f"{head}: {', '.join(sorted(f'{n} {reason}' for reason, n in counted.items()))}. "
        f"no new claims to deallocate, preemption: {head}: {', '.join(sorted(preemption))}."
    )


def early_message(reason: str, nodes: int) -> str:
    """Word a failure that was clear before any node was looked at (a plugin's PreFilter)."""
    return f"0/{nodes} nodes are available: {reason}. not found"
