"""What the walk touched → the plan of a lab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.kernel.client import FIRST_SECONDS
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.namespace import Interface, NetNamespace, Network, Route
from k8stui.kernel.packet import Protocol, TcpFlags
from k8stui.kernel.step import Direction, Fork
from k8stui.lab.errors import LabError
from k8stui.lab.patience import is_silent
from k8stui.lab.plan import ClientPlan, Plan, Space, Tools
from k8stui.lab.planning.listeners import adopted, listeners
from k8stui.lab.planning.rulesets import texts
from k8stui.lab.planning.spaces import Building, Nowhere

if TYPE_CHECKING:
    from k8stui.lab.passed_on import Relayed

MAX_NAMESPACES = 64
"""A walk touches about six; a flood over a node's ports every pod of it."""
MAX_STAND_INS = 128
"""Cables of one namespace into namespaces that are not built. A bridge takes 1024 ports."""


def touched(request: Connect, exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """Names of the namespaces that a packet of these exchanges got to, in that order.

    Raises:
        LabError: more than `MAX_NAMESPACES`.

    """
    found = {request.namespace: None}
    for exchange in exchanges:
        found |= dict.fromkeys(step.namespace for step in exchange.steps)
        found |= dict.fromkeys(capture.namespace for capture in exchange.captures)
    if len(found) > MAX_NAMESPACES:
        raise LabError(
            f"the packets of this request get to {len(found)} namespaces;"
            f" a lab has {MAX_NAMESPACES} at most",
            "ask for one request with --from and --to, in a smaller part of the cluster",
        )
    return tuple(found)


def plan(
    network: Network,
    request: Connect,
    exchange: Exchange,
    tools: Tools,
    patience_seconds: float,
    *,
    earlier: Sequence[Exchange] = (),
    earlier_patience_seconds: Sequence[float] = (),
    relayed: Relayed | None = None,
    others: Sequence[Exchange] = (),
    tries: int = 0,
    whole: bool = False,
) -> tuple[Plan, tuple[str, ...]]:
    """The lab in which the kernel shall do what the walk says in `exchange`.

    With `tries` it is asked that often, and chance is left to the kernel: `others` are the further
    branches. `earlier`: what was asked before, each as the walk has it; `relayed`: what the process
    does that takes the connection; `whole`: namespaces that no packet gets to are built, too. Also
    what the lab leaves out, in sentences.
    """
    exchanges = (exchange, *earlier, *others)
    if relayed is not None:
        exchanges = (*exchanges, *relayed.exchanges, *relayed.before)
    decided = (*(fork for one in earlier for fork in _drawn(one)), *exchange.forks)
    drawn = () if tries else decided
    speaks = request.data_bytes is not None and request.protocol is Protocol.TCP
    names = tuple(network) if whole else touched(request, exchanges)
    notes: list[str] = []
    spaces = {name: _trimmed(network[name], names, notes) for name in names}
    indexes = {name: index for index, name in enumerate(names)}
    buildings = {
        name: Building(space, indexes, _taken_hops(drawn, name)) for name, space in spaces.items()
    }
    naming = {name: building.naming for name, building in buildings.items()}
    vxlan_ports = sorted(
        {i.vxlan.port for space in spaces.values() for i in space.interfaces if i.vxlan}
    )
    planned = []
    nowhere = Nowhere(len(names))
    for name, building in buildings.items():
        space = spaces[name]
        versions = {4, 6} if building.has_ipv6 else {4, request.destination.version}
        handed = texts(space, tools, versions, request.destination.version, drawn)
        notes += handed.notes
        planned.append(
            Space(
                name=name,
                settings=building.settings(),
                links=building.links(naming, spaces, nowhere),
                ip=[
                    *building.ip(),
                    *(building.whole_segments() if speaks else ()),
                    *adopted(space, building.naming, request, exchanges),
                ],
                ip6=building.ip6(),
                device_settings=building.device_settings(),
                bridge=building.bridge(),
                sets=dict(handed.sets),
                rules=dict(handed.rules),
                nft=handed.nft,
                listeners=listeners(space, request, exchanges, relayed),
                devices=building.naming.changed,
                vxlan_ports=vxlan_ports,
            )
        )
    planned.append(nowhere.space())
    asker = ClientPlan(
        space=indexes[request.namespace],
        protocol=int(request.protocol),
        version=request.destination.version,
        source="" if request.source is None else str(request.source),
        source_port=request.port_of(request.earlier),
        destination=str(request.destination),
        port=request.port,
        patience_seconds=patience_seconds,
        hears_at_once=_is_from_elsewhere(network, request, exchange),
        unconnected=request.unconnected,
        data_bytes=-1 if request.data_bytes is None else request.data_bytes,
        earlier=[request.port_of(turn) for turn in range(request.earlier)],
        earlier_patience_seconds=list(earlier_patience_seconds),
        pause_seconds=request.pause_seconds,
        tries=tries,
    )
    return Plan(spaces=planned, asker=asker, tools=tools), tuple(notes)


def _is_from_elsewhere(network: Network, request: Connect, exchange: Exchange) -> bool:
    """Whether what says no to a client's connect() has been to another machine.

    Of the first SYN only: what says no to one that is sent again comes when connect() no longer
    holds the socket (tcp_v6_err, sock_owned_by_user), on whatever machine.
    """
    felt, mine = exchange.felt, network[request.namespace]
    if felt.errno is None or felt.established:
        return False
    been = {
        capture.namespace for capture in exchange.captures if capture.time_seconds <= FIRST_SECONDS
    }
    return not all(network[name].shares_kernel(mine) for name in been)


def _trimmed(space: NetNamespace, built: tuple[str, ...], notes: list[str]) -> NetNamespace:
    """The namespace without most of its cables to those that are not built: nothing uses them."""
    kept: list[Interface] = []
    left = 0
    for interface in space.interfaces:
        stands_in = interface.peer is not None and interface.peer[0] not in built
        if stands_in and not interface.addresses:
            left += 1
            if left > MAX_STAND_INS:
                continue
        kept.append(interface)
    if left > MAX_STAND_INS:
        notes.append(f"{space.name}: {left - MAX_STAND_INS} unused cables are left out")
    return replace(space, interfaces=tuple(kept)) if left > MAX_STAND_INS else space


def _drawn(earlier: Exchange) -> Iterator[Fork]:
    """What chance came to, as often as a kernel asks it.

    A client that hears nothing sends its SYN twice (`Impatient`), the walk only once where both end
    alike. The second one asks where the first has left no entry behind (nf_nat_inet_fn).
    """
    yield from earlier.forks
    asked = {
        step.packet_number
        for step in earlier.steps
        if step.direction is Direction.FORWARD and step.before.flags == TcpFlags.SYN
    }
    if is_silent(earlier) and len(asked) == 1:
        port = f" sport={earlier.steps[0].before.sport} "
        for fork in earlier.forks:
            if not any(port in line for line in earlier.conntrack.get(fork.namespace, ())):
                yield fork


def _taken_hops(forks: tuple[Fork, ...], namespace: str) -> frozenset[Route]:
    """Of routes with several next hops those that were taken in one branch."""
    return frozenset(
        fork.hop for fork in forks if fork.namespace == namespace and fork.hop is not None
    )
