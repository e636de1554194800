"""What a world says of its input beside problems."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest

from k8stui.cluster.model import Cluster
from k8stui.kernel import host
from k8stui.walk.comparisons import settings
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
spec: {hard: {pods: 1}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
"""


def test_what_the_cluster_leaves_out_is_noted(tmp_path: Path) -> None:
    """With the line of the workload that does not get its pods."""
    file = tmp_path / "web.yaml"
    file.write_text(QUOTA)
    [note] = build_world([str(file)]).notes
    assert "Deployment web gets 1 of 2 pods: exceeded quota" in note.message
    assert (note.file, note.line) == (str(file), 6)


def _clusters() -> int:
    gc.collect()
    return sum(isinstance(one, Cluster) for one in gc.get_objects())


@pytest.mark.usefixtures("without_others")
def test_a_world_goes_with_all_that_was_made_for_its_walks() -> None:
    """Also those of the settings that it was compared under."""
    before = _clusters()
    world = build_world([str(sample("webapp"))])
    trace = walk(world, parse_request(world, "node/node-1", "svc/mysql"))
    assert len(settings(world, trace).rows) > 1
    assert _clusters() > before
    del world, trace
    assert _clusters() == before


def test_what_is_kept_of_a_namespace_is_no_copys() -> None:
    node = build_world([str(sample("webapp"))]).network["node-1"]
    kept = host.standing(node)
    assert host.standing(node) is kept
    other = host.standing(replace(node, name="node-7"))
    assert other.namespace.name == "node-7"
    assert host.standing(node) is kept
    for _ in range(host._KEPT):
        host.standing(replace(node))
    assert node.standing is None
