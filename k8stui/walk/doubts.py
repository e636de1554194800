"""Where a node is walked as it should be, though the input shows that it is not so.

A dump's Node without a range for its pods, kube-proxy's pod that does not run: which rules and
routes stand there then, the input does not say. Sources: flannel pkg/subnet/kube (AcquireLease:
"node %q pod cidr not assigned"), host-local's use of podCIDR.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import text
from k8stui.cluster.distribution import K3S, KUBEADM
from k8stui.cluster.ingress.entrances import beside_wildcard, entrance_of
from k8stui.cluster.load_balancers.announcing import is_elsewhere
from k8stui.cluster.load_balancers.handed_on import lacks_header
from k8stui.cluster.model import Announced, Cluster, Node, Pod, Service
from k8stui.cluster.names import ndots, resolve, taken_by_search, unsure_tries
from k8stui.cluster.networks.node_daemons import (
    lost_plugins,
    lost_proxies,
    nobody_proxies,
    without_plugin,
    without_proxy,
)
from k8stui.cluster.policy import Direction
from k8stui.cluster.programs.advertised import comes_back_to_itself, unknown_to
from k8stui.cluster.programs.caveats import of_neighbours, of_peers
from k8stui.cluster.programs.images import serves_ingresses
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.programs.proxied import proxied
from k8stui.cluster.proxy_configuration import NO_SUBNET
from k8stui.cluster.selectors import matches
from k8stui.cluster.waiting import of_nobody
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import DeviceCause, JudgeCause, RouteCause, StepKind
from k8stui.nodes.cni import node_annotations
from k8stui.nodes.internet import MEND, is_private, private_range
from k8stui.nodes.lan import LONGEST
from k8stui.nodes.sysctl import CONNTRACK_MAX, is_full
from k8stui.nodes.wire import LAN, OUTSIDE, WIRE
from k8stui.origin import Origin, OriginKind
from k8stui.suggest import is_typo
from k8stui.walk.clouds import carries_pods_if, shut_from_outside
from k8stui.walk.diagnosis.names import behind_entrance
from k8stui.walk.diagnosis.other_rewriting import answered_elsewhere
from k8stui.walk.policies import if_enforced
from k8stui.walk.second_networks import beside_the_plugin

if TYPE_CHECKING:
    from k8stui.kernel.exchange import Exchange
    from k8stui.nodes.network import ClusterNetwork
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World

_SAID = (OriginKind.DECLARED, OriginKind.OBSERVED)
_INTERNAL = frozenset({
    ("azure-load-balancer-internal", "true"), ("aws-load-balancer-internal", "true"),
    ("aws-load-balancer-internal", "0.0.0.0/0"), ("aws-load-balancer-scheme", "internal"),
    ("load-balancer-type", "Internal"), ("openstack-internal-load-balancer", "true"),
})  # fmt: skip
"""Annotations of Services (their last part) by which clouds make a load balancer of their own
network's, with its value."""
_BY_POD_CIDR = ("flannel", "canal", "kindnet", "kubenet", "kube-router")
"""Plug-ins that give out the addresses of spec.podCIDR, and do not start without it."""


