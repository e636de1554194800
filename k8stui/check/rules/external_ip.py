"""An externalIP that is already somebody's address: kube-proxy takes that one's traffic.

Every node rewrites what goes to ``externalIP:port`` (proxier.go, externalIPs). If the address is a
pod's or another Service's, that one is no longer reached on this port; if it is a node's, the
node's own server on that port (22, 6443, 10250) is not.

In mode ipvs kube-proxy binds the address to kube-ipvs0 on every node (pkg/proxy/ipvs/proxier.go
syncProxyRules): a node's own address is then every node's, and the node is cut off.

Two Services with the same externalIP, or load balancer's address, and port: only one of them gets
the traffic.

An IPAddressPool of MetalLB that holds a node's address may give that to a Service.

Does not apply to a node's address on a port that no system service uses, which is the usual way
without a load balancer, nor to addresses outside the cluster's ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.load_balancers.announcing import is_elsewhere
from k8stui.cluster.load_balancers.balancers import Balancers, find_balancers
from k8stui.cluster.load_balancers.metallb import Pool
from k8stui.cluster.model import Service
from k8stui.kernel.address import Address
from k8stui.walk.sentence import port_word

ID = "external-ip"
_SYSTEM = {22: "sshd", 2379: "etcd", 2380: "etcd", 6443: "the API server", 10250: "the kubelet"}


def look(ground: Ground) -> Iterator[Finding]:
    yield from _pools(ground)
    with_any = [s for s in ground.services if s.external_ips or s.load_balancer_ingress]
    if not with_any:
        return
    owners = _owners(ground)
    taken: dict[tuple[Address, int, str], Service] = {}
    for service in with_any:
        for index, address in enumerate(service.external_ips):
            why = _why(ground, owners, service, address)
            for port in service.ports:
                key = (address, port.port, port.protocol.name)
                first = taken.setdefault(key, service)
                if first is not service:
                    word = port_word(port.port, port.protocol)
                    why = f"Service {first.key} has {address} and port {word} too: one of them "
                    why += "gets nothing"
            if why:
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Service {service.key}",
                    place=ground.place(service, "spec", "externalIPs", index),
                    why=f"externalIP {address}: {why}",
                    fix="take an address that is routed to the nodes and belongs to nobody",
                )
        yield from _shared_ingress(ground, service, taken)


def _pools(ground: Ground) -> Iterator[Finding]:
    """MetalLB's pools that hold a node's own address."""
    balancers = find_balancers(ground.inventory, ground.cluster.pods)
    for pool in balancers.pools if balancers is not None else ():
        for node in ground.cluster.nodes.values():
            address = next((one for one in node.addresses if one in pool), None)
            if address is None:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"{pool.title} in {pool.manifest.namespace or 'default'}",
                place=pool.origin("addresses").place,
                why=f"it holds {address}, node {node.name}'s own address: given to a Service, "
                "whoever announces it takes what is meant for the node (ssh, the kubelet)",
                fix="take the nodes' addresses out of the pool",
            )
            break
        yield from _elsewhere(ground, pool, balancers)


def _elsewhere(ground: Ground, pool: Pool, balancers: Balancers | None) -> Iterator[Finding]:
    """Addresses for L2 mode that are on none of the nodes' networks.

    ARP is asked for one's own network alone.
    """
    ads = [one for one in balancers.advertisements if one.is_for(pool)] if balancers else []
    nodes = ground.cluster.nodes.values()
    first = next((low for low, _ in pool.ranges if low.version == 4), None)
    if not ads or first is None or not all(one.is_l2 for one in ads):
        return
    if is_elsewhere(first, nodes, ground.world.network.networks):
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"{pool.title} in {pool.manifest.namespace or 'default'}",
            place=pool.origin("addresses").place,
            why=f"{first} is on none of the nodes' networks: in L2 mode a node answers "
            "ARP for the address, and nobody asks that who takes it for another network's",
            fix="take free addresses of the nodes' network, or announce the pool by BGP "
            "(BGPAdvertisement), or give the router a route to a node",
        )


def _shared_ingress(
    ground: Ground, service: Service, taken: dict[tuple[Address, int, str], Service]
) -> Iterator[Finding]:
    """A load balancer's address that another Service has on the same port."""
    for index, entry in enumerate(service.load_balancer_ingress):
        if entry.ip is None:
            continue
        for port in service.ports:
            first = taken.setdefault((entry.ip, port.port, port.protocol.name), service)
            if first is not service:
                word = port_word(port.port, port.protocol)
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Service {service.key}",
                    place=ground.place(service, "status", "loadBalancer", "ingress", index),
                    why=f"load balancer's address {entry.ip}: Service {first.key} has it with port "
                    f"{word} too: one of them gets nothing",
                    fix="let the load balancer give each Service an address of its own, or take "
                    "another port",
                )
                break


def _owners(ground: Ground) -> dict[Address, str]:
    cluster = ground.cluster
    found: dict[Address, str] = {}
    for pod in cluster.pods.values():
        if not pod.host_network:
            found |= dict.fromkeys(pod.addresses, f"pod {pod.key}")
    for service in cluster.services.values():
        found |= dict.fromkeys(service.cluster_ips, f"Service {service.key} (its clusterIP)")
    return found


def _why(ground: Ground, owners: dict[Address, str], service: Service, address: Address) -> str:
    node = next((n for n in ground.cluster.nodes.values() if address in n.addresses), None)
    if node is not None:
        if ground.cluster.proxy.mode == "ipvs":
            return (
                f"it is node {node.name}'s own address, and in mode ipvs kube-proxy binds it to "
                f"kube-ipvs0 on every node: the others take it for theirs and no longer reach "
                f"{node.name}"
            )
        for port in service.ports:
            if port.port in _SYSTEM:
                return (
                    f"port {port.port} of node {node.name} ({_SYSTEM[port.port]}) is no longer "
                    "reached"
                )
        return ""
    if ground.cluster.proxy.mode == "ipvs" and (where := _of_the_api(ground, address)):
        return (
            f"the nodes reach the API server at it ({where}), and in mode ipvs kube-proxy binds it "
            "to kube-ipvs0 on every node: they take what is for the API server for themselves"
        )
    if address in owners:
        return f"it is the address of {owners[address]}, which loses what is sent there"
    for cidr, what in (
        *((c, "pods") for c in ground.cluster.pod_cidrs),
        *((c, "Services") for c in ground.cluster.service_cidrs),
    ):
        if address in cidr:
            return f"it is in the range of {what} ({cidr}) and may be given to one of them"
    return ""


def _of_the_api(ground: Ground, address: Address) -> str:
    """Which configuration names it as the API server's: kubeadm's, or kube-proxy's kubeconfig."""
    asked = re.compile(
        rf"(?:server:\s*\W?https://|controlPlaneEndpoint:\s*\W?){re.escape(str(address))}:"
    )
    for name in (
        "kube-system/kube-proxy",
        "kube-system/kubeadm-config",
        "kube-public/cluster-info",
    ):
        held = ground.cluster.config_maps.get(name)
        for key, text in held.data.items() if held is not None else ():
            if isinstance(text, str) and asked.search(text):
                return f"ConfigMap {name}, {key}"
    return ""


RULE = CheckRule(
    id=ID,
    summary="An externalIP shadows an address of the cluster",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
