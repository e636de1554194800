"""A request → the walk and the kernel, side by side: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.kernel.client import D_SACK_BYTES
from k8stui.kernel.device import VLAN_TAG_BYTES
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.header import ECHO
from k8stui.kernel.namespace import LinkKind, NetNamespace, Network
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import DeviceCause, Direction
from k8stui.lab.anew import Changed, chosen
from k8stui.lab.chance import Count, count
from k8stui.lab.comparing.compare import BranchComparison, compare
from k8stui.lab.comparing.felt import LATE_SECONDS
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.passed_on import QuestionBranch, knows_already, ways
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.nodes.kubeproxy import relays
from k8stui.record import record
from k8stui.walk.offers import offers
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.lab.plan import Tools
    from k8stui.walk.world import World

_ASKED = (Protocol.TCP, Protocol.UDP, *ECHO)
_ALL_SYNS_SECONDS = 60.0
"""Only who sends one SYN after the other knows so late."""
_SPARE_SECONDS = 2.0
"""How much later than the walk says the kernel may answer before the lab stops waiting."""
_EARLIER_SECONDS = 10.0
"""How much later than the walk says an earlier request may end, on a busy machine: it has to."""
_UDP_PATIENCE_SECONDS = 4.0
"""For a datagram that nobody answers: ARP gives up after 3 s, and may say so to the client."""
MAX_BRANCHES = 64
MAX_REQUESTS = 48


@record(kw_only=True)
class Trial:
    """One exchange, done twice."""

    exchange: Exchange
    comparison: BranchComparison
    namespaces: int
    build_seconds: float
    notes: tuple[str, ...]
    """What the lab has not got, or does in another way."""


@record(kw_only=True)
class Experiment:
    """One branch of one request. Chance is decided so that the kernel takes this branch."""

    request: Request
    branch: int
    """1-based, in the order of `k8stui.walk.walk.walks`."""
    probability: Fraction
    trial: Trial
    cold: bool = False
    """Nobody knew a MAC address before."""

    @property
    def comparison(self) -> BranchComparison:
        return self.trial.comparison


def experiments(
    world: World, request: Request, tools: Tools, *, every: bool = False, cold: bool = False
) -> Iterator[Experiment]:
    """Do the first branch of `request`, or `every` one, each in a lab of its own.

    `cold`: with no neighbour known, but those that a tunnel's daemon has written.

    Raises:
        NotComparedError: the walk ends in something that is not modelled, or a lab has not got it.
        LabError: no lab can be built here, or not for this request.

    """
    asked = _asked(request)
    network: Network = _Cold(world.network) if cold else world.network
    number = 0
    for destination in asked if every else asked[:1]:
        for way in ways(world, network, request, destination):
            number += 1
            if number > MAX_BRANCHES:
                raise LabError(f"more than {MAX_BRANCHES} branches", "leave --all out")
            share = way.exchange.probability / len(asked)
            if cold and way.relayed is not None and knows_already(way):
                raise NotComparedError("who passes on knows neighbours of those it has taken")
            tried = _tried(way, destination, tools)
            yield Experiment(
                request=request, branch=number, probability=share, trial=tried, cold=cold
            )
            if not every:
                return


def counts(world: World, request: Request, tools: Tools, tries: int) -> Count | str:
    """Whether the kernel's dice fall as the walk's fractions say; else why that is not known.

    Raises:
        LabError: as `experiments`.

    """
    asked = _asked(request)
    if relays(world.cluster):
        return "chance is not counted where kube-proxy itself takes turns"
    if request.protocol in ECHO or asked[0].earlier:
        return "chance is not counted of pings, and of requests that were made before"
    if len(asked) > 1:
        return "chance is not counted: the name has several addresses, and the client draws"
    return count(world.network, request, asked[0], tools, tries)


def ways_in(world: World) -> tuple[Request, ...]:
    """What there is to ask when nobody says: every way to every Service (`walk.offers`).

    Raises:
        LabError: more than `MAX_REQUESTS`.

    """
    found = tuple(offer.request for key in world.cluster.services for offer in offers(world, key))
    if len(found) > MAX_REQUESTS:
        raise LabError(f"{len(found)} ways to ask; a lab takes {MAX_REQUESTS}", "--from … --to …")
    return found


def _asked(request: Request) -> tuple[Connect, ...]:
    if request.connect is None:
        raise NotComparedError(f"{request.destination} has no address: no packet is ever sent")
    if request.protocol not in _ASKED:
        raise NotComparedError(f"a lab asks by TCP, UDP and ping, not by {request.protocol.name}")
    if request.connect.formerly is not None:
        raise NotComparedError("a lab does not change while it is asked")
    return (request.connect, *request.alternatives)


def _tried(way: QuestionBranch, asked: Connect, tools: Tools) -> Trial:
    network, exchange = way.network, way.exchange
    notes: tuple[str, ...] = ()
    if exchange.felt.result is Result.UNKNOWN:
        raise NotComparedError(f"the walk does not go to its end: {exchange.felt.reason}")
    if any(step.after.protocol is Protocol.IPIP for step in exchange.steps):
        raise NotComparedError("a lab builds no IPIP tunnels")
    earlier = _earlier(network, asked)
    if exchange.felt.result is Result.TIMEOUT and exchange.felt.established:
        if _fits_shortened(exchange):
            raise NotComparedError("TCP repeats an answer in 12 bytes less, and those fit")
        felt = replace(exchange.felt, errno=None)
        exchange = replace(exchange, felt=felt)
        notes = (f"connected, and silence: nobody waits {felt.seconds:.0f} s for its end here",)
    elif asked.protocol is Protocol.TCP and way.relayed is None:
        given_up = next(filter(_is_silent, (exchange, *earlier)), None)
        if given_up is not None:
            network = _Impatient(network, asked.namespace)
            exchange = connect(network, asked, chosen(exchange))
            earlier = _earlier(network, asked)
            told = f"3 s here instead of {given_up.felt.seconds:.0f}"
            notes = (f"the client's kernel gives up after {told}: net.ipv4.tcp_syn_retries is 1",)
    made, left_out = plan(
        network,
        asked,
        exchange,
        tools,
        _patience(exchange, asked),
        earlier=earlier,
        earlier_patience_seconds=[_earlier_patience(one, asked) for one in earlier],
        relayed=way.relayed,
    )
    seen = run(made)
    for name in tuple(seen["conntrack"]):
        # A kernel tracks where a rule asks for it, and counts the rules that it has: one that was
        # left out may be the one.
        if any(note.startswith(f"{name}: ") for note in (*left_out, *seen["left_out"])):
            del seen["conntrack"][name]
            seen["passed"].pop(name, None)
    former = (
        [asked.port_of(turn) for turn in range(asked.earlier)]
        if asked.protocol is Protocol.TCP
        else []
    )
    if way.relayed is not None:
        earlier = (*earlier, *way.relayed.before, *way.relayed.begun)
        former += [one.steps[0].before.sport for one in way.relayed.before if one.steps]
    comparison = compare(exchange, seen, earlier, former_ports=former)
    if not comparison.agrees and asked.earlier and way.relayed is None:
        asked = _in_its_time(asked, earlier, seen["earlier_seconds"])
        exchange = connect(network, asked, chosen(exchange))
        comparison = compare(exchange, seen, earlier, former_ports=former)
    if not comparison.agrees and way.relayed is None:
        afterwards = _afterwards(network, asked, exchange)
        comparison = compare(exchange, seen, earlier, afterwards, former)
    return Trial(
        exchange=exchange,
        comparison=comparison,
        namespaces=len(made["spaces"]) - 1,
        build_seconds=seen["build_seconds"],
        notes=(
            *notes,
            *left_out,
            *(f"not in this kernel, left out: {text}" for text in seen["left_out"]),
        ),
    )


def _afterwards(network: Network, asked: Connect, exchange: Exchange) -> Exchange:
    """The exchange, and what follows by itself when the client knows already."""
    return connect(network, asked, chosen(exchange), linger_seconds=LATE_SECONDS + _SPARE_SECONDS)


def _in_its_time(asked: Connect, earlier: Sequence[Exchange], earlier_seconds: float) -> Connect:
    """What was asked, with the pauses that there were on a busy machine.

    After two seconds conntrack takes datagrams for a stream, and entries run out.
    """
    spent = sum(one.felt.seconds for one in earlier)
    pause = max(asked.pause_seconds, (earlier_seconds - spent) / asked.earlier)
    return replace(asked, pause_seconds=pause)


def _is_silent(exchange: Exchange) -> bool:
    """Whether nothing that was sent last is answered.

    An error of before, which connect() has put aside, may be what it fails with all the same.
    """
    return exchange.felt.result is Result.TIMEOUT or exchange.felt.seconds > _ALL_SYNS_SECONDS


def _fits_shortened(exchange: Exchange) -> bool:
    """Whether the answer to a connection's data is too long by no more than a D-SACK takes.

    Who answers is asked twice, says so, and leaves room for that in what it sends again
    (tcp_current_mss): which comes through. The walk has the first answer alone.
    """
    decided = exchange.felt.deciding_step
    step = exchange.steps[decided] if decided is not None else None
    if step is None or step.direction is not Direction.REPLY:
        return False
    if step.before.protocol is not Protocol.TCP or not isinstance(step.cause, DeviceCause):
        return False
    takes_bytes = step.cause.interface.mtu_bytes + VLAN_TAG_BYTES
    return takes_bytes < step.before.length_bytes <= takes_bytes + D_SACK_BYTES


def _patience(exchange: Exchange, asked: Connect) -> float:
    """Seconds that the client waits."""
    is_silent = _is_silent(exchange)
    if is_silent and exchange.felt.established:
        return _SPARE_SECONDS
    if is_silent and asked.protocol is not Protocol.TCP:
        return _UDP_PATIENCE_SECONDS
    return exchange.felt.seconds + _SPARE_SECONDS


def _earlier_patience(exchange: Exchange, asked: Connect) -> float:
    """Seconds until the client asks again: as in the walk, for entries run out meanwhile."""
    if _is_silent(exchange) and asked.protocol is not Protocol.TCP:
        return exchange.felt.seconds
    return exchange.felt.seconds + _SPARE_SECONDS + _EARLIER_SECONDS


def _earlier(network: Network, asked: Connect) -> tuple[Exchange, ...]:
    """What the same client has asked before, one by one (`Connect.earlier`)."""
    found = tuple(connect(network, replace(asked, earlier=turn)) for turn in range(asked.earlier))
    if any(one.felt.result is Result.UNKNOWN for one in found):
        raise NotComparedError("an earlier request does not go to its end")
    if any(_is_silent(one) and one.felt.established for one in found):
        raise NotComparedError("an earlier connection's data waits for its end for 15 minutes")
    if asked.protocol is Protocol.TCP and any(_is_silent(one) and one.forks for one in found):
        raise NotComparedError("chance decides once more about each SYN of an earlier connection")
    return found


class _Impatient(Changed):
    """With a client whose kernel gives up after the second SYN, at 3 s."""

    def __init__(self, network: Network, client: str) -> None:
        super().__init__(network)
        self._client = client

    def change(self, space: NetNamespace) -> NetNamespace:
        if space.name != self._client:
            return space
        sysctls = replace(space.sysctls, tcp_syn_retries=1, tcp_syn_linear_timeouts=0)
        return replace(space, sysctls=sysctls)


class _Cold(Changed):
    """With no neighbour known: each is asked for. What a tunnel's daemon writes stays."""

    def change(self, space: NetNamespace) -> NetNamespace:
        tunnels = {one.name for one in space.interfaces if one.kind is LinkKind.VXLAN}
        kept = tuple(one for one in space.neighbours if one.device in tunnels)
        return replace(space, neighbours=kept)
