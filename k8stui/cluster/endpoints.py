"""The EndpointSlices that the controllers make of Services and pods.

Sources: staging/src/k8s.io/endpointslice (reconciler.go, utils.go), pkg/api/v1/pod FindPort,
pkg/controller/endpointslicemirroring; docs/facts/control-plane.md sections 5 and 6.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from k8stui.apiserver.fields import array, number
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.decode.endpoints import (
    MANAGED_BY,
    SERVICE_NAME,
    decode_slice,
    is_mirrored,
    mirror,
    service_label,
)
from k8stui.cluster.hints import add_hints, hints_wanted
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Pod,
    Service,
    ServicePort,
    ServiceType,
    UnreadEndpoints,
)
from k8stui.cluster.selectors import selects
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind, defaulted

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

MAX_ENDPOINTS = 100
"""--max-endpoints-per-slice."""
_HEADLESS = "service.kubernetes.io/headless"


_Label = tuple[str, str, str]
"""Namespace, key, value."""


class PodIndex:
    """Pods by namespace and label, so that a Service looks only at those that may match."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._by_label: dict[_Label, list[Pod]] = {}
        self.add(pods)

    def add(self, pods: Iterable[Pod]) -> set[_Label]:
        """More pods, behind the others; gives their labels."""
        added: set[_Label] = set()
        for pod in pods:
            for key, value in pod.labels.items():
                label = (pod.namespace, key, value)
                added.add(label)
                self._by_label.setdefault(label, []).append(pod)
        return added

    def selected(self, service: Service) -> list[Pod]:
        """Pods of the Service's namespace that its selector matches, in their order."""
        selector = service.selector or {}
        candidates = min(
            (
                self._by_label.get((service.namespace, key, value), [])
                for key, value in selector.items()
            ),
            key=len,
            default=[],
        )
        return [pod for pod in candidates if selects(selector, pod.labels)]


pod_index: Derived[Cluster, PodIndex] = Derived(lambda cluster: PodIndex(cluster.pods.values()))
"""Of a whole cluster: one for all who ask by label."""


def gather_slices(
    inventory: Inventory,
    services: Mapping[str, Service],
    pods: Mapping[str, Pod],
    nodes: Mapping[str, Node],
    shares: Mapping[str, Fraction],
    *,
    memory: Memory = NO_MEMORY,
) -> dict[str, tuple[EndpointSlice, ...]]:
    """All slices by the Service that they belong to.

    Slices of the input are kept as they are. A Service of a dump that holds slices has those and
    no others; for any other Service the controllers' work is done here. `memory`: of the same
    `nodes` and `shares`.
    """
    written_slices: dict[str, list[EndpointSlice]] = {}
    for key, manifest in inventory.of("EndpointSlice").items():
        decoded = memory.kept(("EndpointSlice", key), (manifest,), partial(decode_slice, manifest))
        if decoded is not None:
            of_service = f"{decoded.namespace}/{decoded.service}"
            written_slices.setdefault(of_service, []).append(decoded)
    found = {key: tuple(slices) for key, slices in written_slices.items()}
    dump_has_slices = inventory.has_observed("EndpointSlice")
    index, added = _indexed(pods, memory)
    by_hand = inventory.of("Endpoints")
    known: dict[str, _MadeSlices] = (memory.recall("slices", ()) or {}) if added is not None else {}
    now: dict[str, _MadeSlices] = {}
    controller = _Controller(index, pods, nodes, shares)
    before = zip(map(by_hand.get, services), map(known.get, services), strict=True)
    for (key, service), (written, then) in zip(services.items(), before, strict=True):
        if dump_has_slices and service.origin.kind is OriginKind.OBSERVED:
            continue
        if (
            then is not None
            and then.service is service
            and then.written is written
            and then.asked.isdisjoint(added or ())
        ):
            made = then.made
            now[key] = then
        else:
            again = memory.kept(
                ("slices", key),
                (service, written, *controller.selected(service)),
                partial(_made_for, service, written, controller),
            )
            made = memory.same(("made slices", key), tuple(again))
            now[key] = _MadeSlices(service, written, _asked(service), made)
        if made:
            found[key] = (*found[key], *made) if key in found else made
    memory.keep("slices", (), now)
    for key in written_slices:
        found[key] = memory.same(("all slices", key), found[key])
    return found


