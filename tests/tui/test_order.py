"""Lists: in the order in which one looks for names, filtered as one types, each row reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui.harness import OTHER, LiteralJobs, running

from k8stui.cluster.options import ClusterOptions
from k8stui.tui.cluster_rows import ClusterRows
from k8stui.tui.listing import ListScreen
from k8stui.tui.order import by_place, natural
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
