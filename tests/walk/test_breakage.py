"""Differences in rules, and the requests that they break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8stui.kernel.save import dump_lines
from k8stui.walk.breakage import Breakage, RulesReport, connected, rules_report
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world, sample

BROKEN = sample("broken")


@pytest.fixture(scope="module")
def guestbook() -> World:
    return build_world([])


def report(world: World, file: Path, lines: list[str], **more: Any) -> RulesReport:
    file.write_text("".join(f"{line}\n" for line in lines))
    return rules_report(world, world.cluster.nodes["node-1"], 4, str(file), **more)


def rules_of(world: World) -> list[str]:
    return list(dump_lines(world.network.ruleset(world.cluster.nodes["node-1"], 4)))


def results(each: Breakage) -> tuple[list[str], list[str]]:
    sides = (each.expected, each.observed)
    first, second = ([answer.result.value for answer in side] for side in sides)
    return first, second


def test_the_same_rules_break_nothing(guestbook: World, tmp_path: Path) -> None:
    found = report(guestbook, tmp_path / "dump", rules_of(guestbook))
    assert (found.differences, found.breakages, found.walked) == ((), (), ())


def test_a_service_that_node_2_does_not_know() -> None:
    folder = BROKEN / "nodeport-one-node-only"
    world = build_world([str(folder)])
    file = str(folder / "node-2.iptables")
    found = rules_report(world, world.cluster.nodes["node-2"], 4, file)
    assert {each.service for each in found.differences} == {"default/web"}
    assert {each.kind.value for each in found.differences} == {"chain", "missing"}
    assert [(e.source, e.destination, *results(e)) for e in found.breakages] == [
        ("node/node-2", "svc/default/web:80", ["connected"], ["unreachable"]),
        ("outside", "node/node-2:30095", ["connected"], ["refused"]),
    ]
    assert all(each.is_worse for each in found.breakages)
    assert found.assumed == ("default/web",)


def test_one_endpoint_less_is_another_answer(guestbook: World, tmp_path: Path) -> None:
    """Without the second balancing rule its third goes to the last endpoint; all still connect."""
    lines = rules_of(guestbook)
    second = [line for line in lines if '"default/frontend -> ' in line][1]
    found = report(guestbook, tmp_path / "dump", [line for line in lines if line != second])
    assert [(e.kind.value, e.service) for e in found.differences] == [
        ("missing", "default/frontend")
    ]
    assert {each.destination for each in found.breakages} == {
        "svc/default/frontend:80", "node/node-1:30080",
    }  # fmt: skip
    for each in found.breakages:
        assert connected(each.observed) == 1
        assert not each.is_worse
        assert len(each.observed) == len(each.expected) - 1


def test_what_names_no_service_may_concern_all(guestbook: World, tmp_path: Path) -> None:
    lines = [line for line in rules_of(guestbook) if "-A KUBE-MARK-MASQ" not in line]
    found = report(guestbook, tmp_path / "dump", lines, limit=2)
    assert len(found.walked) == 2
    assert found.not_walked == len(guestbook.cluster.services) - 2
    assert ("outside", "node/node-1:30080") in {(e.source, e.destination) for e in found.breakages}


def test_a_policy_of_drop(guestbook: World, tmp_path: Path) -> None:
    lines = [line.replace(":FORWARD ACCEPT", ":FORWARD DROP") for line in rules_of(guestbook)]
    found = report(guestbook, tmp_path / "dump", lines)
    policies = {(e.table, e.expected_policy, e.observed_policy) for e in found.differences}
    assert ("filter", "ACCEPT", "DROP") in policies


def test_the_other_family(guestbook: World, tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_text("".join(f"{line}\n" for line in rules_of(guestbook)))
    with pytest.raises(RequestError, match="holds no IPv6 rules"):
        rules_report(guestbook, guestbook.cluster.nodes["node-1"], 6, str(file))


def test_own_rules_of_one_owner(guestbook: World, tmp_path: Path) -> None:
    """What kube-proxy wrote stands behind the kubelet's rules, and that is where it belongs."""
    for owner in ("kube-proxy", "cni", "kubelet"):
        found = report(guestbook, tmp_path / owner, rules_of(guestbook), owner=owner)
        assert found.differences == ()


def test_a_rule_of_one_owner_out_of_place(guestbook: World, tmp_path: Path) -> None:
    lines = rules_of(guestbook)
    first, second = [n for n, line in enumerate(lines) if line.startswith("-A KUBE-FORWARD")][:2]
    lines[first], lines[second] = lines[second], lines[first]
    found = report(guestbook, tmp_path / "dump", lines, owner="kube-proxy")
    assert [each.kind.value for each in found.differences] == ["moved"]


def test_what_comes_from_other_nodes_is_asked_too(guestbook: World, tmp_path: Path) -> None:
    """A firewall on the node: it is a pod of another node that meets it."""
    lines = rules_of(guestbook)
    at = next(n for n, line in enumerate(lines) if "flanneld forward" in line)
    lines[at] = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"
    found = report(guestbook, tmp_path / "dump", lines)
    away = {p.key for p in guestbook.cluster.pods.values() if p.node_name != "node-1"}
    broken = {(e.source.removeprefix("pod/"), bool(e.service)) for e in found.breakages}
    assert any(source in away and service for source, service in broken)
    assert any(source in away and not service for source, service in broken)
    assert found.asked > len(found.breakages) > 4
