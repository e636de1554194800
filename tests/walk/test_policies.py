"""NetworkPolicies under kube-router: walks, what a pod may do, and the smallest change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from manifests_of import pod, service

from k8stui.cli import cli
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.policy import Direction
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.walk.allowed import why_allowed
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


def test_who_comes_has_no_address_of_a_service(tmp_path: Path) -> None:
    """Nor was a block meant for one that holds the pod itself, but for its excepts."""
    block = {"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16"]}
    for spec in (
        {"ingress": [{"from": [{"ipBlock": {"cidr": "10.96.0.0/12"}}]}]},
        {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": block}]}]},
    ):
        front = service("guest", "role=baker", 80)
        world = world_of(tmp_path, front, policy("p", **spec))
        reason = ask(world, "pod/baker", "svc/oven:70").outcome.reason
        assert "NetworkPolicy default/p" in reason
        assert "rewritten" not in reason
        assert ("leaves out 10.244.0.0/16" in reason) is ("egress" in spec)


@pytest.mark.parametrize("engine", ["none", "cilium"])
def test_nobody_need_let_a_pod_ask_its_own_node(tmp_path: Path, engine: str) -> None:
    world = world_of(tmp_path, policy("out", policyTypes=["Egress"]), engine=engine)
    own, other = (ask(world, "pod/guest", f"node/node-{n}:10250") for n in (1, 2))
    assert not own.unenforced
    assert own.outcome.result is Result.CONNECTED
    assert bool(other.unenforced) is (engine == "none")


@pytest.mark.parametrize(
    ("engine", "result"),
    [("kube-router", Result.REFUSED), ("api", Result.TIMEOUT), ("none", Result.CONNECTED)],
)
def test_the_engine_decides_how_it_feels(tmp_path: Path, engine: str, result: Result) -> None:
    world = world_of(tmp_path, ONLY_BAKERS, engine=engine)
    trace = ask(world, "pod/guest", "svc/oven:70")
    assert trace.outcome.result is result
    told = [n for n, step in enumerate(trace.steps) if "; not enforced here: " in step.text]
    assert bool(told) is (engine == "none")
    if engine == "none":
        assert any("not enforced" in one for one in trace.assumptions)
        hop, step = trace.placed[told[0]]
        assert (hop.namespace, hop.direction) == ("node-1", trace.hops[0].direction)
        assert step.text.endswith("NetworkPolicy default/only-bakers denies it")
        assert trace.placed[told[0] + 1][0].namespace == "default/oven"


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
    found = list(denials_and_changes(world, trace))
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
    assert changed.against(trace.request, "default/oven", 7000) is None


def test_every_way_of_a_request_is_explained(tmp_path: Path) -> None:
    """Two pods behind the Service: one that a policy shuts, and one that it does not."""
    shut = pod("stove", "app=oven,kind=old", node="node-2", ports=[{"containerPort": 7000}])
    front = service("ovens", "app=oven", 70, 7000)
    world_of(tmp_path, shut, front, policy("p", "kind=old"))
    asking = ["explain", str(tmp_path), "pod/oven", "--ask", "pod/guest -> svc/ovens:70"]
    asking += ["--policy-engine", "kube-router", "--format", "json"]
    done = CliRunner().invoke(cli, asking, standalone_mode=False)
    told = {one["result"]: one for one in json.loads(done.stdout)["asked"]}
    assert done.return_value == 1
    assert {name: one["probability"] for name, one in told.items()} == {
        "connected": "1/2",
        "refused": "1/2",
    }
    assert [one["policy"] for one in told["refused"]["changes"]] == ["default/p"]
    assert not told["connected"]["changes"]


def gate(action: str, **more: Any) -> Manifest:
    everybody: Manifest = {"namespaces": {}}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "gate"},
        "spec": {
            "priority": 5,
            "subject": everybody,
            "ingress": [{"action": action, "from": [everybody], **more}],
        },
    }


def judged(trace: Any) -> list[Any]:
    """Steps of an engine that is modelled by the API's rules."""
    return [step for step in trace.steps if "modelled by the API's rules" in step.text]


