"""The Service ``default/kubernetes``: every cluster has it, no manifest declares it.

Source: pkg/controlplane/controller/kubernetesservice; control-plane-facts sections 3 and 5.
"""

from __future__ import annotations

from k8stui.cluster.decode_endpoints import SERVICE_NAME
from k8stui.cluster.model import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Service,
    ServicePort,
)
from k8stui.kernel.address import Prefix
from k8stui.manifests.origin import assumed

KEY = "default/kubernetes"
PORT = 6443
_ORIGIN = assumed("every cluster has this Service; the API server is assumed on the first node")


def kubernetes_service(cidr: Prefix) -> Service:
    """The first address of the Service range, port 443."""
    return Service(
        namespace="default",
        name="kubernetes",
        labels={"component": "apiserver", "provider": "kubernetes"},
        cluster_ips=(cidr.nth(1),),
        ports=(ServicePort(name="https", port=443, target_port=PORT, origin=_ORIGIN),),
        ip_families=(cidr.address.version,),
        origin=_ORIGIN,
    )


def kubernetes_slice(node: Node, version: int) -> EndpointSlice:
    """One endpoint, the first node's own address, without a node name."""
    address = node.address(version)
    return EndpointSlice(
        namespace="default",
        name="kubernetes",
        service="kubernetes",
        address_type=f"IPv{version}",
        ports=(EndpointPort(name="https", port=PORT),),
        endpoints=(Endpoint(addresses=(address,), origin=_ORIGIN),) if address else (),
        labels={SERVICE_NAME: "kubernetes"},
        origin=_ORIGIN,
    )
