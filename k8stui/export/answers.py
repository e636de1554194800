"""What requests come to, over all branches: in words and as JSON. Used by every comparison."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from k8stui.kernel.exchange import Result
from k8stui.walk.breakage import BranchEnd


def answer_words(answers: Mapping[BranchEnd, Fraction]) -> str:
    """``1/3 connected to default/web-1, which sees 10.244.1.1; 2/3 timeout``."""
    return "; ".join(
        ("" if probability == 1 else f"{probability} ") + _one(answer)
        for answer, probability in answers.items()
    )


def _one(answer: BranchEnd) -> str:
    if answer.result is not Result.CONNECTED:
        return answer.result.value
    seen = f", which sees {answer.source_seen}" if answer.source_seen is not None else ""
    return f"connected to {answer.server or 'a server'}{seen}"


def answers_json(answers: Mapping[BranchEnd, Fraction]) -> list[dict[str, object]]:
    """A list, in the order of the branches; probabilities are exact and sum to 1."""
    return [
        {
            "probability": str(probability),
            "result": answer.result.value,
            "server": answer.server or None,
            "source_seen_by_server": str(answer.source_seen) if answer.source_seen else None,
        }
        for answer, probability in answers.items()
    ]