@pytest.mark.parametrize(
    ("engine", "hooks", "where"),
    [
        ("cilium", ["PREROUTING", "POSTROUTING"], ["node-2", "node-1"]),
        ("calico", ["PREROUTING", "POSTROUTING"], ["node-2", "node-1"]),
        ("ovn-kubernetes", ["PREROUTING", "POSTROUTING"], ["node-2", "node-1"]),
        ("kindnet", ["POSTROUTING"] * 4, ["node-2", "node-2", "node-1", "node-1"]),
    ],
)
def test_each_engine_judges_where_it_decides(
    tmp_path: Path, engine: str, hooks: list[str], where: list[str]
) -> None:
    world = world_of(tmp_path, ONLY_BAKERS, TO_OVENS, engine=engine)
    trace = ask(world, "pod/baker", "svc/oven:70")
    assert trace.outcome.result is Result.CONNECTED
    steps = judged(trace)
    assert [step.hook.value for step in steps] == hooks
    places = {id(step): hop.namespace for hop in trace.hops for step in hop.steps}
    assert [places[id(step)] for step in steps] == where
    assert all(step.before.dport == 7000 for step in steps), "behind the Service's translation"
    assert "egress[0] allows every port to pods app=oven" in steps[0].text
    assert steps[0].origin.place.line == yaml_line(tmp_path, "to-ovens") + 2


@pytest.mark.parametrize(
    ("engine", "node"), [("cilium", "node-1"), ("antrea", "node-1"), ("kindnet", "node-2")]
)
def test_a_denial_is_dropped_where_the_engine_sees_it(
    tmp_path: Path, engine: str, node: str
) -> None:
    far = pod("far", "role=far", node="node-2")
    world = world_of(tmp_path, ONLY_BAKERS, far, engine=engine)
    outcome = ask(world, "pod/far", "svc/oven:70").outcome
    assert outcome.result is Result.TIMEOUT
    assert outcome.decided_at == node
    assert "lets in nothing from pod default/far to port 7000/TCP" in outcome.reason
    assert "modelled by the API's rules" in outcome.reason
    assert outcome.origin.place.line == yaml_line(tmp_path, "only-bakers")


@pytest.mark.parametrize("bridge_nf", [True, False])
def test_a_device_sees_what_a_bridge_passes_on(tmp_path: Path, *, bridge_nf: bool) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*BREAD, ONLY_BAKERS]))
    options = NodeOptions(policy_engine="cilium", bridge_nf_call_iptables=bridge_nf)
    world = build_world([str(path)], ClusterOptions(), options)
    assert ask(world, "pod/guest", "pod/oven:7000").outcome.result is Result.TIMEOUT
    baker = pod("neighbour", "role=baker", node="node-1")
    path.write_text(yaml.safe_dump_all([*BREAD, baker, ONLY_BAKERS]))
    world = build_world([str(path)], ClusterOptions(), options)
    trace = ask(world, "pod/neighbour", "pod/oven:7000")
    assert trace.outcome.result is Result.CONNECTED
    assert len(judged(trace)) == 1, "the answer belongs to a connection that was let through"


@pytest.mark.parametrize("engine", ["cilium", "kindnet", "api"])
def test_a_node_and_its_own_pods_always_meet(tmp_path: Path, engine: str) -> None:
    everything = policy("everything", policyTypes=["Ingress", "Egress"])
    world = world_of(tmp_path, everything, engine=engine)
    assert ask(world, "node/node-1", "pod/oven:7000").outcome.result is Result.CONNECTED
    assert ask(world, "node/node-1", "svc/oven:70").outcome.result is Result.CONNECTED
    assert ask(world, "pod/baker", "svc/oven:70").outcome.result is Result.TIMEOUT
    assert ask(world, "pod/oven", "pod/oven:7000").outcome.result is Result.CONNECTED
    trace = ask(world, "pod/guest", "node/node-1:10250")
    assert not judged(trace), "what a pod sends to its own node is not its policies' affair"


