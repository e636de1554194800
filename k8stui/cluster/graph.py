"""The cluster as one graph: who stands where, who made whom, who leads to whom, who uses whom.

Drawings (`k8stui.export.diagram`, `topology_svg`) and every question after neighbours (``topology
--of``, key ``x`` of the screen) navigate it; nobody else walks over these relations.

networkx costs as much start-up as half of the screen: it is imported when a graph is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from k8stui.apiserver.inventory import key_of
from k8stui.cluster.endpoints import endpoints_of, pod_index
from k8stui.cluster.mentions import mentions, selector_of
from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    Node,
    Pod,
    Service,
    ServicePort,
)
from k8stui.cluster.selectors import matches
from k8stui.origin import Origin
from k8stui.record import record

if TYPE_CHECKING:
    import networkx as nx

    from k8stui.manifests import Manifest

    Graph = nx.MultiDiGraph[str]


class NodeKind(StrEnum):
    """What a node of the graph stands for; its name starts with it, as in ``pod/default/a``."""

    NODE = "node"
    POD = "pod"
    CONTAINER = "container"
    SERVICE = "service"
    WORKLOAD = "workload"
    ADDRESS = "address"
    """An endpoint that is no pod of this cluster."""
    OBJECT = "object"
    """Anything else that uses or is used: Ingress, NetworkPolicy, ConfigMap, Secret …"""


class EdgeKind(StrEnum):
    """What an edge says, read from its first node to its second."""

    RUNS_ON = "runs on"
    """pod → node, container → pod."""
    OWNS = "makes"
    """workload → pod."""
    SELECTS = "selects"
    """Service, NetworkPolicy … → pod, by labels, ready or not."""
    LEADS_TO = "leads to"
    """Service → pod or address, by EndpointSlice: attributes `port`, `number`, `endpoint`; Ingress
    → Service."""
    USES = "uses"
    """Workload, pod … → what its text names; attribute `origin` where that is written."""


@record()
class Related:
    """One edge, seen from one of its ends."""

    name: str
    """The other end, in the graph."""
    label: str
    kind: str
    """As its API calls it: ``Pod``, ``ConfigMap``."""
    relation: EdgeKind
    is_outward: bool
    """Whether the relation reads from here to the other end."""
    detail: str = ""
    """Ports, for a Service's endpoints."""
    origin: Origin | None = None
    """Where the other end, or the relation itself, is written."""


def graph(cluster: Cluster, objects: Iterable[Manifest] = ()) -> Graph:
    """Build the graph: every node has `kind`, `api` (its API kind), `label`, and mostly `record`.

    `objects`: everything that was read, for the relations of what is no part of the cluster's
    model. Nodes and edges stand in the order of the input.
    """
    import networkx as nx  # noqa: PLC0415 - 100 ms, only where a graph is wanted

    found: Graph = nx.MultiDiGraph()
    for node in cluster.nodes.values():
        _add(found, f"node/{node.name}", NodeKind.NODE, api="Node", label=node.name, record=node)
    for pod in cluster.pods.values():
        _add_pod(found, pod)
    for workload in cluster.workloads:
        name = f"workload/{workload.kind}/{workload.namespace}/{workload.name}"
        label = f"{workload.namespace}/{workload.name}"
        _add(found, name, NodeKind.WORKLOAD, api=workload.kind, label=label, record=workload)
        for key in workload.pods:
            found.add_edge(name, f"pod/{key}", kind=EdgeKind.OWNS)
    pods = pod_index.of(cluster)
    for service in cluster.services.values():
        name = f"service/{service.key}"
        _add(found, name, NodeKind.SERVICE, api="Service", label=service.key, record=service)
        for pod in pods.selected(service):
            found.add_edge(name, f"pod/{pod.key}", kind=EdgeKind.SELECTS)
        _add_endpoints(found, cluster, service)
    by_namespace: dict[str, list[Pod]] = {}
    for pod in cluster.pods.values():
        by_namespace.setdefault(pod.namespace, []).append(pod)
    for manifest in objects:
        _add_object(found, by_namespace, manifest)
    return found


def standing(found: Graph) -> tuple[list[tuple[Node, list[Pod]]], list[Pod]]:
    """Every node with its pods, and the pods that are on none of them."""
    nodes: list[tuple[Node, list[Pod]]] = []
    lost: list[Pod] = []
    for name, data in found.nodes(data=True):
        if data["kind"] is NodeKind.NODE:
            on_it = [found.nodes[there]["record"] for there in found.predecessors(name)]
            nodes.append((data["record"], on_it))
        elif data["kind"] is NodeKind.POD and not any(
            edge["kind"] is EdgeKind.RUNS_ON for *_, edge in found.out_edges(name, data=True)
        ):
            lost.append(data["record"])
    return nodes, lost


