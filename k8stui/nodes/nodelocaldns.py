"""NodeLocal DNS: the cache that a DaemonSet runs on every node, at an address of its own.

A device ``nodelocaldns`` has the addresses that pods are told to ask, 169.254.20.10 and, in
iptables mode, cluster DNS' own ClusterIP: table raw takes what is for them out of conntrack, so
that kube-proxy's DNAT never sees it and the node keeps it. Source: kubernetes/dns cmd/node-cache/
app (cache_app.go initIptables, setupNetworking; main.go), pkg/netif; recorded in
recordings-agents/nodelocaldns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.because import Because
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Container, Node, Pod, PodPhase
from k8stui.kernel.address import Address
from k8stui.kernel.link import device_name
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.rules import Rule
from k8stui.nodes.cni.daemon import argument, port, told
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.record import record

OWNER = "node-local-dns"
_IMAGE, _DEVICE = "node-cache", "nodelocaldns"
_UNTRACKED, _ALLOWED = "skip conntrack", "allow DNS traffic"
_BOTH = ("tcp", "udp")


@record()
class Cache:
    """What a node's cache was told."""

    pod: Pod
    container: Container
    addresses: tuple[Address, ...]
    port: int
    health_port: int
    device: str
    has_rules: bool
    has_device: bool


def cache_of(site: Site, node: Node) -> Cache | None:
    """The cache that runs on the node."""
    for pod in site.host_pods(node.name):
        for container in pod.containers:
            found = _told(pod, container) if pod.phase is PodPhase.RUNNING else None
            if found is not None:
                return found
    return None


def dns_port(container: Container) -> int | None:
    """The port on which a cache listens at its own addresses alone; None: it is no cache."""
    words = container.spoken
    if container.init or _IMAGE not in container.image or argument(words, "localip") is None:
        return None
    return _port(argument(words, "p"), 53)


def part(site: Site, node: Node) -> Part:
    """Its device with the addresses, and who listens there."""
    cache = cache_of(site, node)
    if cache is None:
        return Part()
    because = _because(cache, f"pod {cache.pod.key} answers DNS on {node.name} there")
    placed = tuple(
        InterfaceAddress(address=one, prefix_length=one.bits, reason=because)
        for one in cache.addresses
    )
    device = Interface(
        name=cache.device, kind=LinkKind.DUMMY, carrier=True, addresses=placed, reason=because
    )
    sockets = tuple(
        Socket(
            protocol=protocol,
            port=cache.port,
            address=one,
            owner=cache.container.name,
            reason=because,
        )
        for one in cache.addresses
        for protocol in (Protocol.TCP, Protocol.UDP)
    )
    return Part(interfaces=(device,) if cache.has_device else (), sockets=sockets)


def contributions(site: Site, node: Node, version: int) -> Sequence[Contribution]:
    """Its rules: each put on top, so the last one stands first."""
    cache = cache_of(site, node)
    own = [one for one in cache.addresses if one.version == version] if cache is not None else []
    if cache is None or not own or not cache.has_rules:
        return ()
    found: dict[str, list[Jump]] = {"raw": [], "filter": []}
    for address in own:
        for table, chain, match, said, target in _rules(cache, address):
            text = (
                f'-A {chain} {match} -m comment --comment "NodeLocal DNS Cache: {said}" -j {target}'
            )
            why = _WHY[said]
            found[table].append(Jump(chain, Rule(text, _because(cache, why)), insert=True))
    tables = {name: TablePart(jumps=tuple(jumps)) for name, jumps in found.items()}
    return (Contribution(OWNER, tables),)


_WHY = {
    _UNTRACKED: "what is for the node's DNS cache, and its answers, are not tracked: no Service's "
    "DNAT takes them",
    _ALLOWED: "what is for the node's DNS cache is let in, and its answers out",
}


def _rules(cache: Cache, address: Address) -> Iterator[tuple[str, str, str, str, str]]:
    """In the order in which they are written: (table, chain, match, words, target)."""
    to, of = f"-d {address}/{address.bits}", f"-s {address}/{address.bits}"

    def match(side: str, protocol: str, port: str) -> str:
        return f"{side} -p {protocol} -m {protocol} {port}"

    port, health = cache.port, cache.health_port
    for protocol in _BOTH:
        yield "raw", "PREROUTING", match(to, protocol, f"--dport {port}"), _UNTRACKED, "NOTRACK"
    for protocol in _BOTH:
        yield "filter", "INPUT", match(to, protocol, f"--dport {port}"), _ALLOWED, "ACCEPT"
    for protocol in _BOTH:
        yield "raw", "OUTPUT", match(of, protocol, f"--sport {port}"), _UNTRACKED, "NOTRACK"
    for protocol in _BOTH:
        yield "filter", "OUTPUT", match(of, protocol, f"--sport {port}"), _ALLOWED, "ACCEPT"
    for protocol in _BOTH:
        yield "raw", "OUTPUT", match(to, protocol, f"--dport {port}"), _UNTRACKED, "NOTRACK"
    yield "raw", "OUTPUT", match(to, "tcp", f"--dport {health}"), _UNTRACKED, "NOTRACK"
    yield "raw", "OUTPUT", match(of, "tcp", f"--sport {health}"), _UNTRACKED, "NOTRACK"


def _told(pod: Pod, container: Container) -> Cache | None:
    port = dns_port(container)
    words = container.spoken
    own = addresses(tuple(map(str.strip, (argument(words, "localip") or "").split(","))))
    if port is None or not own:
        return None  # node-cache ends at once without an address
    return Cache(
        pod=pod,
        container=container,
        addresses=own,
        port=port,
        health_port=_port(argument(words, "health-port"), 8080),
        device=_device(argument(words, "interfacename")),
        has_rules=told(words, "setupiptables", otherwise=True),
        has_device=told(words, "setupinterface", otherwise=True),
    )


def _port(written: str | None, otherwise: int) -> int:
    return port(written or "") or otherwise


def _device(written: str | None) -> str:
    """What the kernel refuses is not used."""
    try:
        return device_name(written or "")
    except ValueError:
        return _DEVICE


def _because(cache: Cache, text: str) -> Because:
    return Because(text=text, origin=cache.container.origin, owner=OWNER, pod=cache.pod.key)
