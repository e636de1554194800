"""The Chain pane where no rule decided: the routes, the forwarding database, the sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8stui.export.drawing.ink import Ink, Line, cut, fit, run, sides, wrap
from k8stui.kernel.namespace import Interface, NetNamespace, Socket
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
from k8stui.tui.sheet import Sheet, Spread, moved_over
from k8stui.tui.state import State
from k8stui.walk.reason import because, proof
from k8stui.walk.tables import asked, row
from k8stui.walk.trace import TraceStep

_NAMES = {
    RouteCause: "routes",
    BridgeCause: "forwarding database",
    NeighbourCause: "neighbours",
}


class EntriesSheet(Sheet):
    """A table of the kernel, one entry a row, the deciding one lit."""

    def __init__(self, state: State, width: int, height: int) -> None:
        step, hop = state.step, state.hop
        self._width = width
        self._moved = state.chain.cursor
        namespace = state.world.network[hop.namespace] if state.world is not None and hop else None
        word, command, self._entries, self._decided, self._text = _table(step, namespace)
        self.title = chain_title(hop.namespace if hop else "", word, width)
        self.head = (run(f" {command}", Ink.DIM),)
        self._lit: list[Line] = []
        if self._decided is not None:
            self._lit = self._matching(self._text(self._decided))
        self.cursor = self._decided
        if self._moved is None:
            self.extent = max(1, len(self._lit))
        count = len(self._entries)
        self.note = run(f"{count:,} entr{'y' if count == 1 else 'ies'}" if count else "")
        if step is not None and height >= 9:
            self.foot = _because(step, width, height - 4 - max(3, len(self._lit)))
        room = height - 2 - len(self.head) - len(self.foot)
        self._spread = Spread.within(room, count, self._whole)
        if self._spread is not None and self._decided is not None:
            self.cursor = self._spread.first[self._decided]
        if self._moved is not None and len(self):
            self.cursor = max(0, min(self._moved, len(self) - 1))

    def __len__(self) -> int:
        if self._spread is not None:
            return len(self._spread.rows)
        return len(self._entries) + max(0, len(self._lit) - 1)

    def entry_at(self, row: int) -> tuple[int, int]:
        """(entry, line of it) on a row."""
        if self._spread is not None:
            return self._spread.rows[row]
        decided = self._decided
        if decided is None or row < decided:
            return row, 0
        part = row - decided
        if part < len(self._lit):
            return decided, part
        return row - len(self._lit) + 1, 0

    def line(self, row: int) -> Line:
        entry, part = self.entry_at(row)
        if self._spread is not None:
            line = self._spread.line(row)
        elif entry == self._decided:
            line = self._lit[part]
        else:
            line = cut(run("   " + neutralise(self._text(entry)), Ink.DIM), self._width)
        if self._moved is not None and row == self.cursor:
            return tuple((text, Ink.CURSOR) for text, _ in fit(line, self._width))
        return line

    def moved(self, row: int, by: int) -> int:
        if self._spread is not None:
            return self._spread.moved(row, by)
        return moved_over(self._decided, len(self._lit), row, by, len(self))

    def copied(self, row: int) -> str:
        return self._text(self.entry_at(row)[0])

    def _whole(self, entry: int) -> list[Line]:
        """All of an entry, on as many rows as it takes."""
        if entry == self._decided:
            return self._lit
        texts = wrap(neutralise(self._text(entry)), self._width - 4, indent=2)
        return [run("   " + part, Ink.DIM) for part in texts]

    def _matching(self, text: str) -> list[Line]:
        texts = wrap(neutralise(text), self._width - 12, indent=2)
        lines = [run((" ▶ " if not n else "   ") + part, Ink.MATCH) for n, part in enumerate(texts)]
        lines[-1] = sides(lines[-1], run("DECIDED ", Ink.MATCH), self._width, Ink.MATCH)
        return [fit(line, self._width, Ink.MATCH) for line in lines]


_Found = tuple[str, str, Sequence[object], int | None, Callable[[int], str]]


def _socket(socket: Socket) -> str:
    """A row of ss: the protocol too, by which two sockets of one process differ."""
    return f"{socket.protocol.name.lower():<4} {proof(SocketCause(socket=socket))}"


def _table(step: TraceStep | None, namespace: NetNamespace | None) -> _Found:
    """Give the table's name, the command that shows it, its entries, the deciding one, its text."""
    cause = step.cause if step is not None else None
    if step is not None and namespace is not None:
        found = asked(namespace, step)
        if found is not None:
            command, rows = found
            name = _NAMES[type(cause)]
            return name, command, rows, _place(rows, cause), lambda n: row(command, rows[n])
    match cause:
        case SocketCause(socket=socket) if namespace is not None:
            sockets = _with(namespace.sockets, socket)
            return (
                "sockets",
                "ss -ltnu",
                sockets,
                _place(sockets, socket),
                (lambda n: _socket(sockets[n])),
            )
        case DeviceCause(interface=interface) if namespace is not None:
            devices = namespace.interfaces
            at = next((n for n, d in enumerate(devices) if d.name == interface.name), None)
            return "devices", "ip addr", devices, at, lambda n: _device(devices[n])
        case ConntrackCause(entry=text):
            command = "conntrack -L    this connection's entry"
            return "connection tracking", command, (text,), 0, lambda _: text
        case SysctlCause():
            return "sysctl", "sysctl", (cause,), 0, lambda _: proof(cause)
        case _:
            detail = (step.detail or step.text) if step is not None else ""
            return (
                "what decided",
                "no table of the kernel: it follows from the request",
                (detail,) if detail else (),
                0 if detail else None,
                (lambda _: detail),
            )


def _with(entries: Sequence[Socket], decided: Socket | None) -> list[Socket]:
    """All sockets, with the one that took the packet: a proxy's own stands only in its walk."""
    return [*entries, *([] if decided is None or decided in entries else [decided])]


def _place(entries: Sequence[object], wanted: object) -> int | None:
    if wanted is None:
        return None
    return next((n for n, entry in enumerate(entries) if entry == wanted), None)


def _device(interface: Interface) -> str:
    addresses = " ".join(f"{a.address}/{a.prefix_length}" for a in interface.addresses)
    master = f" master {interface.master}" if interface.master else ""
    state = "UP" if interface.up else "DOWN"
    return f"{interface.name} {state} {interface.mac}{master} {addresses}".rstrip()


def _because(step: TraceStep, width: int, room: int) -> tuple[Line, ...]:
    why = because(step.cause)
    said = why.text if why is not None else step.text
    edge = run("─" * width, Ink.FAINT)
    return (edge, *because_lines(said, step.origin, width, min(room, 9)))
