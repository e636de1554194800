"""Two nodes, three pods, a switch, a router and an outside client, in literal values.

The network of docs/facts/outcomes.md; tests break one thing in it at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from k8stui.kernel import save
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    NetNamespace,
    Route,
    RouteType,
    Scope,
    Socket,
    Sysctls,
)
from k8stui.kernel.packet import Protocol

CLIENT, SERVER_1, SERVER_2 = "pod/client", "pod/server-1", "pod/server-2"
PODS = {CLIENT: ("10.244.1.2", 1), SERVER_1: ("10.244.1.3", 1), SERVER_2: ("10.244.2.2", 2)}
ip = Address.parse


def mac(address: str, prefix: str = "02:00") -> str:
    return prefix + ":" + ":".join(f"{byte:02x}" for byte in ip(address).packed)


def service(number: int, endpoint: str, *, protocol: str = "tcp", port: int = 80) -> list[str]:
    """nat rules of one Service: ClusterIP 10.96.0.N, NodePort 300NN, masqueraded as kube-proxy."""
    address = endpoint.rsplit(":", 1)[0]
    match = f"-p {protocol} -m {protocol} --dport"
    return [
        f"-A SERVICES -d 10.96.0.{number}/32 {match} {port} -j SVC-{number}",
        f"-A NODEPORTS {match} {30000 + number} -j EXT-{number}",
        f"-A EXT-{number} -j MARK-MASQ",
        f"-A EXT-{number} -j SVC-{number}",
        f"-A SVC-{number} -s {address}/32 -j MARK-MASQ",
        f"-A SVC-{number} -p {protocol} -m {protocol} -j DNAT --to-destination {endpoint}",
    ]


SERVICES = (
    service(11, "10.244.1.3:8080")
    + service(12, "10.244.2.2:8080")
    + service(13, "10.244.1.2:8080")
    + service(14, "10.244.2.2:81")
    + service(15, "10.244.2.99:8080")
    + service(16, "10.244.3.2:8080")
    + service(19, "192.168.0.12:9100")
    + service(20, "192.168.0.11:9100")
    + service(53, "10.244.2.2:53", protocol="udp", port=53)
    + service(55, "10.244.2.2:54", protocol="udp", port=53)
)
NO_ENDPOINTS = [
    (
        "-A NONE -d 10.96.0.17/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with "
        "icmp-port-unreachable"
    ),
    (
        "-A NONE -d 10.96.0.57/32 -p udp -m udp --dport 53 -j REJECT --reject-with "
        "icmp-port-unreachable"
    ),
    (
        "-A NONE -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30017 -j REJECT --reject-with "
        "icmp-port-unreachable"
    ),
    "-A NONE -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30018 -j DROP",
]


def rules(node: int, *, filters: Iterable[str] = (), forward_policy: str = "ACCEPT") -> str:
    """What stands on a node: the Services above, and `filters` before all other filter rules."""
    chains = sorted({line.split()[1] for line in SERVICES} - {"SERVICES", "NODEPORTS"})
    nat = [
        "*nat",
        *(f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")),
        *(f":{name} - [0:0]" for name in ("SERVICES", "NODEPORTS", "MARK-MASQ", "MASQ", *chains)),
        "-A PREROUTING -j SERVICES",
        "-A OUTPUT -j SERVICES",
        "-A POSTROUTING -j MASQ",
        f"-A POSTROUTING -s 10.244.{node}.0/24 ! -d 10.244.0.0/16 -j MASQUERADE",
        "-A MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
        "-A MASQ -m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-A MASQ -j MARK --set-xmark 0x4000/0x0",
        "-A MASQ -j MASQUERADE --random-fully",
        *SERVICES,
        "-A SERVICES -m addrtype --dst-type LOCAL -j NODEPORTS",
        "COMMIT",
    ]
    filter_ = [
        "*filter",
        ":INPUT ACCEPT [0:0]",
        f":FORWARD {forward_policy} [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":NONE - [0:0]",
        ":SIDE - [0:0]",
        *filters,
        "-A INPUT -m conntrack --ctstate NEW -j NONE",
        "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
        "-A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A FORWARD -m conntrack --ctstate NEW -j NONE",
        "-A OUTPUT -m conntrack --ctstate NEW -j NONE",
        *NO_ENDPOINTS,
        "COMMIT",
    ]
    return "\n".join([*filter_, *nat]) + "\n"


def _lo() -> Interface:
    one = InterfaceAddress(address=ip("127.0.0.1"), prefix_length=8, scope=Scope.HOST)
    return Interface(name="lo", kind=LinkKind.LOOPBACK, mtu_bytes=65536, addresses=(one,))


def _eth(name: str, address: str, peer: tuple[str, str]) -> Interface:
    return Interface(
        name=name,
        kind=LinkKind.VETH,
        mac=mac(address),
        addresses=(InterfaceAddress(address=ip(address), prefix_length=24),),
        peer=peer,
    )


def via(prefix: str, gateway: str, device: str = "eth0") -> Route:
    return Route(destination=Prefix.parse(prefix), gateway=ip(gateway), device=device)


def special(prefix: str, kind: RouteType) -> Route:
    return Route(destination=Prefix.parse(prefix), type=kind)


def _space(
    name: str,
    devices: tuple[Interface, ...],
    routes: Iterable[Route] = (),
    neighbours: Iterable[tuple[str, str]] = (),
    **rest: Any,
) -> NetNamespace:
    return NetNamespace(
        name=name,
        interfaces=devices,
        routes=(*kernel_routes(devices), *routes),
        neighbours=tuple(
            Neighbour(address=ip(address), device=device, mac=mac(address))
            for address, device in neighbours
        ),
        **rest,
    )


_HOST_SOCKETS = (
    Socket(protocol=Protocol.TCP, port=9100),
    Socket(protocol=Protocol.UDP, port=9101),
)


def _pod(name: str, *, warm: bool) -> NetNamespace:
    address, node = PODS[name]
    gateway = f"10.244.{node}.1"
    known = [gateway, *(one for one, where in PODS.values() if where == node and one != address)]
    return _space(
        name,
        (_lo(), _eth("eth0", address, (f"node-{node}", "veth" + name[4:]))),
        [via("0.0.0.0/0", gateway)],
        [(one, "eth0") for one in known] if warm else [],
        sockets=(
            Socket(protocol=Protocol.TCP, port=8080),
            Socket(protocol=Protocol.UDP, port=53),
        ),
    )


def _node(number: int, *, warm: bool, bridge_nf: bool, hairpin: bool) -> NetNamespace:
    gateway, other = f"10.244.{number}.1", 3 - number
    bridge = replace(_eth("cni0", gateway, ("", "")), kind=LinkKind.BRIDGE, peer=None)
    here = [name for name, (_, node) in PODS.items() if node == number]
    ports = tuple(
        Interface(
            name="veth" + name[4:],
            kind=LinkKind.VETH,
            mac=mac(PODS[name][0], "06:00"),
            master="cni0",
            port=BridgePort(hairpin=hairpin),
            peer=(name, "eth0"),
        )
        for name in here
    )
    addresses = [PODS[name][0] for name in here]
    return _space(
        f"node-{number}",
        (_lo(), _eth("eth0", f"192.168.0.1{number}", ("wire", f"node-{number}")), bridge, *ports),
        [
            via("0.0.0.0/0", "192.168.0.1"),
            via(f"10.244.{other}.0/24", f"192.168.0.1{other}"),
            via("10.244.3.0/24", "192.168.0.13"),
        ],
        [("192.168.0.1", "eth0"), (f"192.168.0.1{other}", "eth0")]
        + ([(address, "cni0") for address in addresses] if warm else []),
        fdb=tuple(
            FdbEntry(mac=mac(address), device=port.name)
            for address, port in zip(addresses, ports, strict=True)
            if warm
        ),
        rulesets={4: save.parse(rules(number))},
        sysctls=Sysctls(
            ip_forward=True, bridge_nf_call_iptables=bridge_nf, route_localnet={"all": True}
        ),
        sockets=_HOST_SOCKETS,
    )


def _wire(*, warm: bool) -> NetNamespace:
    names = {
        "node-1": ("node-1", "192.168.0.11"),
        "node-2": ("node-2", "192.168.0.12"),
        "rtr": ("router", "192.168.0.1"),
    }
    ports = tuple(
        Interface(
            name=name,
            kind=LinkKind.VETH,
            mac=f"0a:00:00:00:00:0{n}",
            master="sw0",
            port=BridgePort(),
            peer=(far, "eth0"),
        )
        for n, (name, (far, _)) in enumerate(names.items(), start=1)
    )
    switch = Interface(name="sw0", kind=LinkKind.BRIDGE, mac="0a:00:00:00:00:01")
    return _space(
        "wire",
        (_lo(), switch, *ports),
        fdb=tuple(
            FdbEntry(mac=mac(address), device=name) for name, (_, address) in names.items() if warm
        ),
        sysctls=Sysctls(bridge_nf_call_iptables=False),
    )


def network(
    *, warm: bool = True, bridge_nf: bool = True, hairpin: bool = True
) -> dict[str, NetNamespace]:
    """The whole network; `warm`: neighbours and forwarding databases are known."""
    settings = {"warm": warm, "bridge_nf": bridge_nf, "hairpin": hairpin}
    return {
        "outside": _space(
            "outside",
            (_lo(), _eth("eth0", "203.0.113.10", ("router", "eth1"))),
            [via("0.0.0.0/0", "203.0.113.1")],
            [("203.0.113.1", "eth0")],
            sockets=_HOST_SOCKETS,
        ),
        "router": _space(
            "router",
            (
                _lo(),
                _eth("eth0", "192.168.0.1", ("wire", "rtr")),
                _eth("eth1", "203.0.113.1", ("outside", "eth0")),
            ),
            neighbours=[
                ("192.168.0.11", "eth0"),
                ("192.168.0.12", "eth0"),
                ("203.0.113.10", "eth1"),
            ],
            sysctls=Sysctls(ip_forward=True),
        ),
        "wire": _wire(warm=warm),
        "node-1": _node(1, **settings),
        "node-2": _node(2, **settings),
        **{name: _pod(name, warm=warm) for name in PODS},
    }


@dataclass
class Broken:
    """A network in which something is changed, step by step."""

    spaces: dict[str, NetNamespace]

    def change(self, name: str, **fields: Any) -> Broken:
        self.spaces[name] = replace(self.spaces[name], **fields)
        return self

    def sysctl(self, name: str, **fields: Any) -> Broken:
        return self.change(name, sysctls=replace(self.spaces[name].sysctls, **fields))

    def device(self, name: str, device: str, **fields: Any) -> Broken:
        devices = tuple(
            replace(one, **fields) if one.name == device else one
            for one in self.spaces[name].interfaces
        )
        return self.change(name, interfaces=devices)

    def filters(self, node: int, *lines: str, forward_policy: str = "ACCEPT") -> Broken:
        text = rules(node, filters=lines, forward_policy=forward_policy)
        return self.change(f"node-{node}", rulesets={4: save.parse(text)})

    def routes(self, name: str, *extra: Route) -> Broken:
        """More routes; the first of equal prefixes in the list wins."""
        return self.change(name, routes=(*extra, *self.spaces[name].routes))

    def without_route(self, name: str, prefix: str) -> Broken:
        gone = Prefix.parse(prefix)
        kept = tuple(one for one in self.spaces[name].routes if one.destination != gone)
        return self.change(name, routes=kept)

    def forget(self, name: str, address: str) -> Broken:
        kept = tuple(one for one in self.spaces[name].neighbours if one.address != ip(address))
        return self.change(name, neighbours=kept)


def standard(**settings: bool) -> Broken:
    return Broken(network(**settings))
