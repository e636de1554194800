"""The Chain pane where no rule decided: the routes, the forwarding database, the sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from k8stui.export.drawing.ink import Ink, Line, cut, fit, run, sides, wrap
from k8stui.kernel.namespace import Interface, NetNamespace, Route
from k8stui.kernel.step import (
    BridgeCause,
    ConntrackCause,
    DeviceCause,
    NeighbourCause,
    RouteCause,
    SocketCause,
    SysctlCause,
)
from k8stui.neutralise import neutralise
from k8stui.tui.chain_pane import because_lines, chain_title
from k8stui.tui.sheet import Sheet, moved_over
from k8stui.tui.state import State
from k8stui.walk.reason import because, proof
from k8stui.walk.trace import TraceStep

Entry = TypeVar("Entry")


class EntriesSheet(Sheet):
    """A table of the kernel, one entry a row, the deciding one lit."""

    def __init__(self, state: State, width: int, height: int) -> None:
        step, hop = state.step, state.hop
        self._width = width
        self._moved = state.chain.cursor
        namespace = state.world.network[hop.namespace] if state.world is not None and hop else None
        word, self._entries, self._decided, self._text = _table(step, namespace)
        self.title = chain_title(hop.namespace if hop else "", word, width)
        self.head = (run(f" {_command(word)}", Ink.DIM),)
        self._lit: list[Line] = []
        if self._decided is not None:
            self._lit = self._matching(self._text(self._decided))
        self.cursor = self._decided
        if self._moved is None:
            self.extent = max(1, len(self._lit))
        if self._moved is not None and len(self):
            self.cursor = max(0, min(self._moved, len(self) - 1))
        count = len(self._entries)
        self.note = run(f"{count:,} entr{'y' if count == 1 else 'ies'}" if count else "")
        if step is not None and height >= 9:
            self.foot = _because(step, width, height - 4 - max(3, self.extent))

    def __len__(self) -> int:
        return len(self._entries) + max(0, len(self._lit) - 1)

    def entry_at(self, row: int) -> tuple[int, int]:
        """(entry, line of it) on a row."""
        decided = self._decided
        if decided is None or row < decided:
            return row, 0
        part = row - decided
        if part < len(self._lit):
            return decided, part
        return row - len(self._lit) + 1, 0

    def line(self, row: int) -> Line:
        entry, part = self.entry_at(row)
        if entry == self._decided:
            line = self._lit[part]
        else:
            line = cut(run("   " + neutralise(self._text(entry)), Ink.DIM), self._width)
        if self._moved is not None and row == self.cursor:
            return tuple((text, Ink.CURSOR) for text, _ in fit(line, self._width))
        return line

    def moved(self, row: int, by: int) -> int:
        return moved_over(self._decided, len(self._lit), row, by, len(self))

    def copied(self, row: int) -> str:
        return self._text(self.entry_at(row)[0])

    def _matching(self, text: str) -> list[Line]:
        texts = wrap(neutralise(text), self._width - 12, indent=2)
        lines = [run((" ▶ " if not n else "   ") + part, Ink.MATCH) for n, part in enumerate(texts)]
        lines[-1] = sides(lines[-1], run("DECIDED ", Ink.MATCH), self._width, Ink.MATCH)
        return [fit(line, self._width, Ink.MATCH) for line in lines]


_Found = tuple[str, Sequence[object], int | None, Callable[[int], str]]


def _table(step: TraceStep | None, namespace: NetNamespace | None) -> _Found:
    """Give the table's name, its entries, the deciding one, and how an entry prints."""
    cause = step.cause if step is not None else None
    version = step.before.src.version if step is not None and step.before else 4
    match cause:
        case RouteCause(route=route) if namespace is not None:
            routes = _with(_routes(namespace.routes, route, version), route)
            return (
                "routes",
                routes,
                _place(routes, route),
                (lambda n: proof(RouteCause(route=routes[n]))),
            )
        case BridgeCause(bridge=bridge, entry=entry) if namespace is not None:
            entries = [e for e in namespace.fdb if _belongs(namespace, e.device, bridge)]
            entries = _with(entries, entry)
            return (
                "forwarding database",
                entries,
                _place(entries, entry),
                (lambda n: proof(BridgeCause(bridge=bridge, entry=entries[n]))),
            )
        case NeighbourCause(neighbour=found) if namespace is not None:
            known = [n for n in namespace.neighbours if n.address.version == version]
            known = _with(known, found)
            return (
                "neighbours",
                known,
                _place(known, found),
                (lambda n: proof(NeighbourCause(neighbour=known[n]))),
            )
        case SocketCause(socket=socket) if namespace is not None:
            sockets = _with(namespace.sockets, socket)
            return (
                "sockets",
                sockets,
                _place(sockets, socket),
                (lambda n: proof(SocketCause(socket=sockets[n]))),
            )
        case DeviceCause(interface=interface) if namespace is not None:
            devices = namespace.interfaces
            at = next((n for n, d in enumerate(devices) if d.name == interface.name), None)
            return "devices", devices, at, lambda n: _device(devices[n])
        case ConntrackCause(entry=text):
            return "connection tracking", (text,), 0, lambda _: text
        case SysctlCause():
            return "sysctl", (cause,), 0, lambda _: proof(cause)
        case _:
            detail = (step.detail or step.text) if step is not None else ""
            return (
                "what decided",
                (detail,) if detail else (),
                0 if detail else None,
                (lambda _: detail),
            )


def _routes(routes: Sequence[Route], decided: Route | None, version: int) -> list[Route]:
    """The table that decided first, then main; the local table only where it decided."""
    tables = ["main"]
    if decided is not None and decided.table not in tables:
        tables.insert(0, decided.table)
    mine = [r for r in routes if r.destination.address.version == version]
    return [r for table in tables for r in mine if (r.table or "main") == table]


def _with(entries: Sequence[Entry], decided: Entry | None) -> list[Entry]:
    """All of a table, with the entry that decided: a proxy's own stands there only for its walk."""
    return [*entries, *([] if decided is None or decided in entries else [decided])]


def _place(entries: Sequence[object], wanted: object) -> int | None:
    if wanted is None:
        return None
    return next((n for n, entry in enumerate(entries) if entry == wanted), None)


def _belongs(namespace: NetNamespace, device: str, bridge: str) -> bool:
    interface = namespace.interface(device)
    return device == bridge or interface is None or interface.master == bridge


def _device(interface: Interface) -> str:
    addresses = " ".join(f"{a.address}/{a.prefix_length}" for a in interface.addresses)
    master = f" master {interface.master}" if interface.master else ""
    state = "UP" if interface.up else "DOWN"
    return f"{interface.name} {state} {interface.mac}{master} {addresses}".rstrip()


def _command(word: str) -> str:
    """The command that shows this table on a node."""
    return {
        "routes": "ip route show table all",
        "forwarding database": "bridge fdb show",
        "neighbours": "ip neigh",
        "sockets": "ss -ltnu",
        "devices": "ip addr",
        "connection tracking": "conntrack -L    this connection's entry",
        "sysctl": "sysctl",
    }.get(word, "no table of the kernel: it follows from the request")


def _because(step: TraceStep, width: int, room: int) -> tuple[Line, ...]:
    why = because(step.cause)
    said = why.text if why is not None else step.text
    edge = run("─" * width, Ink.FAINT)
    return (edge, *because_lines(said, step.origin, width, min(room, 9)))
