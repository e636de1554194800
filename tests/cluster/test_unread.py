"""A value that is no address is left out, and told at its line."""

from __future__ import annotations

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import build_world

META = "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: x\n  uid: seen\n"
NODE = META.format(kind="Node")
CASES = {
    "pod range": (NODE + "spec:\n  podCIDR: 10.244.1.0/33\n", 7, "'10.244.1.0/33' is not a range"),
    "one of two": (NODE + "spec:\n  podCIDRs:\n  - 10.244.1.0/24\n  - fd00\n", 9, "'fd00'"),
    "node address": (
        NODE + "status:\n  addresses:\n  - {type: InternalIP, address: 10.0.0.256}\n"
        "  - {type: Hostname, address: x}\n",
        8,
        "'10.0.0.256' is not an IP address",
    ),
    "outside address": (
        META.format(kind="Service") + "spec:\n  ports: [{port: 80}]\n  clusterIP: 10.96.0.7\n"
        "  externalIPs: [1.2.3]\n",
        9,
        "'1.2.3' is not an IP address",
    ),
    "endpoint": (
        META.format(kind="EndpointSlice").replace(": v1", ": discovery.k8s.io/v1")
        + "addressType: IPv4\nports: []\nendpoints:\n- addresses: [10.1.1]\n",
        9,
        "'10.1.1' is not an IP address",
    ),
    "kube-proxy's": (
        (
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
            "nodePortAddresses:\n- 10.0.0.0/8\n- lan\nclusterCIDR: 10.1.0.0/16,fd00::/48\n"
        ),
        5,
        "nodePortAddresses 'lan' is not a range",
    ),
    "one of kube-proxy's": (
        (
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
            "nodePortAddresses: [primary]\nclusterCIDR: 10.1.0.0/16,pods\n"
        ),
        4,
        "clusterCIDR 'pods' is not a range",
    ),
    "kubeadm's": (
        (
            "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking:\n"
            "  podSubnet: 10.1.0.0/16\n  serviceSubnet: 10.2.0.0/40\n"
        ),
        5,
        "serviceSubnet '10.2.0.0/40' is not a range",
    ),
    "flannel's": (
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kube-flannel-cfg\ndata:\n"
            "  net-conf.json: |\n"
            '    {\n      "Network": "10.5.0.0/33"\n    }\n'
        ),
        8,
        "Network '10.5.0.0/33' is not a range",
    ),
}


@pytest.mark.parametrize(("text", "line", "said"), CASES.values(), ids=CASES)
def test_it_is_told_where(text: str, line: int, said: str, tmp_path: object) -> None:
    file = f"{tmp_path}/a.yaml"
    with open(file, "w") as stream:  # noqa: PTH123
        stream.write(text)
    world = build_world([file], ClusterOptions(), NodeOptions())
    (note,) = [note for note in world.notes if "left out" in note.message]
    assert said in note.message
    assert (note.file, note.line) == (file, line)
