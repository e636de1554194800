"""A walk as text: to be read in 80 columns, pasted in a ticket or on a slide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from k8stui.export.plain import WIDTH, wrap
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import Direction, StepKind
from k8stui.neutralise import neutralise
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk import sentence
from k8stui.walk.again import said
from k8stui.walk.trace import Hop, Trace, TraceStep

_KIND_WIDTH = 11
_INDENT = " " * (5 + _KIND_WIDTH)
_COMMAND = " " * 7
"""Before the command that shows a step on a node: it gets nearly the whole line."""


class Style(StrEnum):
    """What a line is, for those who colour it."""

    HEAD = "head"
    HOP = "hop"
    STEP = "step"
    CHANGE = "change"
    """NAT, mark, encapsulation: the packet is another one now."""
    REPLY = "reply"
    BAD = "bad"
    GOOD = "good"
    PROOF = "proof"


@record()
class Line:
    """One line without its line feed, safe for a terminal."""

    text: str
    style: Style


_CHANGES = frozenset(
    {StepKind.DNAT, StepKind.SNAT, StepKind.MARK, StepKind.ENCAPSULATE, StepKind.DECAPSULATE}
)
_ENDS = frozenset({StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN})


def walk_lines(
    trace: Trace, *, branches: int | None = None, verbose: bool = False
) -> Iterator[Line]:
    """Draw one branch. `branches`: how many there are; None where they were not counted."""
    yield from _heading(trace, branches)
    yield Line("", Style.HEAD)
    direction = None
    for hop in trace.hops:
        first, direction = hop.direction is not direction, hop.direction
        if first and direction is Direction.REPLY:
            yield Line(" reply", Style.REPLY)
        shown = trace if verbose else None
        yield from _hop(hop, first=first, verbose=shown)
    yield Line("", Style.HEAD)
    for told in outcome_lines(trace):
        for line in wrap(told.text, "", "  " if told.style is Style.PROOF else ""):
            yield Line(line, told.style)


def walk_text(traces: Sequence[Trace], *, verbose: bool = False) -> str:
    """Draw some branches as plain text, a blank line between them."""
    several = len(traces) if len(traces) > 1 else None
    parts = (
        "\n".join(line.text for line in walk_lines(t, branches=several, verbose=verbose))
        for t in traces
    )
    return "\n\n".join(parts) + "\n"


def _heading(trace: Trace, branches: int | None) -> Iterator[Line]:
    request = trace.request
    source = request.source.removeprefix("pod/")
    first = next((s.before for s in trace.steps if s.before is not None), None)
    if first is not None:
        source = f"{source} {sentence.source(first)}"
    asked = request.destination.removeprefix("svc/").removeprefix("node/").removeprefix("pod/")
    extra = [f"Service {request.service}"] if request.service else []
    extra.append(request.protocol.name)
    head = neutralise(f"{source} ─▶ {asked}")
    tail = neutralise("   ".join(extra))
    if len(head) + 3 + len(tail) <= WIDTH:
        yield Line(f"{head}   {tail}", Style.HEAD)
    else:
        for line in (*wrap(head, "", "   "), f"   {tail}"):
            yield Line(line, Style.HEAD)
    if request.connect is not None and request.connect.earlier:
        yield Line(said(request.connect), Style.HEAD)
    if branches or trace.probability != 1:
        count = f" of {branches}" if branches else ""
        text = f"branch {trace.branch}{count}, p = {trace.probability}" + _endpoint(trace)
        if trace.alike:
            text += f", and {len(trace.alike):,} more that fare alike"
        for line in wrap(neutralise(text), "", "   "):
            yield Line(line, Style.HEAD)


def _endpoint(trace: Trace) -> str:
    """``: endpoint frontend-2 (10.244.2.2:80) on node-2``."""
    done = trace.outcome
    if done.server_address is None or done.server_port is None:
        return ""
    where = done.server_address.with_port(done.server_port)
    if done.server_pod is None:
        return f": {where}"
    node = _node_before(trace, done.server_pod)
    return f": endpoint {done.server_pod.rpartition('/')[2]} ({where})" + (
        f" on {node}" if node else ""
    )


def _node_before(trace: Trace, pod: str) -> str:
    """Name the node that handed the packet to the pod; empty where none did."""
    forward = [hop.namespace for hop in trace.hops if hop.direction is Direction.FORWARD]
    at = forward.index(pod) if pod in forward else 0
    node = forward[at - 1] if at else ""
    return "" if "/" in node else node


def _hop(hop: Hop, *, first: bool, verbose: Trace | None) -> Iterator[Line]:
    name = f"pod {hop.namespace}" if "/" in hop.namespace else hop.namespace
    style = Style.REPLY if hop.direction is Direction.REPLY else Style.HOP
    ttl = next((s.before.ttl for s in hop.steps if s.before is not None), None)
    start = neutralise(f" {name}")
    # Where the packet is made its TTL is 64 and says nothing yet.
    yield Line(start if ttl is None or first else f"{start:<60}ttl {ttl}", style)
    for step in hop.steps:
        yield from _step(step, verbose=verbose)


def _step(step: TraceStep, *, verbose: Trace | None) -> Iterator[Line]:
    style = Style.STEP
    if step.kind in _ENDS:
        style = Style.BAD
    elif step.kind in _CHANGES or _rewrites(step.before, step.after):
        style = Style.CHANGE
    kind = step.kind.value
    first = f" {step.number:>3} {kind:<{_KIND_WIDTH}}" + " " * (len(kind) >= _KIND_WIDTH)
    for line in wrap(neutralise(step.text), first, _INDENT):
        yield Line(line, style)
    if verbose is not None:
        for text in (step.detail, origin_words(step.origin)):
            if text and not step.text.startswith(text):
                for line in wrap(neutralise(text), f"{_INDENT}  ", f"{_INDENT}    "):
                    yield Line(line, Style.PROOF)
        from k8stui.walk.commands import most_telling  # noqa: PLC0415 - for -v only

        if (command := most_telling(verbose, step)) is not None:
            for text in _continued(command.line, WIDTH - len(_COMMAND) - 2):
                yield Line(f"{_COMMAND}{text}", Style.PROOF)


def _continued(command: str, width: int) -> Iterator[str]:
    """Break a command between its words, so that a shell takes the lines as one."""
    import shlex  # noqa: PLC0415 - for -v only

    start, line = "$ ", ""
    for word in shlex.split(command):
        quoted = shlex.quote(word)
        if line and len(start) + len(line) + 1 + len(quoted) > width:
            yield f"{start}{line} \\"
            start, line = "    ", quoted
        else:
            line = f"{line} {quoted}" if line else quoted
    yield f"{start}{line}"


def _rewrites(before: Packet | None, after: Packet | None) -> bool:
    if before is None or after is None:
        return False
    return (before.src, before.dst, before.sport, before.dport) != (
        after.src,
        after.dst,
        after.sport,
        after.dport,
    )


def origin_words(origin: Origin | None) -> str:
    """``declared frontend.yaml:24 spec.ports[0]``, ``assumed: …``; empty without an origin."""
    if origin is None:
        return ""
    words = [origin.kind.value]
    if origin.place is not None:
        words.append(f"{origin.place.file}:{origin.place.line}")
        if origin.place.field:
            words.append(origin.place.field)
    return " ".join(words) + (f": {origin.reason}" if origin.reason else "")


def outcome_lines(trace: Trace) -> Iterator[Line]:
    """What the client feels, what would mend it, the cause, and what all rests on: unwrapped."""
    outcome = trace.outcome
    good = outcome.result is Result.CONNECTED
    reason = outcome.reason.rstrip(".")
    if good:
        text = f"connected. {reason}." if reason else "connected."
    else:
        errno = f" ({outcome.errno})" if outcome.errno else ""
        text = (
            f"{outcome.result.value}{errno} after {seconds_words(outcome.seconds)}, "
            f"decided at {outcome.decided_at}: {reason}."
        )
    yield Line(neutralise(text), Style.GOOD if good else Style.BAD)
    if outcome.advice:
        end = "" if outcome.advice.endswith("?") else "."
        yield Line(neutralise(f"what would mend it: {outcome.advice}{end}"), Style.GOOD)
    if not good and outcome.origin is not None and outcome.origin.place is not None:
        place = outcome.origin.place
        where = " ".join(part for part in (f"{place.file}:{place.line}", place.field) if part)
        yield Line(neutralise(f"the cause: {where}"), Style.PROOF)
    if outcome.origin is not None and outcome.origin.kind.value == "assumed":
        yield Line(neutralise(f"assumed: {outcome.origin.reason}."), Style.PROOF)
    for assumption in trace.assumptions:
        yield Line(neutralise(f"assumed: {assumption}"), Style.PROOF)


def seconds_words(seconds: float) -> str:
    """``less than 1 ms``, ``3.06 s``, ``134 s``."""
    return f"{seconds:g} s" if seconds >= 0.001 else "less than 1 ms"
