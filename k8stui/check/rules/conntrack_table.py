"""A node's table of connections: it is full, or keeps UDP on the way to an endpoint that is gone.

At net.netfilter.nf_conntrack_max entries the kernel drops the first packets of new connections
("nf_conntrack: table full, dropping packet"; net/netfilter/nf_conntrack_core.c
__nf_conntrack_alloc), unless it can put out an entry without an answer.

An entry is asked before any rule, and each datagram over the same socket keeps it alive: one that
leads to an address which the Service, or the hostPort, no longer has loses them all. kube-proxy
deletes those of its Services (pkg/proxy/conntrack/cleanup.go CleanStaleEntries), once its rules are
written; nobody those of hostPorts. Of TCP a client notices, and connects again.

Needs what ``sysctl -a`` and ``conntrack -L`` print of a node, and the addresses that its cluster's
pods have; does not apply to addresses that are assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.state import is_assumed, seen_at, with_assumed_endpoints
from k8stui.cluster.model import Node
from k8stui.kernel.address import Address
from k8stui.kernel.conntrack import TrackedConnection
from k8stui.kernel.packet import Protocol
from k8stui.nodes.host_ports import host_ports
from k8stui.nodes.sysctl import CONNTRACK_MAX, is_full

ID = "conntrack-table"
_Asked = tuple[Address | str, int]
"""An address and a port; a node's name for ports of its own, empty for those of every node."""
_Targets = Mapping[Address, str]
"""Addresses that what is asked may be sent on to."""


def look(ground: Ground) -> Iterator[Finding]:
    network = ground.world.network
    tracking = [name for name in network.observed if network[name].tracked]
    asked = {**_services(ground), **_host_ports(ground)} if tracking else {}
    for name in network.observed:
        space = network[name]
        if is_full(space.sysctls):
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Node {name}",
                place=seen_at(ground, name, space.sysctls.reasons.get(CONNTRACK_MAX)),
                why=f"its table of connections is full ({space.sysctls.nf_conntrack_count} of "
                f"{space.sysctls.nf_conntrack_max}): it drops what begins a new one",
                fix=f"raise {CONNTRACK_MAX} there (kube-proxy: conntrack.maxPerCore and min), and "
                "find out what holds so many (conntrack -L)",
            )
        node = ground.cluster.nodes[name]
        stale = [(one, whose) for one in space.tracked if (whose := _lost(one, node, asked))]
        stale = [one for one in stale if not network.has_address(name, one[0].reply.src)]
        if stale:
            yield _finding(ground, name, *stale[0], len(stale) - 1)


def _services(ground: Ground) -> Mapping[_Asked, _Targets]:
    """The endpoints of Services that are asked by UDP."""
    found: dict[_Asked, _Targets] = {}
    assumed = with_assumed_endpoints(ground)
    for service in ground.services:
        ports = [port for port in service.ports if port.protocol is Protocol.UDP]
        if service.key in assumed:
            continue
        targets = {
            address: f"Service {service.key}"
            for endpoint in (ground.endpoints(service) if ports else ())
            for address in endpoint.addresses
        }
        balancers = (one.ip for one in service.load_balancer_ingress if one.ip is not None)
        own = (*service.cluster_ips, *service.external_ips, *balancers)
        for port in ports if targets else ():
            found |= dict.fromkeys(((address, port.port) for address in own), targets)
            if port.node_port:
                found["", port.node_port] = targets
    return found


def _host_ports(ground: Ground) -> Mapping[_Asked, _Targets]:
    found: dict[_Asked, _Targets] = {}
    for pod in ground.cluster.pods.values():
        if pod.addresses and not pod.host_network and not is_assumed(pod):
            targets = dict.fromkeys(pod.addresses, f"the hostPort of pod {pod.key}")
            for port in host_ports(pod):
                if port.protocol is Protocol.UDP and port.host_port:
                    found[pod.node_name or "", port.host_port] = targets
    return found


def _lost(entry: TrackedConnection, node: Node, asked: Mapping[_Asked, _Targets]) -> str:
    """Whom the entry keeps datagrams from; empty: nobody."""
    if entry.original.protocol is not Protocol.UDP:
        return ""
    address, port = entry.original.dst, entry.original.dport
    targets = asked.get((address, port))
    if targets is None and address in node.addresses:
        targets = asked.get((node.name, port)) or asked.get(("", port))
    return next(iter(targets.values()), "") if targets and entry.reply.src not in targets else ""


def _finding(
    ground: Ground, name: str, entry: TrackedConnection, whose: str, others: int
) -> Finding:
    asked = entry.original
    where = (
        "is not sent on"
        if entry.reply.src == asked.dst
        else f"is sent on to {entry.reply.src}, which it no longer has"
    )
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Node {name}",
        place=seen_at(ground, name, entry.reason),
        why=f"what {asked.src} sends from UDP port {asked.sport} to {whose} "
        f"({asked.dst}:{asked.dport}) {where}: an entry of before, which each datagram keeps alive"
        + (f"; {others} more are so" if others else ""),
        fix=f"on {name}: conntrack -D -p udp --orig-dst {asked.dst} --orig-port-dst {asked.dport} "
        "(kube-proxy does so for Services once it writes its rules)",
    )


RULE = CheckRule(
    id=ID,
    summary="A node's table of connections is full, or leads to endpoints that are gone",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
