"""EndpointSlices as they are written, and hand-made Endpoints as the controller mirrors them.

Sources: pkg/proxy/endpointslicecache.go (absent conditions), pkg/controller/endpointslicemirroring
(mirroring), pkg/api/v1/endpoints/util.go (RepackSubsets); docs/facts/control-plane.md section 6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, flag, labels, number, table, text, texts
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.fields import addresses, protocol
from k8stui.cluster.model import Endpoint, EndpointPort, EndpointSlice

if TYPE_CHECKING:
    from k8stui.manifests import Manifest
    from k8stui.origin import Origin

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"


def service_label(manifest: Manifest) -> str:
    """The name of the Service that an EndpointSlice belongs to; empty without its label."""
    return labels(manifest.data, "metadata", "labels").get(SERVICE_NAME, "")


def decode_slice(manifest: Manifest) -> EndpointSlice | None:
    """An EndpointSlice, or None when its label names no Service: then nobody reads it."""
    slice_labels = labels(manifest.data, "metadata", "labels")
    service = service_label(manifest)
    if not service:
        return None
    ports = at(manifest.data, "ports")
    kind = text(manifest.data, "addressType") or "IPv4"
    return EndpointSlice(
        namespace=namespace_of(manifest),
        name=manifest.name,
        service=service,
        address_type=kind,
        ports=None
        if ports is None
        else tuple(
            _port(entry, manifest.origin("ports", index))
            for index, entry in enumerate(array(ports))
        ),
        endpoints=tuple(
            _endpoint(manifest, entry, index)
            for index, entry in enumerate(array(manifest.data, "endpoints"))
            if isinstance(entry, dict)
        ),
        labels=slice_labels,
        origin=manifest.origin(),
    )


def _port(entry: object, origin: Origin) -> EndpointPort:
    return EndpointPort(
        name=text(entry, "name"),
        protocol=protocol(text(entry, "protocol")),
        port=number(entry, "port") or 0,
        app_protocol=text(entry, "appProtocol") or None,
        origin=origin,
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


_Key = tuple[str, str]
"""(address, uid of its pod): what is the same address in several subsets."""


def mirror(manifest: Manifest) -> tuple[EndpointSlice, ...]:
    """The slices made of Endpoints: one per set of ports with the same addresses, and family.

    Source: pkg/api/v1/endpoints/util.go RepackSubsets: an address is the one that was written
    first, and not ready wherever one of its ports is said to be so.
    """
    namespace = namespace_of(manifest)
    slice_labels = {
        **labels(manifest.data, "metadata", "labels"),
        SERVICE_NAME: manifest.name,
        MANAGED_BY: "endpointslicemirroring-controller.k8s.io",
    }
    known: dict[_Key, Endpoint] = {}
    by_port: dict[EndpointPort | None, dict[_Key, bool]] = {}
    for position, subset in enumerate(array(manifest.data, "subsets")):
        ports: list[EndpointPort | None] = [
            _port(entry, manifest.origin("subsets", position, "ports", index))
            for index, entry in enumerate(array(subset, "ports"))
        ]
        for field, is_ready in (("addresses", True), ("notReadyAddresses", False)):
            for index, entry in enumerate(array(subset, field)):
                key = text(entry, "ip"), text(entry, "targetRef", "uid")
                if key not in known:
                    found = addresses((key[0],))
                    if not found:
                        continue
                    known[key] = Endpoint(
                        addresses=found,
                        node_name=text(entry, "nodeName") or None,
                        hostname=text(entry, "hostname") or None,
                        pod=_pod(table(entry), namespace),
                        origin=manifest.origin("subsets", position, field, index),
                    )
                for port in ports or (None,):
                    of = by_port.setdefault(port, {})
                    of[key] = is_ready and of.get(key, True)
    groups: dict[frozenset[tuple[_Key, bool]], list[EndpointPort]] = {}
    for port, of in by_port.items():
        groups.setdefault(frozenset(of.items()), []).extend([port] if port else [])
    made: list[EndpointSlice] = []
    for members, ports_of in groups.items():
        ready = dict(members)
        for version in (4, 6):
            endpoints = tuple(
                replace(endpoint, ready=ready[key])
                for key, endpoint in known.items()
                if key in ready and endpoint.addresses[0].version == version
            )
            if endpoints:
                made.append(
                    EndpointSlice(
                        namespace=namespace,
                        name=f"{manifest.name}-{len(made) + 1}",
                        service=manifest.name,
                        address_type=f"IPv{version}",
                        ports=tuple(sorted(ports_of, key=_port_order)),
                        endpoints=endpoints,
                        labels=slice_labels,
                        origin=manifest.origin(),
                    )
                )
    return tuple(made)


def _port_order(port: EndpointPort) -> tuple[str, int, int]:
    return port.name, port.protocol, port.port
