"""Another MTU on the way: what fits, who says so, and what is lost in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8stui.export.lab import lab_lines
from k8stui.kernel.address import Prefix
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.namespace import NetNamespace, Network
from k8stui.kernel.packet import TcpFlags
from k8stui.kernel.simulate import connect
from k8stui.lab.anew import Changed
from k8stui.lab.comparing.compare import compare
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

TWO = """\
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDRs: ["fd00:10:244:1::/64"]}
status: {addresses: [{type: InternalIP, address: "fd00:192:168::11"}]}
---
apiVersion: v1
kind: Node
metadata: {name: b}
spec: {podCIDRs: ["fd00:10:244:2::/64"]}
status: {addresses: [{type: InternalIP, address: "fd00:192:168::12"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cook}
spec: {nodeName: a, containers: [{name: main, image: cook, args: ["sleep", "9"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waiter, labels: {app: waiter}}
spec:
  nodeName: b
  containers: [{name: main, image: waiter, ports: [{containerPort: 90, protocol: PROTOCOL}]}]
"""
DOOR = """\
---
apiVersion: v1
kind: Service
metadata: {name: waiter}
spec: {type: NodePort, selector: {app: waiter}, ports: [{port: 90, nodePort: 30090}]}
"""
DUAL = Path(__file__).with_name("dual-stack.yaml")


class Narrow(Changed):
    """With another MTU on devices of some namespaces."""

    def __init__(self, network: Network, ends: dict[tuple[str, str], int]) -> None:
        super().__init__(network)
        self.ends = ends

    def change(self, space: NetNamespace) -> NetNamespace:
        made = tuple(
            replace(one, mtu_bytes=self.ends.get((space.name, one.name), one.mtu_bytes))
            for one in space.interfaces
        )
        return replace(space, interfaces=made)

    def judges_policies(self, node: object) -> bool:
        del node
        return False


def narrow(world: World, *ends: tuple[str, str], mtu: int = 1400) -> World:
    return replace(world, network=Narrow(world.network, dict.fromkeys(ends, mtu)))  # type: ignore[arg-type]


UPLINK = (("node-1", "eth0"), ("wire", "node-1"))
PORT = (("wire", "node-2"), ("node-2", "eth0"))


@pytest.mark.parametrize("size", [1300, 1400, 3000])
@pytest.mark.parametrize("ends", [UPLINK, PORT], ids=["uplink", "behind-the-bridge"])
def test_tcp(guestbook: World, nft: Tools, ends: tuple[tuple[str, str], ...], size: int) -> None:
    """The router says what fits; a bridge that takes more than its port says nothing.

    With the uplink that is the answer's lot: it is lost in front of the client's node.
    """
    world = narrow(guestbook, *ends)
    request = parse_request(world, "pod/client", "pod/frontend-1:80", data_bytes=size)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    told = [row.kernel.mtu for row in one.comparison.rows if row.kernel and row.kernel.mtu]
    lost = size > 1348
    assert one.comparison.kernel.result == ("timeout" if lost else "connected")
    assert bool(told) == (ends is UPLINK and size > 1348)


@pytest.mark.parametrize(
    ("size", "unconnected", "result"),
    [(1300, False, "connected"), (1400, False, "unreachable"), (1400, True, "timeout")],
)
def test_datagrams_of_ipv6(nft: Tools, *, size: int, unconnected: bool, result: str) -> None:
    """A router does not cut them; it says so, and a connected socket hears it."""
    world = narrow(build_world([str(DUAL)]), ("a", "eth0"), ("wire", "a"))
    request = parse_request(
        world, "pod/web-1", "[2001:db8::8]:53/udp", data_bytes=size, unconnected=unconnected
    )
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == result


@pytest.mark.parametrize(
    ("destination", "length"),
    [("[fd00:192:168::11]:30053/udp", 1496), ("192.168.0.11:30053/udp", 1500)],
)
def test_datagrams_for_lo_that_go_elsewhere_are_cut(
    nft: Tools, destination: str, length: int
) -> None:
    """They are written for lo's MTU; DNAT sends them through a device that takes less."""
    world = build_world([str(DUAL)])
    request = parse_request(world, "node/a", destination, data_bytes=3000)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == "connected"
    rows = [row.kernel for row in one.comparison.rows if row.kernel]
    assert {sight.length for sight in rows if sight.dport == 53} == {length}


def test_mss_of_another_device(guestbook: World, nft: Tools) -> None:
    """The lab has another MTU than the walk: the SYN tells."""
    request = parse_request(guestbook, "pod/client", "pod/frontend-1:80").connect
    assert isinstance(request, Connect)
    exchange = connect(guestbook.network, request)
    other = Narrow(guestbook.network, {("default/client", "eth0"): 1400})
    made, _ = plan(other, request, exchange, nft, 2.0)
    found = compare(exchange, run(made))
    assert {name for row in found.rows for name in row.differs} == {"mss"}


class OfRoute(Narrow):
    """With another MTU on routes of one namespace."""

    def __init__(self, network: Network, where: str, prefix: str, **said: Any) -> None:
        super().__init__(network, {})
        self.where, self.prefix, self.said = where, Prefix.parse(prefix), said

    def change(self, space: NetNamespace) -> NetNamespace:
        made = tuple(
            replace(one, **self.said) if one.destination == self.prefix else one
            for one in space.routes
        )
        return replace(space, routes=made) if space.name == self.where else space


@pytest.mark.parametrize(
    ("where", "prefix", "source", "way", "size", "result"),
    [
        ("node-1", "10.244.2.0/24", "pod/client", "80", 1400, "connected"),
        ("node-1", "10.244.2.0/24", "pod/client", "9/udp", 1400, "unreachable"),
        ("node-1", "10.244.2.0/24", "node/node-1", "9/udp", 3000, "connected"),
        ("node-2", "10.244.1.0/24", "pod/client", "80", 1440, "connected"),
        ("default/client", "0.0.0.0/0", "pod/client", "80", 3000, "connected"),
    ],
)
@pytest.mark.parametrize("locked", [False, True])
def test_a_route_with_an_mtu_of_its_own(
    guestbook: World,
    nft: Tools,
    *,
    where: str,
    prefix: str,
    source: str,
    way: str,
    size: int,
    result: str,
    locked: bool,
) -> None:
    """It counts, whatever its device takes; where it is locked, who sends by it lets others cut."""
    network = OfRoute(guestbook.network, where, prefix, mtu_bytes=1400, mtu_locked=locked)
    world = replace(guestbook, network=network)  # type: ignore[arg-type]
    request = parse_request(world, source, f"pod/frontend-1:{way}", data_bytes=size)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == result


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"encap": "mpls"}, "encap mpls, of the route 10.244.2.0/24 via"),
        ({"device": None, "gateway": None}, "where nobody has seen the next hops of the route"),
    ],
)
def test_a_route_that_nobody_can_follow(
    guestbook: World, said: dict[str, object], words: str
) -> None:
    network = OfRoute(guestbook.network, "node-1", "10.244.2.0/24", **said)
    request = parse_request(guestbook, "pod/client", "pod/frontend-1:80").connect
    assert request is not None
    found = connect(network, request)
    assert found.felt.result is Result.UNKNOWN
    assert found.felt.reason.startswith(f"not modelled: {words}")
    assert found.steps[found.felt.deciding_step or 0].namespace == "node-1"


@pytest.mark.parametrize("size", [1300, 1400, 3000])
def test_a_tunnel_narrower_than_its_pods_know(nft: Tools, size: int) -> None:
    """Each end hears of it from its own node, and sends again what fits."""
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    world = narrow(world, ("node-1", "flannel.1"), ("node-2", "flannel.1"), mtu=1300)
    request = parse_request(world, "pod/client", "pod/frontend-1:80", data_bytes=size)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == "connected"
    told = {row.kernel.mtu for row in one.comparison.rows if row.kernel and row.kernel.mtu}
    assert told == {1300}


def test_a_tunnel_brings_the_last_fragment_alone(nft: Tools) -> None:
    """A narrow card loses the long ones; its node tracks what is left of the answer."""
    world = build_world([], None, NodeOptions(cni="flannel-vxlan"))
    world = narrow(world, ("node-1", "eth0"), mtu=1400)
    request = parse_request(world, "pod/client", "pod/frontend-1/icmp", data_bytes=3000)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == "timeout"


def test_a_firewall_that_keeps_it_to_itself(nft: Tools) -> None:
    """Without ICMP the connection stands, and what is too long is lost again and again."""
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    ends = (("node-1", "flannel.1"), ("node-2", "flannel.1"))
    world = narrow(world, *ends, mtu=1300)
    request = parse_request(world, "pod/client", "pod/frontend-1:80", data_bytes=1400).connect
    assert request is not None
    exchange = connect(world.network, request)
    made, _ = plan(world.network, request, exchange, nft, 3.0)
    (node,) = (space for space in made["spaces"] if space["name"] == "node-1")
    head, table, tail = node["rules"]["4"].partition("*filter\n")
    chain = "-A OUTPUT -p icmp -j DROP\n"
    first = tail.index("-A ")
    node["rules"]["4"] = f"{head}{table}{tail[:first]}{chain}{tail[first:]}"
    found = compare(exchange, run(made))
    assert found.walk.result == "connected"
    assert found.kernel.result == "timeout"


@pytest.mark.parametrize("times", [0, 1])
@pytest.mark.parametrize(("way", "size"), [("/udp", 1300), ("/udp", 1370), ("", 1300), ("", 1350)])
def test_what_a_tunnel_over_ipv6_cannot_send(
    nft: Tools, tmp_path: Path, *, way: str, size: int, times: int
) -> None:
    """It is not cut, and told to the node itself (ip6_fragment).

    Who asks from there sends less the next time, and a pod is told then (skb_tunnel_check_pmtu).
    """
    file = tmp_path / "two.yaml"
    file.write_text(TWO.replace("PROTOCOL", "UDP" if way else "TCP"))
    world = build_world([str(file)], None, NodeOptions(cni="flannel-vxlan"))
    world = narrow(world, ("a", "eth0"), ("wire", "a"), mtu=1480)
    for source in ("node/a", "pod/cook"):
        request = parse_request(world, source, f"pod/waiter:90{way}", data_bytes=size)
        asked = again(request, times, 0.0)
        try:
            (one,) = experiments(world, asked, nft)
        except NotComparedError:
            assert (way, size, times) == ("", 1350, 1)  # the first of them waits for 15 minutes
            continue
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


@pytest.mark.parametrize(("mtu", "arrives"), [(1350, True), (1349, False)])
def test_ipv6_takes_no_word_of_less_than_its_smallest_mtu(
    nft: Tools, tmp_path: Path, *, mtu: int, arrives: bool
) -> None:
    """A tunnel of 1,279 bytes: a pod goes on sending what it loses (__ip6_rt_update_pmtu)."""
    file = tmp_path / "two.yaml"
    file.write_text(TWO.replace("PROTOCOL", "TCP"))
    world = build_world([str(file)], None, NodeOptions(cni="flannel-vxlan"))
    world = narrow(world, ("a", "eth0"), ("wire", "a"), mtu=mtu)
    request = parse_request(world, "pod/cook", "pod/waiter:90", data_bytes=1300)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    seen = [row.kernel for row in one.comparison.rows if row.kernel is not None]
    assert (
        any(at.namespace == "default/waiter" and at.flags & TcpFlags.PSH for at in seen) == arrives
    )


@pytest.mark.parametrize(("narrowed", "learns"), [("eth0", False), ("flannel.1", True)])
def test_an_own_ipv6_address_has_no_mtu_that_its_device_has(
    nft: Tools, tmp_path: Path, *, narrowed: str, learns: bool
) -> None:
    """What NAT sends on from lo sends less only when told less than that (rt6_insert_exception)."""
    file = tmp_path / "two.yaml"
    file.write_text(TWO.replace("PROTOCOL", "TCP") + DOOR)
    world = build_world([str(file)], None, NodeOptions(cni="flannel-vxlan"))
    world = narrow(world, ("a", narrowed), mtu=1300)
    request = parse_request(world, "node/a", "node/a:30090", data_bytes=1400)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert (one.comparison.kernel.result == "connected") == learns


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.0.11"])
def test_an_mtu_is_learned_for_addresses_of_lo_alone(
    guestbook: World, nft: Tools, address: str
) -> None:
    """Of IPv4; a node port leads to another node, by a narrower card."""
    world = narrow(guestbook, ("node-1", "eth0"), mtu=1280)
    request = parse_request(world, "node/node-1", f"{address}:30080", data_bytes=1400)
    for one in experiments(world, request, nft, every=True):
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


@pytest.mark.parametrize("mtu", [1280, 1492, 1499])
@pytest.mark.parametrize("way", ["", "/udp"])
def test_a_bridge_port_that_takes_less_than_its_bridge(
    nft: Tools, tmp_path: Path, *, way: str, mtu: int
) -> None:
    """br_netfilter cuts IPv6 that was whole, by what the bridge takes: no router would do either.

    A port lets four bytes more pass than it takes (is_skb_forwardable).
    """
    file = tmp_path / "two.yaml"
    text = TWO.replace("PROTOCOL", "UDP" if way else "TCP").replace("nodeName: b", "nodeName: a")
    file.write_text(text)
    world = build_world([str(file)])
    port = next(one.name for one in world.network["a"].interfaces if one.name.startswith("veth"))
    ends = [end for end in veths(world.network["a"]) if end[1] != port]
    for narrowed in (ends, veths(world.network["a"])):
        there = narrow(world, *narrowed, mtu=mtu)
        for size in (1452, 3000):
            request = parse_request(there, "pod/cook", f"pod/waiter:90{way}", data_bytes=size)
            try:
                (one,) = experiments(there, request, nft)
            except NotComparedError:
                assert (way, mtu) == ("", 1492)  # the answer is repeated in 1488 bytes
                continue
            assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


@pytest.mark.parametrize("times", [0, 1])
def test_a_bridge_that_takes_less_than_its_ports(nft: Tools, tmp_path: Path, times: int) -> None:
    """Who sends IPv6 is told, though no router stands there, and cuts it the next time."""
    file = tmp_path / "two.yaml"
    file.write_text(TWO.replace("PROTOCOL", "UDP").replace("nodeName: b", "nodeName: a"))
    world = narrow(build_world([str(file)]), ("a", "cni0"))
    request = parse_request(world, "pod/cook", "pod/waiter:90/udp", data_bytes=3000)
    (one,) = experiments(world, again(request, times, 0.1), nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == ("connected" if times else "unreachable")


def veths(space: NetNamespace) -> list[tuple[str, str]]:
    return [(space.name, one.name) for one in space.interfaces if one.name.startswith("veth")]
