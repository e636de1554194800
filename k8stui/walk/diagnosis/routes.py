"""The routing of a namespace ended it: no route, or a source that may not come in.

net/ipv4/route.c (ip_route_input_slow), fib_frontend.c (fib_validate_source).
"""

from __future__ import annotations

from k8stui.cluster.meant import meant_by_port
from k8stui.cluster.model import Service
from k8stui.cluster.networks.own_bridges import own_bridge
from k8stui.kernel.address import Address, Prefix, is_loopback
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.header import AddressTest
from k8stui.kernel.namespace import Interface, LinkKind, RouteType
from k8stui.kernel.routing import route_line
from k8stui.kernel.step import (
    DeviceCause,
    Direction,
    Hook,
    RouteCause,
    RuleCause,
    Step,
    StepKind,
)
from k8stui.kernel.targets.base import Jump, Return
from k8stui.nodes.cni.masquerading import spared
from k8stui.nodes.internet import is_private
from k8stui.origin import Origin, OriginKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.direction import how_far
from k8stui.walk.diagnosis.masquerade import not_masqueraded, unreached
from k8stui.walk.diagnosis.other_networks import route_taken
from k8stui.walk.diagnosis.own_bridges import make_anew
from k8stui.walk.diagnosis.owners import (
    Behind,
    gone,
    named_by_hand,
    of_gateway,
    other_network,
    owner_of,
    podless,
    service_with,
    what_it_is,
    who,
)
from k8stui.walk.diagnosis.rules import ruleset
from k8stui.walk.diagnosis.vpn import VPNS
from k8stui.walk.reason import observed_at, origin_of, proof


def martian_source(case: Case) -> Diagnosis | None:
    """Recognise a packet that comes in with the receiver's own address, and who left it there."""
    step = case.decided
    if step is None or not isinstance(step.cause, RouteCause) or step.cause.route is not None:
        return None
    source, here = step.before.src, step.namespace
    if not case.has(here, source) or is_loopback(source) or source.version != 4:
        return None
    if here not in case.cluster.nodes and here not in case.cluster.pods:
        return None  # a client outside, to whom its own packet comes back: nobody has the address
    said = (
        f"{here} drops the packet: it comes in with {source} as its source, which is {here}'s own "
        "address (martian source)"
    )
    rewriting = case.rewritten
    if rewriting is not None and step.direction is Direction.FORWARD:
        missing = not_masqueraded(case, rewriting)
        if missing is not None:
            return Diagnosis(f"{said}. {missing.reason}", missing.advice, missing.origin)
    others = [name for name in case.cluster.nodes if name != here and case.has(name, source)]
    if others:
        mine = next(case.network[here].devices_with((source,)), None)
        return Diagnosis(
            f"{said}; {others[0]} has the same address",
            f"give {here} and {others[0]} addresses of their own, or let {others[0]} send from "
            "another one of its addresses (ip route … src ADDRESS)",
            origin_of(DeviceCause(interface=mine)) if mine is not None else None,
        )
    return Diagnosis(said, f"find out who sends as {source}")


def no_route(case: Case) -> Diagnosis | None:
    """Recognise that a namespace knows no way: of the question, of its answer, of the tunnel."""
    step = case.decided
    if step is None or not isinstance(step.cause, RouteCause):
        return None
    route = step.cause.route
    if step.kind is not StepKind.DROP:
        return None
    if route is not None and route.type not in _REFUSING:
        return None
    target, here = step.after.dst, step.namespace
    if is_loopback(step.before.src) or is_loopback(target):
        return Diagnosis(
            f"{here} takes no packet from or to the loopback network on {step.device}",
            f"set net.ipv4.conf.{step.device}.route_localnet = 1 on {here}, or ask another address",
        )
    named = named_by_hand(case, target) or gone(case, target) or of_gateway(case, target)
    if named is not None:
        return named
    early = _made_too_early(case, target)
    if early is not None:
        return early
    what = _what(step)
    if route is not None:
        whose = _LEFT_BY.get(route.protocol or "", "")
        return Diagnosis(
            f"a route of {here} refuses {what} to {target}: {proof(step.cause)}{whose}",
            f"take that route off {here} (ip route del {route.type.value} {route.destination}), or "
            "put a more specific one beside it",
            origin_of(step.cause),
        )
    said = f"{how_far(step)}{who(here)} knows no way to {target}{what_it_is(case, target)}"
    strayed = _strayed(case, step, target)
    if strayed is not None:
        return Diagnosis(f"{said}. {strayed.reason}", strayed.advice, strayed.origin)
    spared = _spared(case, step, target)
    if spared is not None:
        return Diagnosis(f"{said}. {spared.reason}", spared.advice, spared.origin)
    behind = owner_of(case, target)
    in_cluster = here in case.cluster.nodes or here in case.cluster.pods
    if step.direction is Direction.REPLY and behind is not None and not in_cluster:
        return _unmasked(case, said, step, behind)
    advice, origin = _mend(case, step, target)
    if not in_cluster and behind is None and is_private(target):
        return _as_it_left(case, step, Diagnosis(said, advice, origin))
    return Diagnosis(said, advice, origin)


