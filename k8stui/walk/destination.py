"""DESTINATION of the command line contract: who is asked, and at which address."""

from __future__ import annotations

from dataclasses import replace

from k8stui.cluster.model import Cluster, Node, Pod, Service, ServicePort, ServiceType
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.origin import Origin, assumed
from k8stui.record import record
from k8stui.walk import port as ports
from k8stui.walk.dns import Answer, ask, ask_service, srv
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.kinds import Target, kind_of
from k8stui.walk.lookup import find_node, find_service, find_workload_pod, why_silent
from k8stui.walk.source import (
    OUTSIDE,
    Names,
    Source,
    pod_and_container,
    split_kind,
)

LOOPBACK = {4: Address.parse("127.0.0.1"), 6: Address.parse("::1")}


@record(kw_only=True)
class Destination:
    """Who is asked. Without addresses the name does not resolve."""

    canonical: str
    addresses: tuple[Address, ...]
    """In the order in which the client tries them; of all families."""
    port: int
    protocol: Protocol
    names: tuple[str, ...] = ()
    service: str | None = None
    origin: Origin | None = None
    any_of: bool = False
    """Any of the addresses may be the one that is asked."""


def parse_destination(
    cluster: Cluster, source: Source, text: str, namespace: str, beyond: tuple[Address, ...]
) -> Destination:
    """Understand DESTINATION as seen from `source`. `beyond`: addresses of the host outside.

    Raises:
        RequestError: nothing here is called so, or it has no address or no such port.

    """
    written = ports.cut(text)
    host = written.host
    if not host:
        raise RequestError(
            f"not a destination: {text!r}", hint="write svc/NAME:PORT or ADDRESS:PORT"
        )
    if "/" in host:
        return _named(cluster, written, namespace, beyond)
    if host.lower() == "localhost":
        return _published(cluster, source, written) or _localhost(source, written)
    if host.lower() == OUTSIDE:
        return _outside(written, beyond)
    try:
        address = Address.parse(host)
    except ValueError:
        return _dns(cluster, source, written, namespace, beyond)
    return _literal(cluster, written, address)


def _named(
    cluster: Cluster, written: ports.Written, namespace: str, beyond: tuple[Address, ...]
) -> Destination:
    target, kind, names = split_kind(written.host, namespace)
    if target is Target.SERVICE:
        return _service(cluster, written, names, beyond)
    if target is Target.NODE:
        node = find_node(cluster, names.name)
        if not node.addresses:
            raise RequestError(f"node {node.name} has no address")
        number = ports.required(written, f"node/{node.name}")
        return Destination(
            canonical=ports.canonical(f"node/{node.name}", number),
            addresses=node.addresses,
            port=number,
            protocol=written.protocol or _node_port_protocol(cluster, number),
            service=_node_port_service(cluster, number, written.protocol),
            origin=node.origins.get("addresses", node.origin),
        )
    if target is Target.WORKLOAD:
        pod = find_workload_pod(cluster, kind, names.namespace, names.name)
    else:
        pod, _ = pod_and_container(cluster, names)
    return _pod(pod, written)


def _pod(pod: Pod, written: ports.Written) -> Destination:
    if not pod.addresses:
        raise RequestError(why_silent(pod))
    number, protocol = ports.pod_port(pod, written)
    return Destination(
        canonical=ports.canonical(f"pod/{pod.key}", number),
        addresses=pod.addresses,
        port=number,
        protocol=protocol,
        origin=pod.origins.get("addresses", pod.origin),
    )


def _service(
    cluster: Cluster, written: ports.Written, names: Names, beyond: tuple[Address, ...]
) -> Destination:
    service = _find_service(cluster, names)
    if service.type is ServiceType.EXTERNAL_NAME:
        return _alias(cluster, service, written, beyond)
    number, protocol, entry = ports.service_port(service, written)
    if service.headless:
        if entry is not None and entry.name and written.port == entry.name:
            number, sentence = srv(cluster, service, entry)
        elif number:
            sentence = (
                f"a headless Service translates no port: the pod itself is asked for {number}"
            )
        else:
            sentence = "a headless Service has no virtual address: the pod itself is asked"
        answer = ask_service(cluster, service, beyond)
        return _answered(service, number, protocol, answer, sentence)
    return Destination(
        canonical=_canonical(service, number),
        addresses=service.cluster_ips,
        port=number,
        protocol=protocol,
        names=(_virtual(service, entry),),
        service=service.key,
        origin=service.origins.get("cluster_ips", service.origin),
    )


