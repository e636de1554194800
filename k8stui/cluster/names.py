"""Cluster DNS as a pod sees it.

Sources: the Kubernetes DNS specification 1.1.0, CoreDNS plugin/kubernetes, pkg/kubelet/network/dns
(search list, ndots), resolv.conf(5); docs/facts/control-plane.md section 9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from k8stui.cluster.environment import service_environment
from k8stui.cluster.model import Cluster, Endpoint, Lack, Pod, Service, ServicePort, ServiceType
from k8stui.cluster.wildcards import answered
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.suggest import is_typo

__all__ = [
    "Resolution",
    "ResolutionKind",
    "candidates",
    "circle",
    "is_address",
    "is_public",
    "resolve",
    "search_list",
    "service_environment",
    "silent_dns",
    "taken_by_search",
    "unsure_tries",
    "uses_cluster_dns",
]

NDOTS = 5
"""What the kubelet writes for pods that use cluster DNS."""
_USUAL_NDOTS = 1
_ALPINE = re.compile(r"(?:^|/)alpine(?::|@|$)|:[\w.-]*alpine")
DNS_SERVICE = "kube-system/kube-dns"
DNS_LABELS = {"k8s-app": "kube-dns"}
"""What the pods of cluster DNS carry, whoever installed them."""
DNS_PORT = 53
_MAX_ALIASES = 8
_ORDINAL = re.compile(r"-\d+$")


class ResolutionKind(StrEnum):
    """What a name turned out to be."""

    ADDRESS = "address"
    """It is an address already."""
    CLUSTER_IP = "cluster IP"
    HEADLESS = "headless"
    """The addresses of the endpoints themselves."""
    ENDPOINT = "endpoint"
    """One endpoint by its hostname, or by its address with dashes."""
    POD = "pod"
    """``10-244-1-2.NAMESPACE.pod.cluster.local``: made of the name, not looked up."""
    HOSTS = "hosts"
    """A line of the pod's own /etc/hosts (hostAliases): DNS is not asked."""
    COREFILE = "corefile"
    """A line of the plugin hosts of cluster DNS."""
    WILDCARD = "wildcard"
    """A name of the public DNS that says its address itself (nip.io)."""
    EXTERNAL = "external"
    """An ExternalName Service: a CNAME to a name outside the cluster, which is not followed."""
    OUTSIDE = "outside"
    """A name that cluster DNS hands on to the node's resolver."""
    UNKNOWN = "unknown"
    """No such name."""


@record(kw_only=True)
class Resolution:
    """How a name was resolved, or why it was not."""

    name: str
    """As asked for."""
    kind: ResolutionKind
    addresses: tuple[Address, ...] = ()
    """In the order of the families, for a headless Service of the endpoints."""
    fqdn: str = ""
    """The full name that was answered, without the final dot."""
    service: str | None = None
    """``namespace/name`` of the Service behind it."""
    cname: str = ""
    """Where an ExternalName points."""
    tried: tuple[str, ...] = ()
    """Full names in the order in which they were asked; the last one was answered, if any."""
    reason: str = ""
    """Why there is no address."""
    origin: Origin | None = None
    """Of the fact that decided: the Service's clusterIP, its selector, its externalName."""

    @property
    def is_resolved(self) -> bool:
        return bool(self.addresses)


def resolve(cluster: Cluster, name: str, from_pod: Pod | None) -> Resolution:
    """Resolve `name` as the container of `from_pod` would; None: as cluster DNS is asked directly.

    Without a pod the search list is that of the namespace ``default``.
    """
    literal = name.strip("[]")
    if is_address(literal):
        address = Address.parse(literal)
        return Resolution(name=name, kind=ResolutionKind.ADDRESS, addresses=(address,))
    for address, hosts in from_pod.host_aliases if from_pod is not None else ():
        if name.rstrip(".") in hosts:
            return Resolution(
                name=name,
                kind=ResolutionKind.HOSTS,
                addresses=(address,),
                origin=from_pod.origins.get("host_aliases") if from_pod is not None else None,
            )
    if from_pod is not None and not uses_cluster_dns(cluster, from_pod):
        return _by_node(cluster, name, from_pod)
    tried: list[str] = []
    empty: Resolution | None = None
    for candidate in candidates(cluster, name, from_pod):
        tried.append(candidate)
        found = _lookup(cluster, rewritten(cluster, candidate)[0], name)
        if found is None:
            continue
        if found.addresses or found.kind is not ResolutionKind.UNKNOWN:
            return replace(found, tried=tuple(tried))
        # The name exists but has no address: the resolver goes on, as after NXDOMAIN.
        empty = empty or found
    if empty is not None and not is_public(cluster, name):
        return replace(empty, tried=tuple(tried))
    to, origin = rewritten(cluster, name.rstrip("."))
    if origin is not None and to.endswith(f".{cluster.cluster_domain}"):
        return Resolution(
            name=name,
            kind=ResolutionKind.UNKNOWN,
            tried=tuple(tried),
            reason=f"cluster DNS rewrites {name} to {to}, and there is no such name",
            origin=origin,
        )
    if _may_be_outside(cluster, name.rstrip(".")):
        return Resolution(
            name=name,
            kind=ResolutionKind.OUTSIDE,
            fqdn=name.rstrip("."),
            tried=tuple(tried),
            reason=f"{name} is no name of this cluster; the node's resolver would be asked",
        )
    return Resolution(
        name=name,
        kind=ResolutionKind.UNKNOWN,
        tried=tuple(tried),
        reason=_why_not(cluster, name, from_pod),
    )


