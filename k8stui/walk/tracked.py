"""The connection-tracking tables at one step of a walk, as ``conntrack -L`` would print them.

The kernel makes an entry when the first packet comes in (PREROUTING, OUTPUT) and puts it into the
table only when that packet has passed the last hook (net/netfilter/nf_conntrack_core.c
__nf_conntrack_confirm). Until then ``conntrack -L`` shows nothing, and a packet that is dropped
leaves nothing behind. By then NAT has settled what the answer will look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.kernel.packet import Packet
from k8stui.kernel.step import ConntrackCause, StepKind
from k8stui.record import record
from k8stui.walk.trace import Hop, Trace, TraceStep

_SIDE = re.compile(r"src=\S+ dst=\S+ (?:sport=\d+ dport=\d+ |type=\d+ code=\d+ id=\d+ )?")
_LEAVES = frozenset({StepKind.DELIVER, StepKind.PROXY, StepKind.ENCAPSULATE})
_LOST = frozenset({StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN})


@record()
class Tracked:
    """One connection that a namespace knows."""

    line: str
    """As ``conntrack -L`` prints it."""
    is_confirmed: bool
    """Whether it stands in the table; else the packet that made it is still on its way."""
    step: int
    """Number of the step that touched it last."""


def tracked(trace: Trace, number: int) -> dict[str, tuple[Tracked, ...]]:
    """Give what each namespace tracks once step `number` (1-based) is done, by namespace."""
    tables: dict[str, dict[str, Tracked]] = {}
    for hop in trace.hops:
        if not hop.steps or hop.steps[0].number > number:
            continue
        table = tables.setdefault(hop.namespace, {})
        for key, found in _touched(hop, number):
            known = table.get(key)
            if (
                known is not None
                and known.is_confirmed
                and (found is None or not found.is_confirmed)
            ):
                continue  # a repeat of the first packet: the entry stands already
            if found is None:
                table.pop(key, None)
            else:
                table[key] = found
    return {name: tuple(table.values()) for name, table in tables.items() if table}


def _touched(hop: Hop, number: int) -> Iterator[tuple[str, Tracked | None]]:
    """What becomes of the entries that one stay touches; None: it is dropped with its packet."""
    done = [step for step in hop.steps if step.number <= number]
    is_over = done[-1].number < number
    for at, step in enumerate(done):
        cause = step.cause
        if not isinstance(cause, ConntrackCause):
            continue
        sides = _SIDE.findall(cause.entry)
        if len(sides) < 2:
            continue
        if "[UNREPLIED]" in cause.entry:
            yield sides[0], _new(cause.entry, sides[1], done[at:], hop_is_over=is_over)
        else:
            yield sides[0], Tracked(cause.entry, is_confirmed=True, step=step.number)


def _new(entry: str, reply: str, since: list[TraceStep], *, hop_is_over: bool) -> Tracked | None:
    """The entry of a first packet that has come as far as `since`."""
    routed = leaves = False
    last = since[0]
    for step in since[1:]:
        if isinstance(step.cause, ConntrackCause) or leaves:
            break
        if step.kind in _LOST:
            return None
        leaves = step.kind in _LEAVES or (routed and step.kind is StepKind.BRIDGE)
        routed = routed or step.kind is StepKind.ROUTE
        if step.kind not in _LEAVES:
            last = step
    header = last.after
    if header is not None and "sport=" in reply:
        entry = entry.replace(f"[UNREPLIED] {reply}", f"[UNREPLIED] {_answer(header)}")
    return Tracked(entry, is_confirmed=leaves or hop_is_over, step=last.number)


def _answer(header: Packet) -> str:
    """What the answer to a packet looks like (nf_ct_invert_tuple)."""
    return f"src={header.dst} dst={header.src} sport={header.dport} dport={header.sport} "
