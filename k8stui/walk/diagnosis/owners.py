"""Whose an address is: a pod's, a node's, a Service's, a node's pod network's."""

from __future__ import annotations

from k8stui.cluster.kubernetes_service import KEY, control_plane, lost_api_servers
from k8stui.cluster.model import Cluster, Service
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind
from k8stui.record import record
from k8stui.walk.diagnosis.case import Case, Diagnosis


@record(kw_only=True)
class Behind:
    """An address of the pod network: behind which node it is."""

    node: str
    network: Prefix
    via: Address | None


def owner_of(case: Case, address: Address) -> Behind | None:
    """The node that an address of the pod network is behind; None for any other address."""
    for node in case.cluster.nodes.values():
        for network in node.pod_cidrs:
            if network.address.version == address.version and address in network:
                return Behind(node=node.name, network=network, via=node.address(address.version))
    return None


def pod_range(case: Case, address: Address) -> Prefix:
    """The pods' range of an address's family."""
    known = case.cluster.pod_cidrs
    same = (one for one in known if one.address.version == address.version)
    return next(same, case.cluster.pod_cidr)


def service_with(case: Case, address: Address) -> Service | None:
    """The Service that has the address: its ClusterIP, external or load balancer's address."""
    return service_at(case.cluster, address)


def service_at(cluster: Cluster, address: Address) -> Service | None:
    """As `service_with`, of any cluster."""
    return _services.of(cluster).get(address)


def _by_address(cluster: Cluster) -> dict[Address, Service]:
    found: dict[Address, Service] = {}
    for service in cluster.services.values():
        ingress = (i.ip for i in service.load_balancer_ingress if i.ip is not None)
        for address in (*service.cluster_ips, *service.external_ips, *ingress):
            found.setdefault(address, service)
    return found


_services: Derived[Cluster, dict[Address, Service]] = Derived(_by_address)
"""The first Service that has each address."""


def what_it_is(case: Case, address: Address) -> str:
    """What sort of address it is, as an aside; empty where that says nothing."""
    owner = service_with(case, address)
    if owner is not None and address in owner.cluster_ips:
        return f": it is the ClusterIP of Service {owner.key}, which no routing table has"
    if any(address in cidr for cidr in case.cluster.service_cidrs or (case.cluster.service_cidr,)):
        return ": it is an address of the Services' range that no Service has"
    pod = case.pod_with(address)
    if pod is not None and not pod.host_network:
        return f", the address of pod {pod.key} on {pod.node_name}"
    behind = owner_of(case, address)
    return f", an address of {behind.node}'s pods ({behind.network})" if behind else ""


def who(namespace: str) -> str:
    """Whose routing it is; between the nodes stands their router."""
    return "the nodes' router" if namespace == "wire" else namespace


def named_by_hand(case: Case, address: Address) -> Diagnosis | None:
    """Recognise an endpoint that leads nowhere: a ClusterIP, or an address that no pod has."""
    endpoint = next((e for e in case.endpoints if address in e.addresses), None)
    if endpoint is None or case.service is None or case.pod_with(address) is not None:
        return None
    key = case.service.key
    if key == KEY and any(address in one.addresses for one in lost_api_servers(case.cluster)):
        servers = [(n.name, n.address(address.version)) for n in control_plane(case.cluster)]
        listed = ", ".join(f"{name} ({own})" for name, own in servers if own)
        return Diagnosis(
            f"the endpoints of Service {key} name {address}, the address of no node: the API "
            f"server runs on {listed}",
            "let the API server there advertise its node's address (--advertise-address), and "
            f"take {address} out of the endpoints",
            endpoint.origin,
        )
    virtual = service_with(case, address)
    if virtual is not None and address in virtual.cluster_ips:
        name = f"{virtual.name}.{virtual.namespace}.svc.{case.cluster.cluster_domain}"
        return Diagnosis(
            f"the endpoints of Service {key} name {address}, the ClusterIP of Service "
            f"{virtual.key}: kube-proxy rewrites the destination once, and nobody has that address",
            f"make {case.service.name} an ExternalName of {name}, or write the pods' own addresses",
            endpoint.origin,
        )
    behind = owner_of(case, address)
    of_pods = next((one for one in case.cluster.pod_cidrs if address in one), None)
    if behind is None and of_pods is not None:
        is_assumed = case.cluster.origins["pod_cidr"].kind is OriginKind.ASSUMED
        return Diagnosis(
            f"the endpoints of Service {key} name {address}, which is in the pods' range "
            f"({of_pods}{', assumed' if is_assumed else ''}): the cluster takes it for a pod's, "
            "and no node has such pods",
            "keep the pods' range (podSubnet) apart from every network that pods ask; or mend the "
            f"address in the endpoints of Service {key}, if a pod is meant",
            endpoint.origin,
        )
    if behind is None:
        return None
    return Diagnosis(
        f"the endpoints of Service {key} name {address}, an address of {behind.node}'s pods "
        f"({behind.network}) that no pod has (any more)",
        f"mend the address in the endpoints of Service {key}, or give the Service a selector: then "
        "they follow the pods",
        endpoint.origin,
    )