def rewritten(cluster: Cluster, fqdn: str) -> tuple[str, Origin | None]:
    """The name that cluster DNS looks for in its place, and where its Corefile says so."""
    told = cluster.corefile.rewrites if cluster.corefile is not None else {}
    return told.get(fqdn, (fqdn, None))


def uses_cluster_dns(cluster: Cluster, pod: Pod) -> bool:
    """Whether the pod's resolv.conf names cluster DNS.

    On the node's network the policy ClusterFirst means Default (kubelet/network/dns/dns.go
    getPodDNSType). With None it is cluster DNS when a nameserver is some Service's clusterIP.
    """
    if pod.dns_policy == "None":
        given = pod.dns_config.nameservers if pod.dns_config else ()
        return any(
            address in cidr
            for address in given
            for cidr in cluster.service_cidrs or (cluster.service_cidr,)
        )
    if pod.dns_policy == "ClusterFirst":
        return not pod.host_network
    return pod.dns_policy == "ClusterFirstWithHostNet"


def silent_dns(cluster: Cluster) -> Service | None:
    """The Service of cluster DNS, where its pods are known and none of them is ready.

    Where the input has none of its pods it is taken to answer: a dump may leave them out.
    """
    service = cluster.services.get(DNS_SERVICE)
    if service is None or not service.selector:
        return None
    port = dns_port(service)
    if any(
        endpoint.ready
        for each in cluster.endpoint_slices.get(service.key, ())
        for endpoint in each.endpoints
        if port is None or any(one.name == port.name for one in each.ports or ())
    ):
        return None
    wanted = service.selector.items()
    known = any(
        pod.namespace == service.namespace
        and (
            pod.labels.items() >= wanted
            or pod.labels.items() >= DNS_LABELS.items()
            or (not pod.host_network and _answers(pod))
        )
        for pod in cluster.pods.values()
    )
    known = known or any(
        one.namespace == service.namespace and wanted <= one.pod_labels.items()
        for one in cluster.workloads
        if not one.pods
    )
    return service if known else None


def _answers(pod: Pod) -> bool:
    """Whether it declares the port of name servers: CoreDNS, whatever its labels are."""
    return any(
        (port.number, port.protocol) == (DNS_PORT, Protocol.UDP)
        for container in pod.containers
        for port in container.ports
    )


def dns_port(service: Service) -> ServicePort | None:
    """The port at which a Service answers questions; None: it is no name server."""
    ports = (p for p in service.ports if p.port == DNS_PORT and p.protocol is Protocol.UDP)
    return next(ports, None)


def search_list(cluster: Cluster, pod: Pod | None) -> tuple[str, ...]:
    """The search list of the pod's resolv.conf, without what the node's own adds.

    Source: kubelet/network/dns/dns.go generateSearchesForDNSClusterFirst, appendDNSConfig. None:
    as of a pod in the namespace ``default``.
    """
    domain = cluster.pod_domain
    own = pod.dns_config.searches if pod and pod.dns_config else ()
    if pod is not None and pod.dns_policy == "None":
        return own
    namespace = pod.namespace if pod else "default"
    return tuple(dict.fromkeys((f"{namespace}.svc.{domain}", f"svc.{domain}", domain, *own)))


def ndots(pod: Pod | None) -> int:
    """A name with fewer dots is looked up through the search list first (resolv.conf(5))."""
    if pod is not None and pod.dns_config and pod.dns_config.ndots is not None:
        return pod.dns_config.ndots
    return _USUAL_NDOTS if pod is not None and pod.dns_policy == "None" else NDOTS


