"""Objects in, cluster out: what a control plane would make of them, decided in its own order.

Ranges and nodes, then Services with their addresses, then pods and where they run, then the
endpoints. What a dump holds is kept as it was seen; only what it lacks is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.admission import Admission
from k8stui.apiserver.fields import Object, array, labels, table
from k8stui.apiserver.inventory import (
    OF_CALICO,
    WORKLOADS,
    Inventory,
    in_known_namespaces,
    take_stock,
)
from k8stui.apiserver.validation.ranges import known_ranges
from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.configured import configured
from k8stui.cluster.decode.policy import decode_policy
from k8stui.cluster.distribution import Distribution
from k8stui.cluster.endpoints import gather_slices, unread_endpoints
from k8stui.cluster.hints import cpu_by_zone
from k8stui.cluster.holders import Holders
from k8stui.cluster.ingress.entrances import entrances
from k8stui.cluster.ingress.routes import mesh_routes, unheeded_routes
from k8stui.cluster.kubernetes_service import add_kubernetes
from k8stui.cluster.load_balancers.balanced import Slices, balanced
from k8stui.cluster.memory import NO_MEMORY, Memory, is_begin
from k8stui.cluster.merged_ports import lost_by_apply
from k8stui.cluster.mesh.decode import meshes
from k8stui.cluster.model import (
    Cluster,
    Corefile,
    GatewayAddress,
    Lack,
    Node,
    Pod,
    Service,
)
from k8stui.cluster.names import DNS_SERVICE
from k8stui.cluster.nameservers import Told, told_by_kubelet
from k8stui.cluster.networks.calico import out_of_pools
from k8stui.cluster.networks.cni_configurations import cni_configurations, docker_options
from k8stui.cluster.nodes import enough_nodes, gather_nodes
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.pods import Peopled, Population
from k8stui.cluster.policy import CILIUM_POLICY_KINDS, CLUSTER_POLICY_KINDS
from k8stui.cluster.programs.evidence import users_of
from k8stui.cluster.proxy_configuration import (
    of_no_node,
)
from k8stui.cluster.published import published
from k8stui.cluster.scheduling.scheduler import Scheduler
from k8stui.cluster.seen_nodes import asked_nodes, seen_nodes
from k8stui.cluster.services import gather_services
from k8stui.cluster.unread import unread_values
from k8stui.cluster.unstarted import without_start
from k8stui.cluster.workloads import Expander
from k8stui.kernel.address import Address
from k8stui.manifests.foreign import is_kustomized
from k8stui.manifests.schema.networking import OF_TRAEFIK, ROUTES
from k8stui.origin import Origin

if TYPE_CHECKING:
    from k8stui.cluster.policy import ClusterPolicy, NetworkSet
    from k8stui.cluster.scheduling.claims import Claims, Unbindable
from k8stui.manifests import Manifest, Manifests

_DEFAULT_OPTIONS = ClusterOptions()

_USUAL_DOMAIN = "cluster.local"

_NO_BUSINESS_OF_PODS = frozenset(
    {"Service", "Endpoints", "EndpointSlice", "ConfigMap", "NetworkPolicy", "Ingress"}
)
"""Kinds that no workload controller and no scheduler looks at."""
_APART = _NO_BUSINESS_OF_PODS | WORKLOADS | {"Pod"}


def _inventory(objects: Sequence[Manifest], memory: Memory) -> Inventory:
    """Take stock; where only more objects have come, of those alone."""
    known: tuple[Sequence[Manifest], Inventory] | None = memory.recall("objects", ())
    if known is not None and is_begin(known[0], objects):
        made = take_stock(objects[len(known[0]) :], known[1])
    else:
        made = take_stock(objects)
    memory.keep("objects", (), (objects, made))
    return made


def _populate(
    inventory: Inventory,
    nodes: Mapping[str, Node],
    allocatable: Mapping[str, Object],
    options: ClusterOptions,
    memory: Memory,
) -> Peopled:
    """Make the pods; where only more of what makes pods has come, those pods alone."""
    before = options.before.pods if options.before is not None else {}
    of = (
        {kind: o for kind, o in inventory.by_kind.items() if kind not in _APART},
        *(inventory.guarded_from, nodes),
    )
    known: tuple[Sequence[Manifest], Population] | None = memory.recall("pods", of)
    if known is not None:
        earlier, population = known
        has_more_only = inventory.pod_makers[: len(earlier)] == earlier
        is_next = memory.recall("pods shown", ()) is before
        if is_next and has_more_only and population.can_take(inventory):
            made = population.take(inventory, before)
            if not population.is_spoilt:
                memory.keep("pods", of, (inventory.pod_makers, population))
                return made
    claims: Claims | Unbindable | None = None
    if options.complete or inventory.of("StorageClass") or inventory.of("PersistentVolume"):
        from k8stui.cluster.scheduling.claims import Claims, Unbindable  # noqa: PLC0415 - rarely needed

        claims = Claims(inventory) if options.complete else Unbindable(inventory)
    admission = Admission(inventory, complete=options.complete)
    population = Population(
        Expander(inventory, nodes, admission, options.states, memory),
        Scheduler(
            nodes,
            allocatable,
            {
                name: labels(manifest.data, "metadata", "labels")
                for name, manifest in inventory.of("Namespace").items()
            },
            claims,
            memory,
        ),
        nodes,
        allocatable,
        states=options.states,
        memory=memory,
        grows=memory is not NO_MEMORY and claims is None,
    )
    made = population.take(inventory, before)
    memory.keep("pods", of, (inventory.pod_makers, population))
    return made


def build(
    manifests: Manifests,
    options: ClusterOptions = _DEFAULT_OPTIONS,
    memory: Memory = NO_MEMORY,
) -> Cluster:
    """Make the cluster of everything that was read.

    `memory`: where one cluster is made again and again, of more and more objects: what was made
    the last time, with the same options but for `before`. What comes out equals what comes out
    without it.

    Raises:
        ProxyConfigurationError: it is not clear which KubeProxyConfiguration counts.

    """
    objects = in_known_namespaces(manifests.objects) if options.complete else manifests.objects
    inventory = _inventory(objects, memory)
    told = configured(manifests, objects, inventory, options, memory)
    settings, distribution = told.settings, told.distribution
    before = options.before
    if before is not None:
        nodes = before.nodes
    else:
        wanted = enough_nodes(inventory) if options.nodes is None else options.nodes
        nodes = gather_nodes(
            inventory, settings, seen_nodes(inventory), asked_nodes(inventory), wanted
        )
        nodes = out_of_pools(told.calico, nodes)
    services, refused = gather_services(
        inventory,
        settings,
        known_ranges(objects).node_ports,
        before.services if before is not None else {},
        memory,
    )
    allocatable = {
        name: table(manifest.data, "status", "allocatable")
        or table(manifest.data, "status", "capacity")
        for name, manifest in inventory.of("Node").items()
    }
    population = _populate(inventory, nodes, allocatable, options, memory)
    refusals = {one.subject: one for one in reversed(manifests.problems) if one.subject}
    config_maps = {
        key: ConfigMap(table(one.data, "data"), one)
        for key, one in inventory.of("ConfigMap").items()
    }
    as_written = not is_kustomized(manifests.notes)
    holders = Holders(inventory, population.pods, as_written=as_written)
    pods = without_start(population.pods, services, config_maps, refusals, holders, memory=memory)
    pods = _waiting(pods, services, memory)
    if inventory.of("Event"):
        from k8stui.cluster.events import with_events  # noqa: PLC0415 - of dumps alone

        pods = with_events(pods, inventory)
    memory.keep("pods shown", (), pods)

    def slices_of(services: Mapping[str, Service]) -> Slices:
        shares = cpu_by_zone(nodes, allocatable)
        return gather_slices(inventory, services, pods, nodes, shares, memory=memory)

    given = balanced(
        inventory, services, slices_of,
        pods=pods, nodes=nodes, distribution=distribution, proxy=told.proxy,
    )  # fmt: skip
    services, slices = given.services, given.slices
    kubelet = told_by_kubelet(inventory)
    corefile = _corefile(services, pods, config_maps)
    pod_domain, cluster_domain = _domains(settings.cluster_domain, kubelet, corefile)
    add_kubernetes(inventory, services, slices, nodes, settings.service_cidrs)
    cluster = Cluster(
        nodes=nodes,
        pods=pods,
        services=services,
        endpoint_slices=slices,
        workloads=population.workloads,
        proxy=of_no_node(told.proxy, nodes, inventory),
        pod_cidr=next(iter(settings.pod_cidrs.values())),
        service_cidr=next(iter(settings.service_cidrs.values())),
        cluster_domain=cluster_domain,
        pod_domain=pod_domain,
        corefile=corefile,
        kubelet_dns=kubelet.servers,
        distribution=distribution,
        flannel=settings.flannel,
        cni_configurations=cni_configurations(manifests.objects),
        docker=docker_options(manifests.objects),
        pod_cidrs=tuple(settings.pod_cidrs.values()),
        service_cidrs=tuple(settings.service_cidrs.values()),
        service_ranges=settings.service_ranges,
        network_plugins=told.plugins,
        calico=told.calico,
        announced=given.announced,
        unannounced=given.unannounced,
        rivals=given.rivals,
        unbalanced=given.unbalanced,
        vacant=given.vacant,
        hosts=options.hosts,
        entrances=tuple(
            entrances(inventory, services, pods.values(), cluster_domain, manifests.refused)
        ),
        gateway_addresses=_gateway_addresses(inventory),
        unserved=_unserved(inventory, pods, services, distribution),
        mesh_routes=mesh_routes(inventory, cluster_domain),
        unheeded_routes=unheeded_routes(inventory, cluster_domain),
        meshes=meshes(inventory),
        published=tuple(published(inventory)),
        policies=tuple(
            memory.each("policies", inventory.of("NetworkPolicy").values(), decode_policy)
        ),
        cluster_policies=_cluster_policies(inventory),
        namespace_labels={
            name: labels(manifest.data, "metadata", "labels")
            for name, manifest in inventory.of("Namespace").items()
        },
        unread_endpoints=tuple(unread_endpoints(inventory, services)),
        config_maps=config_maps,
        port_users=tuple(users_of(objects)),
        refused=refusals,
        refused_node_ports={
            number: f"{one.namespace or 'default'}/{one.name}"
            for one in manifests.refused
            if one.kind == "Service"
            for port in array(one.data, "spec", "ports")
            if isinstance(number := table(port).get("nodePort"), int)
        },
        remarks=(
            *refused,
            *settings.remarks,
            *population.remarks,
            *lost_by_apply(inventory),
            *unread_values(inventory, told.written, memory),
        ),
        origins={**settings.origins, **_dns_origins(kubelet, corefile)},
    )
    if any(map(inventory.of, CILIUM_POLICY_KINDS)):
        cluster = _with_ciliums(cluster, inventory)
    return _with_calicos(cluster, inventory) if any(map(inventory.of, OF_CALICO)) else cluster


def _with_ciliums(cluster: Cluster, inventory: Inventory) -> Cluster:
    """With Cilium's own policies."""
    from k8stui.cluster.decode.cilium_policy import (  # noqa: PLC0415 - rare
        cilium_policies,
        unevaluated,
    )

    return replace(
        cluster,
        cluster_policies=(*cluster.cluster_policies, *cilium_policies(inventory)),
        remarks=(*cluster.remarks, *unevaluated(inventory)),
    )


