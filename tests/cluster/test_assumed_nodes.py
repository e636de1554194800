"""Nodes that are assumed have what the pods ask for."""

from __future__ import annotations

import pytest
from cluster.objects import cluster, deployment, service

_APART = (
    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
    "[{labelSelector: {matchLabels: {app: %s}}, topologyKey: kubernetes.io/hostname}]}}"
)
_SSD = (
    "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
    "[{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}]}}}"
)


@pytest.mark.parametrize(
    ("more", "replicas", "nodes"),
    [
        pytest.param("", 3, 2, id="nothing asked"),
        pytest.param(_APART % "web", 3, 3, id="not with its own kind"),
        pytest.param(_APART % "db", 3, 2, id="not with others"),
        pytest.param(_APART % "web", 500, 20, id="absurdly many"),
    ],
)
def test_as_many_nodes_as_pods_that_stand_apart(more: str, replicas: int, nodes: int) -> None:
    made = cluster(deployment("web", replicas, more=more))
    assert len(made.nodes) == nodes


@pytest.mark.parametrize(
    ("more", "labels"),
    [
        pytest.param("nodeSelector: {disk: ssd}", [{"disk": "ssd"}] * 2, id="selector"),
        pytest.param(_SSD, [{"disk": "ssd"}] * 2, id="affinity"),
        pytest.param(
            'nodeSelector: {node-role.kubernetes.io/control-plane: ""}',
            [{"node-role.kubernetes.io/control-plane": ""}, {}],
            id="control plane",
        ),
        pytest.param("nodeSelector: {kubernetes.io/os: windows}", [{}, {}], id="system"),
    ],
)
def test_labels_that_pods_ask_for(more: str, labels: list[dict[str, str]]) -> None:
    made = cluster(deployment("web", 2, more=more) + service("web"))
    own = {"kubernetes.io/hostname", "kubernetes.io/os"}
    found = [
        {key: value for key, value in node.labels.items() if key not in own}
        for node in made.nodes.values()
    ]
    assert found == labels
    assert all(node.labels["kubernetes.io/os"] == "linux" for node in made.nodes.values())
    placed = [pod for pod in made.pods.values() if pod.node_name]
    assert len(placed) == (2 if any(labels) else 0)


def test_several_values_of_a_label_take_turns() -> None:
    made = cluster(
        deployment("a", more="nodeSelector: {pool: a}")
        + deployment("b", more="nodeSelector: {pool: b}")
    )
    assert [node.labels["pool"] for node in made.nodes.values()] == ["a", "b"]
    assert [pod.node_name for pod in made.pods.values()] == ["node-1", "node-2"]