def candidates(cluster: Cluster, name: str, from_pod: Pod | None) -> Iterator[str]:
    """Full names in the order in which the resolver asks for them (resolv.conf(5), ndots)."""
    if name.endswith("."):
        yield name.rstrip(".")
        return
    as_it_is_first = name.count(".") >= ndots(from_pod)
    if as_it_is_first:
        yield name
    if as_it_is_first and from_pod is not None and has_musl(from_pod):
        return
    for suffix in search_list(cluster, from_pod):
        yield f"{name}.{suffix.rstrip('.')}" if suffix.rstrip(".") else name
    if not as_it_is_first:
        yield name


def unsure_tries(cluster: Cluster, found: Resolution) -> Iterator[tuple[str, str]]:
    """Names that were asked before the answer, in a zone of others that may answer for every name.

    Each with that zone: a domain of dnsConfig.searches, whose names only its own servers know.
    """
    zone = f".{cluster.cluster_domain}"
    for name in found.tried:
        if name.rstrip(".") == found.fqdn:
            return
        beyond = name.removeprefix(f"{found.name}.")
        if beyond != name and not f".{beyond}".endswith(zone):
            yield name, beyond


def taken_by_search(cluster: Cluster, pod: Pod | None, host: str) -> Lack | None:
    """A zone of dnsConfig.searches that answers for every name took that of `host`.

    Those are asked first for whatever has fewer dots than ndots.
    """
    config = pod.dns_config if pod is not None else None
    if pod is None or config is None or not config.searches:
        return None
    found = resolve(cluster, host, pod)
    origin = pod.origins.get("dns_config", pod.origin)
    if found.kind is not ResolutionKind.WILDCARD or found.fqdn == host.rstrip("."):
        return None
    zone = found.fqdn.removeprefix(f"{host}.")
    return Lack(
        f"{host} has fewer than {ndots(pod)} dots, so {zone} of dnsConfig.searches is asked before "
        f"it, which answers for every name: {found.addresses[0]}",
        f"take {zone} out of dnsConfig.searches, or end the name in a dot",
        origin,
    )


def has_musl(pod: Pod) -> bool:
    """Whether its programs ask by musl's resolver: a name with ndots dots is asked as it is alone.

    Source: musl src/network/lookup_name.c (name_from_dns_search). Known by Alpine's images.
    """
    images = [one.image for one in pod.containers if not one.init]
    return bool(images) and all(_ALPINE.search(image) is not None for image in images)


def _by_node(cluster: Cluster, name: str, pod: Pod) -> Resolution:
    why = (
        "hostNetwork with dnsPolicy ClusterFirst uses the node's resolver"
        if pod.host_network and pod.dns_policy == "ClusterFirst"
        else f"dnsPolicy {pod.dns_policy} does not use cluster DNS"
    )
    bare = name.rstrip(".")
    if (public := _wildcard(bare, name)) is not None:
        return replace(public, tried=(bare,))
    inside = bare.endswith(f".{cluster.cluster_domain}") or "." not in bare
    return Resolution(
        name=name,
        kind=ResolutionKind.UNKNOWN if inside else ResolutionKind.OUTSIDE,
        tried=(bare,),
        reason=f"{why}: names of Services do not resolve there",
        origin=pod.origins.get("dns_policy", pod.origin),
    )


def _lookup(cluster: Cluster, fqdn: str, asked: str, hops: int = _MAX_ALIASES) -> Resolution | None:
    """One question to cluster DNS; None: NXDOMAIN or not its zone."""
    told = cluster.corefile.hosts.get(fqdn) if cluster.corefile is not None else None
    if told is not None:
        address, origin = told
        kind = ResolutionKind.COREFILE
        return Resolution(name=asked, kind=kind, addresses=(address,), fqdn=fqdn, origin=origin)
    zone = f".{cluster.cluster_domain}"
    if not fqdn.endswith(zone):
        return _wildcard(fqdn, asked)
    labels = fqdn.removesuffix(zone).lower().split(".")
    match labels:
        case [dashed, namespace, "pod"]:
            return _pod(cluster, dashed, namespace, fqdn, asked)
        case [service, namespace, "svc"]:
            found = cluster.services.get(f"{namespace}/{service}")
            return None if found is None else _service(cluster, found, fqdn, asked, hops)
        case [host, service, namespace, "svc"]:
            found = cluster.services.get(f"{namespace}/{service}")
            return None if found is None else _endpoint(cluster, found, host, fqdn, asked)
        case _:
            return None


