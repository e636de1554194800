"""Which pods have to go so that one of higher priority fits.

Source: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go
SelectVictimsOnNode, pkg/scheduler/framework/preemption/preemption.go pickOneNodeForPreemption.
PodDisruptionBudgets are not looked at: they only decide between victims.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from k8stui.cluster.draft import Draft
from k8stui.cluster.scheduling.refusal import Refusal
from k8stui.record import record

NO_VICTIMS = "No preemption victims found for incoming pod"


class NodeRoom(Protocol):
    """A node with the pods on it."""

    @property
    def name(self) -> str: ...

    def residents(self) -> Sequence[Draft]:
        """Pods that may be sent away, the oldest first."""
        ...

    def leave(self, draft: Draft) -> None: ...

    def enter(self, draft: Draft) -> None: ...


@record()
class Candidate:
    """A node on which a pod fits once others have gone."""

    name: str
    """The node's."""
    victims: Sequence[Draft]


def victims_on(
    room: NodeRoom,
    priority: int,
    priority_of: Callable[[Draft], int],
    refuse: Callable[[], Refusal | None],
) -> Candidate | tuple[str, ...]:
    """Find the fewest pods that have to leave `room`, or why that does not help.

    `refuse`: why the incoming pod does not fit there as things are. Nothing is changed in the end.
    """
    lower = [draft for draft in room.residents() if priority_of(draft) < priority]
    if not lower:
        return (NO_VICTIMS,)
    for draft in lower:
        room.leave(draft)
    refusal = refuse()
    if refusal is not None:
        for draft in lower:
            room.enter(draft)
        return refusal.reasons
    victims = []
    for draft in sorted(lower, key=priority_of, reverse=True):
        room.enter(draft)
        if refuse() is not None:
            room.leave(draft)
            victims.append(draft)
    for draft in victims:
        room.enter(draft)
    return Candidate(room.name, tuple(victims))


def pick(candidates: Sequence[Candidate], priority_of: Callable[[Draft], int]) -> Candidate:
    """The node where it hurts least: the least high priority, the least in sum, the fewest."""

    def harm(candidate: Candidate) -> tuple[int, int, int]:
        priorities = [priority_of(draft) for draft in candidate.victims]
        shifted = sum(priority + 2**31 for priority in priorities)
        return max(priorities, default=-(2**31)), shifted, len(priorities)

    return min(candidates, key=harm)
