"""Nodes as the pods of a dump tell of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifests_of import node, observed, write

from k8stui.walk.world import build_world


def tidied(name: str, address: str, host: str) -> dict[str, object]:
    """A pod of a dump of which somebody has taken nodeName out."""
    made = observed(name, f"app={name}", address)
    made["spec"].pop("nodeName", None)
    made["status"]["hostIP"] = host
    return made


@pytest.mark.parametrize(
    ("host", "stands_on"),
    [
        ("192.168.0.11", "node-1"),
        ("172.18.0.4", "172.18.0.4"),
        ("fd00::4", "fd00--4"),
        ("nowhere\n", None),
        ("", None),
    ],
)
def test_a_pod_without_nodename_is_where_its_kubelet_is(
    tmp_path: Path, host: str, stands_on: str | None
) -> None:
    objects = [node(1, "10.244.1.0/24"), tidied("web", "10.244.1.7", host)]
    cluster = build_world([str(write(tmp_path, objects))]).cluster
    assert cluster.pods["default/web"].node_name == stands_on
    assert ({"node-1", stands_on} - {None}) == set(cluster.nodes)


def test_such_pods_of_one_node_are_neighbours(tmp_path: Path) -> None:
    objects = [tidied(f"web-{n}", f"10.244.1.{n + 5}", "172.18.0.4") for n in range(3)]
    world = build_world([str(write(tmp_path, objects))])
    assert list(world.cluster.nodes) == ["172.18.0.4"]
    assert all(pod.key in world.network for pod in world.cluster.pods.values())
