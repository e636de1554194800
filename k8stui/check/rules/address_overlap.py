"""Address ranges that run into each other: pods, Services, nodes.

A Service range inside the pod range makes kube-proxy take addresses of pods; a node inside either
is not reached by pods, which send its address to the bridge or to a rule; two nodes with one pod
range answer for each other's pods, and so do two that a plug-in's annotations find at one address;
of two pods with one address one is lost. A ClusterIP in a node's pod range is looked for among that
node's own pods, and one that is a node's address hides that node.

Does not apply to what was only assumed: ranges and addresses of the input count, and only they.
Pods on their node's network share its address rightly; finished pods have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.apiserver.fields import table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Node, Pod
from k8stui.cluster.networks.own_bridges import own_bridge
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import LinkKind
from k8stui.nodes.cni import node_annotations
from k8stui.nodes.kubeproxy.ipvs import DEVICE as IPVS_DEVICE
from k8stui.nodes.lan import LONGEST
from k8stui.origin import Origin, OriginKind
from k8stui.walk.diagnosis.own_bridges import keep_apart, make_anew
from k8stui.walk.doubts import uses_pod_cidr
from k8stui.walk.lookup import can_send

ID = "address-overlap"
_KNOWN = (OriginKind.DECLARED, OriginKind.OBSERVED)


def look(ground: Ground) -> Iterator[Finding]:
    yield from _ranges(ground)
    yield from _nodes(ground)
    yield from _pods(ground)
    yield from _cluster_cidr(ground)
    yield from _flannel(ground)
    yield from _cilium(ground)
    yield from _bridges(ground)


def _bridges(ground: Ground) -> Iterator[Finding]:
    """A node's own bridge (Docker's, libvirt's) or card in the Services' range or the pods'.

    Services hide what is really there: a ClusterIP of that range is somebody else's address too.
    """
    network = ground.world.network
    cluster = ground.cluster
    for name in network.observed:
        own = cluster.nodes[name].addresses
        for device in network[name].interfaces:
            if device.name == IPVS_DEVICE or device.kind is LinkKind.LOOPBACK:
                continue
            for entry in device.addresses:
                near = entry.network
                if near.length == near.address.bits or entry.address in own:
                    continue
                for cidr in cluster.service_cidrs:
                    if _overlap(near, cidr) and _known(cluster.origins["service_cidr"]):
                        yield _finding(
                            f"Node {name}", cluster.origins["service_cidr"],
                            f"{device.name} of {name} has {entry.address}/{entry.prefix_length}, "
                            f"in the Services' range {cidr}: the hosts of one of the two are "
                            "hidden from pods and nodes, and an address of both is answered by "
                            "either",
                            f"give Services a range apart (serviceSubnet), or {device.name} "
                            'another network (Docker: "bip" in daemon.json)',
                            Severity.WARNING,
                        )  # fmt: skip
                        return


def _cilium(ground: Ground) -> Iterator[Finding]:
    """Cilium gives out its own pool, whatever podSubnet is: 10.0.0.0/8 where it is told nothing.

    Source: cilium Documentation/network/kubernetes/ipam-cluster-pool ("Check for conflicting node
    CIDRs").
    """
    for manifest in ground.of_kind("ConfigMap").values():
        told = table(manifest.data, "data") if manifest.name == "cilium-config" else {}
        pools = prefixes(str(told.get("cluster-pool-ipv4-cidr", "")).replace(",", " ").split())
        if told.get("ipam", "cluster-pool") != "cluster-pool":
            continue
        for node in ground.cluster.nodes.values():
            inside = [(at, one) for at in node.addresses for one in pools if at in one]
            if inside and _known(node.origin):
                address, pool = inside[0]
                yield _finding(
                    f"Node {node.name}", manifest.origin("data", "cluster-pool-ipv4-cidr"),
                    f"its address {address} is in Cilium's pool for pods, {pool}: once that part "
                    "is given to a node, its pods reach neither this node nor its network",
                    "choose a pool apart from the nodes' network (Helm: "
                    "ipam.operator.clusterPoolIPv4PodCIDRList), and make nodes and pods anew",
                    Severity.WARNING,
                )  # fmt: skip
                return


def _flannel(ground: Ground) -> Iterator[Finding]:
    """Flannel's own range holds none of the nodes' pods: it neither routes nor hides for them.

    A subnet comes from node.spec.podCIDR (flannel pkg/subnet/kube); rules and routes are made for
    Network.
    """
    told = prefixes(filter(None, (text(ground.cluster.flannel or {}, "Network"),)))
    for node in ground.cluster.nodes.values() if told else ():
        cidrs = [one for one in node.pod_cidrs if one.address.version == told[0].address.version]
        origin = node.origins.get("pod_cidrs", node.origin)
        if cidrs and _known(origin) and not any(_overlap(one, told[0]) for one in cidrs):
            yield _finding(
                f"Node {node.name}", origin,
                f"its pod range {cidrs[0]} is not in flannel's Network {told[0]}: flannel neither "
                "lets through nor masquerades what its pods send",
                "write the pods' range (podSubnet, --pod-network-cidr) as Network into flannel's "
                "net-conf.json, and start flannel anew",
                Severity.WARNING,
            )  # fmt: skip
            return


def _cluster_cidr(ground: Ground) -> Iterator[Finding]:
    """kube-proxy takes pods for strangers: it masquerades what they ask of a ClusterIP."""
    proxy = ground.cluster.proxy
    origin = proxy.origins.get("cluster_cidr", proxy.origin)
    if not proxy.cluster_cidr or not _known(origin) or proxy.detect_local_mode:
        return
    try:
        told = [Prefix.parse(text.strip()) for text in proxy.cluster_cidr.split(",")]
    except ValueError:
        return  # kube-proxy does not start with that, which is told where the input is read
    nodes = [n for n in ground.cluster.nodes.values() if _known(n.origin)]
    cidrs = [cidr for node in nodes for cidr in node.pod_cidrs]
    versions = {prefix.address.version for prefix in told}
    cidrs = [cidr for cidr in cidrs if cidr.address.version in versions]
    if cidrs and not any(_overlap(cidr, prefix) for cidr in cidrs for prefix in told):
        yield _finding(
            "cluster", origin,
            f"kube-proxy's clusterCIDR {proxy.cluster_cidr} holds none of the nodes' pod ranges "
            f"({cidrs[0]}): it takes pods for strangers, and Services hide their addresses",
            "set clusterCIDR to the pods' range (podSubnet)",
            Severity.WARNING,
        )  # fmt: skip


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.address in other or other.address in one


def _ranges(ground: Ground) -> Iterator[Finding]:
    cluster = ground.cluster
    pods, services = cluster.origins["pod_cidr"], cluster.origins["service_cidr"]
    for pod_cidr in cluster.pod_cidrs:
        for service_cidr in cluster.service_cidrs:
            if _overlap(pod_cidr, service_cidr) and (_known(pods) or _known(services)):
                where = services if _known(services) else pods
                yield _finding(
                    "cluster", where,
                    f"the Services' range {service_cidr} and the pods' {pod_cidr} overlap",
                    "choose ranges apart (serviceSubnet, podSubnet)",
                )  # fmt: skip


def _nodes(ground: Ground) -> Iterator[Finding]:
    cluster = ground.cluster
    nodes = [n for n in cluster.nodes.values() if _known(n.origin)]
    ranges = [
        *((cidr, "pods", cluster.origins["pod_cidr"]) for cidr in cluster.pod_cidrs),
        *((cidr, "Services", cluster.origins["service_cidr"]) for cidr in cluster.service_cidrs),
    ]
    seen: dict[Address, Node] = {}
    for node in nodes:
        for address in node.addresses:
            for cidr, what, origin in ranges:
                if address in cidr and (_known(origin) or what == "Services"):
                    # kube-proxy takes no notice of a range that nobody says: it may be another.
                    sure = _known(origin)
                    yield _finding(
                        f"Node {node.name}", node.origins.get("addresses", node.origin),
                        f"its address {address} is in the range of the {what}, {cidr}"
                        + ("" if sure else " (assumed)"),
                        "move the range, or the nodes' network",
                        Severity.ERROR if sure else Severity.INFO,
                    )  # fmt: skip
            first = seen.setdefault(address, node)
            if first is not node:
                yield _finding(
                    f"Node {node.name}", node.origins.get("addresses", node.origin),
                    f"node {first.name} has its address {address} too",
                    "give each node an address of its own",
                )  # fmt: skip
    yield from _pod_ranges(nodes)
    yield from _among_pods(ground, nodes)
    yield from _moved(nodes)
    yield from _cluster_ips(ground, nodes)
    for name, remark in node_annotations.astray(cluster).items():
        yield _finding(
            f"Node {name}", remark.origin,
            f"calico-node took for its address {remark.text}: the other nodes get no route to its "
            "pods, nor it to theirs",
            "tell calico-node which card to take (IP_AUTODETECTION_METHOD: "
            "kubernetes-internal-ip, or interface=…) and start it anew",
            Severity.WARNING,
        )  # fmt: skip
    for node, other, what, origin in node_annotations.told_twice(nodes):
        yield _finding(
            f"Node {node.name}", origin,
            f"node {other.name} is found at its {what} too: what the others send to the pods of "
            "one of them goes to the other",
            "tell flanneld which card is whose (--iface, --public-ip), and take the annotation "
            "away",
        )  # fmt: skip
    for node, why, origin in node_annotations.tunnels_apart(nodes):
        yield _finding(
            f"Node {node.name}", origin, why,
            f"one VNI for all (net-conf.json), a machine-id of its own for each machine; on "
            f"{node.name}: ip link delete flannel.1 (or its like), and restart flannel's pod",
            Severity.WARNING,
        )  # fmt: skip
    for node, other, end, origin in node_annotations.tunnel_ends_twice(nodes):
        yield _finding(
            f"Node {node.name}", origin,
            f"Calico's tunnel has the address {end} on it and on node {other.name}: what "
            "either asks of pods elsewhere is answered to one of them alone",
            f"take the annotation off node {node.name}, and restart calico-node there, which takes "
            "an address of its own",
            Severity.WARNING,
        )  # fmt: skip


def _moved(nodes: Iterable[Node]) -> Iterator[Finding]:
    """A node that flannel finds at an address beside the one that it has: DHCP gave it another.

    In another network the annotation's address may well be that of a second card (``--iface``).
    """
    for node in nodes:
        for own in node.addresses:
            told = node_annotations.public_address(node, own.version)
            near = Prefix.of(own, LONGEST[own.version])
            if told is not None and told not in node.addresses and told in near:
                yield _finding(
                    f"Node {node.name}", node_annotations.public_origin(node, own.version),
                    f"flannel's public-ip is {told}, and the node has {own}: the other nodes' "
                    "tunnels lead to the former",
                    f"restart flannel's pod on {node.name}: it writes the annotation anew",
                    Severity.WARNING,
                )  # fmt: skip


def _among_pods(ground: Ground, nodes: list[Node]) -> Iterator[Finding]:
    """A node in the range of a node's pods, which those take for their neighbours."""
    given = {
        cidr: node
        for node in nodes
        if uses_pod_cidr(ground.world.network, node)
        for cidr in node.pod_cidrs
    }
    lengths = {cidr.length for cidr in given}
    told = ground.cluster.pod_cidrs if _known(ground.cluster.origins["pod_cidr"]) else ()
    for node in nodes:
        for address in node.addresses:
            around = (Prefix.of(address, n) for n in lengths if n <= address.bits)
            cidr = next((one for one in around if one in given), None)
            if cidr is not None and not any(address in one for one in told):
                yield _finding(
                    f"Node {given[cidr].name}", given[cidr].origins.get("pod_cidrs", node.origin),
                    f"its pod range {cidr} holds {address}, the address of node {node.name}: what "
                    "its pods send there stays on their own bridge",
                    "give the pods a range that the nodes' network does not share (podSubnet), and "
                    "make them anew",
                    Severity.WARNING,
                )  # fmt: skip
                return


def _cluster_ips(ground: Ground, nodes: list[Node]) -> Iterator[Finding]:
    """A ClusterIP that is written, and is somebody else's address, or may be."""
    hosts = {address: node for node in nodes for address in node.addresses}
    given = {
        cidr: node
        for node in nodes
        if uses_pod_cidr(ground.world.network, node)
        for cidr in node.pod_cidrs
    }
    lengths = {cidr.length for cidr in given}
    for service in ground.cluster.services.values() if hosts else ():
        origin = service.origins.get("cluster_ips", service.origin)
        for address in service.cluster_ips if _known(origin) else ():
            around = (Prefix.of(address, n) for n in lengths if n <= address.bits)
            cidr = next((one for one in around if one in given), None)
            if address in hosts:
                yield _finding(
                    f"Service {service.key}", origin,
                    f"its clusterIP {address} is the address of node {hosts[address].name}: what "
                    "is sent to that port of the node goes to the Service",
                    "take clusterIP out, so that one of the Services' range is given",
                )  # fmt: skip
            elif cidr is not None:
                yield _finding(
                    f"Service {service.key}", origin,
                    f"its clusterIP {address} is in the pods' range of node {given[cidr].name}, "
                    f"{cidr}: pods there look for it beside them, and a pod may be given it",
                    "take clusterIP out, and give Services and pods ranges apart (serviceSubnet, "
                    "podSubnet)",
                    Severity.WARNING,
                )  # fmt: skip


def _pod_ranges(nodes: list[Node]) -> Iterator[Finding]:
    """Neighbours in sorted order are enough: of two prefixes one holds the other, or neither."""
    cidrs = sorted((cidr, node.index, node) for node in nodes for cidr in node.pod_cidrs)
    last: tuple[Prefix, Node] | None = None
    for cidr, _, node in cidrs:
        if last is not None and node is not last[1] and _overlap(cidr, last[0]):
            yield _finding(
                f"Node {node.name}", node.origins.get("pod_cidrs", node.origin),
                f"its pod range {cidr} overlaps {last[0]} of node {last[1].name}{_whose(cidr)}",
                _apart(cidr),
            )  # fmt: skip
        elif last is None or not _overlap(cidr, last[0]):
            last = cidr, node


def _strayed(ground: Ground, pod: Pod) -> Iterator[Finding]:
    """A pod that was made before the network plug-in was there, or from a range of before."""
    node = ground.cluster.nodes.get(pod.node_name or "")
    for address in pod.addresses:
        if node is None or any(address in cidr for cidr in node.pod_cidrs):
            continue
        known = own_bridge(address)
        given = ", ".join(map(str, node.pod_cidrs))
        if known is not None:
            yield _finding(
                f"Pod {pod.key}", pod.origin,
                f"its address {address} is of {known.runtime}'s own bridge, and not of the pods of "
                f"{node.name} ({given}): no other node reaches it",
                make_anew(known, pod),
            )  # fmt: skip
        elif node_annotations.strays(node, address):
            yield _finding(
                f"Pod {pod.key}", pod.origins.get("addresses", pod.origin),
                f"its address {address} is not of the range of {node.name}'s pods ({given}), to "
                "which alone flannel has routes: cni0 is left there from a range of before",
                f"on {node.name}: ip link delete cni0; then make its pods anew",
                Severity.WARNING,
            )  # fmt: skip


def _whose(cidr: Prefix) -> str:
    known = own_bridge(cidr.address)
    return f": {known.runtime}'s own bridge, without a network plug-in" if known else ""


def _apart(cidr: Prefix) -> str:
    known = own_bridge(cidr.address)
    if known is None:
        return "give each node a range of its own (spec.podCIDR)"
    return keep_apart(known)


def _pods(ground: Ground) -> Iterator[Finding]:
    seen: dict[Address, str] = {}
    for pod in ground.cluster.pods.values():
        if pod.host_network or not can_send(pod) or pod.terminating:
            continue
        yield from _strayed(ground, pod)
        for address in pod.addresses:
            first = seen.setdefault(address, pod.key)
            if first != pod.key:
                yield _finding(
                    f"Pod {pod.key}", pod.origins.get("addresses", pod.origin),
                    f"pod {first} has its address {address} too",
                    "delete one of them: the address was given out twice",
                )  # fmt: skip


def _known(origin: Origin) -> bool:
    return origin.kind in _KNOWN


def _finding(
    subject: str, origin: Origin, why: str, fix: str, severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(
        rule=ID,
        severity=severity,
        subject=subject,
        place=origin.place,
        why=why,
        fix=fix,
    )


RULE = CheckRule(
    id=ID,
    summary="Address ranges overlap",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
