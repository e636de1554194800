"""The nameservers in a pod's resolv.conf, where one of them is known to be nobody's.

Sources: pkg/kubelet/network/dns/dns.go (GetPodDNS: clusterDNS of the kubelet's configuration, or
dnsConfig with dnsPolicy None), resolv.conf(5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from k8stui.apiserver.fields import text, texts
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.configurations import embedded_in
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Cluster, Container, Corefile, Lack, Pod, Service, ServiceType
from k8stui.cluster.names import DNS_PORT, DNS_SERVICE, dns_port, rewritten, uses_cluster_dns
from k8stui.kernel.address import Address, Prefix, is_loopback
from k8stui.kernel.derived import Derived
from k8stui.origin import Origin, OriginKind
from k8stui.record import record


@record()
class LostServer:
    """A nameserver of the Services' range that is the address of no DNS Service."""

    address: Address
    dns: Service
    """Where cluster DNS is."""
    by_kubelet: bool
    """The kubelet writes it into every pod; else the pod has it in its own dnsConfig."""
    origin: Origin

    @property
    def right(self) -> Address:
        """The address that was meant."""
        return self.dns.cluster_ips[0]


@record()
class Told:
    """What the kubelets write into each pod's resolv.conf."""

    servers: tuple[Address, ...] = ()
    servers_origin: Origin | None = None
    domain: str = ""
    domain_origin: Origin | None = None


def told_by_kubelet(inventory: Inventory) -> Told:
    """``clusterDNS`` and ``clusterDomain`` of the first KubeletConfiguration that has them.

    It stands alone (/var/lib/kubelet/config.yaml) or in a ConfigMap, as kubeadm keeps it.
    """
    found = Told()
    for one in (
        *inventory.of("KubeletConfiguration").values(),
        *embedded_in(inventory, "KubeletConfiguration"),
    ):
        given = addresses(tuple(texts(one.data, "clusterDNS")))
        if given and not found.servers:
            found = replace(found, servers=given, servers_origin=one.origin("clusterDNS"))
        domain = text(one.data, "clusterDomain").strip(".").lower()
        if domain and not found.domain:
            found = replace(found, domain=domain, domain_origin=one.origin("clusterDomain"))
    return found


def unserved(cluster: Cluster) -> Lack | None:
    """What the Corefile of cluster DNS leaves out; None where nothing says so."""
    dns, told = cluster.services.get(DNS_SERVICE), cluster.corefile
    problem = cluster.refused.get(f"Service {DNS_SERVICE}")
    if dns is None and problem is not None:
        return Lack(
            problem.message,
            "let kube-dns have the address that the kubelets write into every pod (clusterDNS): "
            "where another Service has taken it, delete that one and make it again after kube-dns",
            Origin(kind=OriginKind.DECLARED, place=problem),
        )
    port = dns_port(dns) if dns is not None else None
    if dns is not None and port is None and any(one.port == DNS_PORT for one in dns.ports):
        return Lack(
            f"Service {dns.name} has no port {DNS_PORT}/UDP, by which every resolver asks first",
            f"add a port {DNS_PORT} with protocol: UDP to Service {dns.name}",
            dns.origins.get("ports", dns.origin),
        )
    closed = kept_back(cluster, cluster.cluster_domain)
    if closed is not None:
        return closed
    if dns is None or port is None:
        return None
    if told is None:
        return _taken_by_caches(cluster, dns)
    led = dns_pods_ports(cluster)
    if led and not led & set(told.ports):
        listens, leads = told.ports[0], next(iter(led))
        return Lack(
            f"CoreDNS listens on port {listens} (Corefile), Service {dns.name} leads to {leads}",
            f"write targetPort: {listens} into Service {dns.name}, or .:{leads} into the Corefile",
            told.ports_origin,
        )
    if not told.serves_services:
        return Lack(
            "the Corefile of cluster DNS has no plugin kubernetes, which knows the Services",
            f"write kubernetes {cluster.pod_domain} in-addr.arpa ip6.arpa into its block",
            told.ports_origin,
        )
    return _asks_itself(dns, told) or _taken_by_caches(cluster, dns)


def dns_pods_ports(cluster: Cluster) -> set[int]:
    """Where cluster DNS leads a question by UDP, as policies see it too; empty: not known."""
    dns = cluster.services.get(DNS_SERVICE)
    port = dns_port(dns) if dns is not None else None
    return {
        one.port
        for each in cluster.endpoint_slices.get(DNS_SERVICE, ())
        for one in each.ports or ()
        if port is not None and one.name == port.name
    }