def _alias(
    cluster: Cluster, service: Service, written: ports.Written, beyond: tuple[Address, ...]
) -> Destination:
    """An ExternalName: a CNAME and no more. Its ports are only a note of which to ask."""
    number, protocol, entry = (
        ports.service_port(service, written)
        if service.ports or written.protocol is Protocol.ICMP
        else (
            ports.required(written, f"svc/{service.name}"),
            written.protocol or Protocol.TCP,
            None,
        )
    )
    sentence = f"an ExternalName translates no port: {service.external_name} itself is asked"
    if number:
        sentence += f" for {number}"
    if entry is not None and entry.target_port != number:
        sentence += f", and targetPort {entry.target_port} is never read"
    answer = ask_service(cluster, service, beyond)
    return _answered(service, number, protocol, answer, sentence)


def _find_service(cluster: Cluster, names: Names) -> Service:
    """Read ``NAME``, ``NAME.NAMESPACE`` (also with ``.svc`` and the domain), ``NAMESPACE/NAME``."""
    if names.rest:
        return find_service(cluster, names.name, names.rest)
    name, _, behind = names.name.partition(".")
    namespace = behind.split(".")[0] or names.namespace
    return find_service(cluster, namespace, name)


def _virtual(service: Service, entry: ServicePort | None) -> str:
    address = ", ".join(str(a) for a in service.cluster_ips) or "no address"
    named = f", port {entry.name} is {entry.port}" if entry is not None and entry.name else ""
    return f"Service {service.key} has the virtual address {address}{named}"


def _answered(
    service: Service, number: int, protocol: Protocol, answer: Answer, *more: str
) -> Destination:
    return Destination(
        canonical=_canonical(service, number),
        addresses=answer.addresses,
        port=number,
        protocol=protocol,
        names=(*answer.sentences, *(more if answer.addresses else ())),
        service=service.key,
        origin=answer.origin or service.origin,
        any_of=answer.any_of,
    )


def _canonical(service: Service, number: int) -> str:
    return ports.canonical(f"svc/{service.key}", number)


def _published(cluster: Cluster, source: Source, written: ports.Written) -> Destination | None:
    """A port of the machine on which kind runs, which is one of a node's (extraPortMappings)."""
    number = written.port
    for one in cluster.published if source.canonical == OUTSIDE else ():
        if str(one.host_port) == str(number) and one.node in cluster.nodes:
            inside = replace(written, host=f"node/{one.node}", port=str(one.number))
            found = _named(cluster, inside, "", ())
            said = (
                f"port {number} of the machine is port {one.number} of {one.node}, as kind has it"
            )
            return replace(found, names=(said,), origin=one.origin)
    return None


def _localhost(source: Source, written: ports.Written) -> Destination:
    number = ports.required(written, "localhost")
    return Destination(
        canonical=ports.canonical("localhost", number),
        addresses=(LOOPBACK[4], LOOPBACK[6]),
        port=number,
        protocol=written.protocol or Protocol.TCP,
        names=(f"localhost is {source.canonical} itself: 127.0.0.1 (/etc/hosts)",),
        origin=assumed("/etc/hosts as the kubelet and every distribution write it"),
    )


def _outside(written: ports.Written, beyond: tuple[Address, ...]) -> Destination:
    number = ports.required(written, OUTSIDE)
    return Destination(
        canonical=ports.canonical(OUTSIDE, number),
        addresses=beyond,
        port=number,
        protocol=written.protocol or Protocol.TCP,
        origin=assumed("a host beyond the nodes' router that answers on every port"),
    )


