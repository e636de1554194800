"""How a name becomes addresses, in sentences: what the client's resolver is told.

A name that is none of the cluster's is asked of the node's own resolver. Its address cannot be
known here: it is assumed to be the host outside, and said so; unless it looks like a name of the
cluster that was misspelt.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.hosts import OutsideHost
from k8stui.cluster.ingress.entrances import entrance_of
from k8stui.cluster.model import Cluster, Entrance, Service, ServicePort
from k8stui.cluster.names import (
    Resolution,
    ResolutionKind,
    is_public,
    resolve,
    silent_dns,
    unsure_tries,
    uses_cluster_dns,
)
from k8stui.cluster.nameservers import LostServer, kept_back, lost_server, stub_zone, unserved
from k8stui.kernel.address import Address
from k8stui.origin import Origin, assumed
from k8stui.record import record
from k8stui.walk.source import Source

_NEVER_PUBLIC = frozenset({"invalid", "test", "local", "svc", "internal", "localdomain", "example"})
"""Last labels that the public DNS never has (RFC 6761, RFC 6762; svc by custom)."""


@record(kw_only=True)
class Answer:
    """What DNS says. Without addresses the name does not resolve; the last sentence says why."""

    addresses: tuple[Address, ...]
    sentences: tuple[str, ...]
    service: str | None = None
    """``namespace/name`` of the Service that the name belongs to."""
    origin: Origin | None = None
    any_of: bool = False
    """Any of the addresses is as good, and DNS shuffles them."""


def ask(cluster: Cluster, name: str, source: Source, beyond: tuple[Address, ...]) -> Answer:
    """Resolve a name as the client's own resolver does. `beyond`: addresses of the host outside."""
    if source.pod is None:
        return _without_cluster_dns(cluster, name, source, beyond)
    found = resolve(cluster, name, source.pod)
    asks_dns = found.kind not in (ResolutionKind.ADDRESS, ResolutionKind.HOSTS)
    if asks_dns and uses_cluster_dns(cluster, source.pod):
        silent = silent_dns(cluster)
        if silent is not None:
            said = f"cluster DNS does not answer: Service {silent.key} has no ready endpoint"
            return Answer(addresses=(), sentences=(f"no such name: {said}",), origin=silent.origin)
        inside = found.is_resolved and found.kind is not ResolutionKind.WILDCARD
        left_out = unserved(cluster) or (None if inside else kept_back(cluster, name))
        if left_out is not None and found.kind is not ResolutionKind.COREFILE:
            said = f"no such name: {left_out.why}"
            return Answer(addresses=(), sentences=(said,), origin=left_out.origin)
    lost = lost_server(cluster, source.pod) if asks_dns else None
    if lost is not None:
        said = f"no such name: {in_vain(lost)}"
        return Answer(addresses=(), sentences=(said,), origin=lost.origin)
    return _answer(cluster, found, beyond)


def in_vain(lost: LostServer) -> str:
    """That nobody answers the pod's resolver."""
    whose = "the kubelet's clusterDNS is" if lost.by_kubelet else "dnsConfig names the nameserver"
    return (
        f"{whose} {lost.address}, the address of no name server: cluster DNS is Service "
        f"{lost.dns.name}, {lost.right}"
    )


def ask_service(cluster: Cluster, service: Service, beyond: tuple[Address, ...]) -> Answer:
    """Resolve the full name of a Service, as everybody does who asks cluster DNS."""
    fqdn = f"{service.name}.{service.namespace}.svc.{cluster.cluster_domain}."
    return _answer(cluster, resolve(cluster, fqdn, None), beyond)


def srv(cluster: Cluster, service: Service, port: ServicePort) -> tuple[int, str]:
    """Ask for the SRV record of a headless Service's named port: the pods' own port number.

    Source: docs/facts/control-plane.md section 9; the first endpoint's record is taken.
    """
    query = f"_{port.name}._{port.protocol.name.lower()}.{service.name}"
    for each in cluster.endpoint_slices.get(service.key, ()):
        for target in each.ports or ():
            if (target.name, target.protocol) == (port.name, port.protocol):
                return target.port, f"SRV {query}: port {target.port} of the pod itself"
    return port.port, f"SRV {query}: no answer; port {port.port} as the Service has it"


def _answer(cluster: Cluster, found: Resolution, beyond: tuple[Address, ...]) -> Answer:
    sentences = tuple(_failed_tries(cluster, found))
    public = found.cname or found.name
    host = _named_host(cluster, found.fqdn if found.kind is ResolutionKind.WILDCARD else public)
    if found.is_resolved and (found.kind is not ResolutionKind.WILDCARD or host is None):
        return Answer(
            addresses=found.addresses,
            sentences=(*sentences, _resolved(found)),
            service=found.service,
            origin=found.origin,
            any_of=found.kind is ResolutionKind.HEADLESS,
        )
    if host is not None:
        return _host(host, (*sentences, *_alias(cluster, found)), found.service)
    entrance = entrance_of(cluster.entrances, public)
    if entrance is not None:
        return _entrance(entrance, public, sentences)
    outward = found.kind in (ResolutionKind.EXTERNAL, ResolutionKind.OUTSIDE)
    if outward and not _meant_inside(cluster, public):
        return _assumed_outside(found, (*sentences, *_alias(cluster, found)), beyond)
    return Answer(
        addresses=(),
        sentences=(*sentences, f"no such name: {found.reason}"),
        service=found.service,
        origin=found.origin,
    )


def _named_host(cluster: Cluster, name: str) -> OutsideHost | None:
    return cluster.hosts.get(name.rstrip(".").lower())


