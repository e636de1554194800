"""An error that comes while connect() sends the first SYN: IPv6 puts it aside for a second.

net/ipv6/tcp_ipv6.c tcp_v6_err (sock_owned_by_user) and net/ipv4/ip_sockglue.c ip_icmp_error.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.export.lab import lab_lines
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.save import parse
from k8stui.lab.anew import Changed
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

FILE = Path(__file__).with_name("inside-connect.yaml")
CASES = [
    # Pod and node are one kernel: all the way there and back lies inside connect().
    ("node/a", "[fd00:10:96::80]:80", 1.0),
    ("pod/cook", "[fd00:10:96::80]:80", 1.0),
    ("node/a", "[fd00:192:168::11]:30080", 1.0),
    ("outside", "[fd00:192:168::11]:30080", 0.0),
    ("node/a", "10.96.0.80:80", 0.0),
    ("pod/cook", "10.96.0.80:80", 0.0),
    ("outside", "192.168.0.11:30080", 0.0),
    # A RST waits behind the socket, and is heard when connect() lets go of it.
    ("pod/cook", "[fd00:192:168::11]:9", 0.0),
    ("node/a", "[::1]:9", 0.0),
]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(FILE)])


@pytest.mark.parametrize(("source", "destination", "seconds"), CASES)
def test_the_second_syn_is_refused(
    world: World, source: str, destination: str, seconds: float
) -> None:
    felt = walk(world, parse_request(world, source, destination)).outcome
    assert felt.errno == "ECONNREFUSED"
    assert felt.seconds == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(("source", "destination", "seconds"), CASES)
def test_so_says_the_kernel(
    world: World, nft: Tools, source: str, destination: str, seconds: float
) -> None:
    (one,) = experiments(world, parse_request(world, source, destination), nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.seconds >= seconds


@pytest.fixture(scope="module")
def rejecting() -> World:
    """Where nothing but the port of a Service gets to its address, no ping either."""
    return build_world([str(FILE)], cluster_options=ClusterOptions(proxy_mode="nftables"))


PINGS = [
    # ping_v6_sendmsg does not say what became of the packet: only the error that comes back does.
    ("[fd00:10:96::80]/icmp", 0, "ECONNREFUSED"),
    ("[fd00:10:96::80]/icmp", 1, "ECONNREFUSED"),
    ("10.96.0.80/icmp", 0, "EPERM"),
    ("10.96.0.80/icmp", 1, "ECONNREFUSED"),
]


@pytest.mark.parametrize(("destination", "earlier", "errno"), PINGS)
def test_a_ping_that_its_own_node_refuses(
    rejecting: World, nft: Tools, destination: str, earlier: int, errno: str
) -> None:
    asked = again(parse_request(rejecting, "node/a", destination), earlier, 0.05)
    assert walk(rejecting, asked).outcome.errno == errno
    (one,) = experiments(rejecting, asked, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


class Dicing(Changed):
    """With a node that refuses its own SYNs or does something else, as chance has it."""

    otherwise = "DROP"

    def change(self, space: NetNamespace) -> NetNamespace:
        return replace(space, rulesets={**space.rulesets, 6: parse(DICE % self.otherwise)})

    def judges_policies(self, node: object) -> bool:
        del node
        return False


DICE = """*filter
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:REFUSE - [0:0]
-A INPUT -p tcp -m tcp --dport 9 -j REJECT --reject-with tcp-reset
-A OUTPUT -p tcp -m tcp --dport 9 -m statistic --mode random --probability 0.50000000000 -j REFUSE
-A OUTPUT -p tcp -m tcp --dport 9 -j %s
-A REFUSE -j REJECT --reject-with icmp6-port-unreachable
COMMIT
"""


def test_an_error_that_was_put_aside_is_told_at_last(world: World, nft: Tools) -> None:
    """tcp_write_err: sk_err_soft, for want of another."""
    dicing = replace(world, network=Dicing(world.network))  # type: ignore[arg-type]
    asked = parse_request(dicing, "node/a", "[fd00:192:168::11]:9")
    ends = []
    for one in experiments(dicing, asked, nft, every=True):
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        ends.append((one.comparison.walk.result, one.comparison.kernel.seconds > 2.5))
    assert ("refused", True) in ends
    assert {("refused", False), ("timeout", True)} < set(ends)


class LettingGo(Dicing):
    """With a node that refuses its own SYNs or lets them go, as chance has it."""

    otherwise = "ACCEPT"


def test_the_second_syn_is_refused_by_another_machine(world: World, nft: Tools) -> None:
    """What the first meets on its own machine is put aside all the same."""
    dicing = replace(world, network=LettingGo(world.network))  # type: ignore[arg-type]
    asked = parse_request(dicing, "node/a", "[fd00:192:168::12]:9")
    seconds = set()
    for one in experiments(dicing, asked, nft, every=True):
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        seconds.add(round(one.comparison.walk.seconds))
    assert {0, 1} <= seconds
