"""kube-proxy 1.20 in userspace mode, the way Services worked first.

kube-proxy listens on one port of the node for each service port; rules bend the cluster IP and
the node port to it; kube-proxy then connects on to an endpoint, one after the other. Endpoints do
not show in the rules, and a Service without any has the same rules as every other.

The kernel picks the port; here a stable stand-in takes its place, and its origin says so.
Source: kube-proxy 1.20 pkg/proxy/userspace/proxier.go; docs/facts/kube-proxy.md section 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zlib import crc32

from k8stui.because import Because
from k8stui.cluster.model import Cluster, Node, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.endpoints import Backend, backends, held
from k8stui.nodes.kubeproxy.ports import known_ports
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.origin import Origin, assumed
from k8stui.record import record

EPHEMERAL_PORTS = range(32768, 61000)
"""net.ipv4.ip_local_port_range as the kernel has it by default."""

_PORTALS = '-m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules"'
_NODE_PORTS = (
    '-m addrtype --dst-type LOCAL -m comment --comment "handle service NodePorts; NOTE: this must '
    'be the last rule in the chain"'
)
_NON_LOCAL = '-m comment --comment "Ensure that non-local NodePort traffic can flow"'

_Destination = tuple[Address | None, int]
"""Address and port."""


@record(kw_only=True)
class ProxySocket:
    """The socket that kube-proxy opens on every node for one service port."""

    name: str
    """The service port name."""
    port: int
    """On all addresses of the node."""
    protocol: Protocol
    service: Service
    service_port: ServicePort
    backends: tuple[Backend, ...]
    """Ready endpoints, served in turn (pkg/proxy/userspace/roundrobin.go). Where the turn starts
    is random on a real node; ours starts with the first."""
    origin: Origin


def proxy_sockets(cluster: Cluster, version: int) -> Mapping[str, ProxySocket]:
    """By service port name, in order of it. SCTP has none: userspace mode cannot proxy it.

    The port of one service port depends on its name, and only where two names meet on one port
    on the others.
    """
    sockets: dict[str, ProxySocket] = {}
    taken: set[int] = set()
    for name, service, port in sorted(
        known_ports(cluster.services.values(), version), key=lambda known: known[0]
    ):
        if port.protocol is Protocol.SCTP or service.cluster_ips[0].version != version:
            continue
        number = crc32(name.encode()) % len(EPHEMERAL_PORTS)
        while number in taken:
            number = (number + 1) % len(EPHEMERAL_PORTS)
        taken.add(number)
        slices = cluster.endpoint_slices.get(service.key, ())
        sockets[name] = ProxySocket(
            name=name,
            port=EPHEMERAL_PORTS[number],
            protocol=port.protocol,
            service=service,
            service_port=port,
            backends=tuple(
                b
                for b in backends(held(slices, port.name, port.protocol, version), version)
                if b.endpoint.ready
            ),
            origin=assumed("the kernel gives kube-proxy any free port; this one is made up"),
        )
    return sockets


def userspace_contribution(
    cluster: Cluster, node: Node, version: int, _around: Around
) -> Contribution:
    """What kube-proxy writes on `node`. It serves one family: that of the node's first address."""
    host = node.address(version)
    if host is None or host is not node.addresses[0]:
        return Contribution(OWNER, {})
    rules: dict[str, list[Rule]] = {
        "KUBE-NODEPORT-NON-LOCAL": [],
        "KUBE-PORTALS-CONTAINER": [],
        "KUBE-PORTALS-HOST": [],
        "KUBE-NODEPORT-CONTAINER": [],
        "KUBE-NODEPORT-HOST": [],
    }
    for socket in proxy_sockets(cluster, version).values():
        for rule in _service_port_rules(socket, host):
            rules[rule.text.split(" ", 2)[1]].append(rule)
    chains = {name: Chain(name, tuple(found)) for name, found in rules.items()}
    non_local = {"KUBE-NODEPORT-NON-LOCAL": chains.pop("KUBE-NODEPORT-NON-LOCAL")}
    origin = cluster.proxy.origin
    return Contribution(
        OWNER,
        {
            "filter": TablePart(
                non_local,
                (_jump("INPUT", _NON_LOCAL, "KUBE-NODEPORT-NON-LOCAL", origin, insert=True),),
            ),
            "nat": TablePart(
                chains,
                (
                    _jump("PREROUTING", _PORTALS, "KUBE-PORTALS-CONTAINER", origin, insert=True),
                    _jump("OUTPUT", _PORTALS, "KUBE-PORTALS-HOST", origin, insert=True),
                    _jump("PREROUTING", _NODE_PORTS, "KUBE-NODEPORT-CONTAINER", origin),
                    _jump("OUTPUT", _NODE_PORTS, "KUBE-NODEPORT-HOST", origin),
                ),
            ),
        },
    )


