"""Distributions: what each is known by, and what stands on its nodes where nothing else is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8stui.cluster.build import build
from k8stui.cluster.options import ClusterOptions
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: a, image: a, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""
NODE = """\
---
apiVersion: v1
kind: Node
metadata: {name: a-node, META}
spec: {SPEC}
status:
  addresses: [{type: InternalIP, address: 172.18.0.2}]
  nodeInfo: {kubeletVersion: VERSION}
"""
AGENT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: ip-masq-agent, namespace: kube-system}
data:
  config: |
    nonMasqueradeCIDRs: [10.0.0.0/8, 10.9.0.0/16, "fd00::/8"]
    MORE
"""


def made(
    folder: Path,
    *,
    meta: str = "",
    spec: str = "",
    version: str = "v1.34.1",
    asked: str | None = None,
    cni: str = "flannel",
) -> ClusterNetwork:
    node = NODE.replace("META", meta).replace("SPEC", spec).replace("VERSION", version)
    (folder / "all.yaml").write_text(POD + (node if meta or spec or asked is None else ""))
    cluster = build(load([str(folder)]), ClusterOptions(distribution=asked))
    return build_network(cluster, NodeOptions(cni=cni))


@pytest.mark.parametrize(
    ("name", "meta", "spec", "version"),
    [
        ("kind", "", "providerID: kind://docker/kind/kind-worker", "v1.34.1"),
        ("minikube", "labels: {minikube.k8s.io/name: minikube}", "", "v1.34.1"),
        ("eks", "", "", "v1.33.5-eks-113cf36"),
        ("eks", "labels: {eks.amazonaws.com/nodegroup: a}", "", "v1.33.5"),
        ("gke", "", "", "v1.33.5-gke.1080000"),
        ("gke", "labels: {cloud.google.com/gke-nodepool: a}", "", "v1.33.5"),
        ("aks", "labels: {kubernetes.azure.com/cluster: a}", "", "v1.33.5"),
        ("k3s", "", "", "v1.33.5+k3s1"),
        ("kubeadm", "", "", "v1.33.5"),
    ],
)
def test_nodes_show_whose_they_are(
    tmp_path: Path, name: str, meta: str, spec: str, version: str
) -> None:
    network = made(tmp_path, meta=meta, spec=spec, version=version)
    distribution = network.cluster.distribution
    assert distribution is not None
    assert distribution.name == name
    is_known = distribution.origin.kind is OriginKind.OBSERVED or distribution.origin.place
    assert bool(is_known) is (name != "kubeadm")


@pytest.mark.parametrize(
    ("name", "plugin", "engine", "ranges"),
    [
        ("kubeadm", "flannel", "none", ("10.244.0.0/16", "10.96.0.0/12")),
        ("k3s", "flannel-vxlan", "kube-router", ("10.42.0.0/16", "10.43.0.0/16")),
        ("kind", "kindnet", "kindnet", ("10.244.0.0/16", "10.96.0.0/16")),
        ("minikube", "kindnet", "kindnet", ("10.244.0.0/16", "10.96.0.0/12")),
        ("eks", "amazon-vpc-cni", "none", ("192.168.0.0/16", "10.100.0.0/16")),
        ("gke", "gke-ptp", "none", ("10.4.0.0/14", "34.118.224.0/20")),
        ("aks", "azure-cni", "none", ("10.244.0.0/16", "10.0.0.0/16")),
    ],
)
def test_what_they_are_made_of(
    tmp_path: Path, name: str, plugin: str, engine: str, ranges: tuple[str, str]
) -> None:
    network = made(tmp_path, asked=name)
    cluster = network.cluster
    node = cluster.nodes["node-1"]
    assert network.plugin_of(node) == plugin
    assert network.policy_engine_of(node) == engine
    assert (str(cluster.pod_cidr), str(cluster.service_cidr)) == ranges
    eth0 = network["default/web"].interface("eth0")
    assert eth0 is not None
    assert eth0.reason is not None
    if name != "kubeadm":
        assert eth0.reason.origin.kind is OriginKind.ASSUMED
        assert name in eth0.reason.origin.reason


def test_one_node_of_minikube_has_a_bridge(tmp_path: Path) -> None:
    network = made(tmp_path, meta="labels: {minikube.k8s.io/name: minikube}")
    assert network.plugin_of(network.cluster.nodes["a-node"]) == "bridge-ipmasq"


@pytest.mark.parametrize(
    ("name", "label", "version", "plugin"),
    [
        ("gke", "cloud.google.com/gke-nodepool", "v1.18.20-gke.901", "kubenet"),
        ("gke", "cloud.google.com/gke-nodepool", "v1.33.5-gke.1080000", "gke-ptp"),
        ("aks", "kubernetes.azure.com/cluster", "v1.29.15", "kubenet"),
        ("aks", "kubernetes.azure.com/cluster", "v1.30.0", "azure-cni"),
    ],
)
def test_the_version_says_which_was_the_usual_plugin(
    tmp_path: Path, name: str, label: str, version: str, plugin: str
) -> None:
    network = made(tmp_path, meta=f"labels: {{{label}: a}}", version=version)
    assert network.cluster.distribution is not None
    assert network.cluster.distribution.name == name
    assert network.plugin_of(network.cluster.nodes["a-node"]) == plugin