@pytest.mark.parametrize(
    ("engine", "result"),
    [
        ("api", Result.TIMEOUT),
        ("ovn-kubernetes", Result.TIMEOUT),
        ("cilium", Result.CONNECTED),
        ("kube-router", Result.CONNECTED),
    ],
)
def test_who_knows_no_policies_of_the_cluster_lets_it_pass(
    tmp_path: Path, engine: str, result: Result
) -> None:
    world = world_of(tmp_path, gate("Deny"), engine=engine)
    trace = ask(world, "pod/guest", "svc/oven:70")
    assert trace.outcome.result is result
    unheard = [one for one in trace.assumptions if "knows no AdminNetworkPolicies" in one]
    assert bool(unheard) is (result is Result.CONNECTED)


def test_the_input_names_the_engine(tmp_path: Path) -> None:
    agent: Manifest = {"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.20.0"}
    labels = {"k8s-app": "cilium"}
    daemon = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "cilium", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [agent]}},
        },
    }
    world = world_of(tmp_path, ONLY_BAKERS, daemon, engine=None)
    assert {world.network.policy_engine_of(one) for one in world.cluster.nodes.values()} == {
        "cilium"
    }
    outcome = ask(world, "pod/guest", "svc/oven:70").outcome
    assert outcome.result is Result.TIMEOUT
    assert "policy engine Cilium" in outcome.reason
    chosen = world_of(tmp_path, ONLY_BAKERS, daemon, engine="none")
    assert ask(chosen, "pod/guest", "svc/oven:70").outcome.result is Result.CONNECTED


def test_a_name_that_nobody_gave_an_address_is_not_guessed(tmp_path: Path) -> None:
    names = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "names"},
        "spec": {
            "tier": "Admin",
            "priority": 1,
            "subject": {"namespaces": {}},
            "egress": [
                {"action": "Accept", "to": [{"domainNames": ["flour.example"]}]},
                {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
            ],
        },
    }
    world = world_of(tmp_path, names, engine="api")
    outcome = ask(world, "pod/guest", "203.0.113.5:443").outcome
    assert outcome.result is Result.UNKNOWN
    assert "flour.example" in outcome.reason
    assert "--host" in outcome.advice


@pytest.mark.parametrize("engine", ["cilium", "kindnet", "api", "kube-router"])
def test_no_engine_lets_names_through_a_closed_egress(tmp_path: Path, engine: str) -> None:
    world = world_of(tmp_path, NOTHING_OUT, engine=engine)
    outcome = ask(world, "pod/baker", "oven:70").outcome
    assert outcome.result is Result.NO_SUCH_NAME
    assert "nothing-out selects pod default/baker" in outcome.reason
    assert "port 53/UDP" in outcome.reason


def notes(world: World, name: str = "oven") -> str:
    return " | ".join(policy_view(world, world.cluster.pods[f"default/{name}"]).notes)


TWO_NAMES = pod("stove", "app=oven", ports=[{"containerPort": 7001, "name": "heat"}])
HOLES = [
    {"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}},
    {"ipBlock": {"cidr": "10.244.2.0/25"}},
]
DEPARTURES: dict[str, tuple[list[Manifest], str]] = {
    "1": ([policy("p", policyTypes=["Egress"])], "judges what the pod sends to its own node"),
    "2": ([policy("p", ingress=[{}], egress=[{}])], "opens the other way too"),
    "3": (
        [policy("p", ingress=[{"from": [pods("role=baker")], "ports": [{"port": "cold"}]}])],
        "nobody has a port named cold",
    ),
    "4": (
        [TWO_NAMES, policy("p", "app=oven", ingress=[{"ports": [{"port": "heat"}]}])],
        "port heat of default/p has other numbers in other pods",
    ),
    "5": (
        [policy("p", policyTypes=["Egress"], egress=[{"ports": [{"port": "heat"}]}])],
        "its number is open to every destination",
    ),
    "6": ([policy("p", ingress=[{"from": HOLES}])], "except 10.244.2.0/24 of default/p takes away"),
    "7": (
        [policy("p", ingress=[{"from": [{"ipBlock": {"cidr": "::/0"}}]}])],
        "2000::/3 and fd00::/8",
    ),
    "8": ([policy("p")], "it lets every ping through"),
    "9": (
        [
            pod("agent", "role=agent", hostNetwork=True),
            policy("p", ingress=[{"from": [pods("role=agent")]}]),
        ],
        "no selector means what is on its node's network (default/agent)",
    ),
    "11": (
        [policy("p", egress=[{"to": [{"ipBlock": {"cidr": "10.96.0.0/16"}}]}])],
        "the ipBlock 10.96.0.0/16 of default/p holds addresses of Services",
    ),
    "12": (
        [service("door", "app=oven", 70, "heat", type="NodePort"), policy("p")],
        "who comes in by a node port of Service default/door",
    ),
    "13": ([policy("p")], "other nodes, and what runs on their network"),
    "14": (
        [policy("p", policyTypes=["Ingress", "Egress"])],
        "where it asks itself through Service default/oven",
    ),
}


@pytest.mark.parametrize("row", DEPARTURES)
def test_what_differs_is_said_where_it_applies(tmp_path: Path, row: str) -> None:
    manifests, words = DEPARTURES[row]
    assert words in notes(world_of(tmp_path, *manifests))
    assert words not in notes(world_of(tmp_path, engine="none"))


def test_bridged_frames_pass_unseen(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*BREAD, ONLY_BAKERS]))
    for bridge_nf in (True, False):
        options = NodeOptions(policy_engine="kube-router", bridge_nf_call_iptables=bridge_nf)
        world = build_world([str(path)], ClusterOptions(), options)
        assert ("judged by nobody" in notes(world)) is not bridge_nf


