"""Corners of the engine that no catalogue row passes: NAT targets, floods, SCTP, vxlan's edges."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kernel.nets import CLIENT, SERVER_1, SERVER_2, Broken, ip, mac, network, rules, standard

from k8stui.kernel import save
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.conntrack import Conntrack, Entry, inverted, tuple_of
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    NetNamespace,
    Socket,
    Sysctls,
    Vxlan,
)
from k8stui.kernel.nat import Manip, set_up
from k8stui.kernel.packet import Packet, Protocol, group_mac
from k8stui.kernel.simulate import connect

SCTP = Protocol.SCTP


def ask(
    spaces: dict[str, NetNamespace], source: str, target: str, protocol: Protocol = Protocol.TCP
) -> Exchange:
    address, _, port = target.rpartition(":")
    asked = Connect(namespace=source, destination=ip(address), port=int(port), protocol=protocol)
    return connect(spaces, asked)


def _nat(node: int, chain: str, line: str) -> Broken:
    """One nat rule before all others of its chain."""
    head, tail = rules(node).rsplit("*nat", 1)
    first = next(one for one in tail.splitlines() if one.startswith(f"-A {chain} "))
    tail = tail.replace(first, f"-A {chain} {line}\n{first}", 1)
    ruleset = save.parse(f"{head}*nat{tail}")
    return standard().change(f"node-{node}", rulesets={4: ruleset})


@pytest.mark.parametrize(
    ("chain", "line", "source", "target", "expected"),
    [
        (
            "PREROUTING",
            "-p tcp -m tcp --dport 7000 -j REDIRECT --to-ports 9100",
            "outside",
            "192.168.0.11:7000",
            ("node-1", "203.0.113.10"),
        ),
        (
            "OUTPUT",
            "-p tcp -m tcp --dport 7000 -j REDIRECT --to-ports 9100",
            "node-1",
            "10.244.2.2:7000",
            ("node-1", "192.168.0.11"),
        ),
        (
            "PREROUTING",
            "-d 10.244.77.0/24 -j NETMAP --to 10.244.2.0/24",
            CLIENT,
            "10.244.77.2:8080",
            (SERVER_2, "10.244.1.2"),
        ),
        (
            "POSTROUTING",
            "-s 10.244.1.0/24 -j SNAT --to-source 192.168.0.11:5000-5009",
            CLIENT,
            "10.244.2.2:8080",
            (SERVER_2, "192.168.0.11"),
        ),
    ],
    ids=["REDIRECT", "REDIRECT in OUTPUT", "NETMAP", "SNAT to a port range"],
)
def test_nat_targets(
    chain: str, line: str, source: str, target: str, expected: tuple[str, str]
) -> None:
    broken = _nat(1, chain, line)
    felt = ask(broken.spaces, source, target).felt
    assert felt.errno is None, felt
    assert (felt.server, str(felt.source_seen)) == expected
    if "5000" in line:
        assert felt.source_port_seen in range(5000, 5010)


@pytest.mark.parametrize(
    ("port", "first", "last"), [(300, 1, 511), (700, 600, 1023), (40000, 1024, 65535)]
)
def test_a_taken_port_changes_within_its_class(port: int, first: int, last: int) -> None:
    def entry(address: str) -> Entry:
        packet = Packet(
            src=ip(address), dst=ip("192.0.2.9"), protocol=Protocol.UDP, sport=port, dport=53
        )
        return Entry(tuple_of(packet), packet, 0.0)

    table = Conntrack()
    own = (ip("192.0.2.1"), ip("192.0.2.1"))
    one, two = entry("10.0.0.1"), entry("10.0.0.2")
    for each in (one, two):
        assert set_up(table, each, Manip.SOURCE, own)
        assert table.confirm(each)
    assert inverted(one.reply).sport == port
    changed = inverted(two.reply).sport
    assert changed != port
    assert first <= changed <= last


def test_no_port_left() -> None:
    table = Conntrack()
    own = (ip("192.0.2.1"), ip("192.0.2.1"))
    free = []
    for n in range(1, 4):
        packet = Packet(
            src=ip(f"10.0.0.{n}"), dst=ip("192.0.2.9"), protocol=Protocol.UDP, sport=9, dport=53
        )
        entry = Entry(tuple_of(packet), packet, 0.0)
        free.append(set_up(table, entry, Manip.SOURCE, own, (7, 8)))
        if free[-1]:
            table.confirm(entry)
    assert free == [True, True, False]


def test_an_unknown_mac_address_is_flooded() -> None:
    broken = standard()
    broken.change("node-1", fdb=())
    exchange = ask(broken.spaces, "node-1", "10.244.1.3:8080")
    assert exchange.felt.errno is None
    flooded = [step for step in exchange.steps if "floods" in step.text]
    assert flooded[0].text.endswith("vethserver-1, vethclient")
    # The answer has taught the bridge where the server is.
    assert len(flooded) == 1


def test_a_port_with_a_small_mtu_drops_in_silence() -> None:
    broken = standard().device("node-1", "vethserver-1", mtu_bytes=50)
    felt = ask(broken.spaces, CLIENT, "10.244.1.3:8080").felt
    assert felt.errno == "ETIMEDOUT"
    assert "longer than the 50 bytes" in felt.reason


@pytest.mark.parametrize(
    ("mtu_bytes", "bridge_nf", "gets_there"),
    [(1496, False, True), (1495, False, False), (1499, True, False)],
)
def test_a_port_has_room_for_a_vlan_tag(
    mtu_bytes: int, *, bridge_nf: bool, gets_there: bool
) -> None:
    """Measured: but for what br_netfilter would have to cut, and may not (is_skb_forwardable)."""
    broken = standard().device("wire", "node-2", mtu_bytes=mtu_bytes)
    broken.sysctl("wire", bridge_nf_call_iptables=bridge_nf)
    to = Connect(
        namespace=CLIENT,
        destination=ip("10.244.2.2"),
        port=9,
        protocol=Protocol.UDP,
        data_bytes=1472,
    )
    assert (connect(broken.spaces, to).felt.result is Result.REFUSED) is gets_there


def test_reject_on_the_bridge_path() -> None:
    broken = standard().filters(1, "-A FORWARD -d 10.244.1.3/32 -p tcp -j REJECT")
    exchange = ask(broken.spaces, CLIENT, "10.244.1.3:8080")
    assert exchange.felt.errno == "ECONNREFUSED"
    error = next(one.packet for one in exchange.captures if one.packet.inner)
    # Not routed: the TTL inside is as it was sent.
    assert error.inner is not None
    assert (error.inner.ttl, str(error.src)) == (64, "10.244.1.1")


def test_drop_in_prerouting_on_the_bridge_path() -> None:
    mangle = "*mangle\n:PREROUTING DROP [0:0]\nCOMMIT\n"
    broken = standard().change("node-1", rulesets={4: save.parse(mangle + rules(1))})
    felt = ask(broken.spaces, CLIENT, "10.244.1.3:8080").felt
    assert (felt.errno, felt.decided_at) == ("ETIMEDOUT", "node-1")
    assert "the policy of mangle PREROUTING" in felt.reason


def test_mangle_sees_the_reply_before_nat_is_undone() -> None:
    # Priorities: conntrack −200, mangle −150, nat −100.
    mangle = (
        "*mangle\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -d 192.168.0.11/32 -p tcp -m tcp --sport 8080 -j ACCEPT\nCOMMIT\n"
    )
    broken = standard().change("node-1", rulesets={4: save.parse(mangle + rules(1))})
    exchange = ask(broken.spaces, "outside", "192.168.0.11:30012")
    assert exchange.felt.errno is None
    assert any("--sport 8080 -j ACCEPT" in step.text for step in exchange.steps)


@pytest.mark.parametrize(
    ("address", "errno"), [("10.244.2.2:3868", None), ("10.244.1.3:3868", "ENOPROTOOPT")]
)
def test_sctp(address: str, errno: str | None) -> None:
    broken = standard()
    server = broken.spaces[SERVER_2]
    broken.change(SERVER_2, sockets=(*server.sockets, Socket(protocol=SCTP, port=3868)))
    exchange = ask(broken.spaces, CLIENT, address, SCTP)
    assert exchange.felt.errno == errno
    if errno is None:
        assert exchange.conntrack["node-1"][0].startswith("sctp     132 9 CLOSED src=10.244.1.2")


def test_ping_to_a_broadcast_address_is_not_answered() -> None:
    felt = ask(standard().spaces, CLIENT, "10.244.2.255:0", Protocol.ICMP).felt
    assert felt.result.value == "timeout"
    assert felt.decided_at == "node-2"


def test_strict_rpfilter_match() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n"
    broken = standard().change("node-2", rulesets={4: save.parse(raw + rules(2))})
    assert ask(broken.spaces, CLIENT, "10.244.2.2:8080").felt.errno is None
    broken.without_route("node-2", "10.244.1.0/24").without_route("node-2", "0.0.0.0/0")
    felt = ask(broken.spaces, CLIENT, "10.244.2.2:8080").felt
    assert (felt.errno, felt.decided_at) == ("ETIMEDOUT", "node-2")


def _overlay(*, fdb: bool = True, route: bool = True) -> dict[str, NetNamespace]:
    """Two hosts, one cable, and a vxlan device on each."""

    def host(own: int, other: int) -> NetNamespace:
        lower = Interface(
            name="eth0",
            kind=LinkKind.VETH,
            mac=mac(f"192.0.2.{own}"),
            addresses=(InterfaceAddress(address=ip(f"192.0.2.{own}"), prefix_length=24),),
            peer=(f"host-{other}", "eth0"),
        )
        upper = Interface(
            name="vxlan1",
            kind=LinkKind.VXLAN,
            mac=mac(f"10.9.0.{own}"),
            mtu_bytes=1450,
            addresses=(InterfaceAddress(address=ip(f"10.9.0.{own}"), prefix_length=24),),
            vxlan=Vxlan(vni=1, local=ip(f"192.0.2.{own}")),
        )
        far = FdbEntry(
            mac=mac(f"10.9.0.{other}"),
            device="vxlan1",
            permanent=True,
            destination=ip(f"192.0.2.{other}" if route else "198.51.100.1"),
        )
        return NetNamespace(
            name=f"host-{own}",
            interfaces=(lower, upper),
            routes=kernel_routes((lower, upper)),
            neighbours=tuple(
                Neighbour(address=ip(address), device=device, mac=mac(address))
                for address, device in (
                    (f"192.0.2.{other}", "eth0"),
                    (f"10.9.0.{other}", "vxlan1"),
                )
            ),
            fdb=(far,) if fdb else (),
            sysctls=Sysctls(),
            sockets=(Socket(protocol=Protocol.TCP, port=80),),
        )

    return {"host-1": host(1, 2), "host-2": host(2, 1)}


def test_vxlan_between_two_hosts() -> None:
    exchange = ask(_overlay(), "host-1", "10.9.0.2:80")
    assert exchange.felt.server == "host-2"
    outer = next(one.packet for one in exchange.captures if one.packet.vni is not None)
    assert (outer.length_bytes, outer.dport, outer.dont_fragment) == (110, 8472, False)


@pytest.mark.parametrize(
    ("missing", "reason"), [("fdb", "knows no node"), ("route", "no route to the node")]
)
def test_vxlan_loses_what_it_cannot_send(missing: str, reason: str) -> None:
    felt = ask(_overlay(**{missing: False}), "host-1", "10.9.0.2:80").felt
    assert felt.errno == "ETIMEDOUT"
    assert reason in felt.reason


def test_vxlan_for_another_network_is_not_taken() -> None:
    spaces = _overlay()
    devices = spaces["host-2"].interfaces
    other = replace(devices[1], vxlan=Vxlan(vni=2, local=ip("192.0.2.2")))
    spaces["host-2"] = replace(spaces["host-2"], interfaces=(devices[0], other))
    assert ask(spaces, "host-1", "10.9.0.2:80").felt.errno == "ETIMEDOUT"


def test_vxlan_devices_of_both_families_have_sockets_of_their_own() -> None:
    """flannel.1 and flannel-v6.1 share VNI and port (found by the lab)."""
    spaces = _overlay()
    lower, upper = spaces["host-2"].interfaces
    six = replace(upper, name="vxlan6", addresses=(), vxlan=Vxlan(vni=1, local=ip("2001:db8::2")))
    spaces["host-2"] = replace(spaces["host-2"], interfaces=(lower, six, upper))
    exchange = ask(spaces, "host-1", "10.9.0.2:80")
    assert exchange.felt.errno is None
    assert "vxlan6" not in {one.device for one in exchange.captures}


def test_a_listener_on_every_port_does_not_get_the_clients_own() -> None:
    """An answer that nobody un-NATed is refused by the client's kernel (found by the lab)."""
    every = Socket(protocol=Protocol.UDP, port=None)
    broken = standard(bridge_nf=False).change(CLIENT, sockets=(every,))
    other = Socket(protocol=Protocol.UDP, port=54)
    broken.change(SERVER_1, sockets=(other,))
    nat = "-d 10.96.0.99/32 -p udp -j DNAT --to-destination 10.244.1.3:54"
    ruleset = _nat(1, "PREROUTING", nat).spaces["node-1"].rulesets
    exchange = ask(
        broken.change("node-1", rulesets=ruleset).spaces, CLIENT, "10.96.0.99:54", Protocol.UDP
    )
    sent = [c.packet for c in exchange.captures if c.namespace == CLIENT and not c.incoming]
    assert [packet.protocol for packet in sent] == [Protocol.UDP, Protocol.ICMP]
    assert exchange.felt.errno is None


