"""The cluster: nodes, pods, Services, endpoints and settings, in the API's own words.

Records are frozen; each carries `origins`, the origin of its facts by attribute name, and
`origin`, the origin of the object itself. Sources: docs/facts/control-plane.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from fractions import Fraction

from k8stui import settings
from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.distribution import Distribution
from k8stui.cluster.hosts import OutsideHost
from k8stui.cluster.mesh_policy import Annotation, Meshes
from k8stui.cluster.policy import (
    CalicoPolicy,
    ClusterPolicy,
    NetworkPolicy,
    NetworkSet,
    Policy,
)
from k8stui.cluster.well_known import ZONE
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Protocol
from k8stui.manifests.problem import Problem
from k8stui.origin import Origin
from k8stui.record import record


@record(kw_only=True)
class ContainerPort:
    """``containerPort``: documentation, except for hostPort and for named target ports."""

    number: int
    name: str = ""
    protocol: Protocol = Protocol.TCP
    host_port: int | None = None
    host_ip: Address | None = None
    origin: Origin


@record(kw_only=True)
class ToldPort:
    """The port that something tells a container's program to open: ``PORT=3000``."""

    name: str
    """Of what tells it: a variable, an option, an image, a file."""
    number: int
    also: tuple[int, ...] = ()
    """Others that it opens beside it."""
    sets: str = ""
    """What is written in front of the number to tell it another: ``PORT: ``."""
    by_itself: bool = False
    """It is the image's own port: nothing tells the program another."""
    origin: Origin


@record(kw_only=True)
class Mount:
    """A volume in a container: what stands at a folder or, with `key`, at a path of one file."""

    path: str
    kind: str
    """ConfigMap, Secret; emptyDir: a folder that nobody else fills; empty: anything else."""
    name: str
    """Of the ConfigMap or Secret."""
    key: str
    """subPath, or empty."""
    items: tuple[tuple[str, str], ...]
    """(path, key) of what alone the volume holds; empty: all keys under their own names."""
    runs: bool
    """Whether its files can be run."""
    origin: Origin


@record()
class NamedFile:
    """A file that a container's command, arguments or image name."""

    path: str
    by: str
    """Who names it, as the words before the path."""
    is_program: bool = False
    of_image: bool = False
    """Nobody but the image names it."""
    is_script: bool = False
    """An interpreter is to read it."""

    @property
    def is_to_be_there(self) -> bool:
        """Whether it is no file that the program may make: what it is started with."""
        return self.is_program or self.of_image or self.is_script


@record(kw_only=True)
class Caveat:
    """Why a container may not start all the same, by what no manifest shows, and what mends it."""

    why: str
    mend: str
    origin: Origin


@record()
class ProbedPort:
    """A port that the kubelet asks for a probe, at the pod's own address."""

    probe: str
    number: int
    plain: bool
    """By HTTP without TLS."""
    origin: Origin


