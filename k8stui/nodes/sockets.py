"""Who listens where.

Manifests only hint at it: ``containerPort`` is documentation (README). What a pod declares it
is taken to listen on; every other port of a pod's own network is assumed to be listened on, unless
cluster.listening has something against it; all is said with the socket.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.cluster.hosts import OutsideHost
from k8stui.cluster.model import Node, Pod, PodPhase
from k8stui.cluster.programs.images import is_gateway
from k8stui.cluster.programs.listening import (
    LedPort,
    Listening,
    Opinion,
    declared,
    ends,
    running,
)
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Socket
from k8stui.kernel.packet import Protocol
from k8stui.nodes.nodelocaldns import dns_port
from k8stui.nodes.site import Site
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

_TRANSPORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
_KUBELET_PORT = 10250
_LOOPBACK = Address.parse("127.0.0.1")
_API_SERVER = "default/kubernetes"


def pod_sockets(listening: Listening, pod: Pod) -> tuple[Socket, ...]:
    """Sockets in the pod's own namespace. Not ready is no reason not to listen; Pending is."""
    if pod.phase is not PodPhase.RUNNING or listening.idle(pod) is not None:
        return ()
    led = _led(listening.led(pod), pod) if declared(pod) else ()
    others = (_any_port(listening, pod, protocol) for protocol in _TRANSPORTS)
    made = _once((*_declared(listening, pod), *led, *others))
    return tuple(
        one
        for one in made
        if one.port is None or listening.unopened(pod, one.port, one.protocol) is None
    )


@record()
class _Closed:
    """Ports that have a socket of their own, and those on which the judge says that none is."""

    listening: Listening
    pod: Pod
    protocol: Protocol

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        if self.listening.unopened(self.pod, number, self.protocol) is not None:
            return True
        opinion = self.listening.asked(self.pod, number, self.protocol)
        return opinion is Opinion.DECLARED or not opinion.listens


def _any_port(listening: Listening, pod: Pod, protocol: Protocol) -> Socket:
    """What nobody declares and no Service leads to: assumed, where nothing says otherwise."""
    if declared(pod):
        text, short = "does not declare it; assumed to listen", "nobody declares it"
        closed: Container[int] = _Closed(listening, pod, protocol)
    else:
        text, short = "declares no port; assumed to listen on every port", "nothing is declared"
        told = ends(pod) or any(
            one.told is not None or one.reads or is_gateway(one) for one in pod.containers
        )
        closed = _Closed(listening, pod, protocol) if told else ()
    return Socket(
        protocol=protocol,
        port=None,
        but_not_ports=closed,
        not_on_loopback=listening.others_ports(pod, protocol),
        owner=_first_container(pod),
        reason=Because(
            text=f"pod {pod.key} {text}",
            origin=assumed(f"{short}; assumed to listen", pod.origin.place),
            owner=_first_container(pod),
            pod=pod.key,
        ),
    )


def node_sockets(site: Site, node: Node, plugin: Iterable[Socket]) -> tuple[Socket, ...]:
    """Sockets in the node's namespace: its hostNetwork pods', kubelet's, the API server's.

    Those of the network `plugin` come last.
    """
    return tuple(_once((*_on_node(site, node), *plugin)))


def outside_sockets(owner: str, hosts: Iterable[OutsideHost]) -> tuple[Socket, ...]:
    """Whoever is outside answers everything: nothing is known of it.

    Only one of `hosts` that the user named with ports listens on these alone.
    """
    known = [host for host in hosts if host.ports]
    own = tuple(
        Socket(
            protocol=protocol,
            port=port,
            address=host.address,
            owner=host.name,
            reason=Because(text=f"{host.name} listens there", origin=host.origin, owner=host.name),
        )
        for host in known
        for port in sorted(host.ports)
        for protocol in (Protocol.TCP, Protocol.UDP)
    )
    but_not = frozenset(host.address for host in known)
    because = Because(
        text="nothing is known of what listens outside",
        origin=assumed("a host outside the cluster answers on every port"),
        owner=owner,
    )
    return own + tuple(
        Socket(
            protocol=protocol,
            port=None,
            but_not=but_not,
            owner=owner,
            answers_as_asked=True,
            reason=because,
        )
        for protocol in (Protocol.TCP, Protocol.UDP)
    )


def as_seen(made: Iterable[Socket], seen: Sequence[Socket] | None) -> tuple[Socket, ...]:
    """Those that were seen to listen, each with the owner that the input knows for it.

    `seen` None: nobody has looked, so all that were made.
    """
    known = tuple(made)
    if seen is None:
        return known
    owners: dict[tuple[Protocol, int | None], Socket] = {
        (one.protocol, one.port): one for one in reversed(known) if one.port is not None
    }
    return tuple(_owned(one, owners.get((one.protocol, one.port))) for one in seen)


def _owned(seen: Socket, known: Socket | None) -> Socket:
    if known is None:
        return seen
    return replace(
        seen,
        owner=known.owner,
        onward=known.onward,
        goes_on=known.goes_on,
        # ss does not tell how a program answers; of docker-proxy it is known.
        answers_as_asked=(seen if known.onward is None else known).answers_as_asked,
        reason=known.reason,
    )


