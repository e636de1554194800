"""EndpointSlices as they are written, and hand-made Endpoints as the controller mirrors them.

Sources: pkg/proxy/endpointslicecache.go (absent conditions), pkg/controller/endpointslicemirroring
(mirroring), pkg/api/v1/endpoints/util.go (RepackSubsets); control-plane-facts section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.cluster.fields import (
    Object,
    addresses,
    array,
    at,
    flag,
    labels,
    number,
    protocol,
    table,
    text,
    texts,
)
from k8stui.cluster.inventory import namespace_of
from k8stui.cluster.model import Endpoint, EndpointPort, EndpointSlice
from k8stui.kernel.address import Address

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"


def decode_slice(manifest: Manifest) -> EndpointSlice | None:
    """An EndpointSlice, or None when its label names no Service: then nobody reads it."""
    slice_labels = labels(manifest.data, "metadata", "labels")
    service = slice_labels.get(SERVICE_NAME)
    if not service:
        return None
    ports = at(manifest.data, "ports")
    kind = text(manifest.data, "addressType") or "IPv4"
    return EndpointSlice(
        namespace=namespace_of(manifest),
        name=manifest.name,
        service=service,
        address_type=kind,
        ports=None if ports is None else tuple(_port(entry) for entry in array(ports)),
        endpoints=tuple(
            _endpoint(manifest, entry, index)
            for index, entry in enumerate(array(manifest.data, "endpoints"))
            if isinstance(entry, dict)
        ),
        labels=slice_labels,
        origin=manifest.origin(),
    )


def _port(entry: object) -> EndpointPort:
    return EndpointPort(
        name=text(entry, "name"),
        protocol=protocol(text(entry, "protocol")),
        port=number(entry, "port") or 0,
        app_protocol=text(entry, "appProtocol") or None,
    )


def _endpoint(manifest: Manifest, entry: Object, index: int) -> Endpoint:
    conditions = table(entry, "conditions")
    return Endpoint(
        # An FQDN slice holds names: they are no addresses, and kube-proxy ignores the slice.
        addresses=addresses(texts(entry, "addresses")),
        ready=flag(conditions, "ready") is not False,
        serving=flag(conditions, "serving") is not False,
        terminating=flag(conditions, "terminating") is True,
        node_name=text(entry, "nodeName") or None,
        zone=text(entry, "zone") or None,
        hostname=text(entry, "hostname") or None,
        for_zones=tuple(text(hint, "name") for hint in array(entry, "hints", "forZones")),
        for_nodes=tuple(text(hint, "name") for hint in array(entry, "hints", "forNodes")),
        pod=_pod(entry, namespace_of(manifest)),
        origin=manifest.origin("endpoints", index),
    )


def _pod(entry: Object, namespace: str) -> str | None:
    reference = table(entry, "targetRef")
    if text(reference, "kind") != "Pod":
        return None
    return f"{text(reference, 'namespace') or namespace}/{text(reference, 'name')}"


def is_mirrored(manifest: Manifest) -> bool:
    """Whether the mirroring controller looks at these Endpoints at all."""
    metadata = table(manifest.data, "metadata")
    return labels(metadata, "labels").get(SKIP_MIRROR) != "true" and LEADER not in labels(
        metadata, "annotations"
    )


def mirror(manifest: Manifest) -> tuple[EndpointSlice, ...]:
    """The slices made of Endpoints: one per set of ports and address family."""
    namespace = namespace_of(manifest)
    slice_labels = {
        **labels(manifest.data, "metadata", "labels"),
        SERVICE_NAME: manifest.name,
        MANAGED_BY: "endpointslicemirroring-controller.k8s.io",
    }
    groups: dict[tuple[int, tuple[EndpointPort, ...]], dict[Address, Endpoint]] = {}
    for position, subset in enumerate(array(manifest.data, "subsets")):
        ports = tuple(sorted({_port(entry) for entry in array(subset, "ports")}, key=_port_order))
        for field, is_ready in (("addresses", True), ("notReadyAddresses", False)):
            for index, entry in enumerate(array(subset, field)):
                for address in addresses((text(entry, "ip"),)):
                    group = groups.setdefault((address.version, ports), {})
                    group[address] = Endpoint(
                        addresses=(address,),
                        ready=is_ready,
                        node_name=text(entry, "nodeName") or None,
                        hostname=text(entry, "hostname") or None,
                        pod=_pod(table(entry), namespace),
                        origin=manifest.origin("subsets", position, field, index),
                    )
    return tuple(
        EndpointSlice(
            namespace=namespace,
            name=f"{manifest.name}-{number_}",
            service=manifest.name,
            address_type=f"IPv{version}",
            ports=ports,
            endpoints=tuple(group.values()),
            labels=slice_labels,
            origin=manifest.origin(),
        )
        for number_, ((version, ports), group) in enumerate(groups.items(), 1)
    )


def _port_order(port: EndpointPort) -> tuple[str, int, int]:
    return port.name, port.protocol, port.port