@record(kw_only=True)
class Container:
    """A container of a pod: its ports, its probes, and what it is told."""

    name: str
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()
    init: bool = False
    restartable_init: bool = False
    """An init container with restartPolicy Always (a sidecar)."""
    env: tuple[tuple[str, str], ...] = ()
    """Names and literal values as written; values from Secrets are never read."""
    env_at: tuple[int, ...] = ()
    """Which entry of its env each of them is."""
    own_command: bool = False
    """It has a command, which takes the place of the image's start script."""
    unknown: frozenset[str] | None = frozenset()
    """Variables that it has and whose values are not known; None: any (envFrom)."""
    spoken: tuple[str, ...] = ()
    """Command, arguments and the ports of probes, as written: they may name a port."""
    probed: bool = False
    """A readiness or startup probe says when it serves."""
    probed_ports: tuple[ProbedPort, ...] = ()
    """Probes of a port at the pod's own address."""
    told: ToldPort | None = None
    waits: str = ""
    """The program with which its command does nothing but wait (``sleep``): it opens no port."""
    reads: tuple[tuple[str, str], ...] = ()
    """ConfigMaps that it mounts or takes env from, each with the key (empty: all keys)."""
    needs: tuple[tuple[str, str, str], ...] = ()
    """(kind, name, key) of the ConfigMaps and Secrets without which it does not start; an empty
    key: of all of it."""
    mounts: tuple[Mount, ...] = ()
    """Its volumes, the innermost first."""
    files: tuple[NamedFile, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    links: tuple[str, ...] = ()
    """Variables that its image reads, and that a Service's name may give it: ``KAFKA_PORT``."""
    origin: Origin


@record(kw_only=True)
class DnsConfig:
    """What a pod adds to its resolv.conf; with dnsPolicy None it is all there is."""

    nameservers: tuple[Address, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int | None = None


class PodPhase(StrEnum):
    """``status.phase``; Pending too where the scheduler finds no node."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Whether all containers have ended for good (pkg/api/v1/pod/util.go IsPodTerminal)."""
        return self in (PodPhase.SUCCEEDED, PodPhase.FAILED)


@record(kw_only=True)
class Pod:
    """A pod: where it runs, its addresses, what it says of its ports and of its readiness."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()
    node_name: str | None = None
    """None: Pending, `pending_reason` says why."""
    addresses: tuple[Address, ...] = ()
    """podIPs, first the primary one."""
    host_address: Address | None = None
    """status.hostIP, where the input says it."""
    host_network: bool = False
    phase: PodPhase = PodPhase.RUNNING
    ready: bool = True
    terminating: bool = False
    pending_reason: str = ""
    """The scheduler's message where the pod fits nowhere, or why it has no address there."""
    pending_mends: tuple[str, ...] = ()
    """What would let it onto a node, as far as its own words say (`cluster.unplaced`)."""
    unready_reason: str = ""
    """Why it is not ready, as far as the input says."""
    unready_mend: str = ""
    """What would make it ready; empty: what its state says of it has to be looked into."""
    unready_sure: bool = True
    """Whether nothing that the input does not show could make it ready all the same."""
    owner: tuple[str, str] | None = None
    """(kind, name) of the workload that it belongs to, at the top: Deployment, not ReplicaSet."""
    service_account: str = "default"
    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    """Those that tell a mesh something, or of networks beside the plug-in's."""
    beside: Mapping[str, Annotation] = field(default_factory=dict)
    """Such ones of what made it, which no mesh reads there."""
    hostname: str | None = None
    subdomain: str | None = None
    container_id: str
    """64 hex digits: the sandbox id that CNI chain names are hashed from."""
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig | None = None
    host_aliases: tuple[tuple[Address, tuple[str, ...]], ...] = ()
    """What the kubelet writes into its /etc/hosts, which is read before DNS."""
    enable_service_links: bool = True
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def maker(self) -> str:
        """The name of what made it; its own where nothing did."""
        return self.owner[1] if self.owner is not None else self.name

    @property
    def key(self) -> str:
        """``namespace/name``: also the name of the pod's network namespace."""
        return f"{self.namespace}/{self.name}"


@record(kw_only=True)
class Taint:
    """What keeps pods off a node that do not tolerate it."""

    key: str
    value: str = ""
    effect: str


@record(kw_only=True)
class Node:
    """A node: its addresses, the ranges of its pods, labels and taints."""

    name: str
    index: int
    """N of 10.244.N.0/24 where nothing else is said; stable."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    """InternalIPs, then ExternalIPs; the first of a family is the node's IP."""
    pod_cidrs: tuple[Prefix, ...] = ()
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    runtime: str = ""
    """What runs its containers, as its kubelet reports it: ``docker://20.10.24``."""
    cloud: str = ""
    """Whose machine it is, by its providerID: ``aws``, ``azure``; empty: not known."""
    kubelet_version: str = ""
    """As reported: ``v1.31.4``; empty: not known."""
    proxy_version: str = ""
    """kube-proxy's, which the kubelet takes for its own."""
    without_pool: Lack | None = None
    """Why nobody gives addresses to its pods, whatever range it has."""
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def zone(self) -> str | None:
        return self.labels.get(ZONE)

    def address(self, version: int = 4) -> Address | None:
        return next((a for a in self.addresses if a.version == version), None)

    def pod_cidr(self, version: int = 4) -> Prefix | None:
        return next((p for p in self.pod_cidrs if p.address.version == version), None)


@record(kw_only=True)
class ServicePort:
    """One entry of a Service's ``ports``."""

    name: str = ""
    protocol: Protocol = Protocol.TCP
    port: int
    target_port: int | str
    node_port: int | None = None
    app_protocol: str | None = None
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)


@record(kw_only=True)
class LoadBalancerIngress:
    """Where a load balancer is reached (``status.loadBalancer.ingress``)."""

    ip: Address | None
    ip_mode: str = "VIP"
    hostname: str = ""


class ServiceType(StrEnum):
    """``spec.type``."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


@record(kw_only=True, weakref_slot=True)
class Service:
    """A Service with the addresses and node ports that it was given."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    type: ServiceType = ServiceType.CLUSTER_IP
    cluster_ips: tuple[Address, ...] = ()
    """Empty for headless and ExternalName."""
    headless: bool = False
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] | None = None
    """None: no selector (also ``selector: {}``)."""
    external_ips: tuple[Address, ...] = ()
    external_name: str = ""
    load_balancer_ingress: tuple[LoadBalancerIngress, ...] = ()
    load_balancer_source_ranges: tuple[str, ...] = ()
    """As written; white space and order kept."""
    load_balancer_class: str | None = None
    external_traffic_policy: str | None = settings.EXTERNAL_TRAFFIC_POLICY.default
    internal_traffic_policy: str | None = settings.INTERNAL_TRAFFIC_POLICY.default
    health_check_node_port: int | None = None
    session_affinity: str = "None"
    session_affinity_timeout_seconds: int = 10800
    publish_not_ready_addresses: bool = False
    traffic_distribution: str | None = None
    ip_families: tuple[int, ...] = (4,)
    """4 and 6 in the Service's order; empty for ExternalName."""
    ip_family_policy: str | None = "SingleStack"
    allocate_load_balancer_node_ports: bool = True
    """Means something for type LoadBalancer only."""
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@record(kw_only=True)
class EndpointPort:
    """One entry of a slice's ``ports``."""

    name: str = ""
    protocol: Protocol = Protocol.TCP
    port: int
    app_protocol: str | None = None
    origin: Origin | None = field(default=None, compare=False)
    """Where a hand-made one is written."""


