"""The graph, and what importing this room must not bring along."""

from __future__ import annotations

import subprocess
import sys

from objects import cluster, deployment, service

from k8stui.cluster.graph import EdgeKind, NodeKind, graph


def test_graph() -> None:
    made = cluster(deployment("web", 2) + service("web"))
    found = graph(made)
    kinds = [kind for _, kind in found.nodes(data="kind")]
    assert {kind: kinds.count(kind) for kind in NodeKind} == {
        NodeKind.NODE: 2,
        NodeKind.POD: 2,
        NodeKind.CONTAINER: 2,
        NodeKind.SERVICE: 2,
        NodeKind.WORKLOAD: 1,
    }
    edges = {(a, b, kind) for a, b, kind in found.edges(data="kind")}
    assert ("pod/default/web-1", "node/node-1", EdgeKind.RUNS_ON) in edges
    assert ("container/default/web-1/c", "pod/default/web-1", EdgeKind.RUNS_ON) in edges
    assert ("workload/default/Deployment/web", "pod/default/web-2", EdgeKind.OWNS) in edges
    assert ("service/default/web", "pod/default/web-1", EdgeKind.SELECTS) in edges
    assert ("pod/default/web-1", "service/default/web", EdgeKind.ENDPOINT_OF) in edges
    assert found.nodes["pod/default/web-1"]["record"] is made.pods["default/web-1"]
    assert all("kind" in data for _, data in found.nodes(data=True))


def test_imports_stay_light() -> None:
    code = (
        "import sys, k8stui.cluster, k8stui.cluster.names, k8stui.cluster.graph\n"
        "print(sorted({'networkx', 'textual', 'rich', 'asyncio', 'uuid'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