def _with_calicos(cluster: Cluster, inventory: Inventory) -> Cluster:
    """With Calico's own policies, and what their selectors ask for."""
    from k8stui.cluster.decode.calico_policy import (  # noqa: PLC0415 - rare
        calico_policies,
        network_sets,
    )
    from k8stui.cluster.selection import of_namespace  # noqa: PLC0415 - likewise

    def set_(namespace: str, one: NetworkSet) -> NetworkSet:
        inherited = of_namespace(cluster, namespace) if namespace else {}
        return replace(one, labels={**inherited, **one.labels})

    return replace(
        cluster,
        calico_policies=calico_policies(inventory),
        network_sets=tuple(set_(*one) for one in network_sets(inventory)),
        account_labels={
            key: labels(one.data, "metadata", "labels")
            for key, one in inventory.of("ServiceAccount").items()
        },
    )


def _waiting(
    pods: Mapping[str, Pod], services: Mapping[str, Service], memory: Memory
) -> Mapping[str, Pod]:
    if not any(memory.each("inits", pods.values(), _has_inits)):
        return pods
    from k8stui.cluster.waiting import held_back  # noqa: PLC0415 - rare

    return held_back(pods, services)


def _has_inits(pod: Pod) -> bool:
    return any(one.init for one in pod.containers)