def _entrance(entrance: Entrance, name: str, sentences: tuple[str, ...]) -> Answer:
    """A name of the public DNS; the input may know which address it has there."""
    what = "the load balancer" if entrance.owner.startswith("Service") else "a host"
    said = f"{name} is {what} of {entrance.owner}"
    if entrance.addresses:
        listed = ", ".join(map(str, entrance.addresses))
        return Answer(
            addresses=entrance.addresses,
            sentences=(*sentences, f"{said}, whose load balancer has the address {listed}"),
            origin=entrance.origin,
        )
    return Answer(
        addresses=(),
        sentences=(
            *sentences,
            f"no such name: {said}: which address it has in the public DNS is not in the input",
        ),
        origin=entrance.origin,
    )


def _host(host: OutsideHost, sentences: tuple[str, ...], service: str | None = None) -> Answer:
    """A host that the user named."""
    return Answer(
        addresses=(host.address,),
        sentences=(*sentences, f"{host.name} is a host outside the cluster: {host.address}"),
        service=service,
        origin=host.origin,
    )


def _assumed_outside(
    found: Resolution, sentences: tuple[str, ...], beyond: tuple[Address, ...]
) -> Answer:
    public = found.cname or found.name
    last = (
        f"{public} is no name of this cluster: the node's resolver is asked; "
        f"assumed to be the host outside ({beyond[0] if beyond else 'none'})"
    )
    return Answer(
        addresses=beyond,
        sentences=(*sentences, last),
        service=found.service,
        origin=assumed(f"manifests do not say which address {public} has"),
    )


def _alias(cluster: Cluster, found: Resolution) -> Iterator[str]:
    """That the name is another's, and that nobody reads the ports written beside it."""
    if not found.cname:
        return
    said = f"{found.fqdn} is an alias (CNAME) of {found.cname}"
    service = cluster.services.get(found.service or "")
    for port in service.ports if service is not None else ():
        if port.target_port != port.port:
            said += f"; it translates no port: targetPort {port.target_port} is never read"
            break
    yield said


def _failed_tries(cluster: Cluster, found: Resolution) -> Iterator[str]:
    """Names of the search list that were asked for in vain."""
    answered = found.is_resolved or found.cname
    unsure = dict(unsure_tries(cluster, found))
    for name in found.tried[:-1] if answered else found.tried:
        if name in unsure:
            yield (
                f"{name}: assumed no such name (whether {unsure[name]} answers for every name, "
                "the input does not say)"
            )
        elif name.rstrip(".") != found.fqdn:
            yield f"{name}: no such name"


def _resolved(found: Resolution) -> str:
    addresses = ", ".join(str(a) for a in found.addresses)
    name = found.fqdn or found.name
    alias = f"an alias of {found.cname}, " if found.cname else ""
    match found.kind:
        case ResolutionKind.CLUSTER_IP:
            return f"{name} is {alias}the virtual address {addresses} of Service {found.service}"
        case ResolutionKind.HEADLESS:
            shuffled = ", shuffled" if len(found.addresses) > 1 else ""
            pods = f"the ready pods of Service {found.service}{shuffled}: {addresses}"
            return f"{name} is {alias}{pods}"
        case ResolutionKind.ENDPOINT:
            return f"{name} is {alias}one pod of Service {found.service}: {addresses}"
        case ResolutionKind.HOSTS:
            return f"{name} is {addresses} by the pod's /etc/hosts (hostAliases), before any DNS"
        case ResolutionKind.COREFILE:
            return f"{name} is {addresses} by the plugin hosts of cluster DNS"
        case ResolutionKind.WILDCARD if found.fqdn != found.name.rstrip("."):
            return f"{name} is {addresses}: the zone answers for every name below it"
        case ResolutionKind.POD | ResolutionKind.WILDCARD:
            return f"{name} says its address itself: {addresses}"
        case _:
            return f"{name} is {alias}{addresses}"


def _meant_inside(cluster: Cluster, name: str) -> bool:
    """Whether a name that is not the cluster's was probably meant to be."""
    if stub_zone(cluster, name) or is_public(cluster, name):
        return False
    first, _, rest = name.rstrip(".").partition(".")
    last = name.rstrip(".").rpartition(".")[2]
    if not rest or last in _NEVER_PUBLIC:
        return True
    if any(last == s.namespace for s in cluster.services.values()):
        return True
    # Of two labels: NAME.NAMESPACE, POD.SUBDOMAIN, or the two the wrong way round.
    return "." not in rest and (
        any(s.name in (first, rest) for s in cluster.services.values())
        or any(first in (p.name, p.hostname) or rest == p.subdomain for p in cluster.pods.values())
    )


def _without_cluster_dns(
    cluster: Cluster, name: str, source: Source, beyond: tuple[Address, ...]
) -> Answer:
    """A node, or somebody outside: its resolver has never heard of the cluster's names."""
    host = _named_host(cluster, name)
    if host is not None:
        return _host(host, ())
    entrance = entrance_of(cluster.entrances, name)
    if entrance is not None:
        return _entrance(entrance, name, ())
    public = resolve(cluster, f"{name.rstrip('.')}.", None)
    if public.kind is ResolutionKind.WILDCARD:
        return _answer(cluster, public, beyond)
    inside = resolve(cluster, name, None)
    if not inside.is_resolved and not _meant_inside(cluster, name):
        return _assumed_outside(Resolution(name=name, kind=ResolutionKind.OUTSIDE), (), beyond)
    asker = source.canonical.removeprefix("node/")
    service = f": Service {inside.service} has that name in pods only" if inside.service else ""
    return Answer(
        addresses=(),
        sentences=(f"no such name: {asker} does not ask cluster DNS{service}",),
    )
