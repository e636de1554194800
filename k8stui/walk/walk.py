"""A request → the whole walk, there and back: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.step import Step
from k8stui.nodes.kubeproxy import relays
from k8stui.nodes.network import ClusterNetwork
from k8stui.walk.alike import Endpoints
from k8stui.walk.doubts import doubts
from k8stui.walk.explain import explain
from k8stui.walk.mesh import met_mesh
from k8stui.walk.outcome import no_such_name, outcome
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome, Request, Trace
from k8stui.walk.ways_in import BGP, by_bgp

if TYPE_CHECKING:
    from k8stui.walk.world import World

_BGP = 179
_ROOT = 0
"""As whom a pod's program is taken to ask beside a proxy, which is another user."""
_FIRST_DATA_BYTES = 100
"""A question as short as most: it fits into every segment."""


def walk(world: World, request: Request, *, diagnose: bool = True) -> Trace:
    """The branch in which the first address is asked and every random rule matches that can."""
    return next(walks(world, request, diagnose=diagnose))


def walks(
    world: World,
    request: Request,
    *,
    diagnose: bool = True,
    told: bool = True,
    endpoints: Endpoints | None = None,
    given: tuple[int, ...] = (),
) -> Iterator[Trace]:
    """Every branch, numbered from 1; their probabilities sum to 1. The first is `walk`'s.

    Of many endpoints those that fare alike are one branch (`Trace.alike`); `endpoints` remembers
    which, from one request to the next.
    Without `diagnose` a failed walk says what the kernel knows, and looks for no typing errors in
    ten thousand pods' labels: `Outcome.reason` and `advice` may be empty. Without `told` the steps
    have neither words nor origins, and nobody says what is taken for granted: for who wants
    outcomes alone. `given`: the first choices are these, as for `kernel.branches`; probabilities
    sum to theirs.
    """
    if request.connect is None:
        yield _unresolved(world, request)
        return
    if request.names and world.cluster.all_policies and _enforced(world):
        from k8stui.walk.policies import cut_from_dns, if_enforced  # noqa: PLC0415 - where any are

        felt = cut_from_dns(world, request)
        if felt is not None:
            asking = ("the name is asked of cluster DNS, and no answer comes",)
            hops, _ = explain(replace(request, names=asking), None)
            yield Trace(
                request=request,
                hops=hops,
                outcome=felt,
                probability=Fraction(1),
                assumptions=if_enforced(world),
            )
            return
    left = [request.connect, *request.alternatives]
    asked = len(left)
    assumptions = tuple(note.render() for note in world.stand_ins)
    endpoints = endpoints or Endpoints(world)
    number = 0
    while left:
        connect = left.pop(0)
        others = [other.destination for other in left]
        told_of = partial(trace, world, request, diagnose=diagnose, told=told)
        for exchange, way in _branches(world, request, connect, endpoints, given, told_of=told_of):
            same: tuple[bool, ...] = ()
            if exchange is not None and others:
                same = endpoints.addresses(exchange, connect.destination, others)
                left = [other for other, is_same in zip(left, same, strict=True) if not is_same]
            twins = [other for other, is_same in zip(others, same, strict=False) if is_same]
            number += 1
            yield replace(
                way,
                branch=number,
                probability=way.probability * (1 + len(twins)) / asked,
                alike=way.alike + tuple(map(endpoints.named, twins)),
                assumptions=assumptions
                + way.assumptions
                + (tuple(_unlearnt(world, connect, exchange)) if exchange is not None else ()),
            )


def _unlearnt(world: World, connect: Connect, exchange: Exchange) -> Iterator[str]:
    """Routes that a node's own rules keep Calico's BIRD from learning."""
    nodes = dict.fromkeys(s.namespace for s in exchange.steps if s.namespace in world.cluster.nodes)
    observed = [name for name in nodes if name in world.network.observed]
    if not observed or len(nodes) == 1 or connect.port == _BGP or not by_bgp(world.cluster):
        return
    for name in observed:
        other = next(one for one in nodes if one != name)
        known = _met_by_bgp.of(world.network)
        if (other, name) not in known:
            asked = parse_request(world, f"node/{other}", f"node/{name}:{_BGP}")
            known[other, name] = walk(world, asked).outcome
        done = known[other, name]
        if done.result in (Result.TIMEOUT, Result.UNREACHABLE):
            yield (
                f"{other} does not reach {name}:{_BGP} ({BGP}): {done.reason}. Walked as if the "
                f"routes were there; {done.advice}"
            )


def _nothing_yet(_: ClusterNetwork) -> dict[tuple[str, str], Outcome]:
    return {}


_met_by_bgp: Derived[ClusterNetwork, dict[tuple[str, str], Outcome]] = Derived(_nothing_yet)
"""By who asks and who is asked: every walk between two nodes wants to know it."""