def ways_in(found: Graph) -> Iterator[tuple[Service, ServicePort, int, Endpoint, str]]:
    """Each edge from a Service to an endpoint: its port, the target port, and the other end."""
    for name, data in found.nodes(data=True):
        if data["kind"] is NodeKind.SERVICE:
            for _, there, edge in found.out_edges(name, data=True):
                if edge["kind"] is EdgeKind.LEADS_TO:
                    yield data["record"], edge["port"], edge["number"], edge["endpoint"], there


def neighbours(found: Graph, name: str) -> Iterator[Related]:
    """Everything one edge away from `name`: first what it points to, then what points to it.

    That a Service selects a pod is not told where it leads there.
    """
    outward = ((there, data, True) for _, there, data in found.out_edges(name, data=True))
    inward = ((there, data, False) for there, _, data in found.in_edges(name, data=True))
    edges = [*outward, *inward]
    led = {there for there, data, _ in edges if "endpoint" in data}
    seen: set[tuple[str, EdgeKind, bool, str]] = set()
    for there, data, is_outward in edges:
        one, kind = found.nodes[there], EdgeKind(data["kind"])
        detail = _detail(data)
        if one["kind"] is NodeKind.CONTAINER or (kind is EdgeKind.SELECTS and there in led):
            continue
        if (key := (there, kind, is_outward, detail)) not in seen:
            seen.add(key)
            origin = data.get("origin") or _origin_of(one["record"])
            yield Related(there, one["label"], one["api"], kind, is_outward, detail, origin)


def _origin_of(one: Any) -> Origin | None:
    """A record of the model has its origin; a manifest makes it."""
    origin: Origin | Callable[[], Origin] | None = getattr(one, "origin", None)
    return origin() if callable(origin) else origin


def _detail(data: dict[str, Any]) -> str:
    if "endpoint" not in data:
        return ""
    port: ServicePort = data["port"]
    word = f"{port.port} → {data['number']}"
    return word if data["endpoint"].ready else f"{word}, not ready"


def _add(
    found: Graph, name: str, kind: NodeKind, *, api: str, label: str, record: object = None
) -> None:
    found.add_node(name, kind=kind, api=api, label=label, record=record)


def _add_pod(found: Graph, pod: Pod) -> None:
    name = f"pod/{pod.key}"
    _add(found, name, NodeKind.POD, api="Pod", label=pod.key, record=pod)
    if pod.node_name is not None and f"node/{pod.node_name}" in found:
        found.add_edge(name, f"node/{pod.node_name}", kind=EdgeKind.RUNS_ON)
    for container in pod.containers:
        inner = f"container/{pod.key}/{container.name}"
        _add(
            found,
            inner,
            NodeKind.CONTAINER,
            api="container",
            label=container.name,
            record=container,
        )
        found.add_edge(inner, name, kind=EdgeKind.RUNS_ON)


def _add_endpoints(found: Graph, cluster: Cluster, service: Service) -> None:
    for port in service.ports:
        for address, number, endpoint in endpoints_of(cluster, service, port):
            name = f"pod/{endpoint.pod}"
            if endpoint.pod not in cluster.pods:
                name = f"address/{address}"
                _add(found, name, NodeKind.ADDRESS, api="address", label=str(address), record=None)
            found.add_edge(
                f"service/{service.key}",
                name,
                kind=EdgeKind.LEADS_TO,
                port=port,
                number=number,
                endpoint=endpoint,
            )


def _add_object(
    found: Graph, by_namespace: Mapping[str, Sequence[Pod]], manifest: Manifest
) -> None:
    """What an object's text says of others; objects that say nothing get no node of their own."""
    here = _name_of(found, manifest.kind, key_of(manifest))
    said = list(mentions(manifest))
    selector = selector_of(manifest)
    if here in found and found.nodes[here]["record"] is None:
        found.nodes[here]["record"] = manifest  # named before it was read
    if not said and selector is None:
        return
    if here not in found:
        _add(
            found, here, NodeKind.OBJECT, api=manifest.kind, label=key_of(manifest), record=manifest
        )
    namespace = key_of(manifest).partition("/")[0]
    for mention in said:
        key = f"{namespace}/{mention.name}"
        there = _name_of(found, mention.kind, key)
        if there not in found:
            _add(found, there, NodeKind.OBJECT, api=mention.kind, label=key, record=None)
        kind = EdgeKind.LEADS_TO if mention.kind == "Service" else EdgeKind.USES
        found.add_edge(here, there, kind=kind, origin=manifest.origin(*mention.path))
    if selector is not None:
        for pod in by_namespace.get(namespace, ()):
            if matches(selector, pod.labels):
                found.add_edge(here, f"pod/{pod.key}", kind=EdgeKind.SELECTS)


def _name_of(found: Graph, kind: str, key: str) -> str:
    """The node that stands for an object: that of the model where there is one."""
    if kind in {"Pod", "Service"}:
        return f"{kind.lower()}/{key}"
    workload = f"workload/{kind}/{key}"
    return workload if workload in found else f"object/{kind}/{key}"
