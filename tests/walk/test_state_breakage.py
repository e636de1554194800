"""A node's collected rules against what should stand there: real ones, and damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.nodes.difference import DifferenceKind
from k8stui.walk.breakage import connected, rules_report
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world

FOLDER = truth.find("real-nodes")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="real-nodes is not on this machine")


def _nodes() -> Iterator[Any]:
    for state in sorted(FOLDER.iterdir()) if FOLDER is not None else ():
        for file in sorted((state / "nodes").glob("*.txt*")) if state.is_dir() else ():
            yield pytest.param(state, file.name.partition(".txt")[0], id=file.name)


@lru_cache
def _world(state: Path) -> World:
    return build_world([str(state)])


@pytest.mark.parametrize(("state", "node"), _nodes())
def test_kube_proxys_rules_of_a_real_node_differ_in_nothing(state: Path, node: str) -> None:
    world = _world(state)
    if world.cluster.proxy.mode == "nftables":
        pytest.skip("its rules are nftables' own")
    found = rules_report(world, world.cluster.nodes[node], 4, owner="kube-proxy")
    assert found.differences == ()


@pytest.mark.parametrize(("state", "node"), _nodes())
def test_the_plugins_rules_of_a_real_node_differ_in_nothing(state: Path, node: str) -> None:
    """Of all whose plug-in is imitated, whatever else stands beside it."""
    world = _world(state)
    if state.name.startswith(("calico", "weave", "docker")):
        pytest.skip("a tunnel, plug-in or hand-made rules that are not imitated")
    found = rules_report(world, world.cluster.nodes[node], 4)
    assert found.differences == ()
    assert found.breakages == ()
    assert found.others == {}
    assert {one.chain for one in found.repeated} <= {"INPUT", "OUTPUT"}


@pytest.fixture
def kindnet(tmp_path: Path) -> Path:
    return _copied("kindnet", tmp_path)


@pytest.fixture
def k3s(tmp_path: Path) -> Path:
    return _copied("k3s-flannel-kube-router", tmp_path)


def _copied(state: str, tmp_path: Path) -> Path:
    source = truth.folder("real-nodes") / state
    (tmp_path / "nodes").mkdir()
    shutil.copy(source / "cluster.yaml", tmp_path)
    for file in (source / "nodes").glob("*.txt*"):
        text = truth.read(file.with_name(file.name.removesuffix(".xz")))
        assert text is not None
        (tmp_path / "nodes" / file.name.removesuffix(".xz")).write_text(text)
    return tmp_path


def _edit(folder: Path, node: str, old: str, new: str) -> None:
    file = folder / "nodes" / f"{node}.txt"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_rule_taken_out_of_a_collected_node_is_missed_and_breaks_requests(kindnet: Path) -> None:
    mark = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
    _edit(kindnet, "kind-worker", mark, "")
    world = build_world([str(kindnet)])
    report = rules_report(world, world.cluster.nodes["kind-worker"], 4)
    kinds = [(one.kind, one.chain) for one in report.differences if one.expected is not None]
    assert kinds == [(DifferenceKind.MISSING, "KUBE-MARK-MASQ")]
    assert report.breakages
    gains = [connected(one.observed) - connected(one.expected) for one in report.breakages]
    assert gains == sorted(gains)
    assert report.breakages[0].is_worse


def test_docker_beside_the_plugin_is_not_compared_but_its_policy_is(kindnet: Path) -> None:
    for node in ("kind-worker", "kind-control-plane"):
        file = kindnet / "nodes" / f"{node}.txt"
        before, mark, rules = file.read_text().partition("\n*filter\n")
        rules = rules.replace(":FORWARD ACCEPT", ":FORWARD DROP", 1)
        file.write_text(f"{before}{mark}{rules}")
        _edit(kindnet, node, ":KUBE-FIREWALL ", ":DOCKER-USER - [0:0]\n:KUBE-FIREWALL ")
        _edit(kindnet, node, "-A KUBE-FIREWALL ", "-A FORWARD -j DOCKER-USER\n-A KUBE-FIREWALL ")
    world = build_world([str(kindnet)])
    report = rules_report(world, world.cluster.nodes["kind-worker"], 4)
    policies = [one for one in report.differences if one.kind is DifferenceKind.POLICY]
    assert [(one.chain, one.observed_policy) for one in policies] == [("FORWARD", "DROP")]
    assert not [one for one in report.differences if one.chain == "DOCKER-USER"]
    assert report.others["Docker"]
    assert any(one.is_worse for one in report.breakages)


def test_a_node_of_which_no_rule_was_seen(kindnet: Path) -> None:
    (kindnet / "nodes" / "kind-worker.txt").unlink()
    world = build_world([str(kindnet)])
    with pytest.raises(RequestError, match="no rules of kind-worker were seen"):
        rules_report(world, world.cluster.nodes["kind-worker"], 4)


def test_what_kube_routers_rules_lack_is_told_by_the_dumps_own_names(k3s: Path) -> None:
    """The names of its chains hash the time of a sync: only the dump has them."""
    file = k3s / "nodes" / "k3s-agent.txt"
    lines = file.read_text().splitlines()
    jump = next(one for one in lines if "run through nw policy postgres-in" in one)
    chain = jump.split()[1]
    lines.remove(jump)
    last = max(n for n, one in enumerate(lines) if one.startswith(f"-A {chain} "))
    lines.insert(last + 1, jump)
    file.write_text("\n".join(lines) + "\n")
    world = build_world([str(k3s)])
    found = rules_report(world, world.cluster.nodes["k3s-agent"], 4)
    assert [(one.kind, one.chain) for one in found.differences] == [(DifferenceKind.MOVED, chain)]
    assert found.breakages
    assert all("postgres" in one.destination for one in found.breakages)