def of_gateway(case: Case, address: Address) -> Diagnosis | None:
    """Recognise the address of a Gateway (Gateway API) whose controller is not in the input."""
    gateway = case.cluster.gateway_addresses.get(address)
    if gateway is None or case.request.connect is None:
        return None
    asked = case.request.connect.port
    said = f"{address} is the address of Gateway {gateway.key} (its status)"
    if asked not in gateway.ports:
        has = ", ".join(map(str, gateway.ports)) or "none"
        return Diagnosis(
            f"{said}, which has no listener at port {asked} (it has {has})",
            f"ask one of those, or give Gateway {gateway.key} a listener at port {asked}",
            gateway.origin,
        )
    lack = gateway.ports[asked]
    if lack is not None:
        return Diagnosis(f"{said}; {lack.why}", lack.mend, lack.origin)
    return Diagnosis(
        f"{said}, and the Service of its controller, which has it, is not in the input",
        "read that one and its pods, too; or ask what stands behind the Gateway",
        gateway.origin,
    )


def gone(case: Case, address: Address) -> Diagnosis | None:
    """Recognise the address of a pod that has ended: its network namespace went with it."""
    had = case.pods_with(address)
    if not had or not all(pod.phase.is_final for pod in had):
        return None
    pod = had[0]
    why = f": {pod.unready_reason}" if pod.unready_reason else ""
    return Diagnosis(
        f"pod {pod.key}, which had {address}, has ended ({pod.phase.value}{why})",
        "ask the Service in front of the pods, which leads to those that run",
        pod.origin,
    )


def astray(case: Case, address: Address) -> Diagnosis | None:
    """Recognise a pod whose address is of another node's range: all look for it there."""
    pod, behind = case.pod_with(address), owner_of(case, address)
    if pod is None or behind is None or pod.host_network or pod.node_name in (None, behind.node):
        return None
    return Diagnosis(
        f"pod {pod.key} is on {pod.node_name}, and its address {address} is of the range of "
        f"{behind.node}'s pods ({behind.network}), where all look for it",
        f"make it anew; where new pods of {pod.node_name} get such addresses too, its bridge is "
        f"left from a range of before (on {pod.node_name}: ip link delete cni0)",
        pod.origins.get("addresses", pod.origin),
    )


def other_network(case: Case, node: str, bridge: str, wanted: Address) -> Diagnosis | None:
    """Recognise a bridge that has the address of another network than the node's pods."""
    found = case.network.get(node)
    device = next((d for d in found.interfaces if d.name == bridge), None) if found else None
    if device is None:
        return None
    others = [one for one in device.addresses if one.address.version == wanted.version]
    if not others or any(one.address == wanted for one in others):
        return None
    has = ", ".join(f"{one.address}/{one.prefix_length}" for one in others)
    theirs = [
        pod
        for pod in case.cluster.pods.values()
        if pod.node_name == node
        for address in pod.addresses
        if any(address in Prefix.of(one.address, one.prefix_length) for one in others)
    ]
    if theirs:
        network = next(iter(case.cluster.nodes[node].pod_cidrs), "its podCIDR")
        return Diagnosis(
            f"{bridge} of {node} has {has}, and {theirs[0].key} has {theirs[0].addresses[0]} of "
            f"that network, while {node}'s pods are to be in {network}, to which "
            "the other nodes' routes lead: another plug-in's configuration was taken there (the "
            "first file of /etc/cni/net.d, as the bridge that CRI-O or podman brings along)",
            f"on {node}: take that file out of /etc/cni/net.d, ip link delete {bridge}, and start "
            "the node's pods again: then the cluster's own plug-in makes their network",
        )
    return Diagnosis(
        f"{bridge} of {node} has {has}, and the gateway of {node}'s pods is {wanted}: the bridge "
        "is left from another network (the plug-in says of it that it already has an IP address "
        "different from its own)",
        f"on {node}: ip link delete {bridge}; the plug-in makes it anew with the next pod. Start "
        "the node's pods again",
    )


def podless(case: Case, address: Address) -> str:
    """Advice about an address of the pod network that no pod has."""
    if case.pod_with(address) is not None:
        return ""
    if not any(address in cidr for cidr in case.cluster.pod_cidrs or (case.cluster.pod_cidr,)):
        return ""
    if owner_of(case, address) is None:
        return (
            "it is in the pods' range, and no node has such pods: where a host outside is meant, "
            "the range (podSubnet) has to be another one, apart from every network that pods ask; "
            "where a pod is meant, ask the Service in front of it"
        )
    return "no pod has that address (any more): ask the Service in front of the pods instead"


def overlap(case: Case, *addresses: Address) -> tuple[str, str, str] | None:
    """Two who claim one of the addresses: (first, second, network); None where nobody does.

    A range of pods that was only assumed claims nothing of the nodes: plug-ins of clouds give pods
    addresses of the nodes' own network.
    """
    nodes = [n for n in case.cluster.nodes.values() if n.pod_cidrs]
    for address in addresses:
        claims = [
            (node, cidr)
            for node in nodes
            for cidr in node.pod_cidrs
            if cidr.address.version == address.version and address in cidr
        ]
        if len(claims) > 1:
            (one, cidr), (other, _) = claims[:2]
            return f"the pods of {one.name}", f"the pods of {other.name}", str(cidr)
        for node, cidr in claims:
            if node.origins.get("pod_cidrs", node.origin).kind is OriginKind.ASSUMED:
                continue
            lan = next((n for n in nodes if any(a in cidr for a in n.addresses)), None)
            if lan is not None:
                return f"the pods of {node.name}", f"the nodes' own network ({lan.name})", str(cidr)
    return None
