"""Plug-ins that no room imitates are recognised by what their projects install."""

from __future__ import annotations

import pytest
from cluster.objects import cluster

from k8stui.origin import Place

SET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: {name}, namespace: kube-system}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec: {{containers: [{{name: agent, image: "{image}"}}]}}
"""
INSTALLER = SET.replace(
    """    spec: {{containers: [{{name: agent, image: "{image}"}}]}}
""",
    """    spec:
      hostNetwork: true
      volumes: [{{name: conf, hostPath: {{path: /etc/cni/net.d}}}}]
      containers:
      - {{name: agent, image: "{image}", volumeMounts: [{{name: conf, mountPath: /conf}}]}}
""",
)
READER = INSTALLER.replace("mountPath: /conf", "mountPath: /conf, readOnly: true")
NODE = """
apiVersion: v1
kind: Node
metadata: {{name: a, annotations: {{{key}: x}}}}
spec: {{podCIDR: 10.244.0.0/24}}
"""
CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: kube-system}}
data: {{}}
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (SET.format(name="calico-node", image="x"), ["Calico"]),
        (SET.format(name="net", image="quay.io:443/calico/node:v3@sha256:0"), ["Calico"]),
        (SET.format(name="canal", image="docker.io/calico/node:v3.27.0"), ["Canal"]),
        (SET.format(name="rke2-canal", image="rancher/hardened-flannel:v0.28"), ["Canal"]),
        (SET.format(name="net", image="quay.io/cilium/cilium:v1"), ["Cilium"]),
        (SET.format(name="weave-net", image="x"), ["Weave Net"]),
        (SET.format(name="aws-node", image="x"), ["Amazon VPC CNI"]),
        (SET.format(name="kindnet", image="docker.io/kindest/kindnetd:v1"), ["kindnet"]),
        (SET.format(name="antrea-agent", image="x"), ["Antrea"]),
        (SET.format(name="azure-cns", image="x"), ["Azure CNI"]),
        (SET.format(name="ovnkube-node", image="x"), ["OVN-Kubernetes"]),
        (NODE.format(key="projectcalico.org/IPv4Address"), ["Calico"]),
        (NODE.format(key="io.cilium.network.ipv4-pod-cidr"), ["Cilium"]),
        (CONFIG_MAP.format(name="cilium-config"), ["Cilium"]),
        ("{apiVersion: cilium.io/v2, kind: CiliumNode, metadata: {name: a}}", ["Cilium"]),
        (SET.format(name="kube-flannel-ds", image="docker.io/flannel/flannel:v0.28"), []),
        (SET.format(name="kube-proxy", image="registry.k8s.io/kube-proxy:v1.36"), []),
        (SET.format(name="web", image="example.org/cilium/cilium-demo"), []),
        (NODE.format(key="flannel.alpha.coreos.com/public-ip"), []),
        (INSTALLER.format(name="fancy", image="x/fancy:1"), ["fancy"]),
        (READER.format(name="bench", image="x/bench:1"), []),
        (INSTALLER.format(name="multus", image="ghcr.io/k8snetworkplumbingwg/multus-cni:v4"), []),
        (INSTALLER.format(name="net", image="quay.io/coreos/flannel:v0.15"), []),
        (
            INSTALLER.format(name="fancy", image="x/fancy:1")
            + "---"
            + INSTALLER.format(name="kube-flannel-ds", image="docker.io/flannel/flannel:v0.28"),
            [],
        ),
    ],
)
def test_plugins(text: str, names: list[str]) -> None:
    assert [one.name for one in cluster(text).network_plugins] == names


def test_the_first_place_is_told() -> None:
    text = "---".join(CONFIG_MAP.format(name=name) for name in ("calico-config", "cni-config"))
    (found,) = cluster(text).network_plugins
    place: Place | None = found.origin.place
    assert place is not None
    assert (place.line, place.field) == (4, "metadata.name")
