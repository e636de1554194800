"""The topology as JSON: nodes, pods, Services and their endpoints, with origins."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.model import Cluster, Node, Pod, Service, ServicePort, Workload
from k8stui.export.json import origin as origin_json
from k8stui.export.stream import array
from k8stui.origin import Origin
from k8stui.walk.world import World


def topology_json(world: World) -> Iterator[str]:
    """Write the cluster as one object, in chunks; `objects` counts what was read, by kind."""
    cluster = world.cluster
    yield '{"version": 1'
    kinds = Counter(one.kind for one in world.manifests.objects)
    yield f',\n "objects": {json.dumps(dict(sorted(kinds.items())))}'
    for key, cidr in (("pod_cidr", cluster.pod_cidr), ("service_cidr", cluster.service_cidr)):
        yield f',\n "{key}": {json.dumps(str(cidr))}'
    for key, records in (
        ("nodes", map(_node, cluster.nodes.values())),
        ("workloads", map(_workload, cluster.workloads)),
        ("pods", map(_pod, cluster.pods.values())),
        ("services", (_service(cluster, each) for each in cluster.services.values())),
    ):
        yield f',\n "{key}": '
        yield from array(records)
    yield "\n}\n"


def _origins(whole: Origin, origins: Mapping[str, Origin]) -> dict[str, object]:
    return {
        "object": origin_json(whole),
        **{fact: origin_json(each) for fact, each in origins.items()},
    }


def _node(node: Node) -> dict[str, object]:
    return {
        "name": node.name,
        "addresses": [str(a) for a in node.addresses],
        "pod_cidrs": [str(c) for c in node.pod_cidrs],
        "origins": _origins(node.origin, node.origins),
    }


def _workload(workload: Workload) -> dict[str, object]:
    return {
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "replicas": workload.replicas,
        "pods": list(workload.pods),
        "origins": _origins(workload.origin, {}),
    }


def _pod(pod: Pod) -> dict[str, object]:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "node": pod.node_name,
        "addresses": [str(a) for a in pod.addresses],
        "phase": pod.phase.value,
        "ready": pod.ready,
        "host_network": pod.host_network,
        "pending_reason": pod.pending_reason,
        "owner": list(pod.owner) if pod.owner else None,
        "containers": [
            {
                "name": c.name,
                "image": c.image,
                "init": c.init,
                "ports": [
                    {"number": p.number, "name": p.name, "protocol": p.protocol.name}
                    for p in c.ports
                ],
            }
            for c in pod.containers
        ],
        "origins": _origins(pod.origin, pod.origins),
    }


def _service(cluster: Cluster, service: Service) -> dict[str, object]:
    return {
        "namespace": service.namespace,
        "name": service.name,
        "type": service.type.value,
        "cluster_ips": [str(a) for a in service.cluster_ips],
        "headless": service.headless,
        "external_name": service.external_name,
        "selector": dict(service.selector) if service.selector is not None else None,
        "ports": [_port(cluster, service, port) for port in service.ports],
        "origins": _origins(service.origin, service.origins),
    }


def _port(cluster: Cluster, service: Service, port: ServicePort) -> dict[str, object]:
    return {
        "name": port.name,
        "protocol": port.protocol.name,
        "port": port.port,
        "target_port": port.target_port,
        "node_port": port.node_port,
        "endpoints": [
            {
                "address": str(address),
                "port": number,
                "pod": endpoint.pod,
                "node": endpoint.node_name,
                "ready": endpoint.ready,
                "terminating": endpoint.terminating,
            }
            for address, number, endpoint in endpoints_of(cluster, service, port)
        ],
        "origins": _origins(port.origin, port.origins),
    }
