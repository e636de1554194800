"""Pods of one workload on one node are one class, with a bridge and without."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from manifests_of import service, workload

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.reach import reach
from k8stui.walk.world import World, build_world


def world_of(
    cni: str, replicas: int, mode: str, nft: Mapping[str, str] = MappingProxyType({})
) -> World:
    web = workload("Deployment", "web", replicas=replicas, ports=(8080,))
    objects = [web, service("web", "app=web", to=8080)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        options = ClusterOptions(nodes=2, proxy_mode=mode)
        return build_world([str(file)], options, NodeOptions(cni=cni, nft=nft))


def walks_made(cni: str, replicas: int, mode: str) -> int:
    world = world_of(cni, replicas, mode)
    return len(reach(world, list(askers(world)), list(asked(world))).parts)


ALIKE = [name for name in CHOICES if name != "docker-28"]
"""Docker 28 refuses each container's packets from elsewhere by a rule of its own."""


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize("cni", ALIKE)
def test_more_pods_of_a_kind_are_no_more_walks(cni: str, mode: str) -> None:
    assert walks_made(cni, 12, mode) == walks_made(cni, 6, mode)


def test_rules_that_lead_to_no_chain_are_told_where_packets_meet_them(tmp_path: Path) -> None:
    """A dump may be cut: kube-proxy's table in which a chain is missing."""
    cut = tmp_path / "cut.nft"
    cut.write_text(
        "table ip kube-proxy {\n\tchain services {\n\t\tip daddr 192.0.2.1 goto absent\n\t}\n"
        "\tchain nat-prerouting {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
        "\t\tjump services\n\t\tjump gone\n\t}\n}\n"
    )
    world = world_of("flannel", 2, "nftables", nft={"node-1": str(cut)})
    found = reach(world, list(askers(world)), list(asked(world)))
    assert any("jump gone" in part.felt.reason for part in found.parts.values())
