from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import scenes

from k8stui.cluster.model import Cluster
from k8stui.export.diagram import dot_lines, mermaid_lines
from k8stui.export.topology import topology_lines
from k8stui.export.topology_json import topology_json
from k8stui.export.topology_svg import topology_svg
from k8stui.origin import Origin, OriginKind
from k8stui.walk.world import build_world, sample


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return scenes.shop()


def test_text_has_every_node_pod_service_and_endpoint(cluster: Cluster) -> None:
    text = "\n".join(topology_lines(cluster))
    for wanted in (
        "node-1                   ○ 192.168.0.11",
        "pods ○ 10.244.2.0/24",
        "default/web-2",
        "http 8080 9090",
        "Pods without a node (1)",
        "default/waiting: 0/2 nodes are available: Too many pods.",
        "default/web              NodePort      ○ 10.96.0.10",
        "80 → 8080  node port ○ 30080",
        "53/UDP dns → 53/UDP",
        "10.244.2.3:8080  default/web-2 on node-2",
        "default/peers            ClusterIP     headless",
        "default/alias            ExternalName  example.com",
        "no endpoints",
        "● declared or observed   ○ assumed or filled in",
    ):
        assert wanted in text


def test_marks_tell_declared_from_assumed() -> None:
    declared = Origin(kind=OriginKind.DECLARED)
    made = scenes.shop()
    web = replace(made.services["default/web"], origins={"cluster_ips": declared})
    text = "\n".join(topology_lines(replace(made, services={web.key: web})))
    assert "● 10.96.0.10" in text


def test_json_counts_what_was_read_and_names_each_workloads_pods() -> None:
    world = build_world([str(sample("guestbook"))])
    document = json.loads("".join(topology_json(world)))
    assert document["objects"] == {"Deployment": 3, "Pod": 1, "Service": 3}
    frontend = next(one for one in document["workloads"] if one["name"] == "frontend")
    assert (frontend["kind"], frontend["replicas"]) == ("Deployment", 3)
    assert frontend["pods"] == [f"default/frontend-{n}" for n in (1, 2, 3)]


def test_json_parses_and_holds_endpoints(cluster: Cluster) -> None:
    document = json.loads("".join(topology_json(scenes.world(cluster))))
    assert document["version"] == 1
    assert [n["name"] for n in document["nodes"]] == ["node-1", "node-2"]
    web = next(s for s in document["services"] if s["name"] == "web")
    assert [e["address"] for e in web["ports"][0]["endpoints"]] == ["10.244.1.3", "10.244.2.3"]
    assert web["origins"]["object"]["kind"] == "assumed"
    waiting = next(p for p in document["pods"] if p["name"] == "waiting")
    assert waiting["pending_reason"].endswith("Too many pods.")


EVIL = 'a"b\\]--\n<script>\x1b[31m'


@pytest.fixture(scope="module")
def evil() -> Cluster:
    pod = scenes.pod(EVIL, "10.244.1.2")
    service = scenes.service(EVIL, "10.96.0.9", scenes.port(80))
    made = scenes.cluster(
        pods=[pod], services=[service], slices=[scenes.slice_of(service, [pod], {"": 80})]
    )
    return replace(made, nodes={EVIL: replace(scenes.node(1), name=EVIL)})


@pytest.mark.parametrize("draw", [topology_lines, dot_lines, mermaid_lines])
def test_no_name_can_steer_a_terminal_or_break_the_syntax(draw: object, evil: Cluster) -> None:
    lines = list(draw(evil))  # type: ignore[operator]
    assert not any("\x1b" in line or "\n" in line for line in lines)


def test_dot_strings_are_closed(evil: Cluster) -> None:
    for line in dot_lines(evil):
        without = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert '"' not in without
        assert without.count("[") == without.count("]")


def test_mermaid_strings_hold_no_quote_bracket_or_tag(evil: Cluster) -> None:
    for line in mermaid_lines(evil):
        for string in re.findall(r'"([^"]*)"', line):
            assert not set("[]<>{}\\`") & set(string.replace("<br/>", ""))
        assert line.count('"') % 2 == 0


def test_dot_and_mermaid_have_an_arrow_for_each_endpoint(cluster: Cluster) -> None:
    assert sum(" -> " in line for line in dot_lines(cluster)) == 7
    assert sum(" -->" in line for line in mermaid_lines(cluster)) == 7


SVG = "{http://www.w3.org/2000/svg}"


def test_svg_has_every_text_and_an_arrow_for_each_endpoint(cluster: Cluster, evil: Cluster) -> None:
    root = ET.fromstring("\n".join(topology_svg(cluster)))  # noqa: S314 - our own
    texts = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    assert "default/web-2  ○ 10.244.2.3" in texts
    assert "NodePort  ○ 10.96.0.10" in texts
    assert "no endpoints" in texts
    arrows = sum(len(each.endpoints) for each in cluster.endpoint_slices["default/web"])
    assert len(list(root.iter(f"{SVG}path"))) >= arrows
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for one in root.iter(f"{SVG}rect"):
        assert float(one.attrib["x"]) + float(one.attrib["width"]) <= width
        assert float(one.attrib["y"]) + float(one.attrib["height"]) <= height
    hostile = "\n".join(topology_svg(evil))
    ET.fromstring(hostile)  # noqa: S314
    assert "\x1b" not in hostile
    assert "<script" not in hostile
