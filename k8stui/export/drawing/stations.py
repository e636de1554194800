"""The stations of a namespace's own stack, and what a packet did at each, in a word or two.

In the kernel's order: connection tracking comes before the rules that see a packet first, and a
packet for the machine itself leaves the row at the route (netfilter's packet flow; ip_rcv,
ip_forward, ip_local_deliver, ip_output).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.words import STOPS
from k8stui.kernel.step import BridgeCause, RouteCause, StepKind
from k8stui.walk.trace import Hop, Trace, TraceStep
from k8stui.walk.turns import forks_at, undone

CONNTRACK = "conntrack"
ROUTE = "route"
PROCESS = "process"
INPUT = "INPUT"
OUTPUT = "OUTPUT"

THROUGH = (CONNTRACK, "PREROUTING", ROUTE, "FORWARD", "POSTROUTING")
"""Of what is passed on; what a machine sends itself has its last two parts."""
LOCAL = (INPUT, PROCESS, OUTPUT)
"""Of what is for the machine itself, or comes from it."""
STATIONS = frozenset({*THROUGH, *LOCAL})
_TO_PROCESS = (*THROUGH[: THROUGH.index(ROUTE) + 1], INPUT, PROCESS)


def passed(before: str, after: str) -> tuple[str, ...]:
    """The stations on the way from one to another, both included; empty: no way leads there.

    What a process sends is routed and known to connection tracking before OUTPUT sees it
    (ip_queue_xmit, __ip_local_out): it comes to OUTPUT from the process.
    """
    if after == OUTPUT:
        return (PROCESS, OUTPUT)
    for way in (THROUGH, _TO_PROCESS):
        if before in way and after in way and way.index(before) < way.index(after):
            return way[way.index(before) : way.index(after) + 1]
    return ()


_ON_DEVICE = frozenset({StepKind.BRIDGE, StepKind.ARP, StepKind.ENCAPSULATE, StepKind.DECAPSULATE})
"""Decided at a device; every other kind is decided in the namespace's own stack."""
_BY_PROCESS = frozenset({StepKind.RESOLVE, StepKind.DELIVER, StepKind.PROXY})

Place = tuple[str, str]
"""(namespace, device or station)."""

Deed = tuple[str, Ink]
"""What was done, in a word or two."""


def place_of(hop: Hop, step: TraceStep) -> Place:
    """Where a step happens."""
    name = hop.namespace
    if isinstance(step.cause, BridgeCause):
        return name, step.cause.bridge
    if step.kind in _ON_DEVICE:
        return name, step.device or ROUTE
    if step.kind in _BY_PROCESS:
        return name, PROCESS
    if step.kind is StepKind.CONNTRACK and not _undoes_at_exit(step):
        return name, CONNTRACK
    return name, ROUTE if step.hook is None else step.hook.value


def _undoes_at_exit(step: TraceStep) -> bool:
    """The source is put back when the packet leaves, as SNAT is done there."""
    return step.hook is not None and step.hook.value in ("POSTROUTING", "INPUT")


def deeds(steps: Iterable[tuple[Hop, TraceStep]], trace: Trace) -> dict[Place, list[Deed]]:
    """What was done at each place by `steps`; the same word is said once."""
    found: dict[Place, list[Deed]] = {}
    for hop, step in steps:
        done = found.setdefault(place_of(hop, step), [])
        for deed in _deeds(hop, step, trace):
            if deed not in done:
                done.append(deed)
    return found


def _chosen(hop: Hop, step: TraceStep, trace: Trace) -> Iterator[Deed]:
    """Which way chance took."""
    for fork in forks_at(step.cause, trace):
        if fork.namespace == hop.namespace:
            yield f"{fork.chosen + 1} of {len(fork.ways)}", Ink.CHANGED


def _deeds(hop: Hop, step: TraceStep, trace: Trace) -> Iterator[Deed]:
    after = step.after
    match step.kind:
        case StepKind.CONNTRACK:
            back = undone(step)
            if back:
                yield f"⇄ {back}", Ink.NAT
            else:
                yield ("NEW" if step.text.startswith("new") else "KNOWN"), Ink.TEXT
        case StepKind.JUMP | StepKind.RULE:
            yield from _chosen(hop, step, trace)
        case StepKind.MARK:
            is_set = after is not None and after.mark
            yield ("◆ mark" if is_set else "◇ unmark"), Ink.NAT
        case StepKind.DNAT:
            yield "⇄ DNAT", Ink.NAT
        case StepKind.SNAT:
            yield "⇄ SNAT", Ink.NAT
        case StepKind.ROUTE:
            route = step.cause.route if isinstance(step.cause, RouteCause) else None
            if route is not None:
                is_local = route.type.value == "local"
                yield ("local" if is_local else f"→ {route.device or route.type.value}"), Ink.TEXT
            yield from _chosen(hop, step, trace)
        case kind if kind in STOPS:
            yield f"✗ {kind.value.upper()}", Ink.DROP
        case _:
            pass