def _literal(cluster: Cluster, written: ports.Written, address: Address) -> Destination:
    number = ports.required(written, str(address) if address.version == 4 else f"[{address}]")
    asked = _asked.of(cluster)
    owner = asked.services.get(address)
    on_node = address in asked.nodes
    protocol = written.protocol
    if protocol is None and owner is not None:
        protocol = next((p.protocol for p in owner.ports if p.port == number), None)
    service = owner.key if owner else None
    if service is None and on_node:
        protocol = protocol or _node_port_protocol(cluster, number)
        service = _node_port_service(cluster, number, protocol)
    node = _translated(cluster, address) if on_node and owner is None else None
    own = node.address(address.version) if node is not None else None
    reason = "the provider's network leads a node's ExternalIP to its InternalIP"
    is_url = bool(written.scheme and cluster.entrances)
    return Destination(
        canonical=ports.canonical_url(written, number)
        if is_url
        else address.with_port(number)
        if number
        else ports.canonical(str(address), 0),
        addresses=(own or address,),
        port=number,
        protocol=protocol or Protocol.TCP,
        names=(f"{address} is the ExternalIP of {node.name}: assumed to lead to {own}",)
        if node is not None
        else (),
        service=service,
        origin=assumed(reason, node.origin.place) if node is not None else None,
    )


_PRIVATE = tuple(
    Prefix.parse(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")
)


def _translated(cluster: Cluster, address: Address) -> Node | None:
    """The node whose public address it is, while its own one is private: a cloud translates."""
    for node in cluster.nodes.values():
        own = node.address(address.version)
        if address in node.addresses and own is not None and own != address:
            private = [any(a in p for p in _PRIVATE) for a in (own, address)]
            return node if private == [True, False] else None
    return None


def _addresses(service: Service) -> tuple[Address, ...]:
    ingress = tuple(i.ip for i in service.load_balancer_ingress if i.ip is not None)
    return (*service.cluster_ips, *service.external_ips, *ingress)


def _dns(
    cluster: Cluster,
    source: Source,
    written: ports.Written,
    namespace: str,
    beyond: tuple[Address, ...],
) -> Destination:
    name = written.host
    if not written.port and written.protocol is not Protocol.ICMP:
        raise _no_kind(cluster, name, namespace)
    answer = ask(cluster, name, source, beyond)
    service = cluster.services.get(answer.service or "")
    if service is not None and not service.headless and service.cluster_ips:
        number, protocol, _ = ports.service_port(service, written)
    else:
        number = ports.required(written, name)
        protocol = written.protocol or Protocol.TCP
    is_url = bool(written.scheme and cluster.entrances) and answer.service is None
    return Destination(
        canonical=ports.canonical_url(written, number) if is_url else ports.canonical(name, number),
        addresses=answer.addresses,
        port=number,
        protocol=protocol,
        names=answer.sentences,
        service=answer.service,
        origin=answer.origin,
        any_of=answer.any_of,
    )


def _no_kind(cluster: Cluster, name: str, namespace: str) -> RequestError:
    """Tell what a bare word without a port was probably meant to be."""
    if kind_of(name) is not None:
        return RequestError(f"{name} alone is no destination", hint=f"write {name}/NAME:PORT")
    choices = (
        *(f"svc/{s.name}" for s in cluster.services.values() if s.namespace == namespace),
        *(f"pod/{p.name}" for p in cluster.pods.values() if p.namespace == namespace),
        *(f"node/{n}" for n in cluster.nodes),
    )
    for choice in choices:
        if choice.endswith(f"/{name}"):
            return RequestError(
                f"neither kind nor port: {name!r}", hint=f"did you mean {choice}?", choices=choices
            )
    return unknown(f"neither kind nor port: {name!r}", f"svc/{name}", choices)


class _Asked:
    """Who has an address or a node port, of all that ten thousand Services have."""

    def __init__(self, cluster: Cluster) -> None:
        self.services: dict[Address, Service] = {}
        self.node_ports: dict[int, list[tuple[Protocol, str]]] = {}
        """With the key of the Service, in the cluster's order."""
        for service in cluster.services.values():
            for address in _addresses(service):
                self.services.setdefault(address, service)
            for port in service.ports:
                if port.node_port is not None:
                    held = self.node_ports.setdefault(port.node_port, [])
                    held.append((port.protocol, service.key))
        self.nodes = frozenset(a for node in cluster.nodes.values() for a in node.addresses)


_asked = Derived(_Asked)


def _node_port_protocol(cluster: Cluster, number: int) -> Protocol:
    held = _asked.of(cluster).node_ports.get(number)
    return held[0][0] if held else Protocol.TCP


def _node_port_service(cluster: Cluster, number: int, protocol: Protocol | None) -> str | None:
    held = _asked.of(cluster).node_ports.get(number, ())
    return next((key for known, key in held if protocol in (None, known)), None)
