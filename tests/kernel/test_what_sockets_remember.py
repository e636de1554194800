"""What one request leaves behind for the next, and connections that have one end only.

Values: net/ipv4/udp.c (sock_error), route.c (update_or_create_fnhe), tcp_input.c
(tcp_rcv_synsent_state_process), as a lab of real namespaces shows them.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.nets import CLIENT, SERVER_2, Broken, ip, standard

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.header import first_fragment
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Direction

UDP, TCP, PING = Protocol.UDP, Protocol.TCP, Protocol.ICMP


def ask(
    broken: Broken, source: str, target: str, protocol: Protocol = UDP, **more: object
) -> Exchange:
    address, _, port = target.rpartition(":")
    asked = Connect(
        namespace=source,
        destination=ip(address),
        port=int(port),
        protocol=protocol,
        **more,  # type: ignore[arg-type]
    )
    return connect(broken.spaces, asked)


@pytest.mark.parametrize(
    ("earlier", "errno"), [(0, "EPERM"), (1, "ECONNREFUSED"), (2, "EPERM"), (3, "ECONNREFUSED")]
)
@pytest.mark.parametrize("protocol", [UDP, PING])
def test_a_refusal_of_the_own_node_comes_too_late(
    protocol: Protocol, earlier: int, errno: str
) -> None:
    """send() fails at once, and the error that REJECT has sent waits for the next one."""
    broken = standard().filters(1, "-A OUTPUT -d 10.244.2.2/32 -j REJECT")
    exchange = ask(broken, "node-1", "10.244.2.2:53", protocol, earlier=earlier, pause_seconds=0.0)
    assert exchange.felt.errno == errno
    assert bool(exchange.captures) == (errno == "EPERM")


def test_no_error_waits_for_who_hears_none() -> None:
    broken = standard().filters(1, "-A OUTPUT -d 10.244.2.2/32 -j REJECT")
    for earlier in range(3):
        felt = ask(broken, "node-1", "10.244.2.2:53", unconnected=True, earlier=earlier).felt
        assert felt.errno == "EPERM"


def test_a_new_connection_has_a_socket_of_its_own() -> None:
    broken = standard().filters(1, "-A OUTPUT -d 10.244.2.2/32 -j REJECT")
    felt = ask(broken, "node-1", "10.244.2.2:8080", TCP, earlier=1).felt
    assert (felt.errno, felt.decided_at) == ("ECONNREFUSED", "node-1")


def narrow() -> Broken:
    return standard().device("node-1", "eth0", mtu_bytes=1400)


@pytest.mark.parametrize("protocol", [UDP, PING])
def test_what_does_not_fit_is_cut_the_second_time(protocol: Protocol) -> None:
    first = ask(narrow(), CLIENT, "10.244.2.2:53", protocol, data_bytes=1400)
    assert first.felt.errno == "EMSGSIZE"
    second = ask(narrow(), CLIENT, "10.244.2.2:53", protocol, data_bytes=1400, earlier=1)
    assert second.felt.errno is None
    asked = [one for one in second.captures if one.direction is Direction.FORWARD]
    at = {
        (one.namespace, one.device, one.incoming): one.packet.length_bytes
        for one in asked
        if one.packet.protocol is protocol
    }
    # 1,376 bytes of 8 each behind 20 of header; the bridge has it whole (br_netfilter).
    assert at[CLIENT, "eth0", False] == at["node-1", "vethclient", True] == 1396
    assert at["node-1", "cni0", True] == 1428
    assert at["node-1", "eth0", False] == at[SERVER_2, "eth0", True] == 1396


def test_who_answers_a_ping_cuts_for_itself() -> None:
    broken = standard().device(CLIENT, "eth0", mtu_bytes=1400)
    exchange = ask(broken, CLIENT, "10.244.2.2:0", PING, data_bytes=3000)
    sent = {
        one.namespace: one.packet.length_bytes
        for one in exchange.captures
        if one.device == "eth0" and not one.incoming and one.packet.protocol is PING
    }
    assert (sent[CLIENT], sent[SERVER_2]) == (1396, 1500)
    # Which is more than the client's end of the cable takes.
    assert "1500 bytes do not fit through eth0" in exchange.felt.reason


def test_who_has_no_route_says_so_five_times_at_once() -> None:
    """And then once a second (net/ipv4/route.c ip_error)."""
    told = [
        ask(standard(), "outside", "172.31.0.1:9", earlier=earlier, pause_seconds=0.0).felt.errno
        for earlier in (0, 4)
    ]
    assert told == [None, None]  # a datagram's sender does not hear it
    pings = {
        (earlier, pause): ask(
            standard(),
            "outside",
            "172.31.0.1:0",
            PING,
            earlier=earlier,
            pause_seconds=pause,
            data_bytes=size,
        ).felt.errno
        for earlier, pause, size in ((4, 0.0, 1), (5, 0.0, 1), (5, 1.0, 1), (2, 0.0, 3000))
    }
    assert pings == {
        (4, 0.0): "ENETUNREACH",
        (5, 0.0): None,
        (5, 1.0): "ENETUNREACH",
        (2, 0.0): None,  # of three fragments each one counts
    }


def test_an_error_quotes_what_was_put_together() -> None:
    exchange = ask(standard(), CLIENT, "10.244.2.2:9", data_bytes=3000)
    error = next(one.packet for one in exchange.captures if one.packet.inner)
    assert error.inner is not None
    assert (error.inner.length_bytes, error.length_bytes) == (3028, 576)


SIZES = st.integers(1281, 65_000)
ADDRESSES = {4: ip("192.0.2.1"), 6: ip("2001:db8::1")}


@given(whole=SIZES, mtu=st.integers(1280, 9000), version=st.sampled_from([4, 6]))
def test_a_first_fragment_fits_and_is_as_long_as_it_can_be(
    whole: int, mtu: int, version: int
) -> None:
    address: Address = ADDRESSES[version]
    packet = Packet(src=address, dst=address, protocol=UDP, length_bytes=whole)
    made = first_fragment(packet, mtu)
    header = 20 if version == 4 else 48
    assert (made.length_bytes - header) % 8 == 0
    assert mtu - 8 < made.length_bytes <= mtu
    assert made.whole_bytes == whole
    again = first_fragment(made, made.length_bytes)
    assert again == made  # it is cut no further by what takes it as it is


@pytest.mark.parametrize("data_bytes", [None, 1, 1400])
def test_a_socket_connects_with_itself(data_bytes: int | None) -> None:
    """Who asks its own address from the port that it asks for: a simultaneous open."""
    exchange = ask(
        standard(), "node-1", "192.168.0.11:7777", TCP, source_port=7777, data_bytes=data_bytes
    )
    assert exchange.felt.errno is None
    assert exchange.felt.server is None
    sent = [one.packet for one in exchange.captures if not one.incoming]
    kinds = [one.flags for one in sent[:3]]
    assert kinds == [TcpFlags.SYN, TcpFlags.SYN | TcpFlags.ACK, TcpFlags.ACK]
    # A SYN-ACK repeats the SYN, which the ACK says: 12 bytes of D-SACK.
    assert sent[2].length_bytes == 64
    (line,) = exchange.conntrack["node-1"]
    assert line.startswith("tcp      6 59 SYN_RECV src=192.168.0.11 dst=192.168.0.11 sport=7777")


def test_a_datagram_to_itself_is_tracked_once() -> None:
    exchange = ask(standard(), "node-1", "192.168.0.11:7777", source_port=7777, earlier=1)
    (line,) = exchange.conntrack["node-1"]
    assert line.count("sport=7777 dport=7777") == 2
