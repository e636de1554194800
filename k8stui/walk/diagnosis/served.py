"""kube-proxy serves no such address and port: nothing rewrote the destination.

pkg/proxy/iptables/proxier.go (syncProxyRules), cmd/kube-proxy/app/server.go (nodePortAddresses),
pkg/proxy/util (address families); docs/facts/kube-proxy.md sections 4 and 9.
"""

from __future__ import annotations

from k8stui.cluster.load_balancers.aws import waits_for_controller
from k8stui.cluster.load_balancers.instances import lacks_node_ports
from k8stui.cluster.model import Node, Service, ServicePort, ServiceType
from k8stui.cluster.programs.listening import Listening
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Address, Prefix, is_loopback
from k8stui.kernel.exchange import Connect
from k8stui.kernel.header import ECHO
from k8stui.nodes.kubeproxy import mode_origin
from k8stui.nodes.kubeproxy.settings import PRIMARY, node_port_addresses
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.endpoints import without_endpoints
from k8stui.walk.diagnosis.missing_rules import kept_by_the_node, missing_rules
from k8stui.walk.diagnosis.node_listeners import on_another_address
from k8stui.walk.diagnosis.owners import service_with
from k8stui.walk.diagnosis.published import unanswered
from k8stui.walk.diagnosis.refused import refused
from k8stui.walk.diagnosis.selectors import matching
from k8stui.walk.diagnosis.told import told_port_at
from k8stui.walk.sentence import port_word

_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"


def not_served(case: Case) -> Diagnosis | None:
    """Recognise an address that a Service has, or a node has, which kube-proxy does not serve."""
    connect = case.request.connect
    if connect is None or case.rewritten is not None:
        return None
    service = service_with(case, connect.destination)
    if service is not None and not service.headless:
        return not_of_the_service(case) or _virtual(case, service, connect)
    if connect.protocol in ECHO:
        return None
    node = case.cluster.nodes.get(connect.namespace if is_loopback(connect.destination) else "")
    name = node.name if node else case.node_with(connect.destination)
    if name is None or (case.decided and case.decided.namespace != name):
        return None
    return _node_port(case, case.cluster.nodes[name], connect)


def not_of_the_service(case: Case) -> Diagnosis | None:
    """Recognise a Service's address asked by a ping, or for a port that the Service has not.

    What became of the packet then is chance: whoever else its route led to was not meant.
    """
    connect = case.request.connect
    if connect is None or case.rewritten is not None:
        return None
    service = service_with(case, connect.destination)
    if service is None or service.headless:
        return None
    if connect.protocol in ECHO:
        return _ping(service, connect)
    return _no_such_port(case, service, connect) if _entry(service, connect) is None else None


def _entry(service: Service, connect: Connect) -> ServicePort | None:
    asked = (connect.port, connect.protocol)
    return next((p for p in service.ports if (p.port, p.protocol) == asked), None)


def other_family(case: Case) -> Diagnosis | None:
    """Recognise a Service of a family that the client does not have."""
    connect = case.request.connect
    if connect is None or case.rewritten is not None:
        return None
    service = service_with(case, connect.destination)
    pod, node = case.client, case.cluster.nodes.get(connect.namespace)
    own = pod.addresses if pod is not None else node.addresses if node is not None else ()
    version = connect.destination.version
    if service is None or not own or any(a.version == version for a in own):
        return None
    has = " and ".join(f"IPv{each}" for each in sorted({a.version for a in own}))
    others = [a for a in service.cluster_ips if any(a.version == one.version for one in own)]
    if others:
        return Diagnosis(
            f"{connect.destination} is the IPv{version} address of Service {service.key}, and "
            f"{connect.namespace} has {has} only: the nodes give their pods no IPv{version} "
            "(podCIDRs)",
            f"ask {others[0]}; or give the nodes' pods both families (kubeadm: podSubnet with two "
            "ranges, and the network plug-in's second one)",
            service.origins.get("cluster_ips", service.origin),
        )
    return Diagnosis(
        f"Service {service.key} has IPv{version} only (ipFamilies), and {connect.namespace} has "
        f"{has} only",
        f"give the Service ipFamilyPolicy: PreferDualStack, or ipFamilies: [{has}]",
        service.origins.get("ip_families", service.origin),
    )


def _of_another_proxy(service: Service) -> Diagnosis:
    return Diagnosis(
        f"Service {service.key} is labelled {_OTHER_PROXY}: kube-proxy leaves it to "
        f"{service.labels[_OTHER_PROXY]}, and writes no rule for it",
        f"take the label off, or run {service.labels[_OTHER_PROXY]}",
        service.origins.get("labels", service.origin),
    )


