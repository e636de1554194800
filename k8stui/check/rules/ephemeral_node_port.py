"""In mode ipvs a nodePort that lies among the ports which a node's own clients take.

The kernel gives a client a port of net.ipv4.ip_local_port_range (32768 to 60999). IPVS asks not
conntrack whose a packet is: a SYN-ACK, and each datagram, to a port of the node that is a node port
goes to a pod of the Service (net/netfilter/ipvs/ip_vs_proto_tcp.c tcp_conn_schedule). Then one of
many connections of the kubelet, or between control planes, times out.

Does not apply to the other modes, whose conntrack knows the connection; nor to the usual range of
node ports, 30000 to 32767.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.nodes.kubeproxy.ipvs import IPVS

ID = "ephemeral-node-port"
_TAKEN = range(32768, 61000)


def look(ground: Ground) -> Iterator[Finding]:
    if ground.cluster.proxy.mode != IPVS:
        return
    for service in ground.services:
        for port in service.ports:
            if port.node_port not in _TAKEN:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {service.key}",
                place=port.origins.get("node_port", port.origin).place,
                why=f"nodePort {port.node_port} is among the ports that clients on the nodes take "
                "(net.ipv4.ip_local_port_range, 32768 to 60999): in mode ipvs the answer to such a "
                "client goes to a pod of this Service, and the client times out",
                fix="keep --service-node-port-range below 32768, or reserve it on every node: "
                "net.ipv4.ip_local_reserved_ports",
            )
            break


RULE = CheckRule(
    id=ID,
    summary="A nodePort that clients on the nodes take",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