@record(kw_only=True)
class Endpoint:
    """One endpoint of a slice. Absent conditions are already resolved (ready → serving → …)."""

    addresses: tuple[Address, ...]
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node_name: str | None = None
    zone: str | None = None
    hostname: str | None = None
    for_zones: tuple[str, ...] = ()
    for_nodes: tuple[str, ...] = ()
    pod: str | None = None
    """``namespace/name`` of the pod behind it, where there is one."""
    origin: Origin

    @property
    def has_hints(self) -> bool:
        """Whether it says for whom it is: which node or zone asks makes a difference."""
        return bool(self.for_zones or self.for_nodes)


@record(kw_only=True)
class Announced:
    """How packets for a load balancer's address get to a node."""

    node: str
    text: str
    """In words: who announces it there."""
    only_on: tuple[str, ...] = ()
    """The devices on which it does; empty: on all."""
    by_arp: bool = True
    """Else by BGP."""
    origin: Origin


@record()
class Lack:
    """Why something of the cluster does not work, what would mend it, and where that is written.

    A load balancer without an address or anybody who answers for it, an Ingress that no controller
    serves, cluster DNS that answers nobody, hostPorts that nobody opens.
    """

    why: str
    mend: str
    origin: Origin
    answer: str = "404"
    """HTTP's status, where a controller answers for it."""


