"""A request → the walk and the kernel, side by side: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.kernel.exchange import Connect
from k8stui.kernel.header import ECHO
from k8stui.kernel.namespace import LinkKind, NetNamespace, Network
from k8stui.kernel.packet import Protocol
from k8stui.lab.anew import Changed
from k8stui.lab.chance import Count, count
from k8stui.lab.comparing.compare import BranchComparison
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.passed_on import knows_already, ways
from k8stui.lab.trial import Trial, tried
from k8stui.nodes.kubeproxy import relays
from k8stui.record import record
from k8stui.walk.offers import offers
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.lab.plan import Tools
    from k8stui.walk.world import World

_ASKED = (Protocol.TCP, Protocol.UDP, *ECHO)
MAX_BRANCHES = 64
MAX_REQUESTS = 48


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
            trial = tried(way, destination, tools)
            yield Experiment(
                request=request, branch=number, probability=share, trial=trial, cold=cold
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


class _Cold(Changed):
    """With no neighbour known: each is asked for. What a tunnel's daemon writes stays."""

    def change(self, space: NetNamespace) -> NetNamespace:
        tunnels = {one.name for one in space.interfaces if one.kind is LinkKind.VXLAN}
        kept = tuple(one for one in space.neighbours if one.device in tunnels)
        return replace(space, neighbours=kept)
