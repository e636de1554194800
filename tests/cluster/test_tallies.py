"""What is counted as pods come and go is what counting them anew gives."""

from __future__ import annotations

import string
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.needs import read_needs
from k8stui.cluster.scheduling.placed import Placed
from k8stui.cluster.scheduling.pod_topology import Topology
from k8stui.origin import assumed

NODES = tuple(
    Node(
        name=f"n{number}",
        index=number + 1,
        labels={"host": f"n{number}"} | ({"zone": zone} if zone else {}),
        origin=assumed("a test"),
    )
    for number, zone in enumerate(("a", "a", "b", ""))
)
LABELS = st.fixed_dictionaries(
    {"app": st.sampled_from(string.ascii_lowercase[:3])}, optional={"v": st.sampled_from("12")}
)
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda labels: {"matchLabels": labels}, LABELS),
    st.just({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}),
)
TERMS = st.fixed_dictionaries(
    {"topologyKey": st.sampled_from(["host", "zone"]), "labelSelector": SELECTORS},
    optional={
        "namespaces": st.sampled_from([["x"], ["x", "default"]]),
        "namespaceSelector": st.just({}),
        "matchLabelKeys": st.just(["v"]),
    },
)
SPREADS = st.builds(
    lambda term: {
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "topologyKey": term["topologyKey"],
        "labelSelector": term["labelSelector"],
    },
    TERMS,
)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
SPECS = st.builds(
    lambda spreads, near, away: {
        "topologySpreadConstraints": spreads,
        "affinity": {"podAffinity": {REQUIRED: near}, "podAntiAffinity": {REQUIRED: away}},
    },
    st.lists(SPREADS, max_size=2),
    st.lists(TERMS, max_size=2),
    st.lists(TERMS, max_size=2),
)
NAMESPACES = st.sampled_from(["default", "x"])
NEEDS = SPECS.map(lambda spec: read_needs(spec, ()))
PODS = st.builds(
    Placed, NAMESPACES, LABELS, st.sampled_from(NODES), st.booleans(), st.deferred(lambda: NEEDS)
)


@given(pods=st.lists(PODS, max_size=8), gone=st.sets(st.integers(0, 7)), asks=st.tuples(PODS, PODS))
def test_counts_kept_are_counts_taken(
    pods: Sequence[Placed], gone: set[int], asks: Sequence[Placed]
) -> None:
    kept = Topology(NODES, {})
    for pod in pods:
        for asked in asks:
            kept.view(asked.namespace, asked.labels, asked.needs)
        kept.add(pod)
    left = [pod for place, pod in enumerate(pods) if place not in gone]
    for place in gone:
        if place < len(pods):
            kept.remove(pods[place])
    taken = Topology(NODES, {})
    for pod in left:
        taken.add(pod)
    for asked in asks:
        assert kept.view(asked.namespace, asked.labels, asked.needs) == taken.view(
            asked.namespace, asked.labels, asked.needs
        )
        assert kept.liking(asked.namespace, asked.labels, asked.needs, NODES) == taken.liking(
            asked.namespace, asked.labels, asked.needs, NODES
        )