def doubts(world: World, request: Request, exchange: Exchange) -> Iterator[str]:
    """What is taken for granted of the nodes that the packets came to."""
    cluster, network = world.cluster, world.network
    to_service = request.service is not None
    proxies = lost_proxies(cluster) if to_service else {}
    without = without_proxy(cluster) if to_service else {}
    plugins, unplugged = lost_plugins(cluster), without_plugin(cluster)
    bare = {node.name for node in _bare.of(cluster)}
    yield from _by_node_address(cluster, exchange)
    yield from _only_the_first(cluster, exchange)
    yield from _if_it_starts(cluster, exchange)
    yield from _without_header(cluster, request, exchange)
    yield from _by_proxy(cluster, request, exchange)
    yield from _behind_entrance(cluster, request, exchange)
    yield from _beside_host(cluster, request)
    yield from _at_a_gateway(cluster, request, exchange)
    yield from _by_search(cluster, request, exchange)
    yield from _on_its_node(cluster, exchange)
    yield from _not_ready(cluster, exchange)
    yield from _answers_now(cluster, network, exchange)
    yield from _sent_again(exchange)
    yield from _by_another_card(network, request, exchange)
    yield from _from_before(cluster, exchange)
    yield from _out_of_entries(network, exchange)
    yield from beside_the_plugin(cluster, request, exchange)
    yield from answered_elsewhere(cluster, exchange)
    if any(s.kind is StepKind.DROP and isinstance(s.cause, JudgeCause) for s in exchange.steps):
        yield from if_enforced(world)
    met = {step.namespace: 0 for step in exchange.steps}
    nodes = [cluster.nodes[name] for name in met if name in cluster.nodes]
    apart = across_the_internet(nodes)
    routed = beyond_a_router(cluster, nodes)
    if routed is not None:
        yield f"{routed[0]}: walked as if they were neighbours. Else {routed[1]}"
    if apart is not None:
        yield (
            f"{apart[0]}: walked as if they reached each other. Across the Internet (NAT) they do "
            f"not: {apart[1]}"
        )
    shut = shut_from_outside(cluster, request, exchange)
    if shut is not None:
        yield shut
    boxed = _in_a_machine(cluster, request, exchange)
    if boxed is not None:
        yield boxed
    balanced = balanced_service(cluster, request)
    if balanced is not None and exchange.steps and exchange.steps[0].namespace == OUTSIDE:
        inner = next(
            (k for k, v in balanced.annotations.items() if (k.rpartition("/")[2], v) in _INTERNAL),
            "",
        )
        if inner:
            yield (
                f"Service {balanced.key} asks for a load balancer inside the cloud's network alone "
                f"({inner}): walked as if the client were there. From the Internet nobody reaches "
                "it: take the annotation away, or ask through a VPN"
            )
    by = cluster.announced.get(request.connect.destination) if request.connect else None
    if by is not None:
        yield from (f"{one.why}; walked as if it were not so" for one in cluster.rivals)
        yield from _on_devices(by, network)
        asked = request.connect.destination if request.connect and by.by_arp else None
        beyond = bool(exchange.steps) and exchange.steps[0].namespace in (OUTSIDE, LAN)
        off = asked and is_elsewhere(asked, cluster.nodes.values(), network.networks)
        if asked is not None and beyond and off:
            yield (
                f"{asked} is on none of the nodes' networks, where alone {by.node} answers ARP for "
                "it: walked as if the router sent it there. Take addresses of the nodes' network, "
                "announce them by BGP, or give the router a route"
            )
    nobody = nobody_proxies(cluster) if to_service else None
    if nobody is not None and not any(map(network.has_observed_rules, cluster.nodes.values())):
        yield (
            f"{nobody.name} is told to leave Services to kube-proxy, and no pod of kube-proxy is "
            "in the input: walked as if it ran"
        )
    if not any((proxies, without, plugins, unplugged, bare)):
        return
    for name in dict.fromkeys(step.namespace for step in exchange.steps):
        node = cluster.nodes.get(name)
        if node is None:
            continue
        if name in bare and uses_pod_cidr(network, node):
            by_kubeadm = without_pod_subnet(cluster) is not None
            why = "by a kubeadm without podSubnet" if by_kubeadm else "as others have"
            yield (
                f"node {name} has no podCIDR, {why}: without one the network plug-in does not "
                f"start there; {', '.join(map(str, node.pod_cidrs))} is taken"
            )
        if name in unplugged and not network.has_observed_routes(node):
            yield (
                f"no pod of the network plug-in is on {name}, as on other nodes "
                f"({unplugged[name].key}): no pod gets a network there. Walked as if it ran: look "
                "which nodes its DaemonSet chooses (nodeSelector, affinity, tolerations)"
            )
        if name in plugins and not network.has_observed_routes(node):
            yield _as_if(plugins[name], "the network plug-in", "--ip-route")
        if name in without and not network.has_observed_rules(node):
            yield (
                f"no pod of kube-proxy is on {name}, as on other nodes ({without[name].key}): "
                "walked as if it ran there"
            )
        if name in proxies and not network.has_observed_rules(node):
            yield _as_if(proxies[name], "kube-proxy", "--iptables")


