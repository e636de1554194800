"""What a real node's own rules, devices or routes do to requests that should arrive.

Only where a dump shows something of a node: the requests that meet it are walked (to Services and
pods, also from other nodes), and what a line of the dump ends is told with that line: a firewall's
REJECT, Docker's FORWARD DROP, a chain that somebody has emptied, a route that is gone. One finding
a line; a warning where the dump is not all (a table left out, legacy rules beside those of nft), or
where the nodes' router knows no way to a pod: it may have learned one by BGP.
A line that cannot be evaluated is an information: nothing is known of what meets it; a warning
where it is known what would help all the same, as with a VPN's route to the pods.

A node that is not Ready and has pods that are to serve is told too: what they say of themselves is
what its kubelet wrote last.

Does not apply to failures whose cause stands in a manifest, which other rules tell; but for what
kube-proxy's configuration lacks for such a node.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from k8stui.check.claim import Claim
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.cluster.model import Node
from k8stui.kernel.exchange import Result
from k8stui.nodes.observed import DumpLine
from k8stui.nodes.wire import WIRE
from k8stui.origin import Origin, OriginKind
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk
from k8stui.walk.ways_in import WayIn, ways_to_node, ways_to_pods, ways_to_service

ID = "node-state"
_THOROUGH = 50
"""Services that are asked in every way; any more of them in one way each, from a pod of the node
where it has one: rules for all of them were met with the first."""


def _not_ready(ground: Ground) -> Iterator[Finding]:
    lost = {node.name: node for node in ground.cluster.nodes.values() if not node.ready}
    pods: dict[str, list[str]] = {}
    for pod in ground.cluster.pods.values() if lost else ():
        if pod.node_name in lost and pod.ready:
            pods.setdefault(str(pod.node_name), []).append(pod.name)
    for name, there in pods.items():
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Node {name}",
            place=lost[name].origins.get("ready", lost[name].origin).place,
            why=f"it is not Ready, and {names(there)} on it count as ready: if it is down, what is "
            "sent to them times out",
            fix=f"look there: kubectl describe node {name}, and its kubelet",
        )


def look(ground: Ground) -> Iterator[Finding]:
    yield from _not_ready(ground)
    told: set[tuple[str, int]] = set()
    for name in ground.world.network.observed:
        for way, trace in _failing(ground, ground.cluster.nodes[name]):
            done = trace.outcome
            place = done.origin.place if done.origin is not None else None
            if place is None or (place.file, place.line) in told:
                continue
            told.add((place.file, place.line))
            if done.result is Result.UNKNOWN:
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING if done.advice else Severity.INFO,
                    subject=f"Node {name}",
                    place=place,
                    why=f"whether {way.source} reaches {way.destination} is not known: "
                    f"{done.reason}",
                    fix=done.advice or "nothing, if no request that matters meets that line",
                )
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING if _is_open(ground, name, trace) else Severity.ERROR,
                subject=f"Node {name}",
                place=place,
                why=f"{way.source} does not reach {way.destination}"
                + (f" ({way.purpose})" if way.purpose else "")
                + f": {done.reason}",
                fix=done.advice,
                claim=Claim(way.source, way.destination),
            )


def _is_open(ground: Ground, node: str, trace: Trace) -> bool:
    """Whether it is not certain: a node has more rules than its dump, the router other routes.

    What the router between the nodes knows is in no dump: it may learn pods' addresses by BGP.
    """
    if ground.world.network[node].rules_cut is not None:
        return True
    last = trace.hops[-1].steps[-1].after
    if trace.outcome.decided_at != WIRE or last is None:
        return False
    return any(last.dst in one for one in ground.cluster.pod_cidrs)


def _failing(ground: Ground, node: Node) -> Iterator[tuple[WayIn, Trace]]:
    for way in _ways(ground, node):
        try:
            request = parse_request(ground.world, way.source, way.destination)
        except RequestError:
            continue
        trace = walk(ground.world, request)
        done = trace.outcome
        if done.result is not Result.CONNECTED and _is_ours(ground, done.origin):
            yield way, trace


def _is_ours(ground: Ground, origin: Origin | None) -> bool:
    """Whether a line of a dump is to blame, or one of kube-proxy's configuration.

    What the latter lacks shows on such nodes alone: with a second card, or a bridge of their own.
    """
    if origin is None or origin.place is None:
        return False
    if origin.kind is OriginKind.OBSERVED and isinstance(origin.place, DumpLine):
        return True
    where = (origin.place.file, origin.place.line)
    own = (ground.cluster.proxy.origin, *ground.cluster.proxy.origins.values())
    return any(one.place and (one.place.file, one.place.line) == where for one in own)


def _ways(ground: Ground, node: Node) -> Iterator[WayIn]:
    yield from ways_to_node(ground.world, node)
    yield from ways_to_pods(ground.world, node)
    for index, service in enumerate(ground.services):
        ways = ways_to_service(ground.world, node, service)
        yield from ways if index < _THOROUGH else islice(ways, 1)


RULE = CheckRule(
    id=ID,
    summary="A real node's own state keeps requests from arriving",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
