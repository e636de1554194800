"""A connection is made, and the process that took it says no: a mesh's proxy, a controller.

Apart from `relay`, which needs the whole kernel: who only names a Service loads none of it.
"""

from __future__ import annotations

from dataclasses import replace

from k8stui.cluster.model import Lack
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction, StepKind
from k8stui.walk.trace import Trace


def decided_by_process(trace: Trace, lack: Lack, result: Result, errno: str | None) -> Trace:
    """Connected, and then what a process says to it, said where it takes the connection."""
    done = trace.outcome
    number = next(
        step.number
        for hop, step in reversed(trace.placed)
        if hop.direction is Direction.FORWARD and step.kind is StepKind.DELIVER
    )
    hops = tuple(
        replace(hop, steps=tuple(
            replace(step, text=f"{step.text}; {lack.why}") if step.number == number else step
            for step in hop.steps
        ))
        for hop in trace.hops
    )  # fmt: skip
    outcome = replace(
        done, result=result, errno=errno, decided_at=done.server_pod or done.decided_at,
        reason=f"connected, but {lack.why}", origin=lack.origin, step=number, advice=lack.mend,
    )  # fmt: skip
    return replace(trace, hops=hops, outcome=outcome)