def _branches(
    world: World,
    request: Request,
    connect: Connect,
    endpoints: Endpoints,
    given: tuple[int, ...],
    *,
    told_of: Callable[[Exchange], Trace],
) -> Iterator[tuple[Exchange | None, Trace]]:
    """All outcomes of asking one address, each with what the kernel did where it did it all."""
    if relays(world.cluster):
        from k8stui.walk.userspace import relayed  # noqa: PLC0415 - a mode of old clusters

        asked = replace(request, connect=connect)
        for each in relayed(world.cluster, world.network, asked, endpoints):
            yield None, met_mesh(world.cluster, asked, each)
        return
    from k8stui.kernel.branches import branches  # noqa: PLC0415 - not for a name without address

    if _is_meshed(world, connect.namespace) and connect.uid is None:
        connect = replace(connect, uid=_ROOT)
    for exchange in branches(
        world.network,
        connect,
        until_answered=True,
        speak=partial(_first_data, world),
        alike=endpoints,
        given=given,
    ):
        servers = tuple(endpoints.server(exchange, way) for way in exchange.alike)
        asked = replace(request, connect=connect)
        onward = _through_proxies(world, asked, exchange)
        if onward is not None:
            yield from ((None, met_mesh(world.cluster, asked, each)) for each in onward)
            continue
        joined = _passed_on(world, asked, exchange)
        made = joined or told_of(exchange)
        if world.cluster.all_policies and _may_be_unheard(world):
            from k8stui.walk.policies import unheard_policies  # noqa: PLC0415 - where any are

            made = unheard_policies(world, asked, made)
        served = _by_controller(world, asked, exchange, made)
        if served is not None:
            yield from ((None, each) for each in served)
            continue
        whole = None if joined else exchange
        made = met_mesh(world.cluster, asked, made)
        yield whole, replace(made, alike=servers) if servers else made


def _enforced(world: World) -> bool:
    """Whether somebody enforces policies, so that walks meet them."""
    return any(map(world.network.judges_policies, world.cluster.nodes.values()))


def _may_be_unheard(world: World) -> bool:
    """Whether there may be policies that no walk meets.

    A node's dump has what enforces them, if anything does.
    """
    if _enforced(world):
        return world.network.enforced is not world.cluster
    return not (world.options.iptables or world.options.state)


def _first_data(world: World, handshake: Sequence[Step]) -> int | None:
    """What the client says first, where rules may tell that from the handshake."""
    from k8stui.kernel import later  # noqa: PLC0415 - as above

    return _FIRST_DATA_BYTES if later.matters(world.network, handshake) else None


def _is_meshed(world: World, namespace: str) -> bool:
    """Whether a proxy there goes on with what is turned to it."""
    return any(socket.goes_on for socket in world.network[namespace].sockets)


def _through_proxies(world: World, request: Request, exchange: Exchange) -> Iterator[Trace] | None:
    server = exchange.felt.server
    if server is None or not _is_meshed(world, server):
        return None
    from k8stui.walk.sidecars import through  # noqa: PLC0415 - where there is a mesh

    return through(world.cluster, world.network, request, exchange)


def _by_controller(
    world: World, request: Request, exchange: Exchange, outer: Trace
) -> Iterator[Trace] | None:
    """What an ingress controller makes of a connection to a host that it serves."""
    if not world.cluster.entrances or not (request.names or request.scheme):
        return None
    from k8stui.walk import ingress  # noqa: PLC0415 - where there are any

    server = outer.outcome.server_pod or ""
    pod = ingress.reached(world.cluster, request, exchange, server)
    found = ingress.onward(world.cluster, request, pod, exchange) if pod is not None else None
    return ingress.passed_on(outer, found, partial(walks, world)) if found is not None else None


def _passed_on(world: World, request: Request, exchange: Exchange) -> Trace | None:
    server = exchange.felt.server
    if server is None or not any(s.onward for s in world.network[server].sockets):
        return None
    from k8stui.walk.relay import passed_on  # noqa: PLC0415 - docker-proxy and the like

    return passed_on(world.cluster, world.network, request, exchange)


def trace(
    world: World,
    request: Request,
    exchange: Exchange,
    *,
    diagnose: bool = True,
    told: bool = True,
) -> Trace:
    """Explain one exchange of the kernel room as a branch of the walk, the first."""
    hops, numbers = explain(request, exchange, world.cluster, told=told)
    return Trace(
        request=request,
        hops=hops,
        outcome=outcome(
            world.cluster, world.network, request, exchange, numbers, diagnosed=diagnose
        ),
        probability=exchange.probability,
        forks=exchange.forks,
        assumptions=tuple(doubts(world, request, exchange)) if told else (),
    )


def _unresolved(world: World, request: Request) -> Trace:
    hops, _ = explain(request, None)
    felt = no_such_name(world.cluster, request)
    pod = world.cluster.pods.get(felt.decided_at)
    if pod is not None and pod.host_network and pod.node_name is not None:
        # It has no network namespace of its own: its node's is where it asks.
        hops = tuple(replace(hop, namespace=pod.node_name) for hop in hops)
        felt = replace(felt, decided_at=pod.node_name)
    return Trace(
        request=request,
        hops=hops,
        outcome=felt,
        probability=Fraction(1),
    )
