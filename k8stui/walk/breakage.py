"""Which requests two worlds answer differently: what a difference in rules means to a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.cluster.model import Node
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.nodes.difference import Difference, DifferenceKind, differences, owned, told_apart
from k8stui.nodes.mended import mended
from k8stui.nodes.network import Instead, build_network
from k8stui.nodes.nft_comparable import comparable
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.state.nftables import is_nft
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
    """Where they were read; empty: in what the input itself says of the node."""
    owner: str
    """Whose rules were compared: ``all``, or one of kube-proxy, cni, kubelet."""
    differences: tuple[Difference, ...]
    repeated: tuple[Difference, ...] = ()
    """Rules that stand twice in a row, which changes nothing."""
    others: Mapping[str, int]
    """Programs that have rules there too, which were not compared, and how many."""
    breakages: tuple[Breakage, ...]
    """Those first that connect less often than they should."""
    asked: int
    """How many requests were walked under both rulesets."""
    walked: tuple[str, ...]
    """Services whose ways in were walked under both rulesets."""
    not_walked: int
    """How many Services more a difference may concern."""
    assumed: tuple[str, ...]
    """Services whose ClusterIP had to be assumed: their rules can hardly match a real node's."""


def rules_report(
    world: World, node: Node, version: int, file: str = "", *, owner: str = "all", limit: int = 50
) -> RulesReport:
    """Compare iptables-save or nft list in `file` with what `owner` would have put on `node`.

    Without a `file`: what the world itself has seen of the node. `owner`: ``all``, or only
    ``kube-proxy``, ``cni`` or ``kubelet``: for a node whose other programs (another network
    plug-in, docker, a firewall) are not imitated. A difference that names no Service may concern
    every one; at most `limit` are walked. Requests are asked under the rules as they are, and under
    the same with the differences put right.

    Raises:
        NodeOptionError, ObservedFileError: as `k8stui.nodes.network.build_network`.
        RequestError: the node's rules of that family were not seen.

    """
    if file and is_nft(file):
        world = with_tables(world, {**world.options.nft, node.name: file})
        return _of_nftables(world, node, version, file, owner=owner, limit=limit)
    if file:
        world = with_rules(world, {**world.options.iptables, node.name: file})
    elif world.cluster.proxy.mode == NFTABLES and world.network.observed_nft(node) is not None:
        return _of_nftables(world, node, version, file, owner=owner, limit=limit)
    observed = world.network.observed_ruleset(node, version)
    if observed is None:
        raise _not_seen(world, node, version, file)
    everything = world.network.generated(node, version)
    found = differences(everything, observed)
    others: Mapping[str, int] = {}
    if owner == "all":
        assumed = world.network.assumed_writers(node, version)
        found, others = told_apart(found, everything, observed, assumed)
    else:
        own = world.network.ruleset(node, version, owner)
        found = owned(differences(own, observed), own, everything)
    put_right = Instead(
        {version: mended(observed, everything, found)}, world.network.generated_sets(node)
    )
    report = _Report(world, node, version, file, owner, limit)
    return report.of(found, others, put_right)


def _of_nftables(
    world: World, node: Node, version: int, file: str, *, owner: str, limit: int
) -> RulesReport:
    """The same of nftables' own tables: of those that are expected; others' are counted."""
    seen = world.network.observed_nft(node) or NftRuleset()
    expected = world.network.generated_nft(node, owner)
    known = {(one.family, one.name) for one in expected.tables}
    own = NftRuleset(tuple(one for one in seen.tables if (one.family, one.name) in known))
    foreign = NftRuleset(tuple(one for one in seen.tables if one not in own.tables))
    found = differences(comparable(expected, version), comparable(own, version))
    others = {
        table.name: sum(len(chain.rules) for chain in table.chains.values())
        for table in comparable(foreign, version)
    }
    put_right = Instead({}, {}, NftRuleset((*expected.tables, *foreign.tables)))
    report = _Report(world, node, version, file, owner, limit)
    return report.of(found, others, put_right)


@record()
class _Report:
    """What was asked for, and how the report on it is made."""

    world: World
    node: Node
    version: int
    file: str
    owner: str
    limit: int

    def of(
        self, found: tuple[Difference, ...], others: Mapping[str, int], put_right: Instead
    ) -> RulesReport:
        """With the requests that are answered differently once it is `put_right`."""
        repeated = tuple(each for each in found if each.kind is DifferenceKind.REPEATED)
        found = tuple(each for each in found if each.kind is not DifferenceKind.REPEATED)
        world, node, limit = self.world, self.node, self.limit
        network = build_network(world.cluster, world.options, instead={node.name: put_right})
        should = replace(world, cluster=network.cluster, network=network)
        services = _concerned(world, found)
        walked = services[:limit]
        ways = _ways(should, node, walked, found)
        broken = list(breakages(should, world, ways))
        if found and not broken:
            # Before it is said that nothing changes: whatever else meets the node's rules.
            more = [way for way in ways_to_pods(should, node) if way not in ways]
            broken, ways = list(breakages(should, world, more)), [*ways, *more]
        broken.sort(key=lambda each: connected(each.observed) - connected(each.expected))
        report = self._report(found, others, broken, len(ways), services)
        return replace(report, repeated=repeated)

    def _report(
        self,
        found: tuple[Difference, ...],
        others: Mapping[str, int],
        broken: Iterable[Breakage],
        asked: int,
        services: tuple[str, ...],
    ) -> RulesReport:
        walked = services[: self.limit]
        return RulesReport(
            node=self.node.name,
            version=self.version,
            file=self.file,
            owner=self.owner,
            differences=found,
            others=others,
            breakages=tuple(broken),
            asked=asked,
            walked=walked,
            not_walked=len(services) - len(walked),
            assumed=tuple(key for key in services if _is_assumed(self.world, key)),
        )


def _not_seen(world: World, node: Node, version: int, file: str) -> RequestError:
    if file or world.network.has_observed_rules(node):
        return RequestError(
            f"{file or f'what was seen of {node.name}'} holds no IPv{version} rules",
            hint="the other --family?",
        )
    return RequestError(
        f"no rules of {node.name} were seen",
        hint=f"--diff {node.name}=FILE with its iptables-save, or a folder with nodes/"
        f"{node.name}.txt (k8stui collect)",
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
    return _with(world, replace(world.options, iptables=iptables))


def with_tables(world: World, nft: Mapping[str, str]) -> World:
    """The same world with other dumps of ``--nft``; raises as `with_rules`."""
    return _with(world, replace(world.options, nft=nft))


def _with(world: World, options: NodeOptions) -> World:
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