def _virtual(case: Case, service: Service, connect: Connect) -> Diagnosis | None:
    asked, entry = port_word(connect.port, connect.protocol), _entry(service, connect)
    if entry is None:
        return None
    if _OTHER_PROXY in service.labels:
        return _of_another_proxy(service)
    here = connect.namespace
    if "/" in here or here in case.cluster.nodes:
        return kept_by_the_node(case, service, connect) or missing_rules(
            case, f"{connect.destination}, port {asked}"
        )
    return _from_beyond(case, service, entry, connect)


def _from_beyond(
    case: Case, service: Service, entry: ServicePort, connect: Connect
) -> Diagnosis | None:
    """A client outside of the cluster: a ClusterIP is not for it."""
    if connect.destination not in service.cluster_ips:
        return None
    said = (
        f"nobody outside knows a way to {connect.destination}: it is the ClusterIP of Service "
        f"{service.key}, which no routing table has, only kube-proxy's rules on the nodes"
    )
    addresses = [i.ip for i in service.load_balancer_ingress if i.ip is not None]
    names = [i.hostname for i in service.load_balancer_ingress if i.hostname]
    addresses += service.external_ips
    silent = {a: case.cluster.unannounced[a] for a in addresses if a in case.cluster.unannounced}
    heard = [address for address in addresses if address not in silent]
    ways = [f"ask {address.with_port(entry.port)}" for address in heard[:1]]
    ways += [f"ask {name}:{entry.port}" for name in names[:1]]
    origin = service.origins.get("type", service.origin)
    lack = case.cluster.unbalanced.get(service.key) or (
        waits_for_controller(service, case.cluster)
        if service.type is ServiceType.LOAD_BALANCER
        else None
    )
    portless = lacks_node_ports(service, case.cluster) if ways else None
    if portless is not None:
        return Diagnosis(f"{said}; and {portless.why}", portless.mend, portless.origin)
    if silent and not ways:
        address, lack = next(iter(silent.items()))
        said += f"; and nobody answers for {address}: {lack.why}"
        ways.append(lack.mend)
        origin = lack.origin
    elif lack is not None and not ways:
        said += f"; it has no address of a load balancer: {lack.why}"
        ways.append(lack.mend)
        origin = lack.origin
    elif service.type is ServiceType.LOAD_BALANCER and not ways:
        said += "; its load balancer has no address yet (status.loadBalancer is empty)"
        named = service.load_balancer_class
        there = case.cluster.distribution
        ways.append(
            f"let the controller of loadBalancerClass {named} give it an address: it must run, "
            "and no other does it"
            if named
            else there.on_demand
            if there is not None and there.on_demand
            else "let a load balancer's controller give it an address (a cloud's, or MetalLB and "
            "the like)"
        )
    empty = without_endpoints(case.cluster, service, entry)
    if empty is not None:
        said += f"; and {empty.reason}"
        origin = empty.origin or origin
    if entry.node_port:
        node = next(iter(case.cluster.nodes))
        ways.append(f"ask a node, node/{node}:{entry.node_port}")
    elif not ways:
        ways.append("give it type: NodePort or LoadBalancer")
    asked = f"{', or '.join(ways)}; or ask from a node or a pod"
    return Diagnosis(said, f"{empty.advice}; and {asked}" if empty is not None else asked, origin)


def _ping(service: Service, connect: Connect) -> Diagnosis:
    ports = service.ports
    said = (
        f"nobody has the address {connect.destination} of Service {service.key}: the rules of "
        "kube-proxy take what is for the ports of the Service, and a ping is for none"
    )
    example = f"svc/{service.name}:{port_word(ports[0].port, ports[0].protocol)}" if ports else ""
    ask = f"ask a port of the Service, {example.lower()}, or" if ports else "ask a port, or"
    origin = service.origins.get("cluster_ips", service.origin)
    return Diagnosis(said, f"{ask} ping a pod behind it", origin)