@record(kw_only=True)
class EndpointSlice:
    """Endpoints of one Service and one family."""

    namespace: str
    name: str
    service: str
    """Name of the Service (label kubernetes.io/service-name), same namespace."""
    address_type: str = "IPv4"
    ports: tuple[EndpointPort, ...] | None = ()
    """None: ``ports: null``, no port resolved."""
    endpoints: tuple[Endpoint, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    origin: Origin


@record()
class Subset:
    """Some of a Service's pods (networking.istio.io, DestinationRule.subsets)."""

    name: str
    labels: Mapping[str, str] | None
    """None: no DestinationRule says."""


@record(kw_only=True)
class EntrancePath:
    """Where a host leads to for a path that is asked (networking/v1 HTTPIngressPath)."""

    path: str = "/"
    is_exact: bool = False
    """Else it stands for whatever begins with its elements, or with its letters."""
    by_letters: bool = False
    """As ImplementationSpecific has it."""
    is_pattern: bool = False
    """What it takes, letters alone do not say."""
    is_conditional: bool = False
    """More than the path decides: headers, methods, parameters."""
    rule: int = 0
    """Of its entrance; those of one rule and path share what is asked, by their weights."""
    priority: int = 0
    """Among IngressRoutes: the highest is asked first."""
    weight: int = 1
    service: str
    """``namespace/name``; empty: no Service, as a redirect."""
    outside: str = ""
    """The host, where it is none of a Service."""
    subset: Subset | None = None
    """Those of its pods alone."""
    speaks_tls: bool = False
    """A DestinationRule has it speak TLS to the Service, or what comes is passed through."""
    port: int | str | None = None
    """By number or name."""
    origin: Origin
    """Of the Service's name."""
    port_origin: Origin

    def port_of(self, service: Service) -> ServicePort | None:
        """The port of its Service to which it leads, the first where it names none."""
        return next((p for p in service.ports if self.port in (None, p.port, p.name)), None)


@record(kw_only=True)
class Entrance:
    """A host name by which the world comes in: an Ingress rule's, or a load balancer's own."""

    host: str
    """May begin in ``*.``; ``*`` alone is any, of a rule without a host."""
    owner: str
    """``Ingress default/front``, ``Service default/web``."""
    addresses: tuple[Address, ...] = ()
    """Of its load balancer, as its status says; empty: not known."""
    paths: tuple[EntrancePath, ...] = ()
    in_order: bool = False
    """The first path that fits counts, and not the longest."""
    is_tls: bool = False
    """Traefik's alone: whether who speaks TLS meets it, and only such."""
    controller: str = ""
    """Whose its IngressClass is; empty: not known."""
    rewrite: str = ""
    """What ingress-nginx asks a back end for instead; empty: for what it was asked."""
    patterns: bool = False
    """ingress-nginx takes all paths of the host for patterns then."""
    canary: Fraction | None = None
    """What ingress-nginx gives it of the requests for the same paths; None: it is no canary."""
    entry_points: tuple[str, ...] = ()
    """Of Traefik, at which alone it is served; empty: at all of them."""
    is_refused: bool = False
    """The API server does not take the Ingress."""
    origin: Origin


@record(kw_only=True)
class PublishedPort:
    """A port of a node that the machine around it publishes (kind's ``extraPortMappings``)."""

    number: int
    """At the node."""
    host_port: int
    """At the machine."""
    protocol: Protocol = Protocol.TCP
    node: str
    for_ingresses: bool
    """Whether it is an ingress controller's, mostly, which another input may hold."""
    origin: Origin


@record(kw_only=True)
class UnreadEndpoints:
    """Endpoints or an EndpointSlice of the input that no proxy reads for any Service."""

    kind: str
    namespace: str
    name: str
    service: str
    """``namespace/name`` of the Service that it names; an empty name: it names none."""
    ports: tuple[int, ...]
    origin: Origin


@record(kw_only=True)
class Workload:
    """What makes pods: Deployment, ReplicationController, StatefulSet and so on."""

    kind: str
    namespace: str
    name: str
    replicas: int | None
    """Wanted pods; None for a DaemonSet and a CronJob."""
    pods: tuple[str, ...] = ()
    """Keys of its pods in their order."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Its own, which no Service looks at."""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Those of its template."""
    lack: str = ""
    """Why it has fewer pods than it wants, where the API server or itself keeps some away."""
    refused: Lack | None = None
    """The same, where the template itself is what the API server does not take."""
    is_ordered: bool = False
    """It makes a pod when the one before it is ready."""
    origin: Origin


@record(kw_only=True)
class ProxyConfiguration:
    """KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): what decides about rules."""

    mode: str = settings.MODE.default
    hostname_override: str = settings.HOSTNAME_OVERRIDE.default
    """Where it is no Node's name; then no endpoint is on the node itself."""
    cluster_cidr: str = settings.CLUSTER_CIDR.default
    detect_local_mode: str = settings.DETECT_LOCAL_MODE.default
    """Empty means ClusterCIDR."""
    bridge_interface: str = settings.BRIDGE_INTERFACE.default
    interface_name_prefix: str = settings.INTERFACE_NAME_PREFIX.default
    masquerade_all: bool = settings.MASQUERADE_ALL.default
    masquerade_bit: int = settings.MASQUERADE_BIT.default
    localhost_node_ports: bool = settings.LOCALHOST_NODE_PORTS.default
    node_port_addresses: tuple[str, ...] = settings.NODE_PORT_ADDRESSES.default
    conntrack_tcp_be_liberal: bool = settings.CONNTRACK_TCP_BE_LIBERAL.default
    strict_arp: bool = settings.STRICT_ARP.default
    metrics_bind_address: str = settings.METRICS_BIND_ADDRESS.default
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)