def _as_it_left(case: Case, step: Step, unknown: Diagnosis) -> Diagnosis:
    """A pod's question to a private host that nothing names: whether it could be answered there."""
    source = step.after.src
    behind = owner_of(case, source)
    if behind is None or step.direction is not Direction.FORWARD or not unknown.advice:
        return unknown
    why = _let_out(case, behind)
    if why is None:
        found = spared(case.cluster, behind.node, source, step.after.dst)
        why = Diagnosis(found.reason, found.mend, found.origin)
    return Diagnosis(
        f"{unknown.reason}. It left {behind.node} with the pod's own address, {source}: whoever "
        f"has {step.after.dst} (by a VPN or peering) has to know a way back to {behind.network}"
        + (f". {why.reason}" if why.reason else ""),
        f"{unknown.advice}. Where nodes reach it and pods do not: {why.advice}",
        why.origin,
    )


def own_pod_elsewhere(case: Case) -> Diagnosis | None:
    """Recognise a node whose routes lead away from it what is for one of its own pods."""
    step = case.decided
    if step is None or step.namespace not in case.cluster.nodes:
        return None
    here, target = step.namespace, step.after.dst
    pod = case.pod_with(target)
    route = step.cause.route if isinstance(step.cause, RouteCause) else route_taken(case, step)
    if pod is None or pod.host_network or pod.node_name != here or route is None:
        return None
    told, origin = route_line(route), origin_of(RouteCause(route=route))
    if route.type in _REFUSING:
        return Diagnosis(
            f"{here} has no route to its own pod {pod.key} ({target}), so {told} refuses "
            f"{_what(step)}: it stands for the addresses of the block that no pod has",
            f"restart the network plug-in's pod on {here}, which writes the routes to its pods "
            f"again, or make {pod.key} anew; what takes them away is often NetworkManager "
            "(unmanaged-devices)",
            origin,
        )
    if route.gateway is None or not route.destination.length:
        return None
    return Diagnosis(
        f"{here} sends {_what(step)} for its own pod {pod.key} ({target}) away by its route "
        f"{told}: left over from another node, or from a range that it had before",
        f"on {here}: ip route del {route.destination} via {route.gateway} dev {route.device}; "
        "restart the network plug-in's pod there if its own route is gone",
        origin,
    )


def no_routing_rule(case: Case) -> Diagnosis | None:
    """Recognise a node whose routing rules never ask a table that is always asked."""
    step = case.decided
    if step is None or step.namespace not in case.cluster.nodes:
        return None
    here, version = step.namespace, step.after.dst.version
    rules = [r for r in case.network[here].policy_rules if r.version in (None, version)]
    asked = {rule.table for rule in rules}
    for table, so, mend, who_does in _TABLES:
        if rules and table not in asked:
            return Diagnosis(
                f"no routing rule of {here} asks table {table}: {so}",
                f"on {here}: ip rule add {mend}; what takes the rule away is often {who_does}",
                rules[0].reason.origin if rules[0].reason is not None else None,
            )
    return None


_TABLES = (
    (
        "local",
        "it takes no packet for its own, not even one to its own address",
        "pref 0 from all lookup local",
        "systemd-networkd (ManageForeignRoutingPolicyRules=no) beside Cilium, which moves it",
    ),
    (
        "main",
        "none of the routes there counts",
        "pref 32766 from all lookup main",
        "a script of a second card's or a VPN's (ip rule flush)",
    ),
)