def _indexed(
    pods: Mapping[str, Pod], memory: Memory
) -> tuple[PodIndex, AbstractSet[_Label] | None]:
    """The pods by label, and the labels of those that have come; None: not only did some come."""
    known: tuple[Mapping[str, Pod], PodIndex] | None = memory.recall("pod index", ())
    if known is not None and len(known[0]) <= len(pods):
        then, index = known
        if all(map(operator.is_, then.values(), pods.values())):
            added = index.add(islice(pods.values(), len(then), None))
            memory.keep("pod index", (), (pods, index))
            return index, added
    index = PodIndex(pods.values())
    memory.keep("pod index", (), (pods, index))
    return index, None


class _MadeSlices(NamedTuple):
    """What the controllers have made for a Service, and of what beside its pods."""

    service: Service
    written: Manifest | None
    """Its Endpoints."""
    asked: frozenset[_Label]
    """A pod without any of these labels is none of its own."""
    made: tuple[EndpointSlice, ...]


def _asked(service: Service) -> frozenset[_Label]:
    selector = service.selector or {}
    return frozenset([(service.namespace, key, value) for key, value in selector.items()])


def unread_endpoints(
    inventory: Inventory, services: Mapping[str, Service]
) -> Iterator[UnreadEndpoints]:
    """What somebody wrote and nobody reads: no Service has the name, or one with a selector."""
    for manifest in inventory.of("EndpointSlice").values():
        key = f"{namespace_of(manifest)}/{service_label(manifest)}"
        if key not in services and not manifest.observed:
            ports = tuple(number(port, "port") or 0 for port in array(manifest.data, "ports"))
            yield _unread(manifest, key, ports)
    for key, manifest in inventory.of("Endpoints").items():
        service = services.get(key)
        if manifest.observed or (service is not None and service.selector is None):
            continue
        subsets = array(manifest.data, "subsets")
        ports = tuple(
            number(port, "port") or 0 for subset in subsets for port in array(subset, "ports")
        )
        yield _unread(manifest, key, ports)


def _unread(manifest: Manifest, service: str, ports: tuple[int, ...]) -> UnreadEndpoints:
    return UnreadEndpoints(
        kind=manifest.kind,
        namespace=namespace_of(manifest),
        name=manifest.name,
        service=service,
        ports=ports,
        origin=manifest.origin("metadata"),
    )


def _made_for(
    service: Service, by_hand: Manifest | None, controller: _Controller
) -> Sequence[EndpointSlice]:
    if by_hand is not None and by_hand.observed:
        # A dump with Endpoints but without slices, as of old clusters: they are what was seen.
        return mirror(by_hand)
    if service.selector is None:
        return mirror(by_hand) if by_hand is not None and is_mirrored(by_hand) else ()
    if service.type is ServiceType.EXTERNAL_NAME:
        return ()
    return controller.slices(service)


_Part = tuple[tuple[EndpointPort, ...], tuple[Endpoint, ...]]
"""What one slice holds: ports, and no more endpoints than go into one."""


