"""Routes, neighbours and forwarding databases of a namespace, as Linux prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.kernel.namespace import Interface, LinkKind, NetNamespace
from k8stui.kernel.step import BridgeCause, Cause, NeighbourCause, RouteCause
from k8stui.record import record
from k8stui.walk.reason import proof
from k8stui.walk.trace import TraceStep


@record()
class KernelTable:
    """One table of the kernel."""

    command: str
    """What shows it on a node."""
    rows: tuple[str, ...]
    decided: int | None
    """The row by which the step was decided; None: by none of them."""


def tables(namespace: NetNamespace, step: TraceStep) -> tuple[KernelTable, ...]:
    """Give the tables of a namespace, for packets of the step's family; those that have rows."""
    found = _tables(namespace, _version(step))
    return tuple(_printed(command, causes, step.cause) for command, causes in found if causes)


def asked(namespace: NetNamespace, step: TraceStep) -> tuple[str, Sequence[Cause]] | None:
    """The one table that decided a step: the command that shows it, each row as a cause.

    `row` prints a row, which for ten thousand of them takes its time. None: no such table did.
    """
    cause, version = step.cause, _version(step)
    match cause:
        case RouteCause(route=route):
            name = (route.table if route is not None else None) or "main"
            return _route_table(namespace, version, name)
        case NeighbourCause(neighbour=neighbour):
            command, rows = _neighbours(namespace, version)
            return command, rows if neighbour is None or cause in rows else [*rows, cause]
        case BridgeCause(bridge=bridge):
            device = namespace.interface(bridge)
            found = _forwarding(namespace, device) if device is not None else None
            return found or (f"bridge fdb show br {bridge}", [cause] if cause.entry else [])
    return None


def row(command: str, cause: Cause) -> str:
    """A row as the command prints it: of one table, `ip route` does not say which it is."""
    _, said, table = command.partition(" table ")
    return proof(cause).replace(said + table, "") if said else proof(cause)


_Found = tuple[str, Sequence[Cause]]
"""(command, what each row would be as the cause of a step)."""


def _version(step: TraceStep) -> int:
    return step.before.src.version if step.before is not None else 4


def _tables(namespace: NetNamespace, version: int) -> Iterator[_Found]:
    """Routes, table main first, as ``ip route`` shows it, and local last; neighbours; FDBs."""
    routes = (one for one in namespace.routes if one.destination.address.version == version)
    names = dict.fromkeys(one.table or "main" for one in routes)
    for name in ("main", *(one for one in names if one not in ("main", "local")), "local"):
        yield _route_table(namespace, version, name)
    yield _neighbours(namespace, version)
    for device in namespace.interfaces:
        found = _forwarding(namespace, device)
        if found is not None:
            yield found


def _route_table(namespace: NetNamespace, version: int, name: str) -> _Found:
    mine = [
        RouteCause(route=one)
        for route in namespace.routes
        for one in route.hops or (route,)
        if one.destination.address.version == version and (one.table or "main") == name
    ]
    return f"ip {_family(version)}route show{_of_table(name)}", mine


def _neighbours(namespace: NetNamespace, version: int) -> _Found:
    known = [one for one in namespace.neighbours if one.address.version == version]
    return f"ip {_family(version)}neigh", [NeighbourCause(neighbour=one) for one in known]


def _forwarding(namespace: NetNamespace, device: Interface) -> _Found | None:
    """The forwarding database of a bridge or of a VXLAN device; None: it has none."""
    members = {device.name}
    if device.kind is LinkKind.BRIDGE:
        members |= {each.name for each in namespace.interfaces if each.master == device.name}
    elif device.kind is not LinkKind.VXLAN:
        return None
    which = "br" if device.kind is LinkKind.BRIDGE else "dev"
    return (
        f"bridge fdb show {which} {device.name}",
        [
            BridgeCause(bridge=device.name, entry=one)
            for one in namespace.fdb
            if one.device in members
        ],
    )


def _family(version: int) -> str:
    return "" if version == 4 else "-6 "


def _of_table(name: str) -> str:
    return "" if name == "main" else f" table {name}"


def _printed(command: str, causes: Sequence[Cause], decided: Cause | None) -> KernelTable:
    if isinstance(decided, RouteCause):
        decided = RouteCause(route=decided.route)
    at = next((n for n, cause in enumerate(causes) if cause == decided), None)
    return KernelTable(command, tuple(row(command, cause) for cause in causes), at)
