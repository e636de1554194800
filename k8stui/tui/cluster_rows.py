"""The rows of a cluster that stands: nodes → pods → containers, Services → ways of access."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from k8stui.cluster.model import Cluster, Container, Node, Pod, Service, ServiceType
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.order import by_place, natural
from k8stui.tui.index import Index
from k8stui.tui.tree import Item, RowKind, Said
from k8stui.walk.request import outside_addresses

if TYPE_CHECKING:
    from k8stui.walk.offers import Offer
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World

_FEW_NODES = 4
"""So few are open at first: all their pods are seen."""


class ClusterRows:
    """Rows of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.version = 4
        """IP version of the walk that is shown: of several addresses those are said."""
        self.index = index_of(world.cluster)
        self._by_node: dict[str, list[Pod]] = {}
        pods = world.cluster.pods.values()
        for pod in sorted(pods, key=lambda pod: by_place(pod.namespace, pod.name)):
            self._by_node.setdefault(pod.node_name or "", []).append(pod)
        nodes = [f"node/{name}" for name in world.cluster.nodes]
        self.opened: Iterable[str] = [*(nodes if len(nodes) <= _FEW_NODES else ()), "services"]
        self._beyond = next(map(str, outside_addresses(world)), "")
        """The address of the client beyond the router: not the same in every cluster."""

    def roots(self) -> list[Item]:
        """Nodes, what is outside, Pods that wait for a node, Services."""
        roots = [
            Item(RowKind.NODE, f"node/{name}", 0, node, has_children=name in self._by_node)
            for name, node in sorted(
                self.world.cluster.nodes.items(), key=lambda pair: natural(pair[0])
            )
        ]
        roots.append(Item(RowKind.OUTSIDE, "outside", 0))
        if "" in self._by_node:
            roots.append(Item(RowKind.PENDING, "pending", 0, has_children=True))
        roots.append(Item(RowKind.SERVICES, "services", 0, has_children=True))
        return roots

    def children(self, item: Item) -> list[Item]:
        """What a row opens into."""
        subject = item.subject
        match item.kind:
            case RowKind.NODE:
                name = item.key.partition("/")[2]
                return [_pod(pod) for pod in self._by_node.get(name, ())]
            case RowKind.PENDING:
                return [_pod(pod) for pod in self._by_node.get("", ())]
            case RowKind.POD:
                return [
                    Item(RowKind.CONTAINER, f"container/{item.key}/{each.name}", 2, each)
                    for each in cast("Pod", subject).containers
                ]
            case RowKind.SERVICES:
                services = self.world.cluster.services.values()
                ordered = sorted(services, key=lambda one: by_place(one.namespace, one.name))
                return [_service(service) for service in ordered]
            case RowKind.SERVICE:
                return self._offers(cast("Service", subject).key)
            case _:
                return []

    def _offers(self, service: str) -> list[Item]:
        from k8stui.walk.offers import offers  # noqa: PLC0415 - needed only when one is opened

        return [
            Item(RowKind.OFFER, f"offer/{service}/{n}", 2, offer)
            for n, offer in enumerate(offers(self.world, service))
        ]

    def item(self, key: str) -> Item:
        """Give the row of a node, a pod or a Service."""
        kind, _, name = key.partition("/")
        cluster = self.world.cluster
        match kind:
            case RowKind.NODE:
                return Item(RowKind.NODE, key, 0, cluster.nodes[name], name in self._by_node)
            case RowKind.POD:
                return _pod(cluster.pods[name])
            case _:
                return _service(cluster.services[name])

    def branch(self, key: str) -> str:
        """Key of the root that a row is in."""
        return branch_of(self.world.cluster, key)

    def now(self, key: str) -> str:
        """Give the key of a workload's first pod for ``workload/KIND/NAMESPACE/NAME``."""
        kind, _, wanted = key.partition("/")
        if kind == RowKind.WORKLOAD:
            for each in self.world.cluster.workloads:
                if f"{each.kind}/{each.namespace}/{each.name}" == wanted and each.pods:
                    return f"pod/{each.pods[0]}"
        return key

    def say(self, item: Item) -> Said:
        """How a row reads."""
        subject = item.subject
        match subject:
            case Node():
                return _say_node(subject, self.version)
            case Pod():
                return _say_pod(subject, self.version)
            case Container():
                return _say_container(subject)
            case Service():
                return _say_service(subject, self.version)
        match item.kind:
            case RowKind.OFFER:
                offer = cast("Offer", subject)
                source = f"from {short_source(offer.request)}"
                return Said(offer.label, source, offer.request.origin)
            case RowKind.PENDING:
                return Said("Pending", str(len(self._by_node.get("", ()))))
            case RowKind.SERVICES:
                return Said("Services", f"{len(self.world.cluster.services):,}")
            case _:
                return Said("outside", self._beyond)


