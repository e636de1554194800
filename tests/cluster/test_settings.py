"""Configuration where real clusters keep it: kube-proxy's, kubeadm's, flannel's."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster.objects import cluster

from k8stui.apiserver import apply
from k8stui.cluster import ClusterOptions
from k8stui.cluster.build import build
from k8stui.cluster.proxy_configuration import ProxyConfigurationError
from k8stui.origin import OriginKind

PROXY = """
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: {cidr}
"""

CONFIG_MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system, uid: x, resourceVersion: "3"}
data:
  config.conf: |-
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    clusterCIDR: 10.99.0.0/16
    iptables: {masqueradeAll: true, masqueradeBit: 3, localhostNodePorts: false}
    nodePortAddresses: [primary]
    detectLocalMode: NodeCIDR
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
data:
  net-conf.json: |
    {"Network": "10.99.0.0/16", "Backend": {"Type": "vxlan"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data:
  ClusterConfiguration: |
    apiVersion: kubeadm.k8s.io/v1beta4
    kind: ClusterConfiguration
    networking: {podSubnet: 10.98.0.0/16, serviceSubnet: 10.50.0.0/20, dnsDomain: k8s.test}
"""


def test_config_maps() -> None:
    made = cluster(CONFIG_MAPS)
    assert made.proxy.cluster_cidr == "10.99.0.0/16"
    assert made.proxy.masquerade_all
    assert made.proxy.masquerade_bit == 3
    assert not made.proxy.localhost_node_ports
    assert made.proxy.node_port_addresses == ("primary",)
    assert made.proxy.detect_local_mode == "NodeCIDR"
    assert made.proxy.origin.kind is OriginKind.OBSERVED
    assert made.proxy.origin.place is not None
    assert made.proxy.origin.place.line == 7
    assert str(made.pod_cidr) == "10.98.0.0/16"
    assert str(made.service_cidr) == "10.50.0.0/20"
    assert made.cluster_domain == "k8s.test"
    assert made.flannel is not None
    assert made.flannel["Backend"] == {"Type": "vxlan"}


def test_flannel_alone_says_the_pod_range() -> None:
    flannel = CONFIG_MAPS.split("---")[1]
    made = cluster(flannel)
    assert str(made.pod_cidr) == "10.99.0.0/16"
    assert str(made.nodes["node-1"].pod_cidrs[0]) == "10.99.1.0/24"
    assert made.origins["pod_cidr"].kind is OriginKind.DECLARED


def test_the_configuration_of_kind_says_both_ranges() -> None:
    made = cluster("""
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
networking: {podSubnet: 10.98.0.0/16, serviceSubnet: 10.50.0.0/20}
""")
    assert (str(made.pod_cidr), str(made.service_cidr)) == ("10.98.0.0/16", "10.50.0.0/20")


def test_a_plain_document_wins_over_a_config_map() -> None:
    assert cluster(CONFIG_MAPS + "---" + PROXY.format(cidr="10.7.0.0/16")).proxy.cluster_cidr == (
        "10.7.0.0/16"
    )


def test_several_that_differ_need_the_option(tmp_path: Path) -> None:
    for name, cidr in (("a", "10.1.0.0/16"), ("b", "10.2.0.0/16"), ("c", "10.1.0.0/16")):
        (tmp_path / f"{name}.yaml").write_text(PROXY.format(cidr=cidr))
    a, b, c = (str(tmp_path / f"{name}.yaml") for name in "abc")
    with pytest.raises(ProxyConfigurationError, match=r"several .*a\.yaml, .*b\.yaml; choose"):
        build(apply([a, b]))
    assert build(apply([a, c])).proxy.cluster_cidr == "10.1.0.0/16"
    chosen = build(apply([a, b]), ClusterOptions(proxy_config=b, proxy_mode="userspace")).proxy
    assert (chosen.cluster_cidr, chosen.mode) == ("10.2.0.0/16", "userspace")
    with pytest.raises(ProxyConfigurationError, match=r"no KubeProxyConfiguration in d\.yaml"):
        build(apply([a, b]), ClusterOptions(proxy_config="d.yaml"))