def _answers_now(cluster: Cluster, network: ClusterNetwork, exchange: Exchange) -> Iterator[str]:
    """A neighbour that failed when the node was dumped and is taken to answer.

    The kernel asks such a one anew with the next packet (neigh_event_send: NUD_FAILED).
    """
    told: dict[tuple[str, Address], None] = {}
    for step in exchange.steps:
        route = step.cause.route if isinstance(step.cause, RouteCause) else None
        if route is not None and step.namespace in cluster.nodes:
            told[step.namespace, route.gateway or step.before.dst] = None
    for name, address in told:
        why = network.failed_neighbours(cluster.nodes[name]).get(address)
        if why is not None:
            yield (
                f"{address} did not answer {name} when its neighbours were listed "
                f"({why.origin.where}: FAILED): walked as if it did now. Else the request ends "
                "there (EHOSTUNREACH)"
            )


def _sent_again(exchange: Exchange) -> Iterator[str]:
    """Data that was too long for a device on the way, and arrived all the same, in smaller pieces.

    RFC 1191: the sender has to be told, and firewalls that drop ICMP leave it to try for ever.
    """
    for step in exchange.steps if exchange.felt.result is Result.CONNECTED else ():
        device = step.cause.interface if isinstance(step.cause, DeviceCause) else None
        length = step.before.length_bytes
        if step.kind is StepKind.DROP and device is not None and length > device.mtu_bytes:
            yield (
                f"packets of {length} bytes do not fit through {device.name} of {step.namespace} "
                f"(MTU {device.mtu_bytes}), and go on smaller once its ICMP error has come: where "
                "somebody drops that, the connection hangs as soon as data flows. Give the network "
                f"plug-in an mtu of {device.mtu_bytes} at most, and start the pods again"
            )
            return


def _by_another_card(
    network: ClusterNetwork, request: Request, exchange: Exchange
) -> Iterator[str]:
    """Who came from beyond the nodes' router by one of a node's cards is answered by another."""
    beyond = bool(exchange.steps) and exchange.steps[0].namespace == OUTSIDE
    if not beyond or request.connect is None or exchange.felt.result is not Result.CONNECTED:
        return
    entered = next((s for s in exchange.steps if s.namespace not in (OUTSIDE, WIRE)), None)
    ways = [
        step.cause.route
        for step in exchange.steps
        if entered is not None
        and step.namespace == entered.namespace
        and step.direction is not entered.direction
        and isinstance(step.cause, RouteCause)
    ]
    way = ways[-1] if ways else None
    if entered is None or way is None or way.gateway is None or way.device == entered.device:
        return
    here = entered.namespace
    card = next((one for one in network[here].interfaces if one.name == entered.device), None)
    if card is not None and card.master != way.device:
        yield (
            f"{here} answers by {way.device} what came in by {card.name}: a router or firewall "
            "that tracks connections drops such answers. To answer where it came in, give "
            f"{here} a table of its own with the default route by {card.name}, and ip rule add "
            f"from {request.connect.destination} lookup that table"
        )


def _out_of_entries(network: ClusterNetwork, exchange: Exchange) -> Iterator[str]:
    """Nodes whose table of connections has no room."""
    for name in dict.fromkeys(step.namespace for step in exchange.steps):
        settings = network[name].sysctls
        if is_full(settings):
            yield (
                f"{name}'s table of connections is full ({settings.nf_conntrack_count} of "
                f"{settings.nf_conntrack_max}), and it drops what begins a new one (nf_conntrack: "
                f"table full): walked as if there were room. Raise {CONNTRACK_MAX} there"
            )


