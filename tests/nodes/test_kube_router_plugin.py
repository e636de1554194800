"""kube-router as the network plug-in, by its own manifest: how it is known, and what follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodes.clusters import cluster, lab, node

from k8stui.cluster.build import build
from k8stui.cluster.model import Cluster
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import StepKind
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

ROUTER = NodeOptions(cni="kube-router")
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-router-cfg, namespace: kube-system}
data:
  cni-conf.json: |
    {"cniVersion": "0.3.0", "name": "mynet", "plugins": [
      {"name": "kubernetes", "type": "bridge", "bridge": "kube-bridge", "isDefaultGateway": true,
       "hairpinMode": true, "ipam": {"type": "host-local"}},
      {"type": "portmap", "capabilities": {"snat": true, "portMappings": true}}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-router, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-router}}
  template:
    metadata: {labels: {k8s-app: kube-router}}
    spec:
      hostNetwork: true
      containers:
      - name: kube-router
        image: docker.io/cloudnativelabs/kube-router:v2.6.0
        args: [--run-router=true, --run-firewall=true, --run-service-proxy=false, EGRESS]
"""


def made(folder: Path, egress: str) -> ClusterNetwork:
    (folder / "kube-router.yaml").write_text(MANIFEST.replace("EGRESS", egress))
    return build_network(build(load([str(folder)]), ClusterOptions()))


def seen(
    network: ClusterNetwork, source: str, address: str, port: int = 8080
) -> tuple[Result, str]:
    request = Connect(namespace=source, destination=Address.parse(address), port=port)
    felt = connect(network, request).felt
    return felt.result, str(felt.source_seen)


@pytest.mark.parametrize(
    ("egress", "masquerades"),
    [("--enable-pod-egress=true", True), ("--enable-pod-egress=false", False)],
)
def test_its_manifest_is_enough(tmp_path: Path, egress: str, masquerades: bool) -> None:
    network = made(tmp_path, egress)
    first = network.cluster.nodes["node-1"]
    assert network.plugin_of(first) == "kube-router"
    assert network.policy_engine_of(first) == "kube-router-v2.11"
    chain = network["node-1"].rulesets[4].chain("nat", "POSTROUTING")
    assert chain is not None
    rule = (
        "-A POSTROUTING -m set --match-set kube-router-pod-subnets src -m set ! --match-set "
        "kube-router-pod-subnets dst -m set ! --match-set kube-router-node-ips dst -j MASQUERADE "
        "--random-fully"
    )
    assert (rule in [one.text for one in chain.rules]) is masquerades


@pytest.mark.parametrize(
    ("source", "address", "port", "source_seen"),
    [
        ("default/frontend-1", "10.244.2.2", 8080, "10.244.1.2"),
        ("default/frontend-1", "192.168.0.12", 10250, "10.244.1.2"),
        ("default/frontend-1", "8.8.8.8", 443, "192.168.0.11"),
        ("node-1", "10.244.2.2", 8080, "192.168.0.11"),
    ],
)
def test_pods_and_nodes_see_the_pod_and_others_the_node(
    source: str, address: str, port: int, source_seen: str
) -> None:
    network = build_network(lab(), ROUTER)
    assert seen(network, source, address, port) == (Result.CONNECTED, source_seen)
    assert network["node-1"].interface("kube-bridge") is not None


def test_to_another_subnet_a_tunnel_leads() -> None:
    pods = lab().pods.values()
    far: Cluster = cluster((node(1, "10.1.0.11"), node(2, "172.20.0.12")), pods)
    network = build_network(far, ROUTER)
    request = Connect(
        namespace="default/frontend-1", destination=Address.parse("10.244.2.2"), port=8080
    )
    found = connect(network, request)
    assert found.felt.result is Result.CONNECTED
    assert found.felt.source_seen == Address.parse("10.244.1.2")
    wrapped = [step.after for step in found.steps if step.kind is StepKind.ENCAPSULATE]
    assert str(wrapped[0].dst) == "172.20.0.12"