@record(kw_only=True)
class NetworkPlugin:
    """A network plug-in that the input shows and no room imitates."""

    name: str
    """As its project writes it: ``Calico``."""
    origin: Origin
    """By what it is known."""
    by: str = ""
    """By what it moves packets where that is not Linux' own tables: ``eBPF``."""
    replaces: tuple[str, ...] = ()
    """What it does itself in place of others, in words: ``policies``."""
    replaces_proxy: Origin | None = None
    """Where it is written that it does kube-proxy's work; None: kube-proxy does it."""
    leaves_proxy: Origin | None = None
    """Where it is written that it does not."""
    closes_host_ports: Origin | None = None
    """Where it is written that neither it nor portmap opens hostPorts."""
    blocks_mean_nodes: bool = False
    """Whether it is told that address blocks of policies mean the cluster's nodes too."""


@record(kw_only=True)
class CalicoPool:
    """An IPPool of Calico, or one that it would make for itself."""

    name: str
    cidr: Prefix | None
    """None: nobody says it, and it is the range of the pods."""
    tunnel: str
    """What is put around packets between the nodes: ``IPIP``, ``VXLAN``; empty: nothing."""
    mode: str
    """Of the tunnel: ``Always`` or ``CrossSubnet``."""
    nat_outgoing: bool
    origin: Origin
    nat_origin: Origin
    """Where `nat_outgoing` is said, or where it is not."""
    closed: str = ""
    """What keeps it from giving addresses to pods; empty: nothing."""
    nodes: str = ""
    """Its nodeSelector, which says on which nodes; empty: on all."""
    nodes_origin: Origin | None = None
    """Where that is written, or what closes it."""

    @property
    def version(self) -> int:
        """Of IP."""
        return self.cidr.address.version if self.cidr is not None else 4


@record(kw_only=True)
class CalicoSettings:
    """What the input says to Calico in its own objects, and to its programs."""

    pools: tuple[CalicoPool, ...] = ()
    to_host: str
    """``accept``, ``drop`` or ``return``: what becomes of what a pod sends to its own node."""
    to_host_origin: Origin | None = None
    """None: nobody says it."""
    appends: bool = False
    """Felix puts its rules behind what is there (``chainInsertMode: Append``)."""
    policies: tuple[Remark, ...] = ()
    """What is not modelled of policies of its own: what is about hosts, and HTTP."""
    hosts: tuple[Remark, ...] = ()
    """Host endpoints, likewise."""
    remarks: tuple[Remark, ...] = ()
    """What else of it is not modelled."""


