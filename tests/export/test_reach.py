"""Who reaches whom, as text, JSON and CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from k8stui.export.reach import reach_csv, reach_json, reach_lines
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.felt import walked
from k8stui.reach.graph import edges, reach_graph
from k8stui.reach.reach import Reach, reach
from k8stui.walk.world import World, build_world

_POD = """---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: 80}}]}}]}}
"""
_MORE = """---
apiVersion: v1
kind: Service
metadata: {name: apple}
spec: {selector: {app: apple}, ports: [{port: 8080, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fence}
spec:
  podSelector: {matchLabels: {app: apple}}
  ingress: [{from: [{podSelector: {matchLabels: {app: bread}}}]}]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    file = tmp_path_factory.mktemp("reach") / "all.yaml"
    names = ("apple", "bread", "cheese", "dates")
    file.write_text("".join(_POD.format(name=name) for name in names) + _MORE)
    return build_world([str(file)], node_options=NodeOptions(policy_engine="api"))


@pytest.fixture(scope="module")
def found(world: World) -> Reach:
    return reach(world, list(askers(world)), list(asked(world)))


def test_text(world: World, found: Reach) -> None:
    lines = list(reach_lines(world.cluster, found, 100))
    assert lines[0].startswith("7 askers, 6 asked: 42 pairs in ")
    rows = {line.split(" ")[0]: line for line in lines[2:8]}
    legend = [line.partition(" ") for line in lines if line[:1].isdigit() and ":80" in line]
    numbers = {names: int(number) for number, _, names in legend}
    service = next(n for name, n in numbers.items() if name.startswith("svc/default/apple:8080"))
    assert rows["outside"].split()[service] == "!"
    assert "-" in rows["pod/default/cheese,"].split()
    assert "+ connected   ! unreachable   - timed out" in lines
    assert any("NetworkPolicy default/fence selects pod default/apple" in line for line in lines)
    assert all(len(line) <= 100 for line in lines if not line.lstrip()[:1].isdigit())


def test_json(world: World, found: Reach) -> None:
    document = json.loads("".join(reach_json(world.cluster, found)))
    assert document["version"] == 1
    assert len(document["pairs"]) == 42
    classes = {one["id"]: one for one in document["classes"]}
    assert sum(one["pairs"] for one in classes.values()) == 42
    pair = next(
        one
        for one in document["pairs"]
        if (one["from"], one["to"]) == ("pod/default/dates", "svc/default/apple:8080")
    )
    assert pair["result"] == "timeout"
    assert "let" in pair["reason"]
    assert "pod default/dates" in pair["reason"]
    for one in document["pairs"]:
        of_class = classes[one["class"]]
        assert one["result"] == of_class["result"]
        assert one["from"] in of_class["sources"]
        assert one["to"] in of_class["destinations"]


def test_each_class_is_a_walk(world: World, found: Reach) -> None:
    for one in found.classes.values():
        assert walked(world, one.asker, one.asked).result is one.felt.result


def test_summary(world: World, found: Reach) -> None:
    document = json.loads("".join(reach_json(world.cluster, found, summary=True)))
    assert "pairs" not in document
    assert len(document["classes"]) == len(found.classes)


def test_csv(world: World, found: Reach, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("".join(reach_csv(world.cluster, found)))
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    pairs = json.loads("".join(reach_json(world.cluster, found)))["pairs"]
    assert [{key: str(one[key]) for key in rows[0]} for one in pairs] == rows


def test_nobody(world: World) -> None:
    nothing = reach(world, [], list(asked(world)))
    assert list(reach_lines(world.cluster, nothing, 80)) == [
        "0 askers, 6 asked: 0 pairs in 0 classes, 0 walks"
    ]
    assert json.loads("".join(reach_json(world.cluster, nothing)))["pairs"] == []


def test_what_nothing_enforces_is_told_apart(tmp_path: Path) -> None:
    """The policy says no, and the packet arrives: with a plug-in that knows no policies."""
    file = tmp_path / "all.yaml"
    file.write_text(
        "".join(_POD.format(name=name) for name in ("apple", "bread", "cheese")) + _MORE
    )
    free = build_world([str(file)], node_options=NodeOptions(policy_engine="none"))
    found = reach(free, list(askers(free)), list(asked(free)))
    pairs = json.loads("".join(reach_json(free.cluster, found)))["pairs"]
    said = {(one["from"], one["to"]): one for one in pairs}
    denied = said["pod/default/cheese", "svc/default/apple:8080"]
    allowed = said["pod/default/bread", "svc/default/apple:8080"]
    assert (denied["result"], denied["not_enforced"]) == ("connected", True)
    assert "NetworkPolicy default/fence selects pod default/apple" in denied["reason"]
    assert "not_enforced" not in allowed
    lines = list(reach_lines(free.cluster, found, 100))
    assert any(line.endswith("n not enforced") for line in lines)
    assert any(line.startswith("connected, not enforced: ") for line in lines)
    graph = [edge.by for edge in edges(reach_graph(free.cluster, found))]
    assert "not enforced: NetworkPolicy default/fence" in graph