def kept_back(cluster: Cluster, name: str) -> Lack | None:
    """Cluster DNS answers itself that there is no such name, and asks nobody who may know it."""
    closed = cluster.corefile.closed if cluster.corefile is not None else {}
    name = rewritten(cluster, name.rstrip(".").lower())[0]
    labels = name.split(".")
    zone = _longest(labels, closed)
    origin = closed.get(zone) if zone is not None else None
    told, domain = cluster.corefile, cluster.cluster_domain
    inside = f".{name}".endswith(f".{domain}")
    if origin is None and told is not None and not told.asks_others and not inside:
        return Lack(
            "the Corefile of cluster DNS has no plugin forward: of a name that is none of the "
            "cluster's it asks nobody",
            "write forward . /etc/resolv.conf into its block (or the name servers' addresses)",
            told.ports_origin,
        )
    if origin is None:
        return None if inside or told is None else _asked_in_vain(cluster, told, labels)
    return Lack(
        "the plugin hosts of the Corefile has no fallthrough: it answers itself for every name of "
        f"{zone or 'every zone'}, and those that it has not do not exist (NXDOMAIN)",
        "write fallthrough as the last line of its block: what it has not, the other plugins are "
        "asked for",
        origin,
    )


def stub_zone(cluster: Cluster, name: str) -> str:
    """The zone of which another name server is asked by name; empty: none."""
    told = cluster.corefile.upstreams if cluster.corefile is not None else {}
    return _longest(name.rstrip(".").lower().split("."), told) or ""


def _longest(labels: Sequence[str], zones: Collection[str]) -> str | None:
    ends = (".".join(labels[n:]) for n in range(len(labels) + 1))
    return next((one for one in ends if one in zones), None)


def _asked_in_vain(cluster: Cluster, told: Corefile, labels: Sequence[str]) -> Lack | None:
    """Upstreams that are addresses of the Services' range which no Service has (any more)."""
    zone = _longest(labels, told.upstreams)
    servers, origin = told.upstreams[zone] if zone is not None else ((), told.ports_origin)
    own = {address for one in cluster.services.values() for address in one.cluster_ips}
    ranges = cluster.service_cidrs or (cluster.service_cidr,)
    if not servers or any(a in own or not any(a in r for r in ranges) for a in servers):
        return None
    others = (s for s in cluster.services.values() if dns_port(s) and s.key != DNS_SERVICE)
    meant = next((s for s in others if s.cluster_ips), None)
    right = f"forward . {meant.cluster_ips[0]} (Service {meant.key})" if meant else "its address"
    return Lack(
        f"the Corefile asks {servers[0]} for names of {zone or 'every zone'}, an address of the "
        "Services' range that no Service has",
        f"write {right}, and give that Service a fixed clusterIP",
        origin,
    )


def _asks_itself(dns: Service, told: Corefile) -> Lack | None:
    """CoreDNS is its own upstream: the plugin loop ends it (coredns plugin/loop README)."""
    asked, origin = told.upstreams.get("", ((), told.ports_origin))
    itself = [one for one in asked if one in dns.cluster_ips or is_loopback(one)]
    if not itself or not told.ends_in_loops:
        return None
    return Lack(
        f"the Corefile forwards what cluster DNS does not know to {itself[0]}, which is cluster "
        "DNS itself: the plugin loop sees that and ends CoreDNS (CrashLoopBackOff)",
        "forward to the name servers of the nodes' network (forward . /etc/resolv.conf where the "
        "nodes' own names them, and no 127.0.0.53: --resolv-conf of the kubelet)",
        origin,
    )


def _taken_by_caches(cluster: Cluster, dns: Service) -> Lack | None:
    """NodeLocal DNS at cluster DNS' own address, which in mode ipvs is kube-ipvs0's.

    kubernetes.io docs, "Using NodeLocal DNSCache": then it may listen at its own address alone.
    """
    taken = [pod for pod, own in _cache_pods(cluster) if any(a in own for a in dns.cluster_ips)]
    if cluster.proxy.mode != "ipvs" or not taken or cluster.kubelet_dns[:1] not in (
        (), dns.cluster_ips[:1]
    ):  # fmt: skip
        return None
    return Lack(
        f"NodeLocal DNS (pod {taken[0].key}) takes {dns.cluster_ips[0]}, cluster DNS' own address, "
        "and takes what is for it out of conntrack; in mode ipvs kube-proxy has that address on "
        "kube-ipvs0 and needs conntrack: the answers are lost",
        "leave 169.254.20.10 alone in -localip, and write clusterDNS: [169.254.20.10] into the "
        "kubelets' configuration (pods made after that ask there)",
        taken[0].origin,
    )


def other_domain(cluster: Cluster) -> Lack | None:
    """The pods' search list is of another domain than the one that cluster DNS serves."""
    has, serves = cluster.pod_domain, cluster.cluster_domain
    if has == serves:
        return None
    by_kubelet = "pod_domain" in cluster.origins
    whose = "the kubelet's clusterDomain is" if by_kubelet else "the cluster's dnsDomain is"
    return Lack(
        f"{whose} {has}, which every pod has in its search list, and cluster DNS serves {serves}",
        f"write clusterDomain: {serves} into the kubelets' configuration (and make the pods anew), "
        f"or kubernetes {has} into the Corefile of cluster DNS",
        cluster.origins.get("pod_domain") or cluster.origins["cluster_domain"],
    )


