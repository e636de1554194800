"""kube-proxy in mode ipvs has Services' addresses on kube-ipvs0, on every node.

pkg/proxy/ipvs/proxier.go (syncProxyRules); which packets IPVS itself takes: `kernel.unmodelled`.
"""

from __future__ import annotations

from k8stui.kernel.step import Direction, SocketCause, Step, UnmodelledCause
from k8stui.nodes.kubeproxy.ipvs import DEVICE, IPVS
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import service_with
from k8stui.walk.sentence import port_word


def bound_here(case: Case) -> Diagnosis | None:
    """Recognise a refusal at an address that is on kube-ipvs0 alone, at no port of its Service."""
    step, connect = case.decided, case.request.connect
    if step is None or connect is None or step.cause != SocketCause(socket=None):
        return None
    here, asked = step.namespace, connect.destination
    if here not in case.cluster.nodes or case.cluster.proxy.mode != IPVS:
        return None
    service = service_with(case, asked)
    if service is None or asked in service.cluster_ips or step.before.dst != asked:
        return None
    if not any(one.name == DEVICE for one in case.network[here].devices_with((asked,))):
        return None
    owned = taken_address(case, here, f"kube-proxy in mode {IPVS}")
    if owned is not None:
        return owned
    word = port_word(connect.port, connect.protocol)
    external = asked in service.external_ips
    return Diagnosis(
        f"kube-proxy in mode ipvs has {asked} on {DEVICE} of every node, because Service "
        f"{service.key} names it ({'externalIPs' if external else 'status.loadBalancer'}): {here} "
        f"takes what is for it for itself, and nothing listens there on port {word}, which that "
        "Service has not; who else has the address (another node, a VIP of keepalived or kube-vip "
        "before the API servers) is not reached",
        f"give Service {service.key} an address that nobody else has, or that port; or take mode "
        "nftables or iptables, which take the Service's ports alone",
        service.origins.get("external_ips", service.origin) if external else service.origin,
    )


def taken_answer(case: Case, step: Step) -> Diagnosis | None:
    """In mode ipvs an answer to a port of the node's own that is a node port too goes astray."""
    if step.direction is not Direction.REPLY or not isinstance(step.cause, UnmodelledCause):
        return None
    port, why = step.before.dport, step.cause.reason
    service = case.cluster.services.get(why.service or "")
    ports = service.ports if service is not None else ()
    return Diagnosis(
        f"the client's own port {port} is a node port of Service {why.service}: the IPVS of "
        f"{step.namespace} takes the answer for a client's first packet and sends it to a pod of "
        "the Service: to the one who asked it is lost",
        "keep node ports out of the ports that clients take (net.ipv4.ip_local_port_range, 32768 "
        "to 60999): --service-node-port-range below 32768, or on every node "
        f"net.ipv4.ip_local_reserved_ports = {port} (the whole range of node ports)",
        next((p.origins.get("node_port", p.origin) for p in ports if p.node_port == port), None),
    )


def taken_address(case: Case, here: str, name: str) -> Diagnosis | None:
    """In mode ipvs an external address that is a node's own is taken away from that node.

    pkg/proxy/ipvs/proxier.go (syncProxyRules): every Service's address is bound to kube-ipvs0, on
    every node, so each takes a packet to it for itself.
    """
    connect = case.request.connect
    if connect is None or "ipvs" not in name:
        return None
    asked = connect.destination
    owner = next((n for n in case.cluster.nodes.values() if asked in n.addresses), None)
    service = service_with(case, asked)
    if owner is None or service is None:
        return None
    origin = service.origins.get("external_ips", service.origin)
    others = here if here != owner.name else "every other node"
    return Diagnosis(
        f"{name} binds {asked} to kube-ipvs0 on every node, because Service {service.key} names it "
        f"(externalIPs); it is {owner.name}'s own address, so {others} takes what is meant for "
        f"{owner.name} for itself: all other ports of {owner.name} (ssh, kubelet, API server) are "
        "lost to the others",
        f"take {asked} out of externalIPs: choose an address that is routed to the nodes and "
        "belongs to none of them, or ask a node port",
        origin,
    )