def _declared(listening: Listening, pod: Pod) -> Iterator[Socket]:
    for container in pod.containers:
        if container.init and not container.restartable_init:
            continue  # it has ended before the others begin
        own, ipv4 = listening.own_only(pod, container), listening.ipv4_only(pod, container)
        elsewhere = dns_port(container)
        for port in container.ports:
            if listening.told_other(pod, port.number, port.protocol):
                continue
            if port.number == elsewhere:
                continue  # at the addresses of its own device
            is_tcp = port.protocol is Protocol.TCP
            for_itself = port.number in own and is_tcp
            for_ipv4 = port.number in ipv4 and is_tcp and not for_itself
            yield Socket(
                protocol=port.protocol,
                port=port.number,
                address=_LOOPBACK if for_itself else None,
                version=4 if for_ipv4 else None,
                owner=container.name,
                reason=Because(
                    text=f"container {container.name} of pod {pod.key} declares it"
                    + (", and binds it to 127.0.0.1" if for_itself else ""),
                    origin=port.origin,
                    owner=container.name,
                    pod=pod.key,
                ),
            )


def _led(led: Iterable[LedPort], pod: Pod) -> Iterator[Socket]:
    """What nobody declares, where a Service leads to and the judge has nothing against it."""
    for one in led:
        if not one.opinion.listens or one.opinion is Opinion.DECLARED:
            continue
        why = f"{one.named_by} names it" if one.named_by else "nobody declares it"
        yield Socket(
            protocol=one.protocol,
            port=one.number,
            owner=_first_container(pod),
            reason=Because(
                text=f"Service {one.service.key} leads to it; {why}; assumed to listen",
                origin=assumed(f"{why}; assumed to listen", pod.origin.place),
                owner=_first_container(pod),
                service=one.service.key,
                pod=pod.key,
            ),
        )


def _on_node(site: Site, node: Node) -> Iterator[Socket]:
    for pod in site.host_pods(node.name):
        if pod.phase is PodPhase.RUNNING and site.listening.idle(pod) is None:
            if declared(pod):
                yield from (*_declared(site.listening, pod), *_led(site.listening.led(pod), pod))
            else:
                yield from _targeted(site, pod)
    yield from _api_server(site, node)
    yield from _health_checks(site)
    yield Socket(
        protocol=Protocol.TCP,
        port=_KUBELET_PORT,
        owner="kubelet",
        reason=Because(
            text="kubelet's own port",
            origin=assumed("kubelet listens on 10250 by default"),
            owner="kubelet",
        ),
    )


def _targeted(site: Site, pod: Pod) -> Iterator[Socket]:
    """A hostNetwork pod that declares nothing: it listens where a Service sends to it.

    And where its words say (kube-apiserver's --secure-port). Not on every port, as a pod with a
    namespace of its own would: the node is not its alone.
    """
    for container in running(pod):
        told = container.told
        if told is None or told.by_itself:
            continue
        for port in (told.number, *told.also):
            for_itself = port in site.listening.own_only(pod, container, (port,))
            yield Socket(
                protocol=Protocol.TCP,
                port=port,
                address=_LOOPBACK if for_itself else None,
                owner=container.name,
                reason=Because(
                    text=f"{told.name} of container {container.name} of pod {pod.key} says so",
                    origin=told.origin,
                    owner=container.name,
                    pod=pod.key,
                ),
            )
    for service, protocol, port in site.targets(pod.key):
        for_itself = protocol is Protocol.TCP and any(
            port in site.listening.own_only(pod, one, (port,)) for one in running(pod)
        )
        yield Socket(
            protocol=protocol,
            port=port,
            address=_LOOPBACK if for_itself else None,
            owner=_first_container(pod),
            reason=Because(
                text=f"Service {service} sends here; pod {pod.key} declares no port",
                origin=assumed(
                    "nothing is declared; assumed to listen where a Service sends to it",
                    pod.origin.place,
                ),
                owner=_first_container(pod),
                service=service,
                pod=pod.key,
            ),
        )


def _api_server(site: Site, node: Node) -> Iterator[Socket]:
    """Where the endpoints of the Service `kubernetes` point to one of the node's addresses."""
    for piece in site.cluster.endpoint_slices.get(_API_SERVER, ()):
        for endpoint in piece.endpoints:
            if _any(endpoint.addresses, node.addresses):
                for port in piece.ports or ():
                    yield Socket(
                        protocol=port.protocol,
                        port=port.port,
                        owner="kube-apiserver",
                        reason=Because(
                            text=f"the endpoints of Service {_API_SERVER} are here",
                            origin=_assumed_unless_observed(endpoint.origin),
                            owner="kube-apiserver",
                            service=_API_SERVER,
                        ),
                    )


def _health_checks(site: Site) -> Iterator[Socket]:
    """What kube-proxy listens on for load balancers of Services with policy Local, on every node.

    pkg/proxy/healthcheck/service_health.go: 200 with a local endpoint, 503 without one.
    """
    for service in site.health_checked:
        yield Socket(
            protocol=Protocol.TCP,
            port=service.health_check_node_port,
            owner="kube-proxy",
            reason=Because(
                text=f"healthCheckNodePort of Service {service.key}: 200 where the node has an "
                "endpoint of it, else 503",
                origin=service.origins.get("health_check_node_port", service.origin),
                owner="kube-proxy",
                service=service.key,
            ),
        )


def _once(sockets: Iterable[Socket]) -> Iterator[Socket]:
    """The first of those that would bind the same address and port."""
    seen = set()
    for socket in sockets:
        key = (socket.protocol, socket.port, socket.address, socket.version)
        if key not in seen:
            seen.add(key)
            yield socket


def _first_container(pod: Pod) -> str:
    return next((c.name for c in pod.containers if not c.init), pod.name)


def _any(some: Iterable[Address], others: Iterable[Address]) -> bool:
    return not set(some).isdisjoint(others)


def _assumed_unless_observed(origin: Origin) -> Origin:
    if origin.kind is OriginKind.OBSERVED:
        return origin
    return assumed("the API server listens where its endpoints say", origin.place)