def lost_server(cluster: Cluster, pod: Pod) -> LostServer | None:
    """What the pod asks in vain; None where somebody answers, or nobody can know."""
    dns = cluster.services.get(DNS_SERVICE)
    if dns is None or not dns.cluster_ips:
        return None
    if dns.origins.get("cluster_ips", dns.origin).kind is OriginKind.ASSUMED:
        return None
    own = pod.dns_config.nameservers if pod.dns_config is not None else ()
    by_kubelet = pod.dns_policy != "None"
    given, origin = own, pod.origins.get("dns_config", pod.origin)
    if by_kubelet:
        if not cluster.kubelet_dns or not uses_cluster_dns(cluster, pod):
            return None
        given, origin = (*cluster.kubelet_dns, *own), cluster.origins["kubelet_dns"]
    ranges = cluster.service_cidrs or (cluster.service_cidr,)
    answering = _answering.of(cluster)
    # What the kubelets of a cluster with name servers of its own name must be one of those.
    known = by_kubelet and _all_is_there(cluster)
    if not given or not all(
        one not in answering and (known or any(one in cidr for cidr in ranges)) for one in given
    ):
        return None
    return LostServer(given[0], dns, by_kubelet, origin)


def resolvers(cluster: Cluster, pod: Pod) -> tuple[Address, ...]:
    """What its resolv.conf names; none where that is the node's (kubelet network/dns/dns.go)."""
    own = pod.dns_config.nameservers if pod.dns_config is not None else ()
    if pod.dns_policy == "None" or not uses_cluster_dns(cluster, pod):
        return own
    dns = cluster.services.get(DNS_SERVICE)
    return (*(cluster.kubelet_dns or (dns.cluster_ips if dns is not None else ())), *own)


def local_cache(cluster: Cluster, pod: Pod) -> Address | None:
    """The address of NodeLocal DNS on the pod's own node, where that is what the pod asks."""
    if pod.host_network or not uses_cluster_dns(cluster, pod):
        return None
    asked = resolvers(cluster, pod)
    here = _caches.of(cluster).get(pod.node_name or "", frozenset())
    return asked[0] if asked and asked[0] in here else None


def _find_caches(cluster: Cluster) -> Mapping[str, frozenset[Address]]:
    """By node: the addresses of its cache."""
    return {pod.node_name or "": own for pod, own in _cache_pods(cluster)}


def unfilled_caches(cluster: Cluster) -> Iterator[tuple[Pod, str]]:
    """Caches whose ``-localip`` holds no address, with what it holds: they end at once."""
    for pod in cluster.pods.values():
        for one in pod.containers if pod.host_network else ():
            told = _local_ip(one)
            if told and not addresses(tuple(told.split(","))):
                yield pod, told


def _local_ip(container: Container) -> str:
    """As kubernetes/dns cmd/node-cache/main.go is told; empty: it is no cache."""
    if "node-cache" not in container.image:
        return ""
    words = " ".join(container.spoken).replace("=", " ").split()
    return next((v for k, v in pairwise(words) if k.lstrip("-") == "localip"), "")


def _cache_pods(cluster: Cluster) -> Iterator[tuple[Pod, frozenset[Address]]]:
    """With their addresses."""
    for pod in cluster.pods.values():
        for one in pod.containers if pod.host_network and pod.node_name else ():
            if "node-cache" in one.image:
                yield pod, frozenset(addresses(tuple(_local_ip(one).split(","))))


LINK_LOCAL = Prefix.parse("169.254.0.0/16")
"""Where NodeLocal DNS has its address (169.254.20.10)."""


def _all_is_there(cluster: Cluster) -> bool:
    """Whether the input holds the pods of cluster DNS, and no cache on the nodes."""
    dns = cluster.services.get(DNS_SERVICE)
    if dns is None or not dns.selector:
        return False
    wanted = dns.selector.items()
    system = [pod for pod in cluster.pods.values() if pod.namespace == dns.namespace]
    cached = any("node-cache" in one.image for pod in system for one in pod.containers)
    return not cached and any(wanted <= pod.labels.items() for pod in system)


def _name_servers(cluster: Cluster) -> frozenset[Address]:
    """Addresses of Services with port 53, and of nodes and pods: one may be a name server."""
    services = (
        address
        for service in cluster.services.values()
        if service.type is not ServiceType.EXTERNAL_NAME and dns_port(service) is not None
        for address in (*service.cluster_ips, *service.external_ips)
    )
    nodes = (address for node in cluster.nodes.values() for address in node.addresses)
    pods = (address for pod in cluster.pods.values() for address in pod.addresses)
    return frozenset((*services, *nodes, *pods))


# Asked for each pod that asks by name.
_caches: Derived[Cluster, Mapping[str, frozenset[Address]]] = Derived(_find_caches)
_answering: Derived[Cluster, frozenset[Address]] = Derived(_name_servers)
