"""Which requests two worlds answer differently: what a difference in rules means to a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from k8stui.cluster.model import Node, Pod, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.nodes.difference import Difference, differences, owned
from k8stui.nodes.network import build_network
from k8stui.nodes.observed import read_observed
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.lookup import can_send
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.walk.world import World


@record(kw_only=True)
class Answer:
    """What one branch comes to, as far as the client and the server can tell."""

    result: Result
    server: str
    """``namespace/name`` of the pod, or the address, that answered; empty when nobody did."""
    source_seen: Address | None


@record(kw_only=True)
class Breakage:
    """One request that the two worlds answer differently."""

    service: str
    """``namespace/name``."""
    source: str
    destination: str
    """Both as they can be typed behind ``--from`` and ``--to``."""
    expected: Mapping[Answer, Fraction]
    observed: Mapping[Answer, Fraction]
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
    others = {name: path for name, path in world.options.iptables.items() if name != node.name}
    should = with_rules(world, others)
    everything = should.network.ruleset(node, version)
    if owner == "all":
        found = differences(everything, observed)
    else:
        own = should.network.ruleset(node, version, owner)
        found = owned(differences(own, observed), own, everything)
    services = _concerned(world, found)
    walked = services[:limit]
    return RulesReport(
        node=node.name,
        version=version,
        file=file,
        owner=owner,
        differences=found,
        breakages=tuple(
            breakages(should, with_rules(world, {**others, node.name: file}), node, walked)
        ),
        walked=walked,
        not_walked=len(services) - len(walked),
        assumed=tuple(key for key in services if _is_assumed(world, key)),
    )


def _concerned(world: World, found: Iterable[Difference]) -> tuple[str, ...]:
    named = dict.fromkeys(each.service for each in found)
    everyone = tuple(world.cluster.services) if None in named else ()
    known = (key for key in named if key in world.cluster.services)
    return tuple(key for key in dict.fromkeys((*known, *everyone)) if key is not None)


def _is_assumed(world: World, key: str) -> bool:
    origin = world.cluster.services[key].origins.get("cluster_ips")
    return origin is not None and origin.kind is OriginKind.ASSUMED


def connected(answers: Mapping[Answer, Fraction]) -> Fraction:
    """Probability of being connected."""
    found = (p for answer, p in answers.items() if answer.result is Result.CONNECTED)
    return sum(found, Fraction(0))


def with_rules(world: World, iptables: Mapping[str, str]) -> World:
    """The same world with other dumps of ``--iptables``.

    Raises:
        NodeOptionError, ObservedFileError: as `k8stui.nodes.network.build_network`.

    """
    options = replace(world.options, iptables=iptables)
    return replace(world, options=options, network=build_network(world.cluster, options))


def breakages(
    expected: World, observed: World, node: Node, services: Iterable[str]
) -> Iterator[Breakage]:
    """Ask for each of `services` (``namespace/name``) the ways in that lead over `node`'s rules.

    From a pod of the node (or the node itself) by ClusterIP; from outside by the node's node port
    and by the load balancer's addresses. Only what is answered differently is yielded.
    """
    for key in services:
        service = expected.cluster.services.get(key)
        if service is None:
            continue
        for source, destination in _ways(expected, node, service):
            try:
                found = _compared(expected, observed, source, destination)
            except RequestError:  # not to be asked here: a name without address, a port of no one
                continue
            if found is not None:
                yield replace(found, service=key)


def answers(traces: Iterable[Trace]) -> dict[Answer, Fraction]:
    """Probability of each answer over the branches of a walk."""
    found: dict[Answer, Fraction] = {}
    for trace in traces:
        key = answer_of(trace)
        found[key] = found.get(key, Fraction(0)) + trace.probability
    return found


def answer_of(trace: Trace) -> Answer:
    """What this branch comes to."""
    done = trace.outcome
    server = done.server_pod or (str(done.server_address) if done.server_address else "")
    return Answer(result=done.result, server=server, source_seen=done.source_seen_by_server)


def _compared(expected: World, observed: World, source: str, destination: str) -> Breakage | None:
    sides = tuple(
        list(walks(world, parse_request(world, source, destination)))
        for world in (expected, observed)
    )
    wanted, seen = (answers(traces) for traces in sides)
    if wanted == seen:
        return None
    return Breakage(
        service="",
        source=source,
        destination=destination,
        expected=wanted,
        observed=seen,
        observed_trace=_telling(sides[1], wanted),
    )


def _telling(traces: list[Trace], other: Mapping[Answer, Fraction]) -> Trace:
    return next((trace for trace in traces if answer_of(trace) not in other), traces[0])


def _ways(world: World, node: Node, service: Service) -> Iterator[tuple[str, str]]:
    inside = _client(world, node, service)
    for port in service.ports:
        behind = _protocol(port)
        if service.cluster_ips:
            yield inside, f"svc/{service.key}:{port.port}{behind}"
        if port.node_port is not None:
            yield "outside", f"node/{node.name}:{port.node_port}{behind}"
        for entry in service.load_balancer_ingress:
            if entry.ip is not None and entry.ip_mode == "VIP":
                yield "outside", f"{entry.ip.with_port(port.port)}{behind}"


def _protocol(port: ServicePort) -> str:
    return "" if port.protocol is Protocol.TCP else f"/{port.protocol.name.lower()}"


def _client(world: World, node: Node, service: Service) -> str:
    """A pod of the node that is no endpoint of the Service, else the node itself."""
    slices = world.cluster.endpoint_slices.get(service.key, ())
    served = {endpoint.pod for each in slices for endpoint in each.endpoints}
    found = next((p for p in world.cluster.pods.values() if _asks(p, node, served)), None)
    return f"pod/{found.key}" if found else f"node/{node.name}"


def _asks(pod: Pod, node: Node, served: set[str | None]) -> bool:
    return (
        pod.node_name == node.name
        and can_send(pod)
        and not pod.host_network
        and pod.key not in served
    )
