"""Cilium's own policies: who is let through, and what is said of who is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, pod, service, write

from k8stui.check import check
from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

WEB = {"matchLabels": {"k8s:app": "web"}}
CLIENT = {"matchLabels": {"app": "client"}}
DNS = {
    "toEndpoints": [{"matchLabels": {
        "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"}}],
    "toPorts": [{"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{}]}}],
}  # fmt: skip
ALL = (
    node(1), node(2), service("web", to=8080),
    pod("web-0", "app=web", ports=[{"name": "http", "containerPort": 8080}]),
    pod("client", "app=client", node="node-2"), pod("other", "app=other", node="node-2"),
    pod("client", "app=client", namespace="front", node="node-2"),
)  # fmt: skip
HOST = "203.0.113.77"


def cilium(name: str, whom: Manifest = WEB, cluster: str = "", **spec: Any) -> Manifest:
    made = f"Cilium{cluster}NetworkPolicy"
    space = None if cluster else "default"
    return kind("cilium.io/v2", name, made, space, spec={"endpointSelector": whom, **spec})


def ask(name: str) -> tuple[str, str]:
    return (f"pod/{name}", "svc/web.default:80")


def lets_in(*peers: Manifest, **more: Any) -> list[Manifest]:
    return [{"fromEndpoints": [*peers], **more}]


def port(number: str, **more: Any) -> dict[str, Any]:
    return {"toPorts": [{"ports": [{"port": number}], **more}]}


BY_NAME = {"matchLabels": {"app": "client", "k8s:io.kubernetes.pod.namespace": "front"}}
BY_LABEL = {"matchExpressions": [
    {"key": "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", "operator": "In",
     "values": ["front"]}]}  # fmt: skip
GITHUB = {"toFQDNs": [{"matchName": "api.example.org"}]}

CASES: dict[str, tuple[list[Manifest], tuple[str, str], str, str, str]] = {
    "labels fit": ([cilium("a", ingress=lets_in(CLIENT))], ask("client"), "connected", "", ""),
    "labels do not": (
        [cilium("a", ingress=lets_in(CLIENT))], ask("other"), "timeout",
        "CiliumNetworkPolicy default/a selects pod default/web-0 and lets in nothing", "",
    ),
    "of another namespace": (
        [cilium("a", ingress=lets_in(CLIENT))], ask("client.front"), "timeout",
        "names no namespace means pods of default only",
        "write k8s:io.kubernetes.pod.namespace: front",
    ),
    "with its namespace": (
        [cilium("a", ingress=lets_in(BY_NAME))], ask("client.front"), "connected", "", ""),
    "with its namespace's labels": (
        [cilium("a", ingress=lets_in(BY_LABEL))], ask("client.front"), "connected", "", ""),
    "of the whole cluster no namespace is every one": (
        [cilium("a", cluster="Clusterwide", ingress=lets_in(CLIENT))], ask("client.front"),
        "connected", "", "",
    ),
    "a CIDR holds no pods": (
        [cilium("a", ingress=[{"fromCIDR": ["10.0.0.0/8"]}])], ask("client"), "timeout",
        "its CIDR 10.0.0.0/8 holds 10.244.2.", "write fromEndpoints",
    ),
    "the world is outside": (
        [cilium("a", ingress=[{"fromEntities": ["world"]}])], ask("client"), "timeout",
        "is the world", "fromEntities: [cluster]",
    ),
    "who is outside": (
        [cilium("a", CLIENT, egress=[{"toEntities": ["world"]}])], ("pod/client", f"{HOST}:443"),
        "connected", "", "",
    ),
    "the cluster is in": (
        [cilium("a", ingress=[{"fromEntities": ["cluster"]}])], ask("other"), "connected", "", ""),
    "what is denied goes before": (
        [cilium("a", ingress=[{"fromEntities": ["all"]}]),
         cilium("b", ingressDeny=lets_in(CLIENT))], ask("client"), "timeout",
        "its rule ingressDeny[0] denies", "take that out of ingressDeny[0]",
    ),
    "and keeps out the others, too": (
        [cilium("b", ingressDeny=lets_in(CLIENT))], ask("other"), "timeout", "lets in nothing", ""),
    "unless it says otherwise": (
        [cilium("b", ingressDeny=lets_in(CLIENT), enableDefaultDeny={"ingress": False})],
        ask("other"), "connected", "", "",
    ),
    "an empty rule allows nobody": (
        [cilium("a", ingress=[{}])], ask("client"), "timeout", "lets in nothing", ""),
    "no rules at all do nothing": ([cilium("a", ingress=[])], ask("client"), "connected", "", ""),
    "the Service's port": (
        [cilium("a", ingress=lets_in(CLIENT, **port("80")))], ask("client"), "timeout",
        "the port of the pod itself counts, 8080", "write port: 8080",
    ),
    "a port's name": (
        [cilium("a", ingress=lets_in(CLIENT, **port("http")))], ask("client"), "connected", "", ""),
    "no way to cluster DNS": (
        [cilium("a", CLIENT, egress=[{"toEndpoints": [WEB]}])], ("pod/client", "web:80"),
        "no-such-name", "lets out nothing to cluster DNS", "allow port 53/UDP",
    ),
    "with cluster DNS": (
        [cilium("a", CLIENT, egress=[{"toEndpoints": [WEB]}, DNS])], ("pod/client", "web:80"),
        "connected", "", "",
    ),
    "a name that the input knows": (
        [cilium("a", CLIENT, egress=[GITHUB, DNS])], ("pod/client", "api.example.org:443"),
        "connected", "", "",
    ),
    "an address of which no name is known": (
        [cilium("a", CLIENT, egress=[GITHUB, DNS])], ("pod/client", "198.51.100.9:443"),
        "unknown", "domain name api.example.org", "--host NAME=ADDRESS",
    ),
    "a name whose addresses nobody hears": (
        [cilium("a", CLIENT, egress=[GITHUB])], ("pod/client", f"{HOST}:443"), "timeout",
        "no rule sends questions by way of that", "write rules: {dns:",
    ),
    "what is not evaluated": (
        [cilium("a", CLIENT, egress=[{"toServices": [{"k8sService": {"serviceName": "web"}}]}])],
        ask("client"), "unknown", "asks for toServices", "look who that is",
    ),
}  # fmt: skip


def world(folder: Path, policies: list[Manifest]) -> World:
    hosts = ClusterOptions(hosts=read_hosts(("api.example.org=203.0.113.77",)))
    made = build_world([str(write(folder, (*ALL, *policies)))], hosts)
    assert not made.problems
    return made


@pytest.mark.parametrize("name", CASES)
def test_who_is_let_through(name: str, tmp_path: Path) -> None:
    policies, asked, result, cause, mend = CASES[name]
    made = world(tmp_path, policies)
    done = walk(made, parse_request(made, *asked)).outcome
    assert done.result.value == result, done.reason
    assert cause in done.reason
    assert mend in done.advice
    assert not [one for one in check(made) if one.severity.value == "error"]


def test_what_is_not_evaluated_is_said(tmp_path: Path) -> None:
    nodes = kind("cilium.io/v2", "hosts", "CiliumClusterwideNetworkPolicy",
                 spec={"nodeSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]})  # fmt: skip
    http = cilium(
        "http", ingress=lets_in(CLIENT, **port("8080", rules={"http": [{"method": "GET"}]}))
    )
    made = world(tmp_path, [nodes, http])
    said = [one.message for one in made.notes]
    assert any("hosts: it is about nodes" in one for one in said), said
    assert any("http: rules of HTTP are not evaluated" in one for one in said), said


def test_fields_that_are_none(tmp_path: Path) -> None:
    slip = cilium("a", ingress=[{"fromEndpoint": [CLIENT]}])
    found = [one for one in check(world(tmp_path, [slip])) if one.rule == "unknown-field"]
    assert ["fromEndpoints" in one.why for one in found] == [True]