def _jump(builtin: str, match: str, chain: str, origin: Origin, *, insert: bool = False) -> Jump:
    reason = Because(
        text=f"kube-proxy hangs {chain} into {builtin}",
        origin=origin,
        owner=OWNER,
        setting="mode: userspace",
    )
    return Jump(builtin, Rule(f"-A {builtin} {match} -j {chain}", reason), insert)


def _service_port_rules(socket: ProxySocket, host: Address) -> Iterator[Rule]:
    """All rules of one service port, in the order in which kube-proxy writes them (openPortal)."""
    service = socket.service
    port = socket.service_port
    redirect = f"-j REDIRECT --to-ports {socket.port}"
    dnat = f"-j DNAT --to-destination {host.with_port(socket.port)}"

    def rule(chain: str, to: _Destination, rest: str, fact: str, why: str) -> Rule:
        address, number = to
        transport = socket.protocol.name.lower()
        destination = f"-d {address}/{address.bits} " if address else ""
        return Rule(
            f'-A {chain} {destination}-p {transport} -m comment --comment "{socket.name}" '
            f"-m {transport} --dport {number} {rest}",
            _because(socket, fact, f"{why} of Service {service.key}, port {port.port}"),
        )

    def portal(address: Address, fact: str, why: str) -> Iterator[Rule]:
        to = (address, port.port)
        yield rule("KUBE-PORTALS-CONTAINER", to, redirect, fact, why)
        yield rule("KUBE-PORTALS-HOST", to, dnat, fact, why)

    yield from portal(service.cluster_ips[0], "cluster_ips", "cluster IP")
    for address in service.external_ips:
        if address.version == host.version:
            to = (address, port.port)
            facts = ("external_ips", "external IP")
            outside = "-m physdev ! --physdev-is-in"
            local = "-m addrtype --dst-type LOCAL"
            yield rule("KUBE-PORTALS-CONTAINER", to, f"{outside} {redirect}", *facts)
            yield rule("KUBE-PORTALS-CONTAINER", to, f"{local} {redirect}", *facts)
            yield rule("KUBE-PORTALS-HOST", to, f"{local} {dnat}", *facts)
    for entry in service.load_balancer_ingress:
        if entry.ip and entry.ip.version == host.version:
            yield from portal(entry.ip, "load_balancer_ingress", "load balancer address")
    if port.node_port:
        facts = ("node_port", f"node port {port.node_port}")
        accept = "-m state --state NEW -j ACCEPT"
        yield rule("KUBE-NODEPORT-CONTAINER", (None, port.node_port), redirect, *facts)
        yield rule("KUBE-NODEPORT-HOST", (None, port.node_port), dnat, *facts)
        yield rule("KUBE-NODEPORT-NON-LOCAL", (None, socket.port), accept, *facts)


def _because(socket: ProxySocket, fact: str, text: str) -> Because:
    service = socket.service
    port = socket.service_port
    origins = port.origins if fact == "node_port" else service.origins
    whole = port.origin if fact == "node_port" else service.origin
    return Because(
        text=f"{text}: to kube-proxy's own socket on port {socket.port}",
        origin=origins.get(fact, whole),
        owner=OWNER,
        service=service.key,
        service_port=socket.name,
    )
