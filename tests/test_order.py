"""Lists: in the order in which one looks for names, filtered as one types, each row reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui.harness import OTHER, LiteralJobs, running

from k8stui.check import Finding, Severity
from k8stui.cluster.options import ClusterOptions
from k8stui.export.drawing.ink import text_of, width_of
from k8stui.order import by_place, natural
from k8stui.tui.cluster_rows import ClusterRows
from k8stui.tui.desk import Desk
from k8stui.tui.findings import FindingLines, by_weight
from k8stui.tui.listing import ListScreen
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 24
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: c, ports: [{containerPort: 80}]}]}
"""


@given(st.lists(st.tuples(st.text("ab-", max_size=4), st.integers(0, 999)), min_size=2))
def test_numbers_in_names_count_as_numbers(pairs: Any) -> None:
    names = [f"{text}{number}" for text, number in pairs]
    assert sorted(names, key=natural) == [f"{t}{n}" for t, n in sorted(pairs)]


@given(st.text(), st.text())
def test_any_two_names_have_an_order(one: str, other: str) -> None:
    assert (natural(one) < natural(other)) + (natural(other) < natural(one)) <= 1


def test_the_default_namespace_comes_first() -> None:
    places = [("kube-system", "a-1"), ("default", "b-10"), ("default", "b-9"), ("apps", "z")]
    ordered = sorted(places, key=lambda place: by_place(*place))
    assert ordered == [
        ("default", "b-9"),
        ("default", "b-10"),
        ("apps", "z"),
        ("kube-system", "a-1"),
    ]


def test_nodes_and_pods_are_in_natural_order(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    rows = ClusterRows(build_world([str(tmp_path)], ClusterOptions(nodes=12)))
    nodes = [item.key for item in rows.roots() if item.kind == "node"]
    assert nodes == [f"node/node-{n}" for n in range(1, 13)]
    for node in rows.roots()[:12]:
        names = [item.key for item in rows.children(node)]
        assert names == sorted(names, key=natural)


@pytest.mark.parametrize("size", [(80, 24), (120, 34)], ids=str)
async def test_a_list_is_filtered_as_one_types(size: Any) -> None:
    async with running(size, LiteralJobs()) as driver:
        await driver.press("b")
        assert len(driver.app.screen.rows) == 2  # type: ignore[attr-defined]
        await driver.press("slash", *"2/3")
        shown = driver.app.screen
        assert isinstance(shown, ListScreen)
        assert list(shown.rows) == [1]
        assert "1 of 2" in driver.text("#sheet")
        await driver.press("enter", "enter")
        assert driver.is_on_top
        assert driver.state.trace is OTHER


async def test_what_is_in_no_line_leaves_nothing_to_choose_and_escape_brings_all_back() -> None:
    async with running() as driver:
        await driver.press("b", "slash", *"qqq", "enter", "enter")
        assert not driver.is_on_top
        await driver.press("escape")
        assert len(driver.app.screen.rows) == 2  # type: ignore[attr-defined]
        await driver.press("escape")
        assert driver.is_on_top


async def test_the_keys_are_found_by_what_they_do() -> None:
    async with running() as driver:
        await driver.press("question_mark", "slash", *"manifest")
        lines = [line for line in driver.text("#sheet").splitlines()[1:-1] if line.strip("│ █")]
        assert lines
        assert all("manifest" in line.lower() for line in lines)


SIX = """\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking: {podSubnet: "10.244.0.0/16,fd00:244::/56", serviceSubnet: "10.96.0.0/12,fd00:96::/112"}
---
apiVersion: v1
kind: Pod
metadata: {name: hen, labels: {app: hen}}
spec: {containers: [{name: hen, image: hen, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: hen}
spec:
  selector: {app: hen}
  ports: [{port: 80}]
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
"""


def test_the_tree_says_addresses_of_the_family_that_is_walked(tmp_path: Path) -> None:
    (tmp_path / "six.yaml").write_text(SIX)
    world = build_world([str(tmp_path)])
    desk = Desk(world)
    six = next(str(one) for one in world.cluster.pods["default/hen"].addresses if one.version == 6)
    for destination, colons in ((f"[{six}]:80", True), ("pod/hen:80", False)):
        desk.show(walk(world, parse_request(world, "node/node-1", destination)))
        for kind in ("node", "pod", "service"):
            asides = [
                desk.tree.say(item).aside
                for item in desk.tree.items
                if item.kind == kind and item.key.endswith(("hen", "node-1"))
            ]
            assert asides
            assert all((":" in aside) is colons for aside in asides), (kind, destination)


def test_findings_stand_by_weight_rule_and_namespace() -> None:
    found = [
        Finding(rule=rule, severity=severity, subject=f"Service {key}", place=None, why="why")
        for severity in (Severity.INFO, Severity.ERROR)
        for rule in ("b-rule", "a-rule")
        for key in ("web/b-10", "default/z", "web/b-9", "apps/c")
    ]
    ordered = by_weight(found)
    assert [one.severity for one in ordered] == [Severity.ERROR] * 8 + [Severity.INFO] * 8
    assert [one.rule for one in ordered[:8]] == ["a-rule"] * 4 + ["b-rule"] * 4
    assert [one.subject.partition(" ")[2] for one in ordered[:4]] == [
        "default/z",
        "apps/c",
        "web/b-9",
        "web/b-10",
    ]
    lines = [text_of(line) for line in FindingLines(ordered, 120)]
    assert sum("a-rule" in line for line in lines) == 2
    assert all(width_of(line) <= 120 for line in lines)