@record(kw_only=True)
class CniConfiguration:
    """A network configuration list: which plug-ins a runtime calls for each pod, with what."""

    name: str
    """``name`` of the network: names of chains are hashed from it."""
    plugins: tuple[Mapping[str, object], ...]
    """In the order in which they are called; each has a ``type``."""
    origin: Origin


@record(kw_only=True)
class PortUser:
    """An object that needs somebody to listen: on pods that it selects, or behind a Service."""

    who: str
    """``Gateway shop/entry``."""
    number: int
    """Of the pods, or of the Service."""
    selector: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    """Of the pods; empty: any."""
    service: str = ""
    """``namespace/name``; empty: `selector` counts."""
    of_all: bool = False
    """A Gateway of Istio's without a selector: every gateway is meant, and nobody else."""
    origin: Origin


@record(kw_only=True)
class Remark:
    """What a control plane would tell its user in an event: nothing is left out in silence."""

    text: str
    origin: Origin


@record(kw_only=True)
class GatewayAddress:
    """An address that the status of a Gateway (Gateway API) names."""

    key: str
    """``namespace/name``."""
    ports: Mapping[int, Lack | None]
    """Of its listeners: why nobody is behind one; None: some route is."""
    origin: Origin


@record(kw_only=True)
class Corefile:
    """What cluster DNS was told (`k8stui.cluster.corefile`)."""

    ports: tuple[int, ...]
    zones: tuple[str, ...]
    """Of the plugin kubernetes, those that turn addresses into names aside; empty: not known."""
    serves_services: bool
    """Whether there is that plugin at all."""
    upstreams: Mapping[str, tuple[tuple[Address, ...], Origin]] = field(default_factory=dict)
    """By zone, whom it asks what it does not know itself, those that are addresses."""
    asks_others: bool = True
    """Whether anything in it answers for names that are no Services' (forward, template, file)."""
    ends_in_loops: bool = False
    """Whether the plugin loop ends CoreDNS that is asked by itself."""
    rewrites: Mapping[str, tuple[str, Origin]] = field(default_factory=dict)
    """Names that it takes for others (plugin rewrite, exact), and where that is written."""
    hosts: Mapping[str, tuple[Address, Origin]] = field(default_factory=dict)
    """Names to which its plugin hosts gives an address."""
    closed: Mapping[str, Origin | None] = field(default_factory=dict)
    """Its zones, and where hosts answers for every name of one, also for those it has not."""
    ports_origin: Origin
    zones_origin: Origin


