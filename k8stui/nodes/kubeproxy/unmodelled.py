"""kube-proxy in a mode that is not modelled, or what replaces it: which packets it takes.

What goes to a Service goes an unknown way; everything else is walked as ever.

Source: kube-proxy pkg/proxy/ipvs/proxier.go syncProxyRules (each address of a Service is bound to
kube-ipvs0 on every node, so all that is sent there is the node's own).
"""

from __future__ import annotations

from k8stui.because import Because
from k8stui.cluster.model import Cluster, Service
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Unmodelled
from k8stui.kernel.packet import Protocol
from k8stui.nodes.kubeproxy.ipvs import IPVS
from k8stui.nodes.kubeproxy.modes import is_modelled, mode_origin, replacement
from k8stui.nodes.kubeproxy.ports import is_proxied
from k8stui.nodes.kubeproxy.reasons import OWNER
from k8stui.origin import Origin


def unmodelled(cluster: Cluster) -> tuple[Unmodelled, ...]:
    """What kube-proxy takes on each node, in a mode that is not modelled; else nothing."""
    if is_modelled(cluster):
        return ()
    mode = cluster.proxy.mode
    own = {address for node in cluster.nodes.values() for address in node.addresses}
    addresses: dict[Address, Because] = {}
    ports: dict[tuple[Protocol, int], Because] = {}
    only: dict[Address, set[tuple[Protocol, int]]] = {}
    for service in cluster.services.values():
        if not is_proxied(service):
            continue
        why = _because(service, mode_origin(cluster))
        vips = [e.ip for e in service.load_balancer_ingress if e.ip and e.ip_mode != "Proxy"]
        for address in (*service.cluster_ips, *service.external_ips, *vips):
            if address not in own or mode == IPVS:
                addresses.setdefault(address, why)
                served = {(port.protocol, port.port) for port in service.ports}
                only.setdefault(address, set()).update(served)
            else:
                for port in service.ports:
                    ports.setdefault((port.protocol, port.port), why)
        for port in service.ports:
            if port.node_port:
                ports.setdefault((port.protocol, port.node_port), why)
    name = replacement(cluster) or f"kube-proxy in mode {mode}"
    # A virtual server of IPVS is an address with a port: what asks another one is the node's own.
    virtual = {address: frozenset(found) for address, found in only.items() if mode == IPVS}
    return (Unmodelled(name=name, addresses=addresses, only=virtual, ports=ports),)


def _because(service: Service, origin: Origin) -> Because:
    return Because(text=f"Service {service.key}", origin=origin, owner=OWNER, service=service.key)
