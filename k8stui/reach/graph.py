"""Who reaches whom as a graph: workloads, Services, nodes, the outside; an edge says which ports.

Edges that nobody could use (an address that no route leads to) are left out; what somebody denies,
or nobody answers, is an edge too, with who it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from k8stui.cluster.model import Cluster
from k8stui.cluster.policy import Direction
from k8stui.kernel.exchange import Result
from k8stui.order import by_place, natural
from k8stui.reach.ends import Asked, Asker, namespace_of, own_service, workloads
from k8stui.reach.felt import PairFelt
from k8stui.reach.fold import Unheard, mark_of
from k8stui.reach.reach import Cell, Reach
from k8stui.reach.relations import bits
from k8stui.reach.told import policies_in, selecting, told
from k8stui.record import record
from k8stui.walk.outcome import RESULT_WORDS
from k8stui.walk.sentence import port_word
from k8stui.walk.source import OUTSIDE

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]


class Openness(StrEnum):
    """What an edge says."""

    OPEN = "open"
    SOME = "some"
    """Now this, now that: it depends on the endpoint."""
    SHUT = "shut"


@record()
class Edge:
    """Ports of one by which another fares alike."""

    source: str
    """A node of the graph; so is `target`."""
    target: str
    way: Openness
    ports: Sequence[str]
    """``5432``, ``53/UDP``, in their order."""
    by: str
    """Who denies it, or what is felt; empty: it is open."""


def reach_graph(cluster: Cluster, found: Reach) -> Graph:
    """Make the graph: names as on the command line → ``namespace``; edges → `Edge` as ``edge``."""
    import networkx as nx  # noqa: PLC0415 - as much start-up as half of the screen

    owners = workloads(cluster)
    graph: Graph = nx.MultiDiGraph()
    masks: dict[tuple[str, tuple[str, ...]], int] = {}
    """Askers by their node of the graph, and by the policies that may deny them to ask."""
    for place, one in enumerate(found.askers):
        name = _node_of(one, owners)
        graph.add_node(name, namespace=namespace_of(one))
        ruled = selecting(cluster, Direction.EGRESS, one.pod.key) if one.pod is not None else ()
        masks[name, ruled] = masks.get((name, ruled), 0) | 1 << place
    places = {one.pod.key: n for n, one in enumerate(found.askers) if one.pod is not None}
    ways = {number: _way(one.felt) for number, one in found.classes.items()}
    known: dict[tuple[int, int, str | None, tuple[str, ...]], str] = {}
    """By whom: of a class, part and server, and the policies of who asks."""
    ports: dict[tuple[str, str, Openness, str], dict[str, tuple[int, int]]] = {}
    for place, asked in enumerate(found.asked):
        target = _node_of(asked, owners)
        graph.add_node(target, namespace=namespace_of(asked))
        itself = 1 << places[asked.pod.key] if asked.pod and asked.pod.key in places else 0
        port = {port_word(asked.port, asked.protocol): (asked.port, int(asked.protocol))}
        for cell in found.columns[place]:
            others, way = cell.askers & ~itself, ways[cell.number]
            if way is None or not others:
                continue
            for (source, ruled), mask in masks.items():
                if inside := mask & others:
                    by = known.get(alike := (cell.number, cell.part, cell.server, ruled))
                    if by is None:
                        asker = found.askers[next(bits(inside))]
                        by = known[alike] = _by(cluster, found, asker, asked, cell)
                    ports.setdefault((source, target, way, by), {}).update(port)
    for (source, target, way, by), numbers in ports.items():
        edge = Edge(source, target, way, sorted(numbers, key=numbers.__getitem__), by)
        graph.add_edge(source, target, edge=edge)
    return graph


def edges(graph: Graph) -> list[Edge]:
    """All edges, in the order in which a person looks for them; what is open first."""
    found: list[Edge] = [data["edge"] for _, _, data in graph.edges(data=True)]
    ways = list(Openness)
    return sorted(
        found, key=lambda one: (natural(one.source), natural(one.target), ways.index(one.way))
    )


def by_namespace(graph: Graph) -> Mapping[str, list[str]]:
    """The nodes of the graph, sorted; what is in no namespace first, under an empty name."""
    groups: dict[str, list[str]] = {}
    data: Any = graph.nodes(data="namespace")
    for name, namespace in data:
        groups.setdefault(namespace, []).append(name)
    order = sorted(groups, key=lambda one: (bool(one), by_place(one, "")))
    return {one: sorted(groups[one], key=natural) for one in order}


def deniers(cluster: Cluster, reason: str) -> list[str]:
    """Policies of the cluster that a reason names."""
    named = policies_in(reason)
    if not named:
        return []
    known = {policy.key: policy.kind for policy in cluster.all_policies}
    return [f"{known[one]} {one}" for one in named if one in known]


def _way(felt: PairFelt) -> Openness | None:
    """What an edge of a class says; None: there is no way that anybody could take."""
    mark = mark_of(felt)
    if mark in (Result.CONNECTED, Unheard.CONNECTED):
        return Openness.OPEN
    if mark in (Result.UNREACHABLE, Result.NO_SUCH_NAME):
        return None
    return Openness.SHUT if Result.CONNECTED not in felt.shares else Openness.SOME


def _by(cluster: Cluster, found: Reach, asker: Asker, asked: Asked, cell: Cell) -> str:
    """As `Edge.by`, of one pair."""
    felt = found.classes[cell.number].felt
    if mark_of(felt) is Result.CONNECTED:
        return ""
    said = told(cluster, found.parts[cell.part], asker, asked, cell)
    words, by = RESULT_WORDS[felt.result], ", ".join(deniers(cluster, said.reason))
    if felt.unenforced:
        return f"not enforced: {by}"
    return f"{words} by {by}" if by else words


def _node_of(one: Asker | Asked, owners: Mapping[str, tuple[str, int]]) -> str:
    """Who stands for somebody in the graph: for a pod what made it, if anything did."""
    if one.pod is not None:
        owner = owners.get(one.pod.key)
        return owner[0] if owner is not None else f"pod/{one.pod.key}"
    if one.node:
        return "nodes"
    service = own_service(one)
    return f"svc/{service.key}" if service is not None else OUTSIDE
