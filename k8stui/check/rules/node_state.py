"""What a real node's own rules, devices or routes do to requests that should arrive.

Only with ``--iptables``, ``--ip-addr`` or ``--ip-route``: the requests that meet such a node are
walked (to Services and pods, also from other nodes), and what a line of those dumps ends is told
with that line: a firewall's REJECT, Docker's FORWARD DROP, a chain that somebody has emptied, a
route that is gone. One finding a line.

Does not apply to failures whose cause stands in a manifest: other rules tell those.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Node
from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.ways_in import Way, ways_to_pods, ways_to_service

ID = "node-state"
_MOST_SERVICES = 50


def look(ground: Ground) -> Iterator[Finding]:
    options = ground.world.options
    given = {**options.iptables, **options.ip_addr, **options.ip_route}
    files = {
        file
        for those in (options.iptables, options.ip_addr, options.ip_route)
        for file in those.values()
    }
    told: set[tuple[str, int]] = set()
    for name in dict.fromkeys(given):
        node = ground.cluster.nodes.get(name)
        for way, done in _failing(ground, node) if node is not None else ():
            place = done.origin.place if done.origin is not None else None
            if place is None or place.file not in files or (place.file, place.line) in told:
                continue
            told.add((place.file, place.line))
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Node {name}",
                place=place,
                why=f"{way.source} does not reach {way.destination}: {done.reason}",
                fix=done.advice,
                claim=Claim(way.source, way.destination),
            )


def _failing(ground: Ground, node: Node) -> Iterator[tuple[Way, Outcome]]:
    for way in _ways(ground, node):
        try:
            request = parse_request(ground.world, way.source, way.destination)
        except RequestError:
            continue
        done = walk(ground.world, request).outcome
        is_observed = done.origin is not None and done.origin.kind is OriginKind.OBSERVED
        if done.result not in (Result.CONNECTED, Result.UNKNOWN) and is_observed:
            yield way, done


def _ways(ground: Ground, node: Node) -> Iterator[Way]:
    for service in ground.services[:_MOST_SERVICES]:
        yield from ways_to_service(ground.world, node, service)
    yield from ways_to_pods(ground.world, node)


RULE = CheckRule(
    id=ID,
    summary="A real node's own state keeps requests from arriving",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
