"""A kube-proxy that no file tells anything is told by its arguments."""

from __future__ import annotations

import pytest
from cluster.objects import cluster

from k8stui.cluster.model import ProxyConfiguration
from k8stui.origin import OriginKind

NODES = "\n---\n".join(
    f"{{apiVersion: v1, kind: Node, metadata: {{name: node-{n}}}, "
    f"spec: {{podCIDR: 10.244.{n}.0/24}}}}"
    for n in (1, 2)
)
SET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: kube-proxy, namespace: kube-system}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      hostNetwork: true
      nodeSelector: {{kubernetes.io/os: {system}}}
      containers: [{{name: c, image: "registry.k8s.io/kube-proxy:v1.33.1", {words}}}]
"""
MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    clusterCIDR: 10.99.0.0/16
"""


def proxy(words: str, *others: str, system: str = "linux") -> ProxyConfiguration:
    return cluster("\n---\n".join((NODES, SET.format(words=words, system=system), *others))).proxy


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("command: [kube-proxy, --proxy-mode=nftables]", "mode", "nftables"),
        ("command: [kube-proxy], args: [--proxy-mode, userspace]", "mode", "userspace"),
        ('args: ["--proxy-mode="]', "mode", "iptables"),
        ("args: [--cluster-cidr=10.1.0.0/16]", "cluster_cidr", "10.1.0.0/16"),
        ("args: [--v=2]", "cluster_cidr", ""),
        ('command: [sh, -c, "exec kube-proxy --cluster-cidr=10.2.0.0/16 --v=2 2>&1"]',
         "cluster_cidr", "10.2.0.0/16"),
        ("args: ['--cluster-cidr=$(C)'], env: [{name: C, value: 10.3.0.0/16}]",
         "cluster_cidr", "10.3.0.0/16"),
        ("args: [--masquerade-all]", "masquerade_all", True),
        ("args: [--masquerade-all, 'false']", "masquerade_all", True),
        ("args: [--ipvs-strict-arp]", "strict_arp", True),
        ("args: [--masquerade-all=False]", "masquerade_all", False),
        ("args: [--iptables-masquerade-bit=15]", "masquerade_bit", 15),
        ("args: [--iptables-masquerade-bit=x]", "masquerade_bit", 14),
        ("args: [--iptables-localhost-nodeports=false]", "localhost_node_ports", False),
        ("args: ['--nodeport-addresses=10.0.0.0/8,192.168.0.0/16']", "node_port_addresses",
         ("10.0.0.0/8", "192.168.0.0/16")),
        ("args: [--detect-local-mode=BridgeInterface, --pod-bridge-interface=cbr0]",
         "bridge_interface", "cbr0"),
    ],
)  # fmt: skip
def test_a_word_of_its_command(words: str, field: str, value: object) -> None:
    for others in ((), (MAP,)):
        found = proxy(words, *others)
        assert getattr(found, field) == value
        assert found.origin.kind is OriginKind.DECLARED


@pytest.mark.parametrize(
    ("words", "system"),
    [
        ("command: [kube-proxy, --config=/c/config.conf, --cluster-cidr=10.1.0.0/16]", "linux"),
        ("command: [kube-proxy, '--cluster-cidr=$(POD_CIDR)']", "linux"),
        ("command: [sh, -c, 'kube-proxy --cluster-cidr=$CIDR']", "linux"),
        ("command: [kube-proxy, --cluster-cidr=10.1.0.0/16]", "windows"),
        ("imagePullPolicy: Always", "linux"),
    ],
)
def test_a_file_goes_before_them_and_what_only_its_node_knows_is_not_guessed(
    words: str, system: str
) -> None:
    assert proxy(words, MAP, system=system).cluster_cidr == "10.99.0.0/16"
    alone = proxy(words, system=system)
    assert alone.cluster_cidr == "10.244.0.0/16"
    assert alone.origin.kind is OriginKind.ASSUMED


def test_a_pod_that_a_kubelet_runs_by_itself() -> None:
    """As RKE2 has it: seen in a dump, and no DaemonSet makes it."""
    pod = (
        "{apiVersion: v1, kind: Pod, metadata: {name: kube-proxy-node-1, namespace: kube-system}, "
        "spec: {hostNetwork: true, nodeName: node-1, containers: [{name: c, image: "
        "'rancher/hardened-kubernetes:v1.30.2', command: [kube-proxy], args: "
        "[--cluster-cidr=10.42.0.0/16, --proxy-mode=iptables]}]}}"
    )
    found = cluster(f"{NODES}\n---\n{pod}").proxy
    assert (found.mode, found.cluster_cidr) == ("iptables", "10.42.0.0/16")
