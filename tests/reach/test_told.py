"""A pair that stands for another one is told in its own names, policies and pods alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.graph import edges, reach_graph
from k8stui.reach.reach import reach
from k8stui.reach.told import told
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

NAMES = ("hay", "oat", "rye")


def _namespace(name: str, way: str) -> list[dict[str, Any]]:
    """A pod, and a policy that lets nobody in, or out."""
    meta = {"name": name, "namespace": name}
    containers = [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {"containers": containers, "nodeName": "node-1"},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"{name}-shut", "namespace": name},
            "spec": {"podSelector": {}, "policyTypes": [way]},
        },
    ]


def _world(folder: Path, way: str) -> World:
    file = folder / "all.yaml"
    file.write_text(yaml.safe_dump_all([o for one in NAMES for o in _namespace(one, way)]))
    return build_world([str(file)], node_options=NodeOptions(policy_engine="api"))


def test_the_policies_are_those_of_the_pair(tmp_path: Path) -> None:
    world = _world(tmp_path, "Ingress")
    rows, columns = list(askers(world)), list(asked(world))
    found = reach(world, rows, columns)
    said = {}
    for place, one in enumerate(columns):
        for asker, cell in zip(rows, found.column(place), strict=True):
            if asker.pod is not None and one.pod is not None and asker.pod is not one.pod:
                here = told(world.cluster, found.parts[cell.part], asker, one, cell)
                said[asker.pod.name, one.pod.name] = here.reason
    assert len(said) == 6
    for (asks, is_asked), reason in said.items():
        assert reason.startswith(
            f"NetworkPolicy {is_asked}/{is_asked}-shut selects pod {is_asked}/{is_asked} and "
            f"lets in nothing from pod {asks}/{asks} to port 80/TCP"
        ), reason


@pytest.mark.parametrize(("way", "end"), [("Ingress", 1), ("Egress", 0)])
def test_the_policies_on_an_edge_are_those_of_its_ends(tmp_path: Path, way: str, end: int) -> None:
    world = _world(tmp_path, way)
    graph = reach_graph(world.cluster, reach(world, list(askers(world)), list(asked(world))))
    said = {(one.source, one.target): one.by for one in edges(graph)}
    pods = [f"pod/{name}/{name}" for name in NAMES]
    for pair in ((one, other) for one in pods for other in pods if one != other):
        name = pair[end].rpartition("/")[2]
        assert said[pair] == f"timed out by NetworkPolicy {name}/{name}-shut"


def test_who_serves_on_the_askers_own_node_keeps_his_name(tmp_path: Path) -> None:
    """Two pods of one node's network; one is behind the Service, and stands for both as asker."""
    spec = {"hostNetwork": True, "nodeName": "node-1"}
    ports = [{"containerPort": 8080, "protocol": "UDP"}]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"crop": name}},
            "spec": {**spec, "containers": [{"name": "c", "image": "i", "ports": own}]},
        }
        for name, own in (("hay", ports), ("oat", []))
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "barn"},
        "spec": {"selector": {"crop": "hay"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all([*pods, service]))
    world = build_world([str(file)])
    rows = [one for one in askers(world) if one.pod is not None]
    (column,) = [one for one in asked(world) if one.service is not None and "barn" in one.name]
    found = reach(world, rows, [column])
    for asker, cell in zip(rows, found.column(0), strict=True):
        here = told(world.cluster, found.parts[cell.part], asker, column, cell)
        assert here.reason.endswith("pod default/hay declares 8080 for UDP only")


def test_a_refusal_that_comes_through_a_tunnel_is_told_by_who_refused(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    objects = [o for name in ("hay", "oat") for o in _namespace(name, "Ingress")]
    objects[1]["spec"]["nodeName"] = "node-2"
    file.write_text(yaml.safe_dump_all(objects))
    options = NodeOptions(cni="flannel-vxlan", policy_engine="kube-router")
    world = build_world([str(file)], node_options=options)
    found = walk(world, parse_request(world, "pod/hay/hay", "pod/oat/oat:80")).outcome
    assert found.decided_at == "node-1"
    assert found.reason.startswith("NetworkPolicy oat/oat-shut selects pod oat/oat")