def test_a_bridge_that_is_down_takes_nothing() -> None:
    broken = standard(bridge_nf=False).device("node-1", "cni0", up=False)
    felt = ask(broken.spaces, CLIENT, "10.244.2.2:8080").felt
    assert felt.errno == "ETIMEDOUT"
    assert felt.reason == "cni0 is down"


def test_the_network_itself_is_left_alone() -> None:
    spaces = network(warm=False)
    before = dict(spaces)
    ask(spaces, CLIENT, "10.96.0.12:80")
    assert spaces == before
    assert spaces[SERVER_1] is before[SERVER_1]


@pytest.mark.parametrize(
    ("rule", "tracks"),
    [("", False), ("-A X -j RETURN\n", False), ("-A X -j MASQUERADE\n", True)],
    ids=["empty", "nothing-to-translate", "never-met"],
)
def test_a_rule_makes_conntrack_run_not_its_table(rule: str, tracks: bool) -> None:
    """nf_ct_netns_get is called by the target (as measured; tests/lab asks the kernel again)."""
    chains = "".join(
        f":{name} ACCEPT [0:0]\n" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
    )
    text = f"*nat\n{chains}:X - [0:0]\n{rule}COMMIT\n"
    broken = standard().change("router", rulesets={4: save.parse(text)})
    exchange = ask(broken.spaces, "outside", "192.168.0.11:9100")
    assert ("router" in exchange.conntrack) is tracks


def test_an_error_finds_back_where_only_the_port_was_changed() -> None:
    """MASQUERADE --random-fully of a node's own packet keeps the address (found by the lab)."""
    spaces = _nat(1, "POSTROUTING", "-d 10.244.2.2/32 -j MASQUERADE --random-fully").spaces
    felt = ask(spaces, "node-1", "10.244.2.2:4242", Protocol.UDP).felt
    assert felt.source_seen == ip("192.168.0.11")
    assert felt.source_port_seen != 40000
    assert felt.errno == "ECONNREFUSED"


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("224.0.0.1", "01:00:5e:00:00:01"),
        ("239.129.2.3", "01:00:5e:01:02:03"),
        ("ff02::1:3", "33:33:00:01:00:03"),
    ],
)
def test_the_mac_address_of_a_group(address: str, group: str) -> None:
    assert group_mac(ip(address)) == group


def test_a_datagram_to_a_group_goes_one_hop() -> None:
    exchange = ask(standard().spaces, "node-1", "224.0.0.1:5353", Protocol.UDP)
    sent = exchange.captures[0].packet
    assert (sent.dmac, sent.ttl) == ("01:00:5e:00:00:01", 1)
    assert not [c for c in exchange.captures if c.packet.protocol is Protocol.ICMP]