def _no_such_port(case: Case, service: Service, connect: Connect) -> Diagnosis:
    has = ", ".join(f"{p.port}/{p.protocol.name}" for p in service.ports) or "none"
    same = next((p for p in service.ports if p.port == connect.port), None)
    meant = next((p for p in service.ports if connect.port in (p.target_port, p.node_port)), None)
    said = (
        f"Service {service.key} has no port {connect.port}/{connect.protocol.name} "
        f"(it has {has}), so no rule knows the address"
    )
    said += _alias(case, service)
    advice = ""
    if same is not None:
        advice = f"ask for {same.port}/{same.protocol.name}, or add a {connect.protocol.name} port"
    elif meant is not None:
        which = "targetPort" if meant.target_port == connect.port else "nodePort"
        advice = (
            f"ask for port {meant.port}: {connect.port} is the {which} behind port {meant.port}"
        )
    elif service.ports:
        advice = f"ask for port {service.ports[0].port}"
        by = Listening(case.cluster).behind(
            matching(case.cluster, service), service, connect.port, connect.protocol
        )
        if by:
            advice = (
                f"add port {connect.port} to Service {service.name}: {by} opens it behind the "
                f"Service; or {advice}"
            )
    client = case.client
    told = told_port_at(case.cluster, client, service, connect.port) if client else None
    return Diagnosis(said, advice, told or service.origins.get("ports", service.origin))


def _alias(case: Case, service: Service) -> str:
    """Say that the name that was asked is an alias, whose ports nobody reads."""
    asked = case.request.host.removeprefix("svc/")
    for alias in case.cluster.services.values():
        same = asked in (alias.name, alias.key, f"{alias.name}.{alias.namespace}")
        if same and alias.external_name.partition(".")[0] == service.name:
            return f"; {alias.key} is only an alias (ExternalName): its ports translate nothing"
    return ""


def _node_port(case: Case, node: Node, connect: Connect) -> Diagnosis | None:
    """A node's own address: is it some Service's node port, and why is it not served there."""
    found = [(s, p) for s in case.cluster.services.values() for p in s.ports if p.node_port]
    of_number = [(s, p) for s, p in found if p.node_port == connect.port]
    same = [(s, p) for s, p in of_number if p.protocol is connect.protocol]
    if not same:
        return _no_node_port(case, node, connect, found, of_number)
    service, entry = next(
        ((s, p) for s, p in same if connect.destination.version in s.ip_families), same[0]
    )
    if _OTHER_PROXY in service.labels:
        return _of_another_proxy(service)
    word = f"node port {port_word(connect.port, connect.protocol)} of Service {service.key}"
    version = connect.destination.version
    if version not in service.ip_families:
        has = " and ".join(f"IPv{each}" for each in service.ip_families)
        return Diagnosis(
            f"{word} is not served by IPv{version}: the Service has {has} only (ipFamilies)",
            f"ask the node's {has} address, or give the Service both families: ipFamilyPolicy: "
            "PreferDualStack",
            service.origins.get("ip_families", service.origin),
        )
    return _settings(case, node, connect, word, entry) or missing_rules(case, word)


def _settings(
    case: Case, node: Node, connect: Connect, word: str, entry: ServicePort
) -> Diagnosis | None:
    """What kube-proxy's configuration says about addresses that node ports answer on."""
    proxy, address = case.cluster.proxy, connect.destination
    own = node.address(4) or address
    if is_loopback(address) and address.version == 6:
        return Diagnosis(
            f"kube-proxy does not serve {word} on [::1]: of the loopback addresses it serves "
            "127.0.0.1 only, and that in iptables mode",
            f"ask 127.0.0.1:{connect.port}, or {node.name}'s own address {own}:{connect.port}",
            entry.origins.get("node_port", entry.origin),
        )
    written = node_port_addresses(proxy)
    prefixes = [prefix for text in written if (prefix := _prefix(text)) is not None]
    if PRIMARY in written:  # it stands alone (pkg/proxy/apis/config/validation)
        held = address in _primary(node)
    elif written:
        held = any(address in p for p in prefixes if p.address.version == address.version)
    else:
        held = True
    by_mode = proxy.mode == NFTABLES
    if is_loopback(address) and by_mode:
        return Diagnosis(
            f"kube-proxy in mode nftables does not serve {word} on {address}: there are no "
            "localhost node ports in that mode, whatever nodePortAddresses says",
            f"ask {own}:{connect.port}",
            mode_origin(case.cluster),
        )
    if not held and not proxy.node_port_addresses:
        return Diagnosis(
            f"kube-proxy in mode nftables serves {word} on {node.name}'s first addresses alone "
            f"({' and '.join(map(str, _primary(node)))}), and {address} is another one: "
            "nodePortAddresses is not set, which in that mode means primary",
            f"ask {own}:{connect.port}, or set nodePortAddresses to a range that holds {address}",
            mode_origin(case.cluster),
        )
    if not held and PRIMARY in written:
        return Diagnosis(
            f"kube-proxy does not serve {word} on {address}: nodePortAddresses says primary, the "
            f"addresses of the Node object alone ({' and '.join(map(str, _primary(node)))})",
            f"ask {own}:{connect.port}, or write ranges that hold {address} instead of primary",
            proxy.origins.get("node_port_addresses", proxy.origin),
        )
    if not held:
        return Diagnosis(
            f"kube-proxy does not serve {word} on {address}: nodePortAddresses says "
            f"{', '.join(written)}, and that address is not in it"
            + (f" (no address of {node.name} is)" if not _any(case, node, prefixes) else ""),
            f"add a range that holds {address} to nodePortAddresses, or leave nodePortAddresses "
            "out: then every address of the node serves",
            proxy.origins.get("node_port_addresses", proxy.origin),
        )
    if is_loopback(address) and not proxy.localhost_node_ports:
        return Diagnosis(
            f"kube-proxy does not serve {word} on {address}: localhostNodePorts is false",
            f"ask {own}:{connect.port}, or set iptables.localhostNodePorts: true",
            proxy.origins.get("localhost_node_ports", proxy.origin),
        )
    return None