def test_what_an_engine_does_not_know_is_said(tmp_path: Path) -> None:
    world = world_of(tmp_path, gate("Deny"), engine="cilium")
    assert notes(world) == "not enforced: Cilium knows no AdminNetworkPolicies"
    world = world_of(tmp_path, gate("Deny"), engine="antrea")
    assert "Antrea is modelled by the API's rules, in Open vSwitch" in notes(world)


def test_calico_says_what_it_does(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    shut = policy("shut", "app=oven", policyTypes=["Egress"])
    path.write_text(yaml.safe_dump_all([*BREAD, NOTHING_OUT, shut]))
    world = build_world([str(path)], ClusterOptions(), NodeOptions(cni="calico"))
    said = notes(world, "baker")
    assert "Calico drops: the client times out" in said
    assert "Calico judges what the pod sends to its own node" in said
    assert "where it asks itself through Service default/oven" in notes(world, "oven")
    felt = ask(world, "pod/oven", "svc/oven:70").outcome
    assert felt.result is Result.TIMEOUT
    assert "lets out nothing to pod default/oven" in felt.reason


def test_what_lets_it_in_is_asked_of_the_address_that_policies_meet(tmp_path: Path) -> None:
    """The pod's own node masquerades behind its policies, so the server sees another address."""
    door = service(
        "door", "app=oven", ports=[{"port": 70, "targetPort": "heat", "nodePort": 30070}],
        type="NodePort",
    )  # fmt: skip
    customers = policy(
        "customers", "app=oven", ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]
    )
    world = world_of(tmp_path, door, customers, engine="api")
    trace = ask(world, "203.0.113.10", "node/node-1:30070")
    assert trace.outcome.result is Result.CONNECTED
    assert str(trace.outcome.source_seen_by_server) == "10.244.1.1"
    reason, origin = why_allowed(world, trace)
    assert reason == "NetworkPolicy default/customers lets it in to pod default/oven"
    assert origin is not None
    assert origin.place is not None


@pytest.mark.parametrize(
    ("peer", "ports", "said"),
    [
        ({"nodes": {}}, [], "denies everything"),
        ({"namespaces": {}}, [{"namedPort": "heat"}], "is about every port"),
    ],
)
def test_calico_says_what_it_makes_of_tiers(
    tmp_path: Path, peer: Manifest, ports: list[Manifest], said: str
) -> None:
    rule = {"action": "Deny", "to": [peer], **({"ports": ports} if ports else {})}
    made = gate("Deny")
    made["spec"] = {"priority": 1, "subject": {"namespaces": {}}, "egress": [rule]}
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*BREAD, made]))
    world = build_world([str(path)], ClusterOptions(), NodeOptions(cni="calico"))
    assert said in notes(world, "baker")
