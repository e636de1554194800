"""Pods of one workload on one node are one class, with a bridge and without."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from manifests_of import service, workload

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.reach import reach
from k8stui.walk.world import World, build_world


def world_of(cni: str, replicas: int, mode: str) -> World:
    web = workload("Deployment", "web", replicas=replicas, ports=(8080,))
    objects = [web, service("web", "app=web", to=8080)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        options = ClusterOptions(nodes=2, proxy_mode=mode)
        return build_world([str(file)], options, NodeOptions(cni=cni))


def walks_made(cni: str, replicas: int, mode: str) -> int:
    world = world_of(cni, replicas, mode)
    return len(reach(world, list(askers(world)), list(asked(world))).parts)


ALIKE = [name for name in CHOICES if name != "docker-28"]
"""Docker 28 refuses each container's packets from elsewhere by a rule of its own."""


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize("cni", ALIKE)
def test_more_pods_of_a_kind_are_no_more_walks(cni: str, mode: str) -> None:
    assert walks_made(cni, 12, mode) == walks_made(cni, 6, mode)