@record(kw_only=True, weakref_slot=True)
class Cluster:
    """Everything, indexed the way the other rooms look it up. Mappings keep a stable order.

    Can be weakly referenced: what is derived from a cluster (an index) lives as long as it does.
    """

    nodes: Mapping[str, Node]
    pods: Mapping[str, Pod]
    """By ``namespace/name``."""
    services: Mapping[str, Service]
    """By ``namespace/name``."""
    endpoint_slices: Mapping[str, tuple[EndpointSlice, ...]]
    """By the Service's ``namespace/name``."""
    workloads: tuple[Workload, ...]
    proxy: ProxyConfiguration
    pod_cidr: Prefix
    service_cidr: Prefix
    cluster_domain: str = "cluster.local"
    """The zone that cluster DNS serves."""
    pod_domain: str = "cluster.local"
    """The domain of the pods' search lists: the kubelet's ``clusterDomain``."""
    corefile: Corefile | None = None
    """What cluster DNS itself was told, where the input says it."""
    kubelet_dns: tuple[Address, ...] = ()
    """``clusterDNS``, which the kubelet writes into each pod's resolv.conf; empty: not known."""
    distribution: Distribution | None = None
    """What it was set up with; None: a cluster that was not built from any input."""
    flannel: Mapping[str, object] | None = None
    """flannel's net-conf.json, where the input has it."""
    cni_configurations: tuple[CniConfiguration, ...] = ()
    """Those of the input's files and ConfigMaps, in their order."""
    docker: Mapping[str, object] | None = None
    """dockerd's options by a daemon.json of the input."""
    pod_cidrs: tuple[Prefix, ...] = ()
    """One a family; the first is `pod_cidr`."""
    service_cidrs: tuple[Prefix, ...] = ()
    """One a family; the first is `service_cidr`."""
    service_ranges: Mapping[Prefix, Origin] = field(default_factory=dict)
    """Those of ServiceCIDR objects, the input's and the one that an API server makes itself."""
    blocks_spare: frozenset[str] = frozenset()
    """Whom the address blocks of policies never mean, as their engine has it: pods, nodes."""
    network_plugins: tuple[NetworkPlugin, ...] = ()
    """Those of the input that show themselves (`k8stui.cluster.networks.network_plugins`)."""
    announced: Mapping[Address, Announced] = field(default_factory=dict)
    """By address of a load balancer: who announces it, where the input shows that."""
    unannounced: Mapping[Address, Lack] = field(default_factory=dict)
    """By address of a load balancer: why nobody announces it."""
    rivals: tuple[Lack, ...] = ()
    """Who else answers for those that MetalLB announces, or gives others."""
    unbalanced: Mapping[str, Lack] = field(default_factory=dict)
    """By ``namespace/name`` of a Service: why its load balancer gets no address."""
    vacant: Mapping[Prefix, Lack] = field(default_factory=dict)
    """Of MetalLB's pools: why nobody answers for an address there that no Service has."""
    calico: CalicoSettings | None = None
    hosts: Mapping[str, OutsideHost] = field(default_factory=dict)
    """Hosts outside of the cluster that the user named."""
    unread_endpoints: tuple[UnreadEndpoints, ...] = ()
    policies: tuple[NetworkPolicy, ...] = ()
    cluster_policies: tuple[ClusterPolicy, ...] = ()
    """Of the tiers above and below them, in the order in which they are asked."""
    calico_policies: tuple[CalicoPolicy, ...] = ()
    network_sets: tuple[NetworkSet, ...] = ()
    account_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of ServiceAccounts, by ``namespace/name``; where Calico's policies may ask for them."""
    entrances: tuple[Entrance, ...] = ()
    gateway_addresses: Mapping[Address, GatewayAddress] = field(default_factory=dict)
    unserved: Mapping[str, Lack] = field(default_factory=dict)
    """By ``KIND namespace/name`` of an Ingress or of a route: why it is not served."""
    mesh_routes: Mapping[str, tuple[EntrancePath, ...]] = field(default_factory=dict)
    """Where sidecars lead who asks a Service, by its ``namespace/name`` (VirtualServices)."""
    unheeded_routes: Mapping[str, Lack] = field(default_factory=dict)
    """Likewise, of those that are for gateways alone: why no sidecar heeds them."""
    meshes: Meshes = Meshes()
    """What the input tells Istio and Linkerd."""
    published: tuple[PublishedPort, ...] = ()
    namespace_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the Namespaces that the input holds."""
    refused: Mapping[str, Problem] = field(default_factory=dict)
    """Objects of the input that the API server refuses, ``Service default/web``: why."""
    refused_node_ports: Mapping[int, str] = field(default_factory=dict)
    """Which Service of those, ``namespace/name``, was to have a node port."""
    config_maps: Mapping[str, ConfigMap] = field(default_factory=dict)
    """By ``namespace/name``."""
    port_users: tuple[PortUser, ...] = ()
    """Gateways, webhooks and APIServices: they tell where pods listen."""
    remarks: tuple[Remark, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Origins of pod_cidr, service_cidr, flannel, kubelet_dns, pod_domain, cluster_domain."""

    @property
    def all_policies(self) -> tuple[Policy, ...]:
        """Of every tier."""
        return (*self.policies, *self.cluster_policies, *self.calico_policies)