def before_any_rule(case: Case) -> Diagnosis | None:
    """Recognise a node that asks a Service and has no route to it: rules come after the route."""
    step = case.decided
    if step is None or not isinstance(step.cause, RouteCause) or step.kind is not StepKind.ROUTE:
        return None
    target, here, route = step.after.dst, step.namespace, step.cause.route
    service = service_with(case, target)
    if here not in case.cluster.nodes or service is None:
        return None
    if route is not None and route.type not in _REFUSING:
        return None
    way = next((n for n in case.cluster.service_cidrs if target in n), case.cluster.service_cidr)
    own = case.cluster.nodes[here].addresses
    device = next((d.name for d in case.network[here].devices_with(own)), "eth0")
    has = f"{here} has no route to {target}, not even a default route"
    if route is not None:
        has = f"{here} has no route to {target} but one that refuses it ({route_line(route)})"
    return Diagnosis(
        f"{has}{what_it_is(case, target)}; and "
        "a process' packet needs one before kube-proxy's rules rewrite where it goes",
        f"give {here} a default route (ip route add default via ROUTER), or one for Services: ip "
        f"route add {way} dev {device}",
        origin_of(step.cause) or _table(case, here),
    )


def _made_too_early(case: Case, target: Address) -> Diagnosis | None:
    """A pod on a runtime's own bridge, as it was made before the network plug-in was there."""
    bridge, pod = own_bridge(target), case.pod_with(target)
    if bridge is None or pod is None or pod.node_name is None:
        return None
    node = case.cluster.nodes[pod.node_name]
    for network in node.pod_cidrs:
        for device in case.network[pod.node_name].interfaces:
            if network.address.version != target.version:
                continue
            if any(one.address in bridge.network for one in device.addresses):
                other = other_network(case, node.name, device.name, network.nth(1))
                if other is not None:
                    cause = DeviceCause(interface=device)
                    return Diagnosis(other.reason, other.advice, origin_of(cause))
    return Diagnosis(
        f"pod {pod.key} has an address of {bridge.runtime}'s own bridge ({bridge.network}), to "
        "which no other node has a route: it was made before the network plug-in was there",
        make_anew(bridge, pod),
        pod.origin,
    )


def _strayed(case: Case, step: Step, target: Address) -> Diagnosis | None:
    """A node before this place sent the packet away by its default route: its table has a hole."""
    behind = owner_of(case, target)
    if behind is None or step.namespace in case.cluster.nodes:
        return None
    for each in reversed(case.exchange.steps[: case.felt.deciding_step or 0]):
        cause, node = each.cause, each.namespace
        if each.packet_number != step.packet_number or node not in case.cluster.nodes:
            continue
        if not isinstance(cause, RouteCause) or cause.route is None:
            continue
        if each.after.dst != target:
            return None
        if cause.route.destination.length:
            return _by_no_node(case, node, behind, cause)
        said = (
            f"{node} had sent it there, by its default route: it has no route to {behind.network}"
        )
        if node == behind.node and _table(case, node) is None:
            return None
        if node == behind.node:
            alone = _of_one_pod(case, node, target)
            if alone is not None:
                why, mend = alone
                return Diagnosis(f"{node} had sent it there: {why}", mend, _table(case, node))
            gateway = behind.network.nth(1)
            for device in case.network[node].interfaces:
                if not device.up and any(one.address in behind.network for one in device.addresses):
                    return Diagnosis(
                        f"{said}, its own pods: {device.name}, which they hang on, is down, and "
                        "the kernel took the route away with it",
                        f"on {node}: ip link set {device.name} up",
                        observed_at(DeviceCause(interface=device)) or _table(case, node),
                    )
            other = next(
                (
                    o
                    for d in case.network[node].interfaces
                    if d.name.startswith(("cni", "cbr", "docker", "kube-bridge"))
                    and (o := other_network(case, node, d.name, gateway)) is not None
                ),
                None,
            )
            if other is not None:
                return Diagnosis(f"{said}: {other.reason}", other.advice, _table(case, node))
            return Diagnosis(
                f"{said}, its own pods: the device that they hang on has lost its address",
                f"give the bridge of {node} its address again (ip addr add {gateway}/"
                f"{behind.network.length} dev cni0), which brings the route; what takes it away is "
                "often NetworkManager or a second network plug-in",
                _table(case, node),
            )
        tunnel = _missing_tunnel(case, node, behind)
        if tunnel is not None:
            return Diagnosis(
                f"{said}, the pods of {behind.node}: {tunnel.name}, the tunnel to them, is not "
                "there",
                f"restart the network plug-in's pod on {node}, which makes {tunnel.name} and its "
                "routes; what takes it away is often NetworkManager (unmanaged-devices="
                f"interface-name:{tunnel.name})",
                _table(case, node),
            )
        return Diagnosis(
            f"{said}, the pods of {behind.node}",
            _missing_route(case, node, behind),
            _table(case, node),
        )
    return None


