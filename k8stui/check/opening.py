"""The walk to begin with: where something is wrong the one that shows it, else the usual one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from k8stui.check.check import check
from k8stui.check.finding import Finding, Severity
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.walk.offers import Offer, client_of, first_offer, offers
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.walk import walk

if TYPE_CHECKING:
    from k8stui.cluster.model import Service
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World

_FEW_SERVICES = 20
"""So few are checked before the first walk is shown: a hundredth of a second."""
_MOST_WALKS = 30


def opening(world: World, paths: Sequence[str]) -> Trace | None:
    """The first walk of a world; None where there is nothing to ask for.

    The usual offer, unless it connects though something is wrong: then the first offer that fails
    to a Service that a finding is about; else what a finding claims; else another way to the
    Service that was to be shown anyway.
    """
    usual = first_offer(world)
    if usual is None:
        return None
    shown = walk(world, usual.request)
    if shown.outcome.result is not Result.CONNECTED:
        return shown
    if len(world.cluster.services) > _FEW_SERVICES:
        return shown
    wrong = [one for one in check(world, paths) if one.severity is not Severity.INFO]
    wrong.sort(key=lambda one: one.severity is not Severity.ERROR)
    for request in islice(_asked(world, wrong, usual), _MOST_WALKS):
        trace = walk(world, request)
        if trace.outcome.result is not Result.CONNECTED:
            return trace
    return shown


def _asked(world: World, wrong: Sequence[Finding], usual: Offer) -> Iterator[Request]:
    """What may show what is wrong, the most telling first."""
    named = [one.subject.removeprefix("Service ") for one in wrong]
    for key in dict.fromkeys(name for name in named if name in world.cluster.services):
        yield from (offer.request for offer in offers(world, key))
    for one in wrong:
        if one.claim is not None:
            try:
                yield parse_request(world, one.claim.source, one.claim.destination)
            except RequestError:
                continue
    for key, service in world.cluster.services.items():
        found = offers(world, key)
        if usual in found:
            yield from (offer.request for offer in found)
            yield from _from_inside(world, service)


def _from_inside(world: World, service: Service) -> Iterator[Request]:
    """The cluster's own pods at the addresses that are meant for others."""
    ingress = service.load_balancer_ingress
    balanced = (each.ip for each in ingress if each.ip is not None and each.ip_mode == "VIP")
    for address in (*balanced, *service.external_ips):
        for port in service.ports:
            behind = "" if port.protocol is Protocol.TCP else f"/{port.protocol.name.lower()}"
            asked = f"{address.with_port(port.port)}{behind}"
            yield parse_request(world, client_of(world, service), asked)