class _Controller:
    """The EndpointSlice controller. Services that select and ask the same share their endpoints."""

    def __init__(
        self,
        index: PodIndex,
        pods: Mapping[str, Pod],
        nodes: Mapping[str, Node],
        shares: Mapping[str, Fraction],
    ) -> None:
        self._index = index
        self._nodes = nodes
        self._shares = shares
        self._subdomains = {pod.subdomain for pod in pods.values()}
        self._selected: dict[frozenset[_Label], Sequence[Pod]] = {}
        self._parts: dict[tuple[object, ...], Sequence[_Part]] = {}

    def selected(self, service: Service) -> Sequence[Pod]:
        """The Service's pods."""
        asked = _asked(service)
        found = self._selected.get(asked)
        if found is None:
            found = self._selected[asked] = self._index.selected(service)
        return found

    def slices(self, service: Service) -> list[EndpointSlice]:
        """What it makes for one Service with a selector."""
        labels = {
            **service.labels,
            SERVICE_NAME: service.name,
            MANAGED_BY: "endpointslice-controller.k8s.io",
        }
        labels.pop(_HEADLESS, None)
        if service.headless:
            labels[_HEADLESS] = ""
        slices: list[EndpointSlice] = []
        for family in service.ip_families:
            for ports, endpoints in self._parts_of(service, family):
                slices.append(
                    EndpointSlice(
                        namespace=service.namespace,
                        name=f"{service.name}-{len(slices) + 1}",
                        service=service.name,
                        address_type=f"IPv{family}",
                        ports=ports or None,
                        endpoints=endpoints,
                        labels=labels,
                        origin=defaulted(
                            "made by the EndpointSlice controller for this Service",
                            service.origin.place,
                        ),
                    )
                )
        return slices

    def _parts_of(self, service: Service, family: int) -> Sequence[_Part]:
        wanted = hints_wanted(service)
        asked = (
            _asked(service),
            family,
            wanted,
            service.publish_not_ready_addresses,
            service.name if service.name in self._subdomains else None,
            *((p.name, p.protocol, p.target_port, p.app_protocol) for p in service.ports),
        )
        found = self._parts.get(asked)
        if found is None:
            found = self._parts[asked] = tuple(self._made(service, family, wanted))
        return found

    def _made(self, service: Service, family: int, wanted: str) -> Iterator[_Part]:
        groups: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
        members = [
            (_resolved(service, pod), endpoint)
            for pod in self.selected(service)
            if (endpoint := _endpoint(service, pod, family, self._nodes)) is not None
        ]
        hinted = add_hints(wanted, [endpoint for _, endpoint in members], self._shares)
        for (ports, _), endpoint in zip(members, hinted, strict=True):
            groups.setdefault(ports, []).append(endpoint)
        # Without any endpoint one empty slice stands in (reconciler.go placeholder).
        for ports, endpoints in (groups or {(): []}).items():
            for start in range(0, max(len(endpoints), 1), MAX_ENDPOINTS):
                yield ports, tuple(endpoints[start : start + MAX_ENDPOINTS])


def _endpoint(
    service: Service, pod: Pod, family: int, nodes: Mapping[str, Node]
) -> Endpoint | None:
    """The pod as endpoint in one address family, or None when it is none.

    Of the Service it asks what `_Controller` knows it by.
    """
    address = next((a for a in pod.addresses if a.version == family), None)
    if address is None or pod.phase.is_final:
        return None
    node = nodes.get(pod.node_name or "")
    if node is None and not service.publish_not_ready_addresses:
        return None
    return Endpoint(
        addresses=(address,),
        ready=service.publish_not_ready_addresses or (pod.ready and not pod.terminating),
        serving=pod.ready,
        terminating=pod.terminating,
        node_name=pod.node_name,
        zone=node.zone if node else None,
        hostname=pod.hostname if pod.subdomain == service.name else None,
        pod=pod.key,
        origin=defaulted("the Service selects this pod", pod.origin.place),
    )


def _resolved(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    """The Service's ports as this pod has them; those that it does not have are left out."""
    found = []
    for port in service.ports:
        number = target(port, pod)
        if number is not None:
            found.append(
                EndpointPort(
                    name=port.name,
                    protocol=port.protocol,
                    port=number,
                    app_protocol=port.app_protocol,
                )
            )
    return tuple(found)


def target(port: ServicePort, pod: Pod) -> int | None:
    """The number of a targetPort in `pod`; None when no container has a port of that name.

    Containers come first, then init containers that keep running; the protocol must match.
    """
    if isinstance(port.target_port, int):
        return port.target_port
    for container in pod.containers:
        if container.init and not container.restartable_init:
            continue
        for declared in container.ports:
            if declared.name == port.target_port and declared.protocol is port.protocol:
                return declared.number
    return None


def pods_behind(cluster: Cluster, key: str) -> Iterator[tuple[Pod, Endpoint]]:
    """The pods that are endpoints of the Service ``namespace/name``, ready or not."""
    for each in cluster.endpoint_slices.get(key, ()):
        for endpoint in each.endpoints:
            pod = cluster.pods.get(endpoint.pod or "")
            if pod is not None:
                yield pod, endpoint


def endpoints_of(
    cluster: Cluster, service: Service, port: ServicePort
) -> Iterator[tuple[Address, int, Endpoint]]:
    """Endpoints behind one port of a Service, ready or not: address, target port, endpoint."""
    for each in cluster.endpoint_slices.get(service.key, ()):
        number = _number(each, port)
        if number is None:
            continue
        for endpoint in each.endpoints:
            if endpoint.addresses:
                yield endpoint.addresses[0], number, endpoint


def _number(each: EndpointSlice, port: ServicePort) -> int | None:
    return next(
        (p.port for p in each.ports or () if (p.name, p.protocol) == (port.name, port.protocol)),
        None,
    )