def test_what_clouds_masquerade(tmp_path: Path) -> None:
    """GKE: nothing that goes to reserved ranges. AKS: nothing that goes to pods."""
    for name, chain, kept in (("gke", "IP-MASQ", 12), ("aks", "IP-MASQ-AGENT", 1)):
        network = made(tmp_path, asked=name)
        node = network.cluster.nodes["node-1"]
        rules = network.ruleset(node, 4, "cni").chain("nat", chain)
        assert rules is not None
        targets = [rule.text.rpartition(" ")[2] for rule in rules.rules]
        assert targets == ["RETURN"] * kept + ["MASQUERADE"]


@pytest.mark.parametrize(
    ("name", "chain", "more", "kept"),
    [
        ("gke", "IP-MASQ", "", ["169.254.0.0/16", "10.0.0.0/8", "10.9.0.0/16"]),
        ("aks", "IP-MASQ-AGENT", "masqLinkLocal: true", ["10.0.0.0/8", "10.9.0.0/16"]),
    ],
)
def test_what_their_agents_are_told(
    tmp_path: Path, name: str, chain: str, more: str, kept: list[str]
) -> None:
    (tmp_path / "agent.yaml").write_text(AGENT.replace("MORE", more))
    network = made(tmp_path, asked=name)
    rules = network.ruleset(network.cluster.nodes["node-1"], 4, "cni").chain("nat", chain)
    assert rules is not None
    *returns, last = [rule.text.split() for rule in rules.rules]
    assert [words[words.index("-d") + 1] for words in returns] == kept
    assert last[-1] == "MASQUERADE"


def test_an_option_comes_first(tmp_path: Path) -> None:
    network = made(tmp_path, asked="kind", cni="calico")
    assert network.plugin_of(network.cluster.nodes["node-1"]) == "calico"


@pytest.mark.parametrize(
    ("backend", "plugin"),
    [("host-gw", "flannel-host-gw"), ("wireguard-native", "flannel-wireguard")],
)
def test_k3s_says_its_backend(tmp_path: Path, backend: str, plugin: str) -> None:
    words = json.dumps(json.dumps(["server", "--flannel-backend", backend]))
    meta = f"annotations: {{k3s.io/node-args: {words}}}"
    network = made(tmp_path, meta=meta, version="v1.33.5+k3s1")
    assert network.plugin_of(network.cluster.nodes["a-node"]) == plugin


def test_arguments_that_no_parser_takes_say_nothing(tmp_path: Path) -> None:
    meta = f"annotations: {{k3s.io/node-args: '{'[' * 100_000}'}}"
    network = made(tmp_path, meta=meta, version="v1.33.5+k3s1")
    assert network.plugin_of(network.cluster.nodes["a-node"]) == "flannel-vxlan"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("k3s", "local-path-provisioner-5d9d9885bc-ffz8x"),
        ("kind", "kindnet-2xq7p"),
        ("minikube", "storage-provisioner"),
        ("eks", "aws-node-vt8rz"),
        ("gke", "pdcsi-node-7xkzq"),
        ("aks", "cloud-node-manager-h2q4m"),
        ("kubeadm", "kube-proxy-abcde"),
    ],
)
def test_what_stands_in_kube_system_shows_whose_it_is(tmp_path: Path, name: str, kept: str) -> None:
    """Where the Nodes do not: ``kubectl get pods -A`` alone."""
    pod = f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {kept}, namespace: kube-system}}\n"
    (tmp_path / "system.yaml").write_text(f"{pod}spec: {{containers: [{{name: a, image: a}}]}}\n")
    network = made(tmp_path)
    assert network.cluster.distribution is not None
    assert network.cluster.distribution.name == name


@pytest.mark.parametrize(
    ("name", "cidr", "mode"),
    [
        ("kubeadm", "10.244.0.0/16", "iptables"),
        ("k3s", "10.42.0.0/16", "iptables"),
        ("eks", "", "iptables"),
        ("aks", "10.244.0.0/16", "iptables"),
    ],
)
def test_how_kube_proxy_is_set_up_is_assumed_with_the_reason(
    tmp_path: Path, name: str, cidr: str, mode: str
) -> None:
    proxy = made(tmp_path, asked=name).cluster.proxy
    assert (proxy.cluster_cidr, proxy.mode) == (cidr, mode)
    origin = proxy.origins["cluster_cidr"]
    assert origin.kind is OriginKind.ASSUMED
    assert name in origin.reason.lower()


def test_k3s_hands_arguments_to_its_kube_proxy(tmp_path: Path) -> None:
    words = ["server", "--kube-proxy-arg", "v=2", "--kube-proxy-arg", "proxy-mode=nftables"]
    words += ["--disable", "traefik", "--disable", "servicelb"]
    meta = f"annotations: {{k3s.io/node-args: {json.dumps(json.dumps(words))}}}"
    network = made(tmp_path, meta=meta, version="v1.33.5+k3s1")
    distribution = network.cluster.distribution
    assert network.cluster.proxy.mode == "nftables"
    assert distribution is not None
    assert (distribution.balancer, distribution.ingress) == ("", "")