def _wildcard(fqdn: str, asked: str) -> Resolution | None:
    address = answered(fqdn)
    kind = ResolutionKind.WILDCARD
    return Resolution(name=asked, kind=kind, addresses=(address,), fqdn=fqdn) if address else None


def _pod(cluster: Cluster, dashed: str, namespace: str, fqdn: str, asked: str) -> Resolution | None:
    """``pods insecure``: the address is read from the name, whether a pod has it or not."""
    for text in (dashed.replace("-", "."), dashed.replace("-", ":")):
        try:
            address = Address.parse(text)
        except ValueError:
            continue
        if not any(pod.namespace == namespace for pod in cluster.pods.values()):
            return None
        return Resolution(name=asked, kind=ResolutionKind.POD, addresses=(address,), fqdn=fqdn)
    return None


def _service(cluster: Cluster, service: Service, fqdn: str, asked: str, hops: int) -> Resolution:
    if service.type is ServiceType.EXTERNAL_NAME:
        return _alias(cluster, service, fqdn, asked, hops)
    if not service.headless:
        return Resolution(
            name=asked,
            kind=ResolutionKind.CLUSTER_IP,
            addresses=service.cluster_ips,
            fqdn=fqdn,
            service=service.key,
            reason="" if service.cluster_ips else f"{service.key} has no clusterIP",
            origin=service.origins.get("cluster_ips", service.origin),
        )
    members = [endpoint for endpoint in _endpoints(cluster, service) if endpoint.ready]
    addresses = tuple(dict.fromkeys(a for endpoint in members for a in endpoint.addresses))
    return Resolution(
        name=asked,
        # An empty answer is none: the resolver goes on, and ends with "no such name".
        kind=ResolutionKind.HEADLESS if addresses else ResolutionKind.UNKNOWN,
        addresses=addresses,
        fqdn=fqdn,
        service=service.key,
        reason="" if addresses else f"{service.key} is headless and has no ready endpoint",
        origin=service.origins.get("headless", service.origin),
    )


def _alias(cluster: Cluster, service: Service, fqdn: str, asked: str, hops: int) -> Resolution:
    """Follow a CNAME while it stays inside the cluster."""
    target = service.external_name.rstrip(".")
    found = _lookup(cluster, target, asked, hops - 1) if hops else None
    if found is not None:
        return replace(found, fqdn=fqdn, cname=service.external_name)
    inside = target.endswith(f".{cluster.cluster_domain}")
    reason = f"{service.key} is an alias of {target}, "
    if is_address(target):
        reason += "an address: no resolver takes an alias for one"
    elif round_ := circle(cluster, service):
        reason += f"and the aliases go in a circle: {' → '.join(round_)}"
    else:
        reason += "which is no name of the cluster" if inside else "a name outside the cluster"
    return Resolution(
        name=asked,
        kind=ResolutionKind.UNKNOWN if inside or is_address(target) else ResolutionKind.EXTERNAL,
        fqdn=fqdn,
        service=service.key,
        cname=service.external_name,
        reason=reason,
        origin=service.origins.get("external_name", service.origin),
    )


_LONGEST_CIRCLE = 64
"""Aliases that are followed from one: who follows them asks for each by itself."""


def circle(cluster: Cluster, service: Service) -> tuple[str, ...]:
    """The names of the aliases that lead from one to the next and back; () where they end."""
    zone = f".svc.{cluster.cluster_domain}"
    met: dict[str, None] = {}
    while service.type is ServiceType.EXTERNAL_NAME and len(met) < _LONGEST_CIRCLE:
        if service.key in met:
            names = list(met)
            return (*names[names.index(service.key) :], service.key)
        met[service.key] = None
        target = service.external_name.rstrip(".").lower()
        name, _, namespace = target.removesuffix(zone).partition(".")
        behind = cluster.services.get(f"{namespace}/{name}") if target.endswith(zone) else None
        if behind is None:
            return ()
        service = behind
    return ()


def is_address(text: str) -> bool:
    """Whether it is no name at all."""
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