def _of_one_pod(case: Case, node: str, target: Address) -> tuple[str, str] | None:
    """What a node lacks whose plug-in writes a route for each of its pods, and what mends it."""
    pod = case.pod_with(target)
    inside = case.network.get(pod.key) if pod is not None and pod.node_name == node else None
    ends = [device.peer[1] for device in (inside.interfaces if inside else ()) if device.peer]
    end = next(filter(None, map(case.network[node].interface, ends)), None)
    if pod is None or end is None or end.master is not None:
        return None
    why = (
        f"it has no route to its own pod {pod.key}, for which the network plug-in writes one, to "
        f"{end.name}"
    )
    mend = (
        f"make {pod.key} anew, or restart the network plug-in's pod on {node}; by hand ip route "
        f"add {target} dev {end.name} scope link"
    )
    return why, mend


def _by_no_node(case: Case, node: str, behind: Behind, cause: RouteCause) -> Diagnosis | None:
    """A node's own route to another node's pods, whose next hop is no node."""
    route, read = cause.route, observed_at(cause)
    if route is None or route.gateway is None or read is None or node == behind.node:
        return None
    if any(case.has(name, route.gateway) for name in case.cluster.nodes):
        return None
    return Diagnosis(
        f"{node} had sent it there, by its route {route_line(route)}: {route.gateway} is no node, "
        f"and {behind.network} are the pods of {behind.node}",
        f"on {node}: ip route del {route.destination} via {route.gateway} dev {route.device}, and "
        f"restart the network plug-in's pod there, which writes the route to {behind.node} again; "
        f"or, where the routers carry pods' addresses (BGP), let {route.gateway} learn them",
        read,
    )


def _missing_tunnel(case: Case, node: str, behind: Behind) -> Interface | None:
    """The device of the other node's end, where this one has none of its kind."""
    kinds = {device.kind for device in case.network[node].interfaces}
    for device in case.network[behind.node].interfaces:
        if device.kind in (LinkKind.VXLAN, LinkKind.IPIP) and device.kind not in kinds:
            return device
    return None


def _missing_route(case: Case, node: str, behind: Behind) -> str:
    """The route to another node's pods; by a next hop on one of the node's own networks alone."""
    networks = [
        Prefix.of(one.address, one.prefix_length)
        for device in case.network[node].interfaces
        for one in device.addresses
    ]
    near = behind.via is not None and any(behind.via in network for network in networks)
    through = next(
        (
            route.device
            for route in (() if near else case.network[node].routes)
            if route.device and route.device.startswith(VPNS) and route.destination.length
            if behind.via is not None and behind.via in route.destination
        ),
        None,
    )
    if through is not None:
        return (
            f"let {through}, by which {node} reaches {behind.node}, carry {behind.network} too "
            f"(Tailscale: approve the routes that {behind.node} advertises, and --accept-routes on "
            f"{node}; WireGuard: AllowedIPs, and the route)"
        )
    if behind.via is not None and not near:
        return (
            f"let the network plug-in use a tunnel between the nodes (flannel: Backend vxlan; "
            f"host-gw needs all of them on one network): {behind.node} ({behind.via}) is on none "
            f"of {node}'s networks, so no route can name it as the next hop"
        )
    return (
        f"give {node} the route that the network plug-in should have made: ip route add "
        f"{behind.network} via {behind.via}"
    )


_LEFT_BY = {
    "bird": ", as Calico's BIRD writes for a block of its own addresses: left over, where Calico "
    "is no more the plug-in",
    "80": ", as Calico's Felix writes: left over, where Calico is no more the plug-in",
}
"""By ``proto`` (Calico: confd's bird.cfg.template, felix/dataplane/linux RouteProtocol 80)."""
_REFUSING = (RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT)


def _what(step: Step) -> str:
    if step.before.carried is not None:
        return "the tunnel's outer packet"
    return "the answer" if step.direction is Direction.REPLY else "packets"


def _mend(case: Case, step: Step, target: Address) -> tuple[str, Origin | None]:
    here = step.namespace
    behind = owner_of(case, target)
    if here in case.cluster.nodes:
        if behind is not None and behind.node != here and behind.via is not None:
            return _missing_route(case, here, behind), _table(case, here)
        alone = _of_one_pod(case, here, target)
        if alone is not None:
            return alone[1], _table(case, here)
        if behind is not None and behind.node == here:
            return (
                f"give {here} the route to its own pods: {behind.network} belongs to its bridge",
                _table(case, here),
            )
        return f"give {here} a route to {target}, or a default route", _table(case, here)
    if here in case.cluster.pods:
        return f"the network plug-in gave {here} no route: ip route in the pod shows it", None
    if target in case.cluster.service_cidr and case.rewritten is None:
        meant = _meant(case)
        if meant is not None:
            return f"ask Service {meant.name} by its name: it alone has that port", meant.origin
        return (
            (
                "a ClusterIP exists only in kube-proxy's rules: ask from a node or a pod, "
                "for an address and port that a Service has"
            ),
            None,
        )
    if behind is not None:
        return (
            (
                "pods are known to the nodes only: ask a node port, or give that router a route to "
                f"{behind.network} via {behind.via}"
            ),
            None,
        )
    return podless(case, target) or _unknown_host(target), None