def _primary(node: Node) -> list[Address]:
    return [address for version in (4, 6) if (address := node.address(version)) is not None]


def _any(case: Case, node: Node, prefixes: list[Prefix]) -> bool:
    found = case.network.get(node.name)
    own = [one.address for d in (found.interfaces if found else ()) for one in d.addresses]
    return any(address in prefix for address in own for prefix in prefixes)


def _prefix(text: str) -> Prefix | None:
    try:
        return Prefix.parse(text)
    except ValueError:
        return None


def _no_node_port(
    case: Case,
    node: Node,
    connect: Connect,
    found: list[tuple[Service, ServicePort]],
    of_number: list[tuple[Service, ServicePort]],
) -> Diagnosis | None:
    if case.felt.server and case.felt.server != node.name:
        return None
    if of_number:
        service, entry = of_number[0]
        return Diagnosis(
            f"node port {connect.port} of Service {service.key} is {entry.protocol.name}, not "
            f"{connect.protocol.name}",
            f"ask for {connect.port}/{entry.protocol.name.lower()}, or add a "
            f"{connect.protocol.name} port to the Service",
            entry.origins.get("protocol", entry.origin),
        )
    outside = next((p for p in case.cluster.published if p.number == connect.port), None)
    unpublished = unanswered(case.cluster, outside) if outside is not None else None
    elsewhere = unpublished or on_another_address(case, node, connect)
    if elsewhere is not None:
        return elsewhere
    behind = next(
        ((s, p) for s, p in found if connect.port in (p.port, p.target_port)),
        None,
    )
    said = (
        f"no Service has node port {connect.port}/{connect.protocol.name}, and nothing on "
        f"{node.name} itself is known to listen there"
    )
    key = case.cluster.refused_node_ports.get(connect.port)
    why = refused(case.cluster, "Service", key) if key is not None else None
    if why is not None:
        return Diagnosis(f"{said}: {why.reason}", why.advice, why.origin)
    if behind is not None:
        service, entry = behind
        return Diagnosis(
            said,
            f"ask for node port {entry.node_port}, which leads to port {entry.port} of Service "
            f"{service.key}",
            entry.origins.get("node_port", entry.origin),
        )
    inside = next(
        (
            (s, p)
            for s in case.cluster.services.values()
            for p in s.ports
            if not p.node_port and connect.port in (p.port, p.target_port)
        ),
        None,
    )
    if inside is not None:
        service, entry = inside
        balanced = service.type is ServiceType.LOAD_BALANCER
        return Diagnosis(
            f"{said}: port {entry.port} of Service {service.key} ({service.type}) is that of its "
            "own address, not of the nodes"
            + ("; it has no node port (allocateLoadBalancerNodePorts: false)" if balanced else ""),
            "ask its load balancer's address, or set allocateLoadBalancerNodePorts: true"
            if balanced
            else f"give Service {service.name} type: NodePort, and ask for its nodePort",
            service.origins.get("type", entry.origin),
        )
    known = ", ".join(f"{p.node_port} ({s.key})" for s, p in found[:4])
    return Diagnosis(
        said, f"node ports here: {known}" if known else "give a Service type: NodePort"
    )
