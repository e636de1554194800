"""Who has a place on the drawing of a walk: the same ones whichever way the walk goes.

A Service can have thousands of endpoints. The first few have places of their own; of all others
there is one place on each node that is drawn anyway, and one node with one place beside them: the
endpoint that a walk gets to stands there, else the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from k8stui.cluster.model import Cluster
from k8stui.kernel.namespace import NetNamespace
from k8stui.walk.trace import Trace

MOST_ENDPOINTS = 6
"""Endpoints of a Service that have places of their own."""


class Cast(NamedTuple):
    """Keys of pods and names of nodes."""

    visited_pods: tuple[str, ...]
    """Those on a walk that have places of their own."""
    visited_nodes: tuple[str, ...]
    ends: tuple[str, ...]
    """Endpoints with places of their own."""
    lasts: frozenset[str]
    """Those who stand where all others do, one on a node."""
    rest: tuple[str, ...]
    """All others."""
    last_node: str
    """The node that stands where all nodes do that are drawn for the others alone; or empty."""


def cast_of(
    network: Mapping[str, NetNamespace],
    cluster: Cluster,
    traces: Sequence[Trace],
    endpoints: Iterable[str],
) -> Cast:
    """Give everybody a place; the first of `traces` is the one that is drawn."""
    met = dict.fromkeys(hop.namespace for each in traces for hop in each.hops)
    asking = {each.hops[0].namespace for each in traces if each.hops}
    ends = [key for key in dict.fromkeys(endpoints) if key in network]
    rest = tuple(key for key in ends[MOST_ENDPOINTS:] if key not in asking)
    ends = ends[:MOST_ENDPOINTS]
    others = frozenset(rest)
    pods = tuple(name for name in met if name in cluster.pods and name not in others)
    fixed = {*_first_nodes(cluster, traces), *(_home(cluster, key) for key in (*pods, *ends))}
    path = {hop.namespace for hop in traces[0].hops}
    groups: dict[str, list[str]] = {}
    for key in rest:
        groups.setdefault(_home(cluster, key), []).append(key)
    groups.pop("", None)
    alone = [name for name in groups if name not in fixed]
    reached = (name for name in alone if any(key in path for key in groups[name]))
    last_node = next(reached, alone[0] if alone else "")
    places = [name for name in groups if name in fixed or name == last_node]
    lasts = (next((key for key in groups[n] if key in path), groups[n][0]) for n in places)
    hidden = {*alone} - {last_node}
    nodes = tuple(name for name in met if name in cluster.nodes and name not in hidden)
    return Cast(pods, nodes, tuple(ends), frozenset(lasts), rest, last_node)


def _home(cluster: Cluster, key: str) -> str:
    return cluster.pods[key].node_name or ""


def _first_nodes(cluster: Cluster, traces: Iterable[Trace]) -> Iterator[str]:
    """The node that each walk gets to first: by that, nothing was chosen yet."""
    for each in traces:
        yield from [hop.namespace for hop in each.hops if hop.namespace in cluster.nodes][:1]
