"""Which requests two worlds answer differently: what a difference in rules means to a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.cluster.model import Node
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.difference import Difference, DifferenceKind, differences, owned
from k8stui.nodes.dumps import read_observed
from k8stui.nodes.network import build_network
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.ways_in import WayIn, ways_to_pods, ways_to_service

if TYPE_CHECKING:
    from k8stui.walk.world import World


@record(kw_only=True)
class BranchEnd:
    """What one branch comes to, as far as the client and the server can tell."""

    result: Result
    server: str
    """``namespace/name`` of the pod, or the address, that answered; empty when nobody did."""
    source_seen: Address | None


@record(kw_only=True)
class Breakage:
    """One request that the two worlds answer differently."""

    service: str
    """``namespace/name``; empty where no Service was asked."""
    source: str
    destination: str
    """Both as they can be typed behind ``--from`` and ``--to``."""
    expected: Mapping[BranchEnd, Fraction]
    observed: Mapping[BranchEnd, Fraction]
    """Each answer with its probability; they sum to 1."""
    observed_trace: Trace
    """The first branch whose answer is not among the expected ones; else the first."""

    @property
    def is_worse(self) -> bool:
        """Whether the observed world connects less often."""
        return connected(self.observed) < connected(self.expected)


@record(kw_only=True)
class RulesReport:
    """A real node's rules against what should stand there, and what that means to clients."""

    node: str
    version: int
    """4 or 6."""
    file: str
    owner: str
    """Whose rules were compared: ``all``, or one of kube-proxy, cni, kubelet."""
    differences: tuple[Difference, ...]
    breakages: tuple[Breakage, ...]
    asked: int
    """How many requests were walked under both rulesets."""
    walked: tuple[str, ...]
    """Services whose ways in were walked under both rulesets."""
    not_walked: int
    """How many Services more a difference may concern."""
    assumed: tuple[str, ...]
    """Services whose ClusterIP had to be assumed: their rules can hardly match a real node's."""


def rules_report(
    world: World, node: Node, version: int, file: str, *, owner: str = "all", limit: int = 50
) -> RulesReport:
    """Compare the iptables-save in `file` with what `owner` would have programmed on `node`.

    `owner`: ``all``, or only ``kube-proxy``, ``cni`` or ``kubelet``: for a node whose other
    programs (another network plug-in, docker, a firewall) are not imitated. A difference that names
    no Service may concern every one; at most `limit` are walked.

    Raises:
        NodeOptionError, ObservedFileError: as `k8stui.nodes.network.build_network`.
        RequestError: the file holds no rules of that family.

    """
    dump = NodeOptions(iptables={node.name: file})
    observed = read_observed(dump)[node.name].rulesets.get(version)
    if observed is None:
        raise RequestError(f"{file} holds no IPv{version} rules", hint="the other --family?")
    world = replace(world, cluster=with_rules(world, {node.name: file}).cluster)
    others = {name: path for name, path in world.options.iptables.items() if name != node.name}
    should = with_rules(world, others)
    everything = should.network.ruleset(node, version)
    if owner == "all":
        found = differences(everything, observed)
    else:
        own = should.network.ruleset(node, version, owner)
        found = _owned(own, everything, observed)
    services = _concerned(world, found)
    walked = services[:limit]
    ways = _ways(should, node, walked, found)
    return RulesReport(
        node=node.name,
        version=version,
        file=file,
        owner=owner,
        differences=found,
        breakages=tuple(breakages(should, with_rules(world, {**others, node.name: file}), ways)),
        asked=len(ways),
        walked=walked,
        not_walked=len(services) - len(walked),
        assumed=tuple(key for key in services if _is_assumed(world, key)),
    )


