"""Routes, neighbours and forwarding databases of a namespace, as Linux prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.kernel.namespace import LinkKind, NetNamespace
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
    version = step.before.src.version if step.before is not None else 4
    found = [*_routes(namespace, version), _neighbours(namespace, version), *_bridges(namespace)]
    return tuple(_printed(command, causes, step.cause) for command, causes in found if causes)


_Found = tuple[str, Sequence[Cause]]
"""(command, what each row would be as the cause of a step)."""


def _routes(namespace: NetNamespace, version: int) -> Iterator[_Found]:
    """Table main first, as ``ip route`` shows it, and local last."""
    routes = [one for one in namespace.routes if one.destination.address.version == version]
    names = dict.fromkeys(one.table or "main" for one in routes)
    for name in ("main", *(one for one in names if one not in ("main", "local")), "local"):
        mine = [RouteCause(route=one) for one in routes if (one.table or "main") == name]
        yield f"ip {_family(version)}route show{_of_table(name)}", mine


def _neighbours(namespace: NetNamespace, version: int) -> _Found:
    known = [one for one in namespace.neighbours if one.address.version == version]
    return f"ip {_family(version)}neigh", [NeighbourCause(neighbour=one) for one in known]


def _bridges(namespace: NetNamespace) -> Iterator[_Found]:
    for device in namespace.interfaces:
        members = {device.name}
        if device.kind is LinkKind.BRIDGE:
            members |= {each.name for each in namespace.interfaces if each.master == device.name}
            which = "br"
        elif device.kind is LinkKind.VXLAN:
            which = "dev"
        else:
            continue
        yield (
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
    # Asked for one table, `ip route` does not say of each row which table it is in.
    _, said, table = command.partition(" table ")
    rows = [proof(cause).replace(said + table, "") if said else proof(cause) for cause in causes]
    at = next((n for n, cause in enumerate(causes) if cause == decided), None)
    return KernelTable(command, tuple(rows), at)
