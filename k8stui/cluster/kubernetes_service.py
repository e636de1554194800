"""The Service ``default/kubernetes``: every cluster has it, no manifest declares it.

Source: pkg/controlplane/controller/kubernetesservice; docs/facts/control-plane.md sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.decode.endpoints import SERVICE_NAME
from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Service,
    ServicePort,
)
from k8stui.cluster.well_known import API_SERVER_PORT
from k8stui.kernel.address import Prefix
from k8stui.origin import OriginKind, assumed

KEY = "default/kubernetes"
_CONTROL_PLANE = frozenset(
    {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
)
_ORIGIN = assumed(
    "every cluster has this Service; its API server is assumed on the first (control-plane) node"
)


def add_kubernetes(
    inventory: Inventory,
    services: dict[str, Service],
    slices: dict[str, tuple[EndpointSlice, ...]],
    nodes: Mapping[str, Node],
    cidrs: Mapping[int, Prefix],
) -> None:
    """Add what the input leaves out of ``default/kubernetes``, if that is beyond doubt.

    The Service, where the input has no Node and is no dump: plain manifests. Its endpoint, where
    the input holds neither EndpointSlices nor Endpoints of a dump.
    """
    if not nodes or KEY in slices:
        return
    if KEY not in services:
        if inventory.of("Node") or inventory.is_dump:
            return
        services[KEY] = kubernetes_service(next(iter(cidrs.values())))
    if inventory.has_observed("EndpointSlice") or inventory.has_observed("Endpoints"):
        return
    service = services[KEY]
    node = next((n for n in nodes.values() if _CONTROL_PLANE & n.labels.keys()), None)
    port = service.ports[0].target_port if service.ports else API_SERVER_PORT
    slices[KEY] = (
        kubernetes_slice(
            node or next(iter(nodes.values())),
            next(iter(service.ip_families), 4),
            port if isinstance(port, int) else API_SERVER_PORT,
        ),
    )


def control_plane(cluster: Cluster) -> list[Node]:
    """The nodes of the input that are labelled so."""
    nodes = (n for n in cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED)
    return [node for node in nodes if _CONTROL_PLANE & node.labels.keys()]


def lost_api_servers(cluster: Cluster) -> Iterator[Endpoint]:
    """Endpoints of the API server that are no node's, where its nodes are in the input.

    Each API server writes its own --advertise-address there, so it is a node's of the control
    plane. A cloud's own control plane is no node, and then nobody knows.
    """
    if not control_plane(cluster):
        return
    known = {address for node in cluster.nodes.values() for address in node.addresses}
    for each in cluster.endpoint_slices.get(KEY, ()):
        for endpoint in each.endpoints:
            if endpoint.pod is None and known.isdisjoint(endpoint.addresses):
                yield endpoint


def kubernetes_service(cidr: Prefix) -> Service:
    """The first address of the Service range, port 443."""
    return Service(
        namespace="default",
        name="kubernetes",
        labels={"component": "apiserver", "provider": "kubernetes"},
        cluster_ips=(cidr.nth(1),),
        ports=(ServicePort(name="https", port=443, target_port=API_SERVER_PORT, origin=_ORIGIN),),
        ip_families=(cidr.address.version,),
        origin=_ORIGIN,
    )


def kubernetes_slice(node: Node, version: int, port: int) -> EndpointSlice:
    """One endpoint, the node's own address, without a node name."""
    address = node.address(version)
    return EndpointSlice(
        namespace="default",
        name="kubernetes",
        service="kubernetes",
        address_type=f"IPv{version}",
        ports=(EndpointPort(name="https", port=port),),
        endpoints=(Endpoint(addresses=(address,), origin=_ORIGIN),) if address else (),
        labels={SERVICE_NAME: "kubernetes"},
        origin=_ORIGIN,
    )
