"""Who reaches whom as a graph: DOT, Mermaid, SVG, and the graph itself."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.export.columns_svg import Arrow, BoxLine, columns_svg
from k8stui.export.graph_text import dot_text, mermaid_text
from k8stui.export.reach_graph import reach_dot, reach_mermaid, reach_svg
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.graph import Edge, Openness, deniers, edges, reach_graph
from k8stui.reach.reach import Reach, reach
from k8stui.walk.world import World, build_world

MILL = str(Path(__file__).parents[1] / "reach" / "data" / "mill.yaml")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([MILL], node_options=NodeOptions(policy_engine="calico"))


@pytest.fixture(scope="module")
def found(world: World) -> Reach:
    return reach(world, list(askers(world)), list(asked(world)))


def of(found: list[Edge], source: str, target: str) -> dict[Openness, tuple[list[str], str]]:
    return {
        one.way: (list(one.ports), one.by)
        for one in found
        if (one.source, one.target) == (source, target)
    }


def test_edges_say_ports_and_who_denies(world: World, found: Reach) -> None:
    all_edges = edges(reach_graph(world.cluster, found))
    assert of(all_edges, "deploy/mill/gate", "deploy/mill/wheel") == {Openness.OPEN: (["9000"], "")}
    assert of(all_edges, "deploy/mill/gate", "sts/barn/silo") == {
        Openness.SHUT: (["5432"], "timed out by NetworkPolicy barn/silo-from-wheel")
    }
    assert of(all_edges, "deploy/mill/wheel", "svc/mill/wheel") == {
        Openness.SOME: (["9000"], "timed out by NetworkPolicy mill/wheel-from-gate")
    }
    assert of(all_edges, "sts/barn/silo", "svc/mill/kiln") == {Openness.SHUT: (["9200"], "refused")}
    assert of(all_edges, "outside", "nodes") == {Openness.OPEN: (["30080"], "")}
    assert of(all_edges, "outside", "svc/mill/gate") == {}


def test_every_pair_is_behind_an_edge(world: World, found: Reach) -> None:
    """Ports that are open, and only these, are on edges that say so."""
    drawn = {
        (one.source, one.target, port)
        for one in edges(reach_graph(world.cluster, found))
        if one.way is Openness.OPEN
        for port in one.ports
    }
    owners = {
        pod: f"{'sts' if one.kind == 'StatefulSet' else 'deploy'}/{one.namespace}/{one.name}"
        for one in world.cluster.workloads
        for pod in one.pods
    }
    expected = set()
    for n, one in enumerate(found.asked):
        whom = owners[one.pod.key] if one.pod else "nodes" if one.node else one.name.split(":")[0]
        for m, who in enumerate(found.askers):
            felt = found.classes[found.cell(m, n).number].felt
            source = owners[who.pod.key] if who.pod else "nodes" if who.node else who.name
            if set(felt.shares) == {Result.CONNECTED} and (one.pod is None or one.pod != who.pod):
                expected.add((source, whom, str(one.port)))
    assert drawn == expected


def test_only_what_the_graph_knows_is_drawn(world: World, found: Reach) -> None:
    dot = list(reach_dot(world.cluster, found))
    known = {each for line in dot if (each := line.strip().split(" ")[0]).startswith("n")}
    for line in dot:
        if "->" in line:
            assert set(re.findall(r"\bn\d+\b", line.split("[")[0])) <= known
    assert dot[0] == "digraph k8stui {"
    assert dot[-1] == "}"
    assert any("style=dashed" in line and "barn/silo-from-wheel" in line for line in dot)


def test_mermaid(world: World, found: Reach) -> None:
    lines = list(reach_mermaid(world.cluster, found))
    assert lines[0] == "flowchart LR"
    assert sum(line.strip().startswith("subgraph") for line in lines) == lines.count("  end")
    assert any(
        '-.->|"5432<br/>timed out by NetworkPolicy barn/silo-from-wheel"|' in line for line in lines
    )


def test_svg_is_a_document_of_its_own(world: World, found: Reach) -> None:
    text = "\n".join(reach_svg(world.cluster, found))
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    paths = root.findall(f"{SVG}path")
    titles = [one.text for path in paths for one in path.findall(f"{SVG}title")]
    denied = "timed out by NetworkPolicy barn/silo-from-wheel"
    assert f"deploy/mill/gate → sts/barn/silo:5432: {denied}" in titles
    assert {path.get("class") for path in paths} == {"arrow", "arrow no", "arrow some"}


@given(st.text(), st.text())
def test_no_name_breaks_a_picture(name: str, other: str) -> None:
    rows = [[BoxLine(name, "head"), BoxLine(other, "bad", other)]]
    arrows = [Arrow(other, other, "no", name)]
    root = ET.fromstring("\n".join(columns_svg(name, rows, rows, arrows, other)))  # noqa: S314
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        "svg",
        "title",
        "style",
        "path",
        "rect",
        "text",
    }


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_no_name_ends_its_quotes(lines: list[str]) -> None:
    dot = dot_text(lines)
    assert re.fullmatch(r'"(?:[^"\\\n\r]|\\.)*"', dot)
    inside = mermaid_text(lines)[1:-1].replace("<br/>", "")
    assert not set('"[](){}<>|`\n') & set(inside)


def test_who_denies_is_a_policy_that_there_is(world: World) -> None:
    said = "NetworkPolicies barn/silo-from-wheel, mill/nobody select pod barn/silo-0"
    assert deniers(world.cluster, said) == ["NetworkPolicy barn/silo-from-wheel"]
    assert deniers(world.cluster, "nobody listens in pod barn/silo-from-wheel") == []
