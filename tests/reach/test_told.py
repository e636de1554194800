"""A pair that stands for another one is told in its own names, policies and pods alike."""

from __future__ import annotations

from pathlib import Path

import yaml

from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.reach import reach
from k8stui.reach.told import told
from k8stui.walk.world import build_world


def _namespace(name: str) -> list[dict[str, object]]:
    """A pod, and a policy that lets nobody in."""
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
            "spec": {"podSelector": {}},
        },
    ]


def test_the_policies_are_those_of_the_pair(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        yaml.safe_dump_all([*_namespace("hay"), *_namespace("oat"), *_namespace("rye")])
    )
    world = build_world([str(file)], node_options=NodeOptions(policy_engine="api"))
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
