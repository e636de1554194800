"""A walk made by hand: a browser asks node-1:30080, the chosen pod runs on node-2."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from k8stui.because import Because
from k8stui.cluster.model import (
    Cluster,
    Container,
    ContainerPort,
    Node,
    Pod,
    ProxyConfiguration,
    Service,
    ServicePort,
    ServiceType,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    NetNamespace,
    Route,
    Socket,
)
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.rules import Chain, Rule, Ruleset, Table
from k8stui.kernel.step import (
    BridgeCause,
    Cause,
    ConntrackCause,
    Direction,
    Hook,
    NeighbourCause,
    RouteCause,
    RuleCause,
    SocketCause,
    StepKind,
)
from k8stui.manifests import Manifests
from k8stui.origin import Origin, OriginKind, assumed, defaulted
from k8stui.walk.reason import origin_of, proof
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep

A = Address.parse


class Here:
    """A place in a manifest."""

    def __init__(self, file: str, line: int, field: str = "") -> None:
        self.file, self.line, self.column, self.field = file, line, 3, field


def declared(line: int, field: str = "", file: str = "frontend.yaml") -> Origin:
    return Origin(kind=OriginKind.DECLARED, place=Here(file, line, field))


def mac(address: str, lead: str = "02:00") -> str:
    return lead + "".join(f":{byte:02x}" for byte in A(address).packed)


PICKED = assumed("k8stui chose the address")


def device(name: str, address: str = "", **more: Any) -> Interface:
    addresses: tuple[InterfaceAddress, ...] = ()
    if address:
        addresses = (
            InterfaceAddress(
                address=A(address), prefix_length=24, reason=Because(text="assumed", origin=PICKED)
            ),
        )
    more.setdefault("kind", LinkKind.VETH)
    more.setdefault("mac", mac(address) if address else "06:00:0a:f4:02:02")
    return Interface(name=name, addresses=addresses, **more)


SERVICES = "KUBE-SERVICES"
NODEPORTS = "KUBE-NODEPORTS"
EXT = "KUBE-EXT-ENODL3HWJ5BZY56Q"
SVC = "KUBE-SVC-ENODL3HWJ5BZY56Q"
SEP = "KUBE-SEP-L55DM3FBX75NO2RY"


def because(text: str, line: int = 31) -> Because:
    return Because(text=text, origin=declared(line, "spec.ports[0]"), owner="kube-proxy")


def services_chain(count: int = 9996) -> Chain:
    rules = [
        Rule(
            f"-A {SERVICES} -d 10.{96 + n // 65536}.{n // 256 % 256}.{n % 256}/32 -p tcp "
            f'-m comment --comment "default/svc-{n} cluster IP" -m tcp --dport 80 '
            f"-j KUBE-SVC-{n:016d}"
        )
        for n in range(count)
    ]
    rules.append(
        Rule(
            f'-A {SERVICES} -m comment --comment "kubernetes service nodeports; NOTE: this must be '
            f'the last rule in this chain" -m addrtype --dst-type LOCAL -j {NODEPORTS}',
            because("every node answers on its NodePorts", 24),
        )
    )
    return Chain(SERVICES, tuple(rules))


CHAINS = {
    "PREROUTING": Chain(
        "PREROUTING",
        (
            Rule(
                '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
                Because(text="kube-proxy hooks its chains in", origin=defaulted("kube-proxy")),
            ),
        ),
        policy="ACCEPT",
    ),
    SERVICES: services_chain(),
    NODEPORTS: Chain(
        NODEPORTS,
        (
            Rule(
                f'-A {NODEPORTS} -p tcp -m comment --comment "default/frontend" -m tcp '
                f"--dport 30080 -j {EXT}",
                because("Service default/frontend, port 80, has nodePort 30080"),
            ),
        ),
    ),
    EXT: Chain(
        EXT,
        (
            Rule(
                f'-A {EXT} -m comment --comment "masquerade traffic for default/frontend external '
                'destinations" -j KUBE-MARK-MASQ',
                because("externalTrafficPolicy is Cluster", 24),
            ),
            Rule(f"-A {EXT} -j {SVC}", because("Service default/frontend")),
        ),
    ),
    "KUBE-MARK-MASQ": Chain(
        "KUBE-MARK-MASQ",
        (
            Rule(
                "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
                because("masqueraded later", 24),
            ),
        ),
    ),
    SVC: Chain(
        SVC,
        (
            Rule(
                f'-A {SVC} -m comment --comment "default/frontend -> 10.244.2.2:80" -m statistic '
                f"--mode random --probability 0.33333333349 -j {SEP}",
                because("endpoint 1 of 3 of Service default/frontend"),
            ),
            Rule(
                f'-A {SVC} -m comment --comment "default/frontend -> 10.244.2.3:80" -m statistic '
                "--mode random --probability 0.50000000000 -j KUBE-SEP-2",
            ),
            Rule(
                f'-A {SVC} -m comment --comment "default/frontend -> 10.244.1.2:80" -j KUBE-SEP-3',
            ),
        ),
    ),
    SEP: Chain(
        SEP,
        (
            Rule(
                f'-A {SEP} -s 10.244.2.2/32 -m comment --comment "default/frontend" '
                "-j KUBE-MARK-MASQ",
                because("a pod that reaches itself is masqueraded"),
            ),
            Rule(
                f'-A {SEP} -p tcp -m comment --comment "default/frontend" -m tcp '
                "-j DNAT --to-destination 10.244.2.2:80",
                because("Service default/frontend port 80, endpoint frontend-2"),
            ),
        ),
    ),
    "KUBE-POSTROUTING": Chain(
        "KUBE-POSTROUTING",
        (
            Rule("-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN"),
            Rule("-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0"),
            Rule(
                "-A KUBE-POSTROUTING -m comment --comment "
                '"kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
                because("externalTrafficPolicy is Cluster: answers must come back here", 24),
            ),
        ),
    ),
}
RULESET = Ruleset({"nat": Table("nat", CHAINS)})


def route(prefix: str, via: str = "", dev: str = "eth0", **more: Any) -> Route:
    return Route(
        destination=Prefix.parse(prefix), gateway=A(via) if via else None, device=dev, **more
    )


TO_NODE_2 = route("10.244.2.0/24", "192.168.0.12", onlink=False)
TO_POD = route("10.244.2.0/24", dev="cni0", protocol="kernel", scope="link")
DEFAULT_OUT = route("0.0.0.0/0", "203.0.113.1")
DEFAULT_NODE = route("0.0.0.0/0", "192.168.0.1")
DEFAULT_POD = route("0.0.0.0/0", "10.244.2.1")
LAN = route("192.168.0.0/24", protocol="kernel", scope="link")
TO_FIRST = FdbEntry(mac=mac("192.168.0.11"), device="node-1")
LISTENER = Socket(protocol=Protocol.TCP, port=80, owner="php-redis")

NETWORK: dict[str, NetNamespace] = {
    "outside": NetNamespace(
        name="outside",
        interfaces=(device("eth0", "203.0.113.10", peer=("wire", "eth1")),),
        routes=(DEFAULT_OUT, route("203.0.113.0/24", protocol="kernel", scope="link")),
    ),
    "wire": NetNamespace(
        name="wire",
        interfaces=(
            device("lan", "192.168.0.1", kind=LinkKind.BRIDGE),
            device("eth1", "203.0.113.1", peer=("outside", "eth0")),
            device("node-1", master="lan", peer=("node-1", "eth0")),
            device("node-2", master="lan", peer=("node-2", "eth0")),
        ),
        routes=(route("192.168.0.0/24", dev="lan"), route("203.0.113.0/24", dev="eth1")),
        fdb=(TO_FIRST, FdbEntry(mac=mac("192.168.0.12"), device="node-2")),
        neighbours=(Neighbour(address=A("192.168.0.11"), device="lan", mac=mac("192.168.0.11")),),
    ),
    "node-1": NetNamespace(
        name="node-1",
        interfaces=(
            device("eth0", "192.168.0.11", peer=("wire", "node-1")),
            device("cni0", "10.244.1.1", kind=LinkKind.BRIDGE),
        ),
        routes=(DEFAULT_NODE, LAN, route("10.244.1.0/24", dev="cni0"), TO_NODE_2),
        rulesets={4: RULESET},
    ),
    "node-2": NetNamespace(
        name="node-2",
        interfaces=(
            device("eth0", "192.168.0.12", peer=("wire", "node-2")),
            device("cni0", "10.244.2.1", kind=LinkKind.BRIDGE),
            device("vethf566434a", master="cni0", peer=("default/frontend-2", "eth0")),
        ),
        routes=(DEFAULT_NODE, LAN, TO_POD, route("10.244.1.0/24", "192.168.0.11")),
        rulesets={4: RULESET},
    ),
    "default/frontend-2": NetNamespace(
        name="default/frontend-2",
        interfaces=(device("eth0", "10.244.2.2", peer=("node-2", "vethf566434a")),),
        routes=(DEFAULT_POD, route("10.244.2.0/24", protocol="kernel", scope="link")),
        sockets=(LISTENER,),
    ),
}


def pod(name: str, node: str, address: str, port: int = 80, container: str = "php-redis") -> Pod:
    return Pod(
        namespace="default",
        name=name,
        node_name=node,
        addresses=(A(address),),
        container_id="0" * 64,
        containers=(
            Container(
                name=container,
                ports=(ContainerPort(number=port, origin=declared(22)),),
                origin=declared(20),
            ),
        ),
        origin=declared(1),
        origins={"addresses": PICKED},
    )


def node(index: int) -> Node:
    return Node(
        name=f"node-{index}",
        index=index,
        addresses=(A(f"192.168.0.{10 + index}"),),
        origin=assumed("no node is declared"),
    )


def service(name: str, address: str, port: int, node_port: int | None = None) -> Service:
    return Service(
        namespace="default",
        name=name,
        type=ServiceType.NODE_PORT if node_port else ServiceType.CLUSTER_IP,
        cluster_ips=(A(address),),
        ports=(ServicePort(port=port, target_port=port, node_port=node_port, origin=declared(31)),),
        origin=declared(25),
        origins={"cluster_ips": PICKED},
    )


PODS = (
    pod("frontend-1", "node-1", "10.244.1.2"),
    pod("redis-leader", "node-1", "10.244.1.3", 6379, "leader"),
    pod("frontend-2", "node-2", "10.244.2.2"),
    pod("frontend-3", "node-2", "10.244.2.3"),
)
SERVICE_LIST = (
    service("frontend", "10.96.118.14", 80, 30080),
    service("redis-leader", "10.96.32.1", 6379),
)
CLUSTER = Cluster(
    nodes={f"node-{n}": node(n) for n in (1, 2)},
    pods={p.key: p for p in PODS},
    services={s.key: s for s in SERVICE_LIST},
    endpoint_slices={},
    workloads=(),
    proxy=ProxyConfiguration(origin=defaulted("kube-proxy")),
    pod_cidr=Prefix.parse("10.244.0.0/16"),
    service_cidr=Prefix.parse("10.96.0.0/12"),
)
WORLD: Any = SimpleNamespace(
    cluster=CLUSTER,
    network=NETWORK,
    problems=(),
    notes=(),
    manifests=Manifests(objects=(), problems=(), notes=()),
    bundled=True,
)

REQUEST = Request(
    source="outside",
    destination="node/node-1:30080",
    protocol=Protocol.TCP,
    connect=Connect(namespace="outside", destination=A("192.168.0.11"), port=30080),
    service="default/frontend",
    origin=declared(31, "spec.ports[0].nodePort"),
)


def rule(chain: str, index: int, skipped: int = 0) -> RuleCause:
    found = CHAINS[chain]
    return RuleCause(
        table="nat", chain=found, index=index, rule=found.rules[index - 1], skipped=skipped
    )


class Scribe:
    """Writes steps one after another, keeping the packet between them."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.number = 0

    def write(
        self,
        kind: StepKind,
        device_name: str | None,
        hook: Hook | None,
        cause: Cause | None,
        text: str,
        **fields: Any,
    ) -> TraceStep:
        before, self.packet = self.packet, replace(self.packet, **fields)
        self.number += 1
        return TraceStep(
            number=self.number,
            kind=kind,
            device=device_name,
            hook=hook,
            cause=cause,
            origin=origin_of(cause),
            before=before,
            after=self.packet,
            text=text,
            detail=proof(cause),
        )


