"""Pings, data, requests that are made again: the walk against the kernel of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.export.lab import lab_lines
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import Experiment, experiments
from k8stui.lab.plan import Tools
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

DUAL = Path(__file__).with_name("dual-stack.yaml")
TEMPERATURES = pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])


@pytest.fixture(scope="module")
def dual() -> World:
    return build_world([str(DUAL)])


def agree(found: list[Experiment], result: str) -> None:
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.comparison.kernel.result == result


@TEMPERATURES
@pytest.mark.parametrize(
    ("destination", "result"),
    [
        ("pod/frontend-1/icmp", "connected"),
        ("svc/frontend/icmp", "unreachable"),
        ("8.8.8.8/icmp", "connected"),
        ("10.244.2.77/icmp", "unreachable"),
    ],
)
def test_ping(guestbook: World, nft: Tools, destination: str, result: str, cold: bool) -> None:
    request = parse_request(guestbook, "pod/client", destination)
    agree(list(experiments(guestbook, request, nft, cold=cold)), result)


@TEMPERATURES
@pytest.mark.parametrize(
    ("destination", "result"),
    [
        ("pod/web-2/icmp", "connected"),
        ("[2001:db8::8]/icmp", "connected"),
        ("[2001:db8::8]:80", "connected"),
        ("[fd00:10:244:1::77]/icmp", "unreachable"),
        ("[fd00:192:168::12]:30080", "connected"),
    ],
)
def test_ipv6(dual: World, nft: Tools, destination: str, result: str, cold: bool) -> None:
    """A router that asks for a host does so from its link-local address: the host learns no more.

    Errors and echo replies of IPv6 may not be cut on the way.
    """
    request = parse_request(dual, "pod/web-1", destination)
    agree(list(experiments(dual, request, nft, cold=cold)), result)


@TEMPERATURES
def test_a_gateway_is_the_link_local_address_of_its_device(nft: Tools, cold: bool) -> None:
    """Calico's pods send all to the one that the host's ends make of ee:ee:ee:ee:ee:ee."""
    world = build_world([str(DUAL)], node_options=NodeOptions(cni="calico"))
    request = parse_request(world, "pod/web-1", "[fd00:192:168::12]:30080")
    agree(list(experiments(world, request, nft, cold=cold)), "connected")


def test_a_ping_of_oneself_in_another_guise(dual: World, some_tools: Tools) -> None:
    request = parse_request(dual, "outside", "[2001:db8::8]/icmp")
    with pytest.raises(NotComparedError, match="stands for the one who is asked"):
        list(experiments(dual, request, some_tools))


@TEMPERATURES
@pytest.mark.parametrize("size", [100, 1400, 5000])
def test_data(guestbook: World, nft: Tools, size: int, cold: bool) -> None:
    request = parse_request(guestbook, "pod/client", "svc/frontend:80", data_bytes=size)
    found = list(experiments(guestbook, request, nft, cold=cold))
    agree(found, "connected")
    lengths = [row.kernel.length for row in found[0].comparison.rows if row.kernel]
    assert max(lengths) == min(size + 52, 1500)


@pytest.mark.parametrize("destination", ["8.8.8.8:53/udp", "pod/frontend-1/icmp"])
def test_long_datagrams(guestbook: World, nft: Tools, destination: str) -> None:
    """The longest one is cut: 1,480 bytes of it go first."""
    for size in (1400, 5000):
        request = parse_request(guestbook, "pod/client", destination, data_bytes=size)
        found = list(experiments(guestbook, request, nft))
        agree(found, "connected")
        rows = [row.kernel for row in found[0].comparison.rows if row.kernel]
        sent = [one.length for one in rows if one.device == "eth0" and not one.incoming]
        assert max(sent) == min(size + 28, 1500)


@TEMPERATURES
@pytest.mark.parametrize(
    "destination", ["svc/frontend:80", "8.8.8.8:53/udp", "pod/frontend-1/icmp"]
)
def test_again(guestbook: World, nft: Tools, destination: str, cold: bool) -> None:
    """TCP from a new port, where chance draws anew; a datagram in its connection."""
    request = again(parse_request(guestbook, "pod/client", destination), 2, 0.1)
    agree(list(experiments(guestbook, request, nft, every=True, cold=cold)), "connected")


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("pod/client", "pod/frontend-1:81"),
        ("outside", "node/node-1:31999"),
        ("pod/client", "node/node-2:31999/udp"),
    ],
)
def test_again_behind_a_refusal(
    guestbook: World, nft: Tools, source: str, destination: str, *, cold: bool
) -> None:
    """Who was refused asks again: over the same socket, or by a connection from another port."""
    request = again(parse_request(guestbook, source, destination), 2, 0.1)
    agree(list(experiments(guestbook, request, nft, cold=cold)), "refused")


def test_again_where_no_route_leads(nft: Tools) -> None:
    """Amazon's pods have no IPv6: connect() has failed, and who asks again connects again."""
    world = build_world([str(DUAL)], node_options=NodeOptions(cni="amazon-vpc-cni"))
    request = again(parse_request(world, "pod/web-1", "[2001:db8::8]:53/udp"), 2, 0.1)
    agree(list(experiments(world, request, nft)), "unreachable")


def test_unconnected(guestbook: World, nft: Tools) -> None:
    for destination, result in (("8.8.8.8:53/udp", "connected"), ("10.244.2.77:81/udp", "timeout")):
        request = parse_request(guestbook, "pod/client", destination, unconnected=True)
        agree(list(experiments(guestbook, request, nft)), result)


APART = """\
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDRs: ["fd00:10:244:1::/64"]}
status: {addresses: [{type: InternalIP, address: "fd00:192:168::11"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cook}
spec: {containers: [{name: main, image: cook}]}
---
apiVersion: v1
kind: Service
metadata: {name: outer}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: nobody}
  ports: [{port: 81, protocol: UDP}]
status: {loadBalancer: {ingress: [{ip: "2001:db8:1::2"}]}}
"""


@pytest.mark.parametrize(
    ("source", "destination", "more"),
    [
        # Each fragment is refused, and what is traced of an error does not say which one it quotes.
        ("node/a", "[fd00:10:96::99]/icmp", {"data_bytes": 3000}),
        # The address is a route's alone: the error comes from another one (icmp6_send).
        ("outside", "[2001:db8:1::2]:30081/udp", {"source_port": 30081}),
    ],
)
def test_what_random_requests_have_shown(
    nft: Tools, tmp_path: Path, *, source: str, destination: str, more: dict[str, int]
) -> None:
    file = tmp_path / "apart.yaml"
    file.write_text(APART)
    world = build_world([str(file)], None, NodeOptions(cni="canal"))
    request = parse_request(world, source, destination, **more)  # type: ignore[arg-type]
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
