"""A kube-proxy of each version writes its own rules; iptables takes all of them as they are.

1.20 and 1.36 are recorded (`test_recordings`); those between are told apart by what came and went.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from manifests_of import kind, node, pod, service, write
from nodes.kubeproxy.recording import Recording, recordings
from nodes.test_real_iptables import NFACCT, through_iptables

from k8stui.kernel.exchange import Result
from k8stui.kernel.save import dump
from k8stui.nodes.kubeproxy import proxy_ruleset
from k8stui.nodes.kubeproxy.dialect import dialect_of
from k8stui.nodes.kubeproxy.program import version_said
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

VERSIONS = range(20, 37)
CLUSTERS = ("affinity", "external-policy", "loadbalancer", "endpoint-states", "detect-local")
NEWEST = [
    one
    for one in recordings(".iptables")
    if one.path.parent.name in CLUSTERS and one.stem.count(".") == 0
]
SHOWS = {
    ":KUBE-XLB-": range(20, 24),
    " -m physdev ! --physdev-is-in": range(20, 21),
    "kubernetes health check service ports": range(21, 37),
    "Balancing rule 0 for": range(20, 23),
    ":KUBE-EXT-": range(24, 37),
    "-j KUBE-MARK-DROP": range(20, 25),
    ":KUBE-PROXY-FIREWALL": range(25, 37),
    " -m nfacct ": range(31, 37),
}
"""A text of the rules, and the minor versions whose rules have it in one of the clusters."""


def rules(recording: Recording, minor: int) -> str:
    cluster, found = recording.cluster()
    version = f"v1.{minor}.0"
    there = replace(found, proxy_version=version)
    return dump(proxy_ruleset(cluster, there, 4))


@pytest.mark.skipif(not NEWEST, reason="recordings is not on this machine")
@pytest.mark.parametrize("minor", VERSIONS)
def test_versions_show_what_they_brought_and_took(minor: int) -> None:
    text = "".join(rules(one, minor) for one in NEWEST)
    assert {word: word in text for word in SHOWS} == {w: minor in has for w, has in SHOWS.items()}


@pytest.mark.parametrize("minor", VERSIONS)
@pytest.mark.parametrize("recording", NEWEST, ids=lambda one: one.name)
def test_iptables_takes_them_as_they_are(recording: Recording, minor: int) -> None:
    text = NFACCT.sub("", rules(recording, minor))
    assert through_iptables(text) == text


@pytest.mark.skipif(not NEWEST, reason="recordings is not on this machine")
@pytest.mark.parametrize("minor", VERSIONS)
def test_a_dump_is_known_by_its_version(minor: int) -> None:
    for recording in NEWEST:
        cluster, found = recording.cluster()
        there = replace(found, proxy_version=f"v1.{minor}.0")
        dialect = dialect_of(proxy_ruleset(cluster, there, 4))
        assert dialect is None or minor in dialect


def world(tmp_path: Path, version: str, policy: str) -> World:
    proxy = pod(
        "kube-proxy-x",
        node="node-1",
        namespace="kube-system",
        container={"image": f"registry.k8s.io/kube-proxy:{version}"},
        hostNetwork=True,
    )
    objects = [
        node(1, "10.244.1.0/24"),
        node(2, "10.244.2.0/24"),
        kind("v1", "kube-system", "Namespace"),
        proxy,
        pod("web", "app=web", node="node-1", ports=(8080,)),
        pod("client", "app=client", node="node-1"),
        service(
            "web",
            "app=web",
            ports=({"port": 80, "targetPort": 8080, "nodePort": 30080},),
            type="NodePort",
            externalTrafficPolicy=policy,
        ),
    ]
    return build_world([str(write(tmp_path, objects))])


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
@pytest.mark.parametrize("version", ["v1.20.2", "v1.22.17", "v1.23.4-eks-1", "v1.24.0", "v1.36.2"])
def test_requests_arrive_whatever_the_version(tmp_path: Path, version: str, policy: str) -> None:
    there = world(tmp_path, version, policy)
    assert version_said(there.cluster, there.cluster.nodes["node-1"]) == ("kube-proxy", version)
    for source, target in (
        ("pod/client", "svc/web:80"),
        ("node/node-1", "svc/web:80"),
        ("outside", "node/node-1:30080"),
        ("pod/client", "node/node-1:30080"),
    ):
        for trace in walks(there, parse_request(there, source, target)):
            assert trace.outcome.result is Result.CONNECTED, (source, target)
