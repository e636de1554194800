"""The smallest change that `explain` prints, written into the manifest, opens the way."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from manifests_of import pod, service
from reach.test_brute_force import CLUSTERS, _objects

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.walk.policy_change import NewEntry, denials_and_changes
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]
_BEFORE = re.compile(r"write before entry (\d+)")


def world_of(objects: Sequence[Manifest], nodes: int, engine: str, cni: str) -> World:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        options = NodeOptions(cni=cni, policy_engine=engine)
        return build_world([str(file)], ClusterOptions(nodes=nodes), options)


def written(objects: Sequence[Manifest], change: NewEntry) -> list[Manifest]:
    """The manifests with what is printed put where it is said."""
    changed: list[Manifest] = json.loads(json.dumps(objects))
    policy = change.policy
    for one in changed:
        metadata = one["metadata"]
        key = f"{metadata.get('namespace', 'default')}/{metadata['name']}"
        if one["kind"] == policy.kind and policy.key in (key, metadata["name"]):
            break
    else:
        raise AssertionError(f"there is no {policy.kind} {policy.key}")
    *path, last = re.findall(r"[A-Za-z]+|(?<=\[)\d+", change.field)
    inside: Any = one
    for each in path:
        inside = inside[int(each)] if each.isdigit() else inside[each]
    entries = inside.get(last) or []
    new = yaml.safe_load(change.entry)
    before = _BEFORE.fullmatch(change.how)
    assert before or change.how == "add"
    place = int(before[1]) if before else len(entries)
    inside[last] = [*entries[:place], *new, *entries[place:]]
    return changed


def traces(world: World, source: str, destination: str) -> Iterator[Trace]:
    return walks(world, parse_request(world, source, destination))


def is_open(trace: Trace) -> bool:
    return trace.outcome.result is Result.CONNECTED


def unlike_the_api(policy: Manifest) -> bool:
    """Calico denies all for a rule about nodes, which it does not know."""
    rules = policy.get("ingress", []) + policy.get("egress", [])
    return any("nodes" in peer for rule in rules for peer in rule.get("to", []))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLUSTERS, st.sampled_from(["api", "kube-router", "calico"]), st.data())
def test_a_change_opens_what_policies_closed(
    cluster: dict[str, Any], engine: str, data: st.DataObject
) -> None:
    assume(engine != "calico" or not any(map(unlike_the_api, cluster["cluster_policies"])))
    objects, nodes = _objects(cluster | {"enforced": False}), cluster["nodes"]
    cni = "calico" if engine == "calico" else cluster["cni"]
    world = world_of(objects, nodes, engine, cni)
    ends = list(asked(world))
    assume(ends)
    source = data.draw(st.sampled_from([one.name for one in askers(world) if one.pod]))
    destination = data.draw(st.sampled_from([one.name for one in ends]))
    before = list(traces(world, source, destination))
    assume(not all(map(is_open, before)))
    open_ = world_of(objects, nodes, "none", cni)
    assume(all(map(is_open, traces(open_, source, destination))))
    for _ in before:  # each endpoint may need its own
        closed = (t for t in traces(world, source, destination) if not is_open(t))
        for trace in islice(closed, 1):
            for _, change in denials_and_changes(world, trace):
                objects = written(objects, change)
            world = world_of(objects, nodes, engine, cni)
    after = list(traces(world, source, destination))
    assert all(map(is_open, after)), [one.outcome for one in after]


def policy(name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }


def tiered(kind: str, version: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": f"policy.networking.k8s.io/{version}",
        "kind": kind,
        "metadata": {"name": "default" if kind.startswith("Baseline") else "gate"},
        "spec": {"subject": {"namespaces": {}}, **spec},
    }


MILL = [
    pod("mill", "app=mill", ports=[{"containerPort": 7000, "name": "stone"}]),
    pod("well", "app=well", ports=[{"containerPort": 53, "protocol": "UDP"}]),
    pod("farmer", "role=farmer", node="node-2"),
    pod("tramp", node="node-1"),
    pod("kube-dns", "k8s-app=kube-dns", namespace="kube-system"),
    pod("miller", "role=miller", namespace="hill"),
    pod("hen", "part=yard,kind=hen"),
    pod("goose", "part=yard,kind=goose", node="node-2"),
    service("yard", "part=yard", ports=[{"port": 90, "targetPort": 9000}]),
    service(
        "mill",
        "app=mill",
        type="NodePort",
        ports=[{"port": 70, "targetPort": "stone", "nodePort": 30070}],
    ),
]
TO_MILL = {"podSelector": {"matchLabels": {"app": "mill"}}}
FARMERS = {"podSelector": {"matchLabels": {"role": "farmer"}}}
EVERY_NAMESPACE: list[Manifest] = [{"namespaces": {}}]
DENY_ALL: list[Manifest] = [{"action": "Deny", "from": EVERY_NAMESPACE}]
CLOSED = policy("closed", policyTypes=["Ingress"])
SHUT_IN = policy("shut-in", policyTypes=["Egress"])
SITUATIONS: dict[str, tuple[list[Manifest], str, str]] = {
    "a port more": (
        [policy("p", ingress=[{"from": [FARMERS], "ports": [{"port": 1}]}])],
        "pod/farmer", "svc/mill:70",
    ),
    "a name that nobody has": (
        [policy("p", ingress=[{"ports": [{"port": "stnoe"}]}])], "pod/farmer", "svc/mill:70",
    ),
    "a peer more": ([policy("p", ingress=[{"from": [FARMERS]}])], "pod/hill/miller", "svc/mill:70"),
    "a rule more": ([CLOSED], "pod/farmer", "pod/mill:7000"),
    "both ends": ([CLOSED, SHUT_IN], "pod/farmer", "svc/mill:70"),
    "both ends, by another node": ([CLOSED, SHUT_IN], "pod/farmer", "node/node-1:30070"),
    "itself, by another node": ([CLOSED, SHUT_IN], "pod/mill", "node/node-2:30070"),
    "without a label": ([CLOSED], "pod/tramp", "svc/mill:70"),
    "another protocol": (
        [policy("p", ingress=[{"from": [FARMERS], "ports": [{"port": 53}]}])],
        "pod/farmer", "pod/well:53/udp",
    ),
    "from outside": ([CLOSED], "203.0.113.10", "node/node-1:30070"),
    "to outside": ([SHUT_IN], "pod/farmer", "203.0.113.10:443"),
    "the API server": ([SHUT_IN], "pod/farmer", "svc/kubernetes:443"),
    "a name": (
        [policy("p", policyTypes=["Egress"], egress=[{"to": [TO_MILL]}])], "pod/farmer", "mill:70",
    ),
    "a name, and all that is behind it": ([CLOSED, SHUT_IN], "pod/farmer", "mill:70"),
    "a name, and each that is behind it": (
        [
            policy("hens", podSelector={"matchLabels": {"kind": "hen"}}, ingress=[]),
            policy("geese", podSelector={"matchLabels": {"kind": "goose"}}, ingress=[]),
            SHUT_IN,
        ],
        "pod/farmer", "yard:90",
    ),
    "before an admin's rule": (
        [tiered("AdminNetworkPolicy", "v1alpha1", priority=5, ingress=DENY_ALL)],
        "pod/farmer", "svc/mill:70",
    ),
    "before the last rule of all": (
        [tiered("BaselineAdminNetworkPolicy", "v1alpha1", ingress=DENY_ALL)],
        "pod/hill/miller", "svc/mill:70",
    ),
    "before a cluster's rule": (
        [tiered("ClusterNetworkPolicy", "v1alpha2", tier="Admin", priority=5, ingress=DENY_ALL)],
        "pod/farmer", "svc/mill:70",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "cni"),
    [("api", "flannel"), ("api", "ptp-ipmasq"), ("kube-router", "flannel"), ("calico", "calico")],
)
@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_printed_is_enough(name: str, engine: str, cni: str) -> None:
    """With ptp-ipmasq policies meet the node of who asks from another one."""
    policies, source, destination = SITUATIONS[name]
    if not all(one["kind"] == "NetworkPolicy" for one in policies):
        if engine == "kube-router":
            pytest.skip("kube-router knows no policies of the cluster")
        if cni == "ptp-ipmasq":
            pytest.skip("a node's address is in no namespace, which is what these ask for")
    objects: list[Manifest] = [*MILL, *policies]
    world = world_of(objects, 2, engine, cni)
    trace = next(iter(traces(world, source, destination)))
    assert not is_open(trace)
    found = list(denials_and_changes(world, trace))
    assert found
    for _, change in found:
        objects = written(objects, change)
    world = world_of(objects, 2, engine, cni)
    for trace in traces(world, source, destination):
        assert is_open(trace), trace.outcome.reason