def _endpoint(
    cluster: Cluster, service: Service, host: str, fqdn: str, asked: str
) -> Resolution | None:
    """``db-0.db``: the endpoint of that hostname, or of that address with dashes."""
    addresses = tuple(
        dict.fromkeys(
            address
            for endpoint in _endpoints(cluster, service)
            if endpoint.ready
            for address in endpoint.addresses
            if host == (endpoint.hostname or _dashed(address)).lower()
        )
    )
    if addresses:
        return Resolution(
            name=asked,
            kind=ResolutionKind.ENDPOINT,
            addresses=addresses,
            fqdn=fqdn,
            service=service.key,
            origin=service.origin,
        )
    waiting = any(endpoint.hostname == host for endpoint in _endpoints(cluster, service))
    return Resolution(
        name=asked,
        kind=ResolutionKind.UNKNOWN,
        fqdn=fqdn,
        service=service.key,
        reason=(
            f"endpoint {host} of {service.key} is not ready"
            if waiting
            else f"{service.key} has no endpoint with the hostname {host}"
        ),
        origin=service.origin,
    )


def _dashed(address: Address) -> str:
    return str(address).replace(".", "-").replace(":", "-")


def _endpoints(cluster: Cluster, service: Service) -> Iterator[Endpoint]:
    for item in cluster.endpoint_slices.get(service.key, ()):
        yield from item.endpoints


def _may_be_outside(cluster: Cluster, name: str) -> bool:
    """Whether another name server could know `name`: it is not one of this cluster's form."""
    if "." not in name or name.endswith(f".{cluster.cluster_domain}"):
        return False
    labels = name.split(".")
    if "svc" in labels[2:4]:
        return False
    of_namespace = len(labels) == 2 and labels[1] in _namespaces.of(cluster)
    return not of_namespace or is_public(cluster, name)


def _spaces(cluster: Cluster) -> frozenset[str]:
    found = {service.namespace for service in cluster.services.values()}
    return frozenset(found.union(pod.namespace for pod in cluster.pods.values()))


def _named_here(cluster: Cluster) -> frozenset[str]:
    """What something of the cluster is called by, in names that are asked."""
    pods = cluster.pods.values()
    return _namespaces.of(cluster).union(
        (one.name for one in cluster.services.values()),
        (one.name for one in cluster.workloads),
        (one.name for one in pods if one.owner is None),
        (one.hostname for one in pods if one.hostname),
    )


_namespaces = Derived(_spaces)
_called = Derived(_named_here)

_PUBLIC = frozenset(
    """academy agency analytics app art audio bank bar bio biz blog bot build business cafe camp
    care center chat cloud codes coffee com community company computer consulting dev delivery
    digital direct docs domains edu email energy engineering events exchange expert express farm
    finance fit foo foundation fun fund games gov group guide health help host hosting info
    institute int land link live loan management market marketing media mobi money name net network
    new news now one online open org page partners pay photo photos pizza play plus press pro
    productions recipes red rent report review run sale school science search security services
    shop show site social software solutions space store stream studio style support systems team
    tech tools top tours trade trading training travel ventures video vip watch web website wiki
    work works world xyz zone""".split()  # noqa: SIM905
).union(
    """ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs
    bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg
    er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr
    ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk
    lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
    ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc
    sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv
    tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw""".split()  # noqa: SIM905
)
"""Top levels of the public DNS: words of IANA's root zone that namespaces are called by, and the
codes of all countries (ISO 3166)."""


def is_public(cluster: Cluster, name: str) -> bool:
    """Whether a name that the cluster has not is one of the public DNS, whatever its last label is.

    ``go.dev`` beside a namespace ``dev``; not ``fronted.dev`` where something is called frontend.
    """
    *before, last = name.rstrip(".").lower().split(".")
    if last not in _PUBLIC or not before:
        return False
    known = _called.of(cluster)
    if last not in known:
        return True
    stems = [_ORDINAL.sub("", label) for label in before]
    return not any(stem == one or is_typo(stem, one) for one in known for stem in stems)


def _why_not(cluster: Cluster, name: str, from_pod: Pod | None) -> str:
    namespace = from_pod.namespace if from_pod else "default"
    first, _, rest = name.partition(".")
    said, _, domain = rest.partition(".")
    others = [key for key in cluster.services if key.endswith(f"/{first}")]
    is_short = domain.rstrip(".") in ("", "svc", f"svc.{cluster.cluster_domain}")
    if others and is_short:
        namespace = said or namespace
        elsewhere = others[0].partition("/")[0]
        return (
            f"there is no Service {first} in namespace {namespace}; "
            f"the one in {elsewhere} is called {first}.{elsewhere}"
        )
    pods = [pod for pod in cluster.pods.values() if pod.name == first]
    if pods:
        return f"{first} is a pod: pods have no DNS name of their own, only Services do"
    return f"no Service is called {name}"
