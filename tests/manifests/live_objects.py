"""A few objects as an API server has them: a node, two pods, a Service and its slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from manifests.api_stand_in import RESOURCES

VERSIONS = {kind: version for version, kind, _ in RESOURCES.values()}


def live(kind: str, name: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    """One object with what a server writes into it."""
    metadata: dict[str, Any] = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, **fields}


def pod(name: str, address: str) -> dict[str, Any]:
    return live(
        "Pod",
        name,
        "shop",
        metadata={"labels": {"app": "web"}},
        spec={
            "nodeName": "worker",
            "containers": [{"name": "c", "ports": [{"containerPort": 8080}]}],
        },
        status={
            "phase": "Running",
            "podIP": address,
            "hostIP": "192.168.7.2",
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    )


def shop() -> list[dict[str, Any]]:
    """Namespace shop: pod/client asks svc/web, whose only endpoint is pod/web."""
    return [
        live(
            "Node",
            "worker",
            spec={"podCIDR": "10.9.1.0/24"},
            status={"addresses": [{"type": "InternalIP", "address": "192.168.7.2"}]},
        ),
        pod("web", "10.9.1.5"),
        pod("client", "10.9.1.6"),
        live(
            "Service",
            "web",
            "shop",
            spec={
                "clusterIP": "10.77.0.10",
                "clusterIPs": ["10.77.0.10"],
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
                "selector": {"app": "web"},
            },
        ),
        live(
            "EndpointSlice",
            "web-abc",
            "shop",
            metadata={"labels": {"kubernetes.io/service-name": "web"}},
            addressType="IPv4",
            ports=[{"port": 8080, "protocol": "TCP", "name": ""}],
            endpoints=[
                {
                    "addresses": ["10.9.1.5"],
                    "conditions": {"ready": True},
                    "nodeName": "worker",
                    "targetRef": {"kind": "Pod", "name": "web", "namespace": "shop"},
                }
            ],
        ),
    ]


KUBEADM = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
networking:
  serviceSubnet: 10.77.0.0/16
"""


def configuration() -> Iterator[dict[str, Any]]:
    """The ConfigMaps that hold configuration, one that is nobody's business, and a Secret."""
    proxy = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
    data = {"config.conf": f"{proxy}iptables: {{masqueradeAll: true}}\n"}
    yield live("ConfigMap", "kube-proxy", "kube-system", data=data)
    data = {"ClusterConfiguration": KUBEADM}
    yield live("ConfigMap", "kubeadm-config", "kube-system", data=data)
    data = {"net-conf.json": '{"Network": "10.9.0.0/16"}'}
    yield live("ConfigMap", "kube-flannel-cfg", "kube-flannel", data=data)
    yield live("ConfigMap", "private", "shop", data={"who": "cares"})
    yield live("Secret", "token", "shop", data={"token": "c2VjcmV0"})
