"""Which of the two was lost, the question or its answer: said alike in every diagnosis."""

from __future__ import annotations

from k8stui.kernel.step import Direction, Step


def what(step: Step) -> str:
    """What it was."""
    return "the answer" if step.direction is Direction.REPLY else "the packet"


def how_far(step: Step) -> str:
    """What of the connection was lost, with a colon; empty of a question in no tunnel."""
    if step.direction is Direction.REPLY:
        return "the question arrives, but its answer is lost: "
    return "the tunnel's outer packet is lost: " if step.before.carried is not None else ""