def index_of(cluster: Cluster) -> Index:
    """Names, addresses, labels of nodes, Services and pods; names of the pods' containers."""
    keys: list[str] = []
    lines: list[str] = []
    labels: list[Mapping[str, str]] = []
    for node in cluster.nodes.values():
        keys.append(f"node/{node.name}")
        lines.append(f"{node.name} {' '.join(map(str, node.addresses))}")
        labels.append(node.labels)
    for service in cluster.services.values():
        keys.append(f"service/{service.key}")
        lines.append(f"{service.key} {' '.join(map(str, service.cluster_ips))}")
        labels.append(service.labels)
    for pod in cluster.pods.values():
        keys.append(f"pod/{pod.key}")
        containers = " ".join(container.name for container in pod.containers)
        lines.append(f"{pod.key} {' '.join(map(str, pod.addresses))} {containers}")
        labels.append(pod.labels)
    index = Index()
    index.add(keys, lines, labels)
    return index


def branch_of(cluster: Cluster, key: str) -> str:
    """Key of the root that a pod or a Service is in; empty for anything else."""
    kind, _, name = key.partition("/")
    if kind == RowKind.SERVICE:
        return "services"
    pod = cluster.pods.get(name) if kind == RowKind.POD else None
    if pod is None:
        return ""
    return f"node/{pod.node_name}" if pod.node_name else "pending"


def short_source(request: Request) -> str:
    """``client-1`` for ``pod/default/client-1``."""
    return request.source.split("/")[-1] if "/" in request.source else request.source


def short_name(namespace: str, name: str) -> str:
    """Without the namespace that everything is in."""
    return name if namespace == "default" else f"{namespace}/{name}"


def _pod(pod: Pod) -> Item:
    return Item(RowKind.POD, f"pod/{pod.key}", 1, pod, has_children=bool(pod.containers))


def _service(service: Service) -> Item:
    leads_in = service.type is not ServiceType.EXTERNAL_NAME
    return Item(RowKind.SERVICE, f"service/{service.key}", 1, service, has_children=leads_in)


def _of_family(addresses: Sequence[Address], version: int) -> Address:
    """Of several addresses the one of a family, where there is one."""
    return next((one for one in addresses if one.version == version), addresses[0])


def _say_node(node: Node, version: int) -> Said:
    address = node.address(version) or node.address() or node.address(6)
    return Said(
        node.name,
        str(address) if address else "no address",
        node.origin,
        node.origins.get("addresses", node.origin),
    )


def _say_pod(pod: Pod, version: int) -> Said:
    return Said(
        short_name(pod.namespace, pod.name),
        str(_of_family(pod.addresses, version)) if pod.addresses else pod.phase.value,
        pod.origin,
        pod.origins.get("addresses") if pod.addresses else None,
    )


def _say_container(container: Container) -> Said:
    ports = " ".join(
        f"{p.number}" + ("" if p.protocol is Protocol.TCP else f"/{p.protocol.name.lower()}")
        for p in container.ports
    )
    return Said(container.name + (" (init)" if container.init else ""), ports, container.origin)


def _say_service(service: Service, version: int) -> Said:
    if service.cluster_ips:
        aside = str(_of_family(service.cluster_ips, version))
    elif service.type is ServiceType.EXTERNAL_NAME:
        aside = service.external_name
    else:
        aside = "headless"
    return Said(
        short_name(service.namespace, service.name),
        aside,
        service.origin,
        service.origins.get("cluster_ips") if service.cluster_ips else None,
    )
