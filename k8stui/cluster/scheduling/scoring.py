"""Which of several nodes that fit a pod would rather have: its soft wishes, as points.

Sources: pkg/scheduler/framework/plugins/interpodaffinity/scoring.go, podtopologyspread/scoring.go,
noderesources/least_allocated.go, tainttoleration, nodeaffinity; weights of
pkg/scheduler/apis/config/v1/default_plugins.go (docs/facts/control-plane.md section 8). Used only
where pods have such wishes; else the emptiest node is taken (`scheduler`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import floor, log

from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import Needs
from k8stui.cluster.scheduling.pod_topology import Topology
from k8stui.cluster.well_known import HOSTNAME, ZONE

_TAINTS, _NODES, _SPREADS, _PODS = 3, 2, 2, 2
_MOST = 100
_USUAL = (
    (HOSTNAME, 3),
    (ZONE, 5),
)
"""podtopologyspread/plugin.go systemDefaultConstraints, for pods of a workload."""


def points(
    topology: Topology,
    namespace: str,
    labels: Mapping[str, str],
    needs: Needs,
    *,
    nodes: Sequence[Node],
    against: Sequence[tuple[int, int]],
    owned: Mapping[str, int],
) -> list[int]:
    """Points of each of `nodes`, more are better.

    `against`: PreferNoSchedule taints and the negative weight of preferred labels of each node;
    `owned`: pods of the same workload by node.
    """
    taints = _falling([avoided for avoided, _ in against])
    wishes = _scaled([-weight for _, weight in against])
    pods = _between(topology.liking(namespace, labels, needs, nodes))
    if needs.soft_spreads:
        costs = _own_costs(topology, namespace, labels, needs, nodes)
    elif needs.spreads:
        costs = [0.0] * len(nodes)
    else:
        costs = _usual_costs(nodes, owned)
    spread = _cheap(costs)
    return [
        _TAINTS * a + _NODES * b + _PODS * c + _SPREADS * d
        for a, b, c, d in zip(taints, wishes, pods, spread, strict=True)
    ]


def _scaled(values: Sequence[int]) -> list[int]:
    """The most is 100, in whole points (helper.DefaultNormalizeScore)."""
    most = max(values, default=0)
    return [_MOST * value // most if most else 0 for value in values]


def _falling(values: Sequence[int]) -> list[int]:
    """The most is 0, nothing is 100."""
    return [_MOST - value for value in _scaled(values)]


def _between(values: Sequence[int]) -> list[int]:
    """The least is 0, the most 100 (interpodaffinity NormalizeScore)."""
    least, most = min(values, default=0), max(values, default=0)
    return [_MOST * (value - least) // (most - least) if most > least else 0 for value in values]


def _cheap(costs: Sequence[float | None]) -> list[int]:
    """The least cost is the most points, all in whole ones (podtopologyspread NormalizeScore)."""
    whole = [None if cost is None else floor(cost + 0.5) for cost in costs]
    known = [cost for cost in whole if cost is not None]
    least, most = min(known, default=0), max(known, default=0)
    return [
        0 if cost is None else _MOST * (most + least - cost) // most if most else _MOST
        for cost in whole
    ]


def _own_costs(
    topology: Topology,
    namespace: str,
    labels: Mapping[str, str],
    needs: Needs,
    nodes: Sequence[Node],
) -> list[float | None]:
    """Costs of a pod's ScheduleAnyway constraints; None for nodes without the labels."""
    keys = {spread.key for spread in needs.soft_spreads}
    able = [place for place, node in enumerate(nodes) if keys <= node.labels.keys()]
    costs: list[float | None] = [None] * len(nodes)
    for spread in needs.soft_spreads:
        pods = topology.spread_tally(namespace, labels, needs, spread, needs.soft_spreads).pairs
        key = spread.key
        domains = [nodes[place].labels[key] for place in able]
        weight, more = log(len(set(domains)) + 2), spread.max_skew - 1
        for place, domain in zip(able, domains, strict=True):
            costs[place] = (costs[place] or 0) + pods[key, domain] * weight + more
    return costs


def _usual_costs(nodes: Sequence[Node], owned: Mapping[str, int]) -> list[float | None]:
    """Costs of the constraints that pods without any have. A node without a label costs less."""
    costs: list[float] = [0] * len(nodes)
    for key, skew in _USUAL:
        counts: Counter[str] = Counter()
        for node in nodes:
            if key in node.labels:
                counts[node.labels[key]] += owned.get(node.name, 0)
        weight = log(len(counts) + 2)
        for place, node in enumerate(nodes):
            if key in node.labels:
                costs[place] += counts[node.labels[key]] * weight + skew - 1
    return list(costs)