def _owned(own: Ruleset, everything: Ruleset, observed: Ruleset) -> tuple[Difference, ...]:
    """One owner's differences. Its place among the others' rules only all of them together tell."""
    found = owned(differences(own, observed), own, everything)
    moved = {
        (each.table, each.chain, each.expected)
        for each in differences(everything, observed)
        if each.kind is DifferenceKind.MOVED
    }
    return tuple(
        each
        for each in found
        if each.kind is not DifferenceKind.MOVED or (each.table, each.chain, each.expected) in moved
    )


def _ways(
    world: World, node: Node, services: Iterable[str], found: Iterable[Difference]
) -> list[WayIn]:
    """What to ask: the Services concerned, and the pods where a difference names no Service."""
    ways = [
        way for key in services for way in ways_to_service(world, node, world.cluster.services[key])
    ]
    if any(each.service is None for each in found):
        ways += ways_to_pods(world, node)
    return list(dict.fromkeys(ways))


def _concerned(world: World, found: Iterable[Difference]) -> tuple[str, ...]:
    named = dict.fromkeys(each.service for each in found)
    everyone = tuple(world.cluster.services) if None in named else ()
    known = (key for key in named if key in world.cluster.services)
    return tuple(key for key in dict.fromkeys((*known, *everyone)) if key is not None)


def _is_assumed(world: World, key: str) -> bool:
    origin = world.cluster.services[key].origins.get("cluster_ips")
    return origin is not None and origin.kind is OriginKind.ASSUMED


def connected(answers: Mapping[BranchEnd, Fraction]) -> Fraction:
    """Probability of being connected."""
    found = (p for answer, p in answers.items() if answer.result is Result.CONNECTED)
    return sum(found, Fraction(0))


def with_rules(world: World, iptables: Mapping[str, str]) -> World:
    """The same world with other dumps of ``--iptables``.

    Raises:
        NodeOptionError, ObservedFileError: as `k8stui.nodes.network.build_network`.

    """
    options = replace(world.options, iptables=iptables)
    network = build_network(world.cluster, options)
    return replace(world, cluster=network.cluster, options=options, network=network)


def breakages(expected: World, observed: World, ways: Iterable[WayIn]) -> Iterator[Breakage]:
    """Ask `ways` in both worlds; only what is answered differently is yielded."""
    for way in ways:
        try:
            found = _compared(expected, observed, way)
        except RequestError:  # not to be asked here: a name without address, a port of no one
            continue
        if found is not None:
            yield found


def answers(traces: Iterable[Trace]) -> dict[BranchEnd, Fraction]:
    """Probability of each answer over the branches of a walk."""
    found: dict[BranchEnd, Fraction] = {}
    for trace in traces:
        key = answer_of(trace)
        found[key] = found.get(key, Fraction(0)) + trace.probability
    return found


def answer_of(trace: Trace) -> BranchEnd:
    """What this branch comes to."""
    done = trace.outcome
    server = done.server_pod or (str(done.server_address) if done.server_address else "")
    return BranchEnd(result=done.result, server=server, source_seen=done.source_seen_by_server)


def _compared(expected: World, observed: World, way: WayIn) -> Breakage | None:
    sides = tuple(
        list(walks(world, parse_request(world, way.source, way.destination)))
        for world in (expected, observed)
    )
    wanted, seen = (answers(traces) for traces in sides)
    if wanted == seen or _same_failure(wanted, seen):
        return None
    return Breakage(
        service=way.service,
        source=way.source,
        destination=way.destination,
        expected=wanted,
        observed=seen,
        observed_trace=_telling(sides[1], wanted),
    )


def _same_failure(one: Mapping[BranchEnd, Fraction], other: Mapping[BranchEnd, Fraction]) -> bool:
    """Whether the client feels the same and is served by neither: how far it got tells nobody."""
    sides = [{(answer.result, share) for answer, share in side.items()} for side in (one, other)]
    return sides[0] == sides[1] and not connected(one) and not connected(other)


def _telling(traces: list[Trace], other: Mapping[BranchEnd, Fraction]) -> Trace:
    return next((trace for trace in traces if answer_of(trace) not in other), traces[0])
