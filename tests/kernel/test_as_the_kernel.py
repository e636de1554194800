"""Single decisions, each as Linux 6.18 takes it in network namespaces (or as its source says)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kernel.nets import CLIENT, Broken, ip, rules, standard

from k8stui.because import Because
from k8stui.kernel import save
from k8stui.kernel.address import Prefix
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.fib import NO_PORTS
from k8stui.kernel.namespace import (
    Interface,
    InterfaceAddress,
    LinkKind,
    NetNamespace,
    PolicyRule,
    Route,
    RouteType,
    Stranger,
    TakesAt,
    Unmodelled,
)
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.routing import Fate, Routing
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Hook, StepKind
from k8stui.origin import assumed

TCP, UDP = Protocol.TCP, Protocol.UDP


def ask(
    network: Broken,
    target: str,
    protocol: Protocol = TCP,
    source: str = CLIENT,
    data_bytes: int | None = None,
) -> Exchange:
    address, _, port = target.rpartition(":")
    request = Connect(
        namespace=source,
        destination=ip(address),
        port=int(port),
        protocol=protocol,
        data_bytes=data_bytes,
    )
    return connect(network.spaces, request)


def table(network: Broken, node: int, text: str) -> Broken:
    return network.change(f"node-{node}", rulesets={4: save.parse(rules(node) + text)})


def mangle(chain: str, *lines: str) -> str:
    return "\n".join(["*mangle", f":{chain} ACCEPT [0:0]", *lines, "COMMIT", ""])


def raw(*lines: str) -> str:
    head = ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    return "\n".join([*head, *lines, "COMMIT", ""])


def test_a_mark_ends_where_the_packet_leaves_the_namespace() -> None:
    other = table(
        standard(), 1, mangle("PREROUTING", "-A PREROUTING -j MARK --set-xmark 0x7/0xffffffff")
    )
    found = ask(other, "10.244.2.2:8080")
    assert found.felt.result is Result.CONNECTED
    assert {step.namespace for step in found.steps if step.before.mark} == {"node-1"}


@pytest.mark.parametrize(
    ("protocol", "errno"), [(TCP, "ENETUNREACH"), (UDP, "EACCES"), (Protocol.ICMP, "EACCES")]
)
def test_limited_broadcast(protocol: Protocol, errno: str) -> None:
    assert ask(standard(), "255.255.255.255:53", protocol).felt.errno == errno


def test_limited_broadcast_without_any_route() -> None:
    network = standard().without_route(CLIENT, "0.0.0.0/0")
    assert ask(network, "255.255.255.255:53", UDP).felt.errno == "ENETUNREACH"


@pytest.mark.parametrize(
    ("name", "reroutes"), [("mangle", True), ("raw", False), ("nat", False), ("filter", False)]
)
def test_only_mangle_routes_again_for_a_mark(name: str, reroutes: bool) -> None:
    network = standard()
    space = network.spaces["node-1"]
    line = "-A OUTPUT -d 203.0.113.10/32 -j MARK --set-xmark 0x9/0xffffffff"
    text = f"*{name}\n:OUTPUT ACCEPT [0:0]\n{line}\nCOMMIT\n"
    network.change(
        "node-1",
        rulesets={4: save.parse(text)},
        policy_rules=(*space.policy_rules, PolicyRule(priority=100, table="nowhere", mark=9)),
        routes=(
            *space.routes,
            Route(
                destination=Prefix.parse("0.0.0.0/0"), type=RouteType.UNREACHABLE, table="nowhere"
            ),
        ),
    )
    found = ask(network, "203.0.113.10:9100", source="node-1")
    assert (found.felt.result is not Result.CONNECTED) is reroutes


@pytest.mark.parametrize("counts", [False, True])
def test_rp_filter_counts_the_mark_only_if_told(counts: bool) -> None:
    """A mark that leads back nowhere: with src_valid_mark 0 it is not looked at."""
    network = table(
        standard(), 1, mangle("PREROUTING", "-A PREROUTING -j MARK --set-xmark 0x9/0xffffffff")
    )
    space = network.spaces["node-1"]
    back = PolicyRule(
        priority=100, table="nowhere", mark=9, destination=Prefix.parse("10.244.1.0/24")
    )
    network.change(
        "node-1",
        policy_rules=(*space.policy_rules, back),
        routes=(
            *space.routes,
            Route(destination=Prefix.parse("0.0.0.0/0"), type=RouteType.BLACKHOLE, table="nowhere"),
        ),
    ).sysctl("node-1", rp_filter={"all": 1}, src_valid_mark={"all": counts})
    routing = Routing(
        network.spaces["node-1"], {one.name: one for one in network.spaces["node-1"].interfaces}
    )
    decision = routing.incoming(ip("10.244.2.2"), ip("10.244.1.2"), "cni0", 9)
    assert (decision.fate is Fate.FORWARD) is not counts


def test_ipv6_has_no_own_source_martians() -> None:
    own = Interface(name="eth0", kind=LinkKind.VETH)
    space = NetNamespace(name="n", interfaces=(own,))
    routing = Routing(space, {"eth0": own})
    routing._own.add(ip("fd00::1"))
    assert routing._validate_source(ip("fd00::1"), ip("fd00::2"), "eth0", 0, ports=NO_PORTS) is None


@pytest.mark.parametrize(
    ("asked", "settings", "answers"),
    [
        ("192.168.0.11", {"arp_ignore": 1}, False),
        ("10.244.1.1", {"arp_ignore": 2}, True),
        ("192.168.0.11", {"arp_ignore": 3}, True),
        ("127.0.0.9", {"arp_ignore": 3, "route_localnet": 1}, False),
        ("10.244.1.1", {"arp_ignore": 4}, True),
        ("10.244.1.1", {"arp_ignore": 8}, False),
        ("10.244.2.2", {}, False),
        ("10.244.2.2", {"proxy_arp": 1}, True),
        ("10.244.2.2", {"proxy_arp_pvlan": 1}, False),
        ("10.244.1.77", {"proxy_arp": 1}, False),
        ("10.244.1.77", {"proxy_arp_pvlan": 1}, True),
        ("10.244.1.2", {"proxy_arp_pvlan": 1}, False),
        ("10.244.1.1", {"arp_filter": 1}, True),
    ],
)
@pytest.mark.parametrize("device", ["all", "cni0"])
def test_who_answers_for_an_address(
    device: str, asked: str, settings: dict[str, int], answers: bool
) -> None:
    """The larger of `all` and the device's counts (measured with arping's requests)."""
    network = standard()
    network.sysctl("node-1", **{name: {device: value} for name, value in settings.items()})
    assert _answers(network, asked) is answers


def test_arp_filter_asks_for_the_way_back() -> None:
    network = standard().sysctl("node-1", arp_filter={"cni0": 1})
    back = Route(destination=Prefix.parse("10.244.1.2/32"), device="eth0")
    network.change("node-1", routes=(*network.spaces["node-1"].routes, back))
    assert not _answers(network, "10.244.1.1")


def _answers(network: Broken, asked: str) -> bool:
    """Whether node-1 tells a pod, which takes all to be on its cable, that an address is there."""
    everything = Route(destination=Prefix.parse("0.0.0.0/0"), device="eth0", scope="link")
    network.change(CLIENT, routes=(everything,), neighbours=())
    steps = ask(network, f"{asked}:9").steps
    return any(one.text.startswith(f"{asked} is at") for one in steps)


@pytest.mark.parametrize("has_address", [True, False])
def test_redirect_needs_an_address_of_the_device(has_address: bool) -> None:
    network = standard()
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9100\nCOMMIT\n"
    )
    network.change("node-1", rulesets={4: save.parse(text)})
    if not has_address:
        network.device("node-1", "cni0", addresses=())
    expected = Result.CONNECTED if has_address else Result.TIMEOUT
    assert ask(network, "10.244.2.2:80").felt.result is expected


@pytest.mark.parametrize(
    ("addresses", "destination", "expected"),
    [
        (("fd00::5",), "fd00::9", "fd00::5"),
        (("fe80::7", "fd00::5"), "fd00::9", "fd00::5"),
        (("fe80::7", "fd00::5"), "fe80::9", "fe80::7"),
        (("fd00::5",), "fe80::9", "fe80::ff:fe00:1"),
        ((), "fd00::9", "fe80::ff:fe00:1"),
        (("fe80::7",), "fd00::9", "fe80::7"),
    ],
)
def test_redirect_of_ipv6(addresses: tuple[str, ...], destination: str, expected: str) -> None:
    """Link-local last, and made of the MAC where none is told of; what is made is local, too."""
    device = Interface(
        name="eth0",
        kind=LinkKind.VETH,
        mac="02:00:00:00:00:01",
        addresses=tuple(InterfaceAddress(address=ip(a), prefix_length=64) for a in addresses),
    )
    other = Interface(
        name="eth1",
        kind=LinkKind.VETH,
        mac="02:00:00:00:00:02",
        addresses=(InterfaceAddress(address=ip("fd00:1::1"), prefix_length=64),),
    )
    space = NetNamespace(
        name="n", interfaces=(device, other), routes=kernel_routes((device, other))
    )
    routing = Routing(space, {"eth0": device, "eth1": other})
    found = routing.redirect_address("eth0", ip(destination))
    assert found == ip(expected)
    assert found is not None
    assert routing.is_local(found)
    assert not routing.is_local(ip("fe80::9"))


@pytest.mark.parametrize(
    ("flags", "source", "device", "mark", "holds"),
    [
        ("", "10.244.1.2", "cni0", 0, True),
        ("", "10.244.1.2", "eth0", 0, False),
        ("--loose", "10.244.1.2", "eth0", 0, True),
        ("", "10.244.1.2", "lo", 0, True),
        ("", "192.168.0.11", "eth0", 0, False),
        ("--accept-local", "192.168.0.11", "eth0", 0, True),
        ("--accept-local", "192.168.0.11", "cni0", 0, False),
        ("--accept-local --loose", "192.168.0.11", "cni0", 0, True),
        ("", "10.244.1.2", "cni0", 9, True),
        ("--validmark", "10.244.1.2", "cni0", 9, False),
    ],
)
def test_rpfilter(flags: str, source: str, device: str, mark: int, holds: bool) -> None:
    """ipt_rpfilter.c rpfilter_mt. Mark 9 leads everything to a blackhole."""
    network = standard()
    space = network.spaces["node-1"]
    space = replace(
        space,
        policy_rules=(PolicyRule(priority=1, table="nowhere", mark=9), *space.policy_rules),
        routes=(
            *space.routes,
            Route(destination=Prefix.parse("0.0.0.0/0"), type=RouteType.BLACKHOLE, table="nowhere"),
        ),
    )
    routing = Routing(space, {one.name: one for one in space.interfaces})
    packet = Packet(src=ip(source), dst=ip("10.244.2.2"), protocol=TCP, mark=mark)
    found = routing.leads_back(
        packet,
        device,
        loose="--loose" in flags,
        mark="--validmark" in flags,
        accept_local="--accept-local" in flags,
    )
    assert found is holds


@pytest.mark.parametrize(
    ("driver", "said"),
    [("gre", "not modelled: gre device eth0"), ("", "the kind of device eth0 is not known")],
)
def test_a_tunnel_is_named_and_asks_for_nobody(driver: str, said: str) -> None:
    network = standard(warm=False).device("node-1", "eth0", kind=LinkKind.OTHER, driver=driver)
    found = ask(network, "10.244.2.2:8080")
    assert found.felt.result is Result.UNKNOWN
    assert said in found.felt.reason
    last = found.steps[-1]
    assert (last.kind, last.namespace) == (StepKind.UNKNOWN, "node-1")
    assert not [s for s in found.steps if s.kind is StepKind.ARP and s.namespace == "node-1"]


@pytest.mark.parametrize(("port", "known"), [(9100, True), (9101, False)])
def test_ipvs_takes_its_own(port: int, known: bool) -> None:
    why = Because(text="a virtual server", origin=assumed("for this test"))
    ipvs = Unmodelled(name="ipvs", ports={(Protocol.TCP, 9101): why}, takes_at=TakesAt.AS_IPVS)
    network = standard().change("node-1", unmodelled=(ipvs,))
    found = ask(network, f"192.168.0.11:{port}")
    assert (found.felt.result is Result.CONNECTED) is known
    if not known:
        said = "not modelled: ipvs, which takes this packet (a virtual server)"
        assert found.felt.reason == said
        assert found.steps[-1].hook is Hook.INPUT


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("-A FORWARD -i weave -j DROP", False),
        ("-A FORWARD -o weave -j DROP", False),
        ("-A FORWARD ! -i weave -j DROP", False),
        ("-A FORWARD -i weave -p udp -j DROP", True),
        ("-A FORWARD -i weave -j LOG", True),
        ("-A FORWARD -i docker0 -j DROP", True),
    ],
)
def test_rules_for_devices_that_nobody_has_seen(line: str, known: bool) -> None:
    stranger = Stranger(
        patterns=frozenset({"weave"}),
        invented=frozenset({"cni0"}),
        said="the rules name weave, which node-1 has not",
    )
    network = standard().filters(1, line).change("node-1", stranger=stranger)
    found = ask(network, "10.244.2.2:8080").felt
    assert (found.result is not Result.UNKNOWN) is known
    assert known or "the rules name weave" in found.reason


@pytest.mark.parametrize(
    ("mtu", "data", "result"),
    [(1400, 100, "connected"), (1400, 1400, "timeout"), (1500, 9000, "connected")],
)
def test_a_cable_takes_what_its_far_end_lets_in(mtu: int, data: int, result: str) -> None:
    """is_skb_forwardable: four bytes more than the MTU; the answer of node-2's pod is longer."""
    network = standard().device("node-1", "eth0", mtu_bytes=mtu)
    found = ask(network, "10.244.2.2:8080", data_bytes=data).felt
    assert (found.result.value, found.established) == (result, True)


def test_the_mtu_of_the_path_is_learned() -> None:
    network = standard().device("node-1", "eth0", mtu_bytes=1400)
    network.device("pod/server-2", "eth0", mtu_bytes=1400)
    found = ask(network, "10.244.2.2:8080", data_bytes=5000)
    assert found.felt.result is Result.CONNECTED