def _unserved(
    inventory: Inventory,
    pods: Mapping[str, Pod],
    services: Mapping[str, Service],
    distribution: Distribution,
) -> Mapping[str, Lack]:
    if not any(map(inventory.of, ("Ingress", "VirtualService", *ROUTES, *OF_TRAEFIK))):
        return {}
    from k8stui.cluster.ingress.unserved import unserved  # noqa: PLC0415 - rare

    return unserved(inventory, pods.values(), services, distribution)


def _gateway_addresses(inventory: Inventory) -> Mapping[Address, GatewayAddress]:
    if not inventory.of("Gateway"):
        return {}
    from k8stui.cluster.ingress.listeners import gateway_addresses  # noqa: PLC0415 - rare

    return gateway_addresses(inventory)


def _corefile(
    services: Mapping[str, Service], pods: Mapping[str, Pod], config_maps: Mapping[str, ConfigMap]
) -> Corefile | None:
    if not config_maps:
        return None
    from k8stui.cluster.corefile import corefile_of  # noqa: PLC0415 - rare

    return corefile_of(services.get(DNS_SERVICE), pods.values(), config_maps)


def _domains(said: str, told: Told, corefile: Corefile | None) -> tuple[str, str]:
    """The domain of the pods' search lists, and the one that cluster DNS serves.

    Whoever says nothing of it agrees with the others; `said`: kubeadm's or k3s' dnsDomain.
    """
    pods = told.domain or said
    zones = corefile.zones if corefile is not None else ()
    if zones:
        serves = pods if pods in zones else _USUAL_DOMAIN
        serves = serves if serves in zones else zones[0]
    else:
        serves = said or pods or _USUAL_DOMAIN
    return pods or serves, serves


def _dns_origins(told: Told, corefile: Corefile | None) -> dict[str, Origin]:
    found = {"kubelet_dns": told.servers_origin, "pod_domain": told.domain_origin}
    if corefile is not None:
        found["cluster_domain"] = corefile.zones_origin
    return {name: origin for name, origin in found.items() if origin is not None}


def _cluster_policies(inventory: Inventory) -> tuple[ClusterPolicy, ...]:
    if not any(map(inventory.of, CLUSTER_POLICY_KINDS)):
        return ()
    from k8stui.cluster.decode.cluster_policy import cluster_policies  # noqa: PLC0415 - rare

    return cluster_policies(inventory)
