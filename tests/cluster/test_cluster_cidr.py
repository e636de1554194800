"""clusterCIDR as kubeadm writes it, where the input does not say what kube-proxy got."""

from __future__ import annotations

import pytest
from cluster.objects import cluster

from k8stui.origin import OriginKind

NOTHING = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n"
PROXY = "{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration}\n"
KUBEADM = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
networking: {podSubnet: "10.77.0.0/16,fd00:77::/48"}
"""
NO_SUBNET = KUBEADM.replace("podSubnet", "dnsDomain")
CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data: {config.conf: "kind: KubeProxyConfiguration\\napiVersion: kubeproxy.config.k8s.io/v1alpha1"}
"""


@pytest.mark.parametrize(
    ("text", "cidr", "kind"),
    [
        (NOTHING, "10.244.0.0/16", OriginKind.ASSUMED),
        (KUBEADM, "10.77.0.0/16,fd00:77::/48", OriginKind.DEFAULTED),
        (NO_SUBNET, "", OriginKind.DEFAULTED),
        (PROXY, "", OriginKind.DEFAULTED),
        (CONFIG_MAP, "", OriginKind.DEFAULTED),
        (f"{CONFIG_MAP}---{KUBEADM}", "", OriginKind.DEFAULTED),
        (f"{PROXY}---{KUBEADM}", "10.77.0.0/16,fd00:77::/48", OriginKind.DEFAULTED),
    ],
    ids=["nothing", "kubeadm", "no-subnet", "proxy", "config-map", "map-beside", "init-file"],
)
def test_cluster_cidr(text: str, cidr: str, kind: OriginKind) -> None:
    proxy = cluster(text).proxy
    assert proxy.cluster_cidr == cidr
    assert proxy.origins["cluster_cidr"].kind is kind