def _meant(case: Case) -> Service | None:
    """The Service of the client's namespace that alone has the port which is asked."""
    connect = case.request.connect
    if connect is None:
        return None
    client = case.cluster.pods.get(connect.namespace)
    here = client.namespace if client is not None else "default"
    return meant_by_port(case.cluster, here, connect.port)


def _unknown_host(target: Address) -> str:
    if not is_private(target):
        return ""
    return (
        f"a private address: nothing in the input says where it is. Where it is a host beyond the "
        f"nodes' router, say so (--host NAME={target}); else give that router a route"
    )


def _spared(case: Case, step: Step, target: Address) -> Diagnosis | None:
    """A rule of the pod's own node let the question out with the pod's address, on purpose."""
    behind = owner_of(case, target)
    if behind is None or step.direction is not Direction.REPLY:
        return None
    if step.namespace in case.cluster.nodes:
        return None
    let = _let_out(case, behind)
    if let is None:
        return None
    back = f"; or give that router a route to {behind.network} via {behind.via}"
    return Diagnosis(let.reason, f"{let.advice}{back}", let.origin)


def _let_out(case: Case, behind: Behind) -> Diagnosis | None:
    """The rule of the pod's node by which the question kept the pod's address, where one did."""
    for each in case.asked:
        cause = each.cause
        if not isinstance(cause, RuleCause) or cause.rule is None or cause.table != "nat":
            continue
        compiled = compile_rule(cause.rule.text)
        ends = isinstance(compiled.target, Return) or each.kind is StepKind.RULE
        by_address = any(isinstance(test, AddressTest) for test in compiled.tests)
        if each.hook is not Hook.POSTROUTING or each.namespace != behind.node:
            continue
        if not ends or not by_address or isinstance(compiled.target, Jump):
            continue
        agent = cause.chain.name.startswith("IP-MASQ")
        mend = (
            "take that range out of nonMasqueradeCIDRs in ip-masq-agent's ConfigMap, and leave the "
            f"pods' own ({case.cluster.pod_cidr}) and what knows a way back to them"
            if agent
            else f"put a MASQUERADE for it in front of that rule on {behind.node}"
        )
        return Diagnosis(
            f"Rule {cause.index} of chain {cause.chain.name} on {behind.node} had let the question "
            f"out with the pod's own address: {cause.rule.text}",
            mend,
            origin_of(cause),
        )
    return None


def _unmasked(case: Case, said: str, step: Step, behind: Behind) -> Diagnosis:
    """Somebody beyond the nodes has to answer a pod's own address: nobody hid it."""
    lost = unreached(case, behind.node, step.after.dst.version)
    if lost is not None:
        return Diagnosis(f"{said}. {lost.reason}", lost.advice, lost.origin)
    why = spared(case.cluster, behind.node, step.after.dst, step.after.src)
    table = ruleset(case, behind.node, step.after.dst.version).tables.get("nat")
    chain = table.chains.get("POSTROUTING") if table is not None else None
    seen = chain.reason.origin if chain is not None and chain.reason is not None else None
    if seen is not None and seen.kind is OriginKind.OBSERVED and not why.reason:
        return Diagnosis(
            f"{said}. Nothing that POSTROUTING of {behind.node} (table nat) leads to masquerades "
            "what its pods send beyond the pod network: the network plug-in's rule is gone, or "
            "somebody has emptied the table (iptables -F -t nat)",
            f"restart the network plug-in's pod on {behind.node} (k3s: its service), which writes "
            f"its rules again; else {why.mend}",
            why.origin or seen,
        )
    return Diagnosis(
        f"{said}{f'. {why.reason}' if why.reason else ''}",
        f"{why.mend}; or give that router a route to {behind.network} via {behind.via}",
        why.origin,
    )


def _table(case: Case, node: str) -> Origin | None:
    """The file that the node's routes were read from, where they were."""
    found = case.network.get(node)
    for route in found.routes if found else ():
        if (origin := observed_at(RouteCause(route=route))) is not None:
            return origin
    return None
