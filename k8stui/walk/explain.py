"""A kernel exchange → the hops of a walk: grouped, numbered, in Kubernetes words.

Only the first packet forward and the answer to it belong to a walk: the final ACK and repeats
take the same way, so they are no more than a word in the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from k8stui.cluster.model import Cluster
from k8stui.kernel import step as kernel
from k8stui.kernel.exchange import Exchange, Result
from k8stui.kernel.step import Direction, StepKind
from k8stui.origin import OriginKind
from k8stui.walk.reason import because, origin_of, proof
from k8stui.walk.sentence import sentence
from k8stui.walk.source_seen import marked_before, why_masqueraded
from k8stui.walk.trace import Hop, Request, TraceStep


def explain(
    request: Request,
    exchange: Exchange | None,
    cluster: Cluster | None = None,
    offset: int = 0,
    *,
    told: bool = True,
) -> tuple[tuple[Hop, ...], dict[int, int]]:
    """Turn an exchange into hops; without one there are only the steps that resolved the name.

    Also gives the number of each kernel step that was kept, by its index in the exchange.
    `cluster`: what a rewritten source is explained by; `offset`: steps of the walk before these.
    Without `told` steps have no words and no origin.
    """
    resolved = _resolve_steps(request)
    hops: list[Hop] = []
    numbers: dict[int, int] = {}
    namespace, direction = client_namespace(request), Direction.FORWARD
    steps: list[TraceStep] = list(resolved)
    number = len(resolved)
    steps_met = exchange.steps if exchange else ()
    later = exchange is not None and exchange.felt.established and not _is_connected(exchange)
    for index, each in _kept(steps_met, _deciding(exchange), later=later):
        if (each.namespace, each.direction) != (namespace, direction):
            if steps:
                hops.append(Hop(direction=direction, namespace=namespace, steps=tuple(steps)))
            namespace, direction, steps = each.namespace, each.direction, []
        number += 1
        numbers[index] = number
        made = _step(number, each, exchange.forks if exchange else (), told=told)
        if told and exchange is not None and cluster is not None and each.kind is StepKind.SNAT:
            here = {at: offset + n for at, n in numbers.items()}
            made = _with_its_mark(made, each, exchange, cluster, here)
        steps.append(made)
    if steps:
        hops.append(Hop(direction=direction, namespace=namespace, steps=tuple(steps)))
    return tuple(hops), numbers


def client_namespace(request: Request) -> str:
    """Network namespace of the one who asks."""
    if request.connect is not None:
        return request.connect.namespace
    kind, _, rest = request.source.partition("/")
    if kind == "pod":
        return "/".join(rest.split("/")[:2])
    return rest or kind


def _resolve_steps(request: Request) -> list[TraceStep]:
    return [
        TraceStep(
            number=number,
            kind=StepKind.RESOLVE,
            device=None,
            hook=None,
            cause=None,
            origin=request.origin,
            before=None,
            after=None,
            text=text,
        )
        for number, text in enumerate(request.names, start=1)
    ]


def _is_connected(exchange: Exchange) -> bool:
    return exchange.felt.result is Result.CONNECTED


def _deciding(exchange: Exchange | None) -> int | None:
    return exchange.felt.deciding_step if exchange else None


def _kept(
    steps: Sequence[kernel.Step], deciding: int | None, *, later: bool
) -> Iterator[tuple[int, kernel.Step]]:
    """Keep the first packet's steps and those of its answer: one packet each way.

    `later`: the handshake was over, so the packet that decided comes third.
    """
    kept = {1, _answer(steps, deciding)}
    if later and deciding is not None and 0 <= deciding < len(steps):
        kept |= {steps[deciding].packet_number, _answer(steps, None)}
    for index, each in enumerate(steps):
        if each.packet_number in kept or index == deciding:
            yield index, each


def _answer(steps: Sequence[kernel.Step], deciding: int | None) -> int | None:
    """Number of the packet that answers: the one that decided, else the first reply."""
    if deciding is not None and 0 <= deciding < len(steps):
        decided = steps[deciding]
        if decided.direction is Direction.REPLY and decided.packet_number != 1:
            return decided.packet_number
    return next(
        (s.packet_number for s in steps if s.direction is Direction.REPLY and s.packet_number != 1),
        None,
    )


def _with_its_mark(
    made: TraceStep,
    snat: kernel.Step,
    exchange: Exchange,
    cluster: Cluster,
    numbers: dict[int, int],
) -> TraceStep:
    """A source is rewritten because of a mark: say where that was set, and by whose wish.

    The rule that rewrites is the same for all that is marked, and its origin tells nothing.
    """
    marking = marked_before(exchange, snat)
    if marking is None:
        return made
    first = next(n for n, step in enumerate(exchange.steps) if step is marking)
    marks = (n for n in sorted(numbers) if n >= first and exchange.steps[n].kind is StepKind.MARK)
    why = why_masqueraded(cluster, exchange, snat)
    at = numbers.get(next(marks, first), numbers.get(first))
    origin = made.origin
    if origin is None or origin.kind is not OriginKind.OBSERVED:  # a dump's rule stands by itself
        origin = origin_of(marking.cause) or origin
    return replace(made, text=f"{made.text}, because marked at step {at}: {why}", origin=origin)


def _step(number: int, step: kernel.Step, forks: Sequence[kernel.Fork], *, told: bool) -> TraceStep:
    text, detail = _words(step, forks) if told else ("", "")
    return TraceStep(
        number=number,
        kind=step.kind,
        device=step.device,
        hook=step.hook,
        cause=step.cause,
        origin=origin_of(step.cause) if told else None,
        before=step.before,
        after=step.after,
        text=text,
        detail=detail,
    )


def _words(step: kernel.Step, forks: Sequence[kernel.Fork]) -> tuple[str, str]:
    """What was decided, and the proof of it."""
    why = because(step.cause)
    text = sentence(step, forks)
    detail = proof(step.cause)
    if not detail and why is not None and why.text not in text:
        detail = why.text
    return text, detail
