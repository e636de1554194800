"""The cluster as one graph, which views and exports navigate.

networkx costs as much start-up as half of the screen: it is imported when a graph is asked for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Pod
from k8stui.cluster.selectors import selects

if TYPE_CHECKING:
    import networkx as nx


class NodeKind(StrEnum):
    """What a node of the graph stands for; its name starts with it, as in ``pod/default/a``."""

    NODE = "node"
    POD = "pod"
    CONTAINER = "container"
    SERVICE = "service"
    WORKLOAD = "workload"


class EdgeKind(StrEnum):
    """What an edge says, read from its first node to its second."""

    RUNS_ON = "runs-on"
    """pod → node, container → pod."""
    OWNS = "owns"
    """workload → pod."""
    SELECTS = "selects"
    """Service → pod, by labels, ready or not."""
    ENDPOINT_OF = "endpoint-of"
    """pod → Service, by EndpointSlice; attributes `ready`, `addresses`."""


def graph(cluster: Cluster) -> nx.MultiDiGraph[str]:
    """Build the graph: every node has `kind` and `label` and, where it has one, its `record`."""
    import networkx as nx  # noqa: PLC0415 - 130-200 ms, only where a graph is wanted

    found: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node in cluster.nodes.values():
        found.add_node(f"node/{node.name}", kind=NodeKind.NODE, label=node.name, record=node)
    for pod in cluster.pods.values():
        _add_pod(found, pod)
    for workload in cluster.workloads:
        name = f"workload/{workload.namespace}/{workload.kind}/{workload.name}"
        found.add_node(name, kind=NodeKind.WORKLOAD, label=workload.name, record=workload)
        for key in workload.pods:
            found.add_edge(name, f"pod/{key}", kind=EdgeKind.OWNS)
    by_namespace: dict[str, list[Pod]] = {}
    for pod in cluster.pods.values():
        by_namespace.setdefault(pod.namespace, []).append(pod)
    for service in cluster.services.values():
        name = f"service/{service.key}"
        found.add_node(name, kind=NodeKind.SERVICE, label=service.name, record=service)
        for pod in by_namespace.get(service.namespace, ()) if service.selector else ():
            if selects(service.selector or {}, pod.labels):
                found.add_edge(name, f"pod/{pod.key}", kind=EdgeKind.SELECTS)
        for item in cluster.endpoint_slices.get(service.key, ()):
            for endpoint in item.endpoints:
                if endpoint.pod in cluster.pods:
                    found.add_edge(
                        f"pod/{endpoint.pod}",
                        name,
                        kind=EdgeKind.ENDPOINT_OF,
                        ready=endpoint.ready,
                        addresses=endpoint.addresses,
                    )
    return found


def _add_pod(found: nx.MultiDiGraph[str], pod: Pod) -> None:
    name = f"pod/{pod.key}"
    found.add_node(name, kind=NodeKind.POD, label=pod.name, record=pod)
    if pod.node_name is not None:
        found.add_edge(name, f"node/{pod.node_name}", kind=EdgeKind.RUNS_ON)
    for container in pod.containers:
        inner = f"container/{pod.key}/{container.name}"
        found.add_node(inner, kind=NodeKind.CONTAINER, label=container.name, record=container)
        found.add_edge(inner, name, kind=EdgeKind.RUNS_ON)