def make_trace() -> Trace:
    k, h = StepKind, Hook
    scribe = Scribe(
        Packet(
            src=A("203.0.113.10"),
            dst=A("192.168.0.11"),
            protocol=Protocol.TCP,
            sport=40000,
            dport=30080,
            flags=TcpFlags.SYN,
        )
    )
    w = scribe.write
    out = mac("203.0.113.10"), mac("203.0.113.1")
    hops = []

    def hop(name: str, *steps: TraceStep, reply: bool = False) -> None:
        direction = Direction.REPLY if reply else Direction.FORWARD
        hops.append(Hop(direction=direction, namespace=name, steps=steps))

    hop(
        "outside",
        w(
            k.ROUTE,
            "eth0",
            h.OUTPUT,
            RouteCause(route=DEFAULT_OUT),
            "default via 203.0.113.1 dev eth0",
        ),
        w(
            k.ARP,
            "eth0",
            None,
            None,
            "203.0.113.1 is at 02:00:cb:00:71:01",
            smac=out[0],
            dmac=out[1],
        ),
    )
    hop(
        "wire",
        w(
            k.ROUTE,
            "lan",
            None,
            RouteCause(route=NETWORK["wire"].routes[0]),
            "192.168.0.0/24 dev lan",
            ttl=63,
        ),
        w(
            k.ARP,
            "lan",
            None,
            NeighbourCause(neighbour=NETWORK["wire"].neighbours[0]),
            "192.168.0.11 is at 02:00:c0:a8:00:0b",
            smac=mac("192.168.0.1"),
            dmac=mac("192.168.0.11"),
        ),
        w(
            k.BRIDGE,
            "node-1",
            None,
            BridgeCause(bridge="lan", entry=TO_FIRST),
            "the switch sends it to node-1",
        ),
    )
    new = ConntrackCause(
        entry="tcp 6 120 SYN_SENT src=203.0.113.10 dst=192.168.0.11 sport=40000 dport=30080 "
        "[UNREPLIED] src=192.168.0.11 dst=203.0.113.10 sport=30080 dport=40000",
        state="NEW",
    )
    pre = h.PREROUTING
    hop(
        "node-1",
        w(k.CONNTRACK, "eth0", pre, new, "a new connection: nothing known of it yet"),
        w(k.JUMP, "eth0", pre, rule("PREROUTING", 1), "all traffic: look at KUBE-SERVICES"),
        w(
            k.JUMP,
            "eth0",
            pre,
            rule(SERVICES, 9997, 9996),
            "addressed to this node: look at its NodePorts",
        ),
        w(k.JUMP, "eth0", pre, rule(NODEPORTS, 1), "port 30080 is Service default/frontend"),
        w(k.JUMP, "eth0", pre, rule(EXT, 1), "comes from outside the cluster: to be masqueraded"),
        w(
            k.MARK,
            "eth0",
            pre,
            rule("KUBE-MARK-MASQ", 1),
            "mark 0x4000: the source will be masqueraded",
            mark=0x4000,
        ),
        w(k.JUMP, "eth0", pre, rule(EXT, 2), "on to the endpoints of default/frontend"),
        w(k.JUMP, "eth0", pre, rule(SVC, 1), "endpoint 1 of 3, p = 1/3: 10.244.2.2:80"),
        w(
            k.DNAT,
            "eth0",
            pre,
            rule(SEP, 2, 1),
            "DNAT to frontend-2 at 10.244.2.2:80",
            dst=A("10.244.2.2"),
            dport=80,
        ),
        w(
            k.ROUTE,
            "eth0",
            None,
            RouteCause(route=TO_NODE_2),
            "10.244.2.0/24 via 192.168.0.12 dev eth0",
            ttl=62,
        ),
        w(
            k.SNAT,
            "eth0",
            h.POSTROUTING,
            rule("KUBE-POSTROUTING", 3, 1),
            "masquerade: the source becomes node-1, so that the answer comes back here",
            src=A("192.168.0.11"),
            sport=50085,
            mark=0,
        ),
        w(
            k.ARP,
            "eth0",
            None,
            None,
            "192.168.0.12 is at 02:00:c0:a8:00:0c",
            smac=mac("192.168.0.11"),
            dmac=mac("192.168.0.12"),
        ),
    )
    hop(
        "wire",
        w(
            k.BRIDGE,
            "node-2",
            None,
            BridgeCause(bridge="lan", entry=None),
            "the switch sends it to node-2",
        ),
    )
    hop(
        "node-2",
        w(k.CONNTRACK, "eth0", pre, new, "a new connection: nothing known of it yet"),
        w(
            k.ROUTE,
            "eth0",
            None,
            RouteCause(route=TO_POD),
            "10.244.2.0/24 dev cni0: a pod of this node",
            ttl=61,
        ),
        w(
            k.BRIDGE,
            "cni0",
            None,
            BridgeCause(bridge="cni0", entry=None),
            "cni0 sends it to vethf566434a",
        ),
    )
    hop(
        "default/frontend-2",
        w(
            k.DELIVER,
            "eth0",
            h.INPUT,
            SocketCause(socket=LISTENER),
            "php-redis listens on port 80; it sees 192.168.0.11 as the client",
        ),
    )
    scribe.packet = Packet(
        src=A("10.244.2.2"),
        dst=A("192.168.0.11"),
        protocol=Protocol.TCP,
        sport=80,
        dport=50085,
        flags=TcpFlags.SYN | TcpFlags.ACK,
    )
    hop(
        "default/frontend-2",
        w(k.ROUTE, "eth0", None, RouteCause(route=DEFAULT_POD), "default via 10.244.2.1 dev eth0"),
        reply=True,
    )
    hop(
        "node-2",
        w(k.ROUTE, "cni0", None, RouteCause(route=LAN), "192.168.0.0/24 dev eth0", ttl=63),
        reply=True,
    )
    hop(
        "wire",
        w(
            k.BRIDGE,
            "node-1",
            None,
            BridgeCause(bridge="lan", entry=TO_FIRST),
            "the switch sends it to node-1",
        ),
        reply=True,
    )
    undo = ConntrackCause(entry=new.entry, state="ESTABLISHED")
    hop(
        "node-1",
        w(
            k.CONNTRACK,
            "eth0",
            pre,
            undo,
            "known connection: source and destination are set back",
            src=A("192.168.0.11"),
            sport=30080,
            dst=A("203.0.113.10"),
            dport=40000,
        ),
        w(
            k.ROUTE,
            "eth0",
            None,
            RouteCause(route=DEFAULT_NODE),
            "default via 192.168.0.1 dev eth0",
            ttl=62,
        ),
        reply=True,
    )
    hop(
        "wire",
        w(
            k.ROUTE,
            "eth1",
            None,
            RouteCause(route=NETWORK["wire"].routes[1]),
            "203.0.113.0/24 dev eth1",
            ttl=61,
        ),
        reply=True,
    )
    hop("outside", w(k.DELIVER, "eth0", h.INPUT, None, "connected: the answer is here"), reply=True)
    return Trace(
        request=REQUEST,
        hops=tuple(hops),
        outcome=Outcome(
            result=Result.CONNECTED,
            errno=None,
            seconds=0.0,
            decided_at="default/frontend-2",
            reason="connected. The pod sees node-1, not the client: masqueraded because "
            "externalTrafficPolicy is Cluster",
            server_pod="default/frontend-2",
            server_address=A("10.244.2.2"),
            server_port=80,
            source_seen_by_server=A("192.168.0.11"),
            origin=declared(24, "spec.externalTrafficPolicy"),
            step=22,
        ),
        probability=Fraction(1, 3),
    )


TRACE = make_trace()
