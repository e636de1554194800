"""NetworkPolicies under kube-router: walks, what a pod may do, and the smallest change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests_of import pod, service

from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.policy import Direction
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.walk.policies import Policies
from k8stui.walk.policy_change import denials_and_changes, smallest_change
from k8stui.walk.policy_view import policy_view
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]


def policy(name: str, selector: str = "", **spec: Any) -> Manifest:
    labels = dict(one.split("=") for one in selector.split(",") if one)
    chosen = {"matchLabels": labels} if labels else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": chosen, **spec},
    }


def pods(text: str) -> Manifest:
    return {"podSelector": {"matchLabels": dict([text.split("=")])}}


BREAD = [
    pod("oven", "app=oven", ports=[{"containerPort": 7000, "name": "heat"}]),
    pod("baker", "role=baker", node="node-2"),
    pod("guest", node="node-1"),
    service("oven", "app=oven", 70, "heat"),
]
ONLY_BAKERS = policy(
    "only-bakers", "app=oven", ingress=[{"from": [pods("role=baker")], "ports": [{"port": "heat"}]}]
)
NOTHING_OUT = policy("nothing-out", "role=baker", policyTypes=["Egress"])
TO_OVENS = policy(
    "to-ovens", "role=baker", policyTypes=["Egress"], egress=[{"to": [pods("app=oven")]}]
)


def world_of(tmp_path: Path, *manifests: Manifest, engine: str | None = "kube-router") -> World:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*BREAD, *manifests]))
    return build_world([str(path)], ClusterOptions(), NodeOptions(policy_engine=engine))


def ask(world: World, source: str, destination: str) -> Any:
    return walk(world, parse_request(world, source, destination))


def test_who_is_allowed_arrives_and_who_is_not_is_refused(tmp_path: Path) -> None:
    world = world_of(tmp_path, ONLY_BAKERS)
    assert ask(world, "pod/baker", "svc/oven:70").outcome.result is Result.CONNECTED
    outcome = ask(world, "pod/guest", "svc/oven:70").outcome
    assert outcome.result is Result.REFUSED
    assert "NetworkPolicy default/only-bakers selects pod default/oven" in outcome.reason
    assert "ICMP error" in outcome.reason
    assert outcome.origin.place.line == yaml_line(tmp_path, "only-bakers")


def yaml_line(tmp_path: Path, name: str) -> int:
    """The line of the spec of the object of that name."""
    lines = (tmp_path / "all.yaml").read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line == f"  name: {name}")
    return next(n for n in range(start, len(lines)) if lines[n] == "spec:") + 1


def test_steps_name_the_policy_and_the_rule(tmp_path: Path) -> None:
    trace = ask(world_of(tmp_path, ONLY_BAKERS), "pod/baker", "svc/oven:70")
    said = [step.text for step in trace.steps]
    assert any("default/only-bakers selects default/oven for ingress" in one for one in said)
    assert any("allows port 7000/TCP (heat) from pods role=baker" in one for one in said)


def test_an_egress_policy_that_forgets_dns_cuts_names(tmp_path: Path) -> None:
    world = world_of(tmp_path, TO_OVENS)
    assert ask(world, "pod/baker", "svc/oven:70").outcome.result is Result.CONNECTED
    outcome = ask(world, "pod/baker", "oven:70").outcome
    assert outcome.result is Result.NO_SUCH_NAME
    assert "cluster DNS" in outcome.reason


@pytest.mark.parametrize(
    ("engine", "result"),
    [("kube-router", Result.REFUSED), ("api", Result.TIMEOUT), ("none", Result.CONNECTED)],
)
def test_the_engine_decides_how_it_feels(tmp_path: Path, engine: str, result: Result) -> None:
    world = world_of(tmp_path, ONLY_BAKERS, engine=engine)
    trace = ask(world, "pod/guest", "svc/oven:70")
    assert trace.outcome.result is result
    if engine == "none":
        assert any("not enforced" in one for one in trace.assumptions)


def test_k3s_nodes_bring_the_engine(tmp_path: Path) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "node-1",
            "annotations": {"k3s.io/node-args": '["server","--service-cidr","10.99.0.0/16"]'},
        },
        "status": {"nodeInfo": {"kubeletVersion": "v1.31.4+k3s1"}},
    }
    world = world_of(tmp_path, node, engine=None)
    assert str(world.cluster.service_cidr) == "10.99.0.0/16"
    assert world.network.policy_engine_of(world.cluster.nodes["node-1"]) == "kube-router"


def test_a_pod_under_policies(tmp_path: Path) -> None:
    world = world_of(tmp_path, ONLY_BAKERS)
    view = policy_view(world, world.cluster.pods["default/oven"])
    assert [one.name for one in view.policies] == ["only-bakers"]
    (opening,) = view.openings[Direction.INGRESS]
    assert (opening.who, opening.ports) == ("pods role=baker (baker)", ("heat/TCP (7000)",))
    assert not view.ruling(Direction.EGRESS)
    assert view.engine == "kube-router"


NEAR = {
    "a port more": [policy("p", "app=oven", ingress=[{"ports": [{"port": 1}]}])],
    "a peer more": [policy("p", "app=oven", ingress=[{"from": [pods("role=baker")]}])],
    "a rule more": [policy("p", "app=oven", ingress=[])],
    "both ends": [policy("p", "app=oven"), policy("q", policyTypes=["Egress"])],
}


@pytest.mark.parametrize("kind", NEAR)
@pytest.mark.parametrize("source", ["pod/guest", "pod/baker"])
def test_the_smallest_change_allows_it(tmp_path: Path, kind: str, source: str) -> None:
    world = world_of(tmp_path, *NEAR[kind])
    trace = ask(world, source, "svc/oven:70")
    found = list(denials_and_changes(world.cluster, trace))
    if trace.outcome.result is Result.CONNECTED:
        assert not found
        return
    assert len(found) == (2 if kind == "both ends" else 1)
    policies: dict[str, Any] = {one.key: one for one in world.cluster.policies}
    policies |= {change.policy.key: change.policy for _, change in found}
    changed = Policies(replace(world.cluster, policies=tuple(policies.values())))
    for denial, _ in found:
        assert denial.denied is not None
        assert smallest_change(Policies(world.cluster), denial.denied).entry.startswith("- {")
    assert not list(changed.denials(trace.request, "default/oven", 7000))