def _from_before(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """Pods with an address that flannel has no route for: of a range that their node had before."""
    met = {step.namespace: 0 for step in exchange.steps}
    pods = [cluster.pods[name] for name in met if name in cluster.pods]
    for pod in pods if len(met.keys() & cluster.nodes.keys()) > 1 else ():
        node = cluster.nodes.get(pod.node_name or "")
        for address in pod.addresses if node is not None and not pod.host_network else ():
            if node is not None and node_annotations.strays(node, address):
                yield (
                    f"{address} of pod {pod.key} is not of the range of {node.name}'s pods "
                    f"({node.pod_cidr(address.version)}), to which alone flannel has routes: "
                    f"walked as if the others had one to it. On {node.name}: ip link delete cni0, "
                    "left there from a range of before; then make its pods anew"
                )


def _in_a_machine(cluster: Cluster, request: Request, exchange: Exchange) -> str | None:
    """Nodes that are containers of a developer's machine, which does not always reach them.

    Sources: kind's and minikube's documentation (extraPortMappings; "Accessing apps").
    """
    connect, told = request.connect, cluster.distribution
    if connect is None or not exchange.steps or exchange.steps[0].namespace != OUTSIDE:
        return None
    entries = [p for s in cluster.services.values() for p in s.ports if p.node_port == connect.port]
    if told is None or not entries:
        return None
    number = connect.port
    if told.name == "minikube":
        return (
            "minikube's node is taken to be reached at its address: with the driver docker on "
            "macOS and Windows it is not. There run minikube service NAME --url, or minikube tunnel"
        )
    if told.name != "kind" or any(one.number == number for one in cluster.published):
        return None
    mend = f"extraPortMappings: [{{containerPort: {number}, hostPort: {number}}}]"
    return (
        f"kind publishes no port {number} of its node: at localhost nobody answers (refused), and "
        f"the node's own address is reached on Linux alone. Write {mend} into kind's file, and "
        "make the cluster anew; or kubectl port-forward"
    )


def balanced_service(cluster: Cluster, request: Request) -> Service | None:
    """The Service whose load balancer is asked."""
    service = cluster.services.get(request.service or "")
    asked = request.connect.destination if request.connect is not None else None
    held = service.load_balancer_ingress if service is not None else ()
    return service if asked is not None and any(one.ip == asked for one in held) else None


def _on_devices(by: Announced, network: ClusterNetwork) -> Iterator[str]:
    """Devices that an L2Advertisement (interfaces) or kube-vip (vip_interface) names."""
    has = [one.name for one in network[by.node].interfaces]
    if by.only_on and not any(name in has for name in by.only_on):
        yield (
            f"the address is announced on {' and '.join(by.only_on)} alone (interfaces of the "
            f"L2Advertisement, or vip_interface of kube-vip, {by.origin.where}); a node without "
            f"such a device answers no ARP for it, as {by.node} with its {', '.join(has[1:3])}: "
            "walked as if it did. Leave it out, or name the nodes' own devices"
        )


def _at_a_gateway(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """An address in the status of a Gateway whose controller is not in the input."""
    connect = request.connect
    gateway = cluster.gateway_addresses.get(connect.destination) if connect is not None else None
    if connect is None or gateway is None or exchange.felt.server not in (OUTSIDE, LAN):
        return
    lack = gateway.ports.get(connect.port)
    yield (
        f"{connect.destination} is the address of Gateway {gateway.key} (its status), and the "
        "Service of its controller is not in the input: walked as a host outside"
        + (f". But {lack.why}: {lack.mend}" if lack is not None else "")
    )


def _beside_host(cluster: Cluster, request: Request) -> Iterator[str]:
    """A name of the public DNS that an Ingress' wildcard was thought to cover, or a slip."""
    name = request.host
    if not cluster.entrances or entrance_of(cluster.entrances, name) is not None:
        return
    near = beside_wildcard(cluster.entrances, name)
    if near is not None:
        yield (
            f"{name} is no host of {near.owner}: {near.host} stands for one label alone. Give it a "
            f"rule of its own (host: {name}); its ingress controller answers 404 until then"
        )
    is_outward = near is None and request.service is None
    slips = (one for one in cluster.entrances if is_outward and is_typo(name, one.host))
    meant = next(slips, None)
    if meant is not None:
        yield (
            f"{name} is a name of which the input knows nothing; {meant.owner} has the host "
            f"{meant.host} ({meant.origin.where}): was that meant?"
        )


def _by_search(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """A domain of dnsConfig.searches that answered in place of the name, or may have."""
    client = cluster.pods.get(request.connect.namespace if request.connect is not None else "")
    if client is None or client.dns_config is None or not client.dns_config.searches:
        return
    taken = taken_by_search(cluster, client, request.host)
    if taken is not None and exchange.felt.result is Result.CONNECTED:
        yield f"not who was meant: {taken.why} ({taken.origin.where}). What mends it: {taken.mend}"
    host = request.host
    zones = [z for _, z in unsure_tries(cluster, resolve(cluster, host, client))]
    if zones:
        yield (
            f"{zones[0]} of dnsConfig.searches is taken to know no {host}: it is asked before it "
            f"({host} has fewer than {ndots(client)} dots), and a wildcard there (*.{zones[0]}) "
            "would answer. Else end the name in a dot"
        )


def _behind_entrance(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """A gateway answers, and of the host that was asked for nobody does."""
    felt = exchange.felt
    server = cluster.pods.get(felt.server or "")
    if not request.names or server is None or felt.result is not Result.CONNECTED:
        return
    name = request.host
    entrance = entrance_of(cluster.entrances, name)
    asked = request.connect.destination if request.connect is not None else None
    if entrance is None or asked not in entrance.addresses:
        return
    if any(map(serves_ingresses, server.containers)):
        return  # behind a controller the walk goes on
    wrong = behind_entrance(cluster, entrance)
    if wrong is not None:
        where = f" ({wrong.origin.where})" if wrong.origin is not None else ""
        yield (
            f"the connection alone, to the gateway of {entrance.owner}: {wrong.reason}{where}. "
            f"What mends it: {wrong.advice}"
        )


def _only_the_first(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """A broker that sends its clients elsewhere for whatever comes after."""
    felt = exchange.felt
    server = cluster.pods.get(felt.server or "")
    if server is None or felt.server_port is None or felt.result is not Result.CONNECTED:
        return
    told = comes_back_to_itself(server, felt.server_port)
    if told is not None and exchange.steps[0].namespace != server.key:
        yield (
            f"the first connection alone: {told[0]} of pod {server.key} tells its clients to go on "
            f"at {told[1]}, which is themselves"
        )
    start = exchange.steps[0].namespace
    client = cluster.pods.get(start)
    if client is not None or start == OUTSIDE:
        lack = unknown_to(
            cluster, server, felt.server_port, client.namespace if client is not None else ""
        )
        if lack is not None:
            yield f"the first connection alone: {lack.why}. What mends it: {lack.mend}"


def _if_it_starts(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """A server whose start hangs on what the input does not show."""
    server = cluster.pods.get(exchange.felt.server or "")
    if server is None or exchange.felt.result is not Result.CONNECTED:
        return
    if server.origin.kind is OriginKind.OBSERVED:
        return
    own = (caveat for each in server.containers for caveat in each.caveats)
    for one in (
        *own,
        *of_neighbours(server),
        *of_peers(cluster, server),
        *of_nobody(cluster, server),
    ):
        at = one.origin.place
        where = f" ({at.file}:{at.line})" if at is not None else ""
        yield f"pod {server.key} is taken to start: {one.why}{where}. Else {one.mend}"


def _not_ready(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """A server on a node whose kubelet no longer says that all is well: who knows what runs there.

    Its pods' own conditions are what the kubelet wrote last (node controller, NodeNotReady).
    """
    felt = exchange.felt
    if felt.result is not Result.CONNECTED or felt.server is None:
        return
    pod = cluster.pods.get(felt.server)
    node = cluster.nodes.get((pod.node_name or "") if pod is not None else felt.server)
    if node is not None and not node.ready:
        where = node.origins.get("ready", node.origin).where
        yield (
            f"node {node.name} still runs: it is not Ready ({where}), and if it is down the "
            f"request times out; look there (kubectl describe node {node.name}, its kubelet)"
        )


def _on_its_node(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """A policy that carries the labels of a server on its node's network, and does not hold there.

    Source: Kubernetes' documentation, Network Policies, "NetworkPolicy and hostNetwork pods".
    """
    felt = exchange.felt
    if felt.result is not Result.CONNECTED or felt.server not in cluster.nodes:
        return
    for policy in cluster.policies if felt.server_port is not None else ():
        for pod in cluster.pods.values() if Direction.INGRESS in policy.directions else ():
            if (
                pod.host_network
                and pod.node_name == felt.server
                and pod.namespace == policy.namespace
                and any(port.number == felt.server_port for port in declared(pod))
                and matches(policy.pods, pod.labels)
            ):
                yield (
                    f"NetworkPolicy {policy.key} has the labels of pod {pod.key}, but that is on "
                    "its node's network, where no policy holds: everybody gets in"
                )
                return


def _by_proxy(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """A client whose env has what it asks by HTTP sent to a proxy, which knows no Service."""
    client = cluster.pods.get(exchange.steps[0].namespace) if exchange.steps else None
    host = request.host
    if client is None or not request.names or "/" in host or request.service is None:
        return
    for container in client.containers:
        found = proxied(dict(container.env), "http", host)
        if found is not None:
            yield (
                f"container {container.name} of pod {client.key} has {found.variable}: what it "
                f"asks by http:// goes to {found.proxy} instead, which does not know {host}, "
                f"unless NO_PROXY holds it (add .svc,.{cluster.cluster_domain})"
            )
            return


def _without_header(cluster: Cluster, request: Request, exchange: Exchange) -> Iterator[str]:
    """ingress-nginx waits for PROXY protocol's header, which a load balancer outside writes.

    Where a host is asked by HTTP, the walk says so itself.
    """
    server, client = cluster.pods.get(exchange.felt.server or ""), exchange.steps[0].namespace
    if server is None or exchange.felt.result is not Result.CONNECTED:
        return
    if client not in cluster.pods and client not in cluster.nodes:
        return
    lack = lacks_header(cluster, server) if not request.scheme else None
    if lack is not None:
        yield f"the connection alone: {lack.why}. What mends it: {lack.mend}"


def beyond_a_router(cluster: Cluster, nodes: Iterable[Node]) -> tuple[str, str] | None:
    """Nodes that perhaps are no neighbours, where nothing is put around what pods send.

    Sources: flannel Documentation/backends.md (host-gw: "direct layer2 connectivity"); Calico's
    IPPool, ipipMode and vxlanMode Never: the routers between have to know the pods by BGP, and its
    documentation of AWS: instances' source/destination check; Neutron's port security.
    """
    told = cluster.distribution
    known = [node for node in nodes if node.origin.kind is not OriginKind.ASSUMED]
    found = [(node.name, at) for node in known if (at := node.address(4)) is not None]
    far = next((one for one in found if one[1] not in Prefix.of(found[0][1], LONGEST[4])), None)
    opened = carries_pods_if(known[0]) if len(found) > 1 else None
    if told is not None and told.name not in (KUBEADM, K3S):
        return None
    if opened is not None:
        where = f"the network of {found[0][0]} and {found[1][0]} drops pods' addresses unless "
        where += opened
    elif far is not None:
        where = f"{found[0][0]} ({found[0][1]}) and {far[0]} ({far[1]}) are perhaps in two subnets"
    else:
        return None
    if text(cluster.flannel or {}, "Backend", "Type") == "host-gw":
        direct = "" if opened else ', "DirectRouting": true'
        mend = f'write Backend: {{"Type": "vxlan"{direct}}} into net-conf.json'
        needs = "puts nothing around them" if opened else "needs all nodes in one"
        return f"{where}, and flannel's backend host-gw {needs}", mend
    for pool in cluster.calico.pools if cluster.calico is not None else ():
        if pool.origin.kind not in _SAID:
            continue
        if opened is not None and (not pool.tunnel or pool.mode == "CrossSubnet"):
            said = f"{where}, and Calico's pool {pool.name} puts no tunnel around them"
            return f"{said}{' in a subnet' if pool.tunnel else ''}", "set vxlanMode: Always"
        if not pool.tunnel:
            why = f"{where}, and Calico's pool {pool.name} has no tunnel: a router between has to"
            return f"{why} know the pods", "set vxlanMode (or ipipMode) of the pool to CrossSubnet"
    return None


def across_the_internet(nodes: Iterable[Node]) -> tuple[str, str] | None:
    """Two have private addresses of two networks: what mends it.

    Two of RFC 1918's are seldom one company's own. A public address and a private one never reach
    each other (`nodes.internet`).
    """
    known = [node for node in nodes if node.origin.kind is not OriginKind.ASSUMED]
    found = [(node.name, at) for node in known if (at := node.address(4)) is not None]
    near = next((one for one in found if is_private(one[1])), None)
    if near is None:
        return None
    own = private_range(near[1])
    other = next(
        (one for one in found if is_private(one[1]) and private_range(one[1]) != own), None
    )
    if other is None:
        return None
    return (
        f"{near[0]} ({near[1]}) and {other[0]} ({other[1]}) have private addresses of two networks",
        MEND,
    )


def _by_node_address(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """A plug-in's nodes find each other by an annotation; the walk goes by the nodes' own address.

    But by flannel's where a node has that, or may have it (`nodes.cni.flannel`).
    """
    met = {step.namespace for step in exchange.steps} - node_annotations.astray(cluster).keys()
    if sum(name in cluster.nodes for name in met) < 2:
        return
    sent_to = {step.after.dst for step in exchange.steps}
    for name in sorted(met & cluster.nodes.keys()):
        node = cluster.nodes[name]
        for version in (4, 6):
            own = node.address(version)
            calico = node_annotations.bgp_address(node, version)
            flannel = node_annotations.public_address(node, version)
            for who, told, how in (
                ("calico-node", calico, "IP_AUTODETECTION_METHOD (kubernetes-internal-ip)"),
                ("flanneld", flannel, "--iface (k3s: --flannel-iface, --flannel-external-ip)"),
            ):
                if told is not None and own is not None and told != own and told not in sent_to:
                    yield (
                        f"{who} found {told} as the address of {name} (annotation), and the node "
                        f"has {own}, by which it is walked: where the others do not reach {told}, "
                        f"set {how}"
                    )


def _as_if(pod: Pod, whose: str, option: str) -> str:
    said = f" ({pod.unready_reason})" if pod.unready_reason else ""
    what = "rules" if whose == "kube-proxy" else "routes"
    return (
        f"{whose}'s pod {pod.name} does not run on {pod.node_name}{said}: walked as if it did; "
        f"what it wrote last stands there, or nothing: see {pod.node_name}'s own {what} ({option})"
    )


def without_pod_cidr(cluster: Cluster, network: ClusterNetwork) -> Iterator[Node]:
    """Nodes on which the network plug-in does not start, for want of a range."""
    yield from (node for node in _bare.of(cluster) if uses_pod_cidr(network, node))


def uses_pod_cidr(network: ClusterNetwork, node: Node) -> bool:
    return network.plugin_of(node).startswith(_BY_POD_CIDR)


def without_pod_subnet(cluster: Cluster) -> Origin | None:
    """The ClusterConfiguration by which no node gets a range, where flannel needs them.

    kubeadm then starts the controller manager without --allocate-node-cidrs (controlplane
    getControllerManagerCommand).
    """
    told = cluster.proxy.origins.get("cluster_cidr")
    if told is None or told.reason != NO_SUBNET:
        return None
    images = (one.image for pod in cluster.pods.values() for one in pod.containers)
    return told if any("/flannel:" in image for image in images) else None


def _find_bare(cluster: Cluster) -> Sequence[Node]:
    """Nodes of the input without a range, where others have theirs, and their pods none either."""
    nodes = [n for n in cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED]
    bare = [node for node in nodes if _range_origin(node) is OriginKind.ASSUMED]
    if without_pod_subnet(cluster) is not None:
        bare = [n for n in cluster.nodes.values() if _range_origin(n) is OriginKind.ASSUMED]
    elif not bare or len(bare) == len(nodes):
        return ()
    at_home = {
        pod.node_name
        for pod in cluster.pods.values()
        if pod.origin.kind is OriginKind.OBSERVED and pod.addresses and not pod.host_network
    }
    return tuple(node for node in bare if node.name not in at_home)


def _range_origin(node: Node) -> OriginKind:
    return node.origins.get("pod_cidrs", node.origin).kind


_bare: Derived[Cluster, Sequence[Node]] = Derived(_find_bare)
"""Asked of every walk."""
