"""Connections that stood there before a walk: as conntrack prints them, and what they do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kernel.nets import CLIENT, ip, standard

from k8stui.kernel.conntrack import Conntrack, Entry, TrackedConnection
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.header import changed
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import ConntrackCause
from k8stui.kernel.tracked import TrackedError, parse

GONE = (
    "udp      17 {left} src=10.244.1.2 dst=10.96.0.53 sport=5000 dport=53 {seen}"
    "src=10.244.1.77 dst=10.244.1.2 sport=53 dport=5000 {sure}mark=0 use=1"
)
"""A resolver's socket goes on asking a name server that is gone."""
LISTED = f"""\
{GONE.format(left=23, seen="[UNREPLIED] ", sure="")}
ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=22 packets=9 \
bytes=900 src=10.0.0.2 dst=10.0.0.1 sport=22 dport=1 packets=8 bytes=800 [ASSURED] mark=5 \
secctx=null use=2
icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 \
code=0 id=7 mark=0 use=1
tcp      6 src=10.0.0.1 dst=10.0.0.3 sport=1 dport=22 src=10.0.0.3 dst=10.0.0.1 sport=22 dport=1 \
[OFFLOAD] mark=0 use=1
tcp      6 9 CLOSE src=10.0.0.1 dst=10.0.0.4 sport=1 dport=2 src=10.0.0.4 dst=10.0.0.1 sport=2 \
dport=1 mark=0 zone=4 use=1
unknown  2 590 src=0.0.0.0 dst=224.0.0.22 [UNREPLIED] src=224.0.0.22 dst=0.0.0.0 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 6 flow entries have been shown.
"""


def test_entries_as_they_are_printed() -> None:
    udp, tcp, echo, offloaded = parse(LISTED)
    assert (udp.seconds_left, udp.replied, udp.assured) == (23, False, False)
    assert (tcp.state, tcp.mark, tcp.assured, tcp.replied) == ("ESTABLISHED", 5, True, True)
    assert (echo.original.sport, echo.original.dport, echo.reply.dport) == (7, 2048, 0)
    assert (offloaded.state, offloaded.seconds_left) == ("", 0)
    for one, line in zip((udp, tcp, echo), LISTED.splitlines(), strict=False):
        told = Entry.seen(one, 0.0).line(1e-9).replace(f" {one.seconds_left - 1} ", " LEFT ")
        plain = line.removeprefix("ipv4     2 ").replace("secctx=null ", "")
        for word in ("packets=9 bytes=900 ", "packets=8 bytes=800 "):
            plain = plain.replace(word, "")
        assert told.replace("use=1", "") == (
            plain.replace(f" {one.seconds_left} ", " LEFT ").replace("use=2", "use=1")
        ).replace("use=1", "")


@pytest.mark.parametrize(
    "line", ["hello", "udp 17 3 src=10.0.0.1", "udp 17 3 src=a dst=b sport=1 dport=2 src=b"]
)
def test_what_conntrack_does_not_print(line: str) -> None:
    with pytest.raises(TrackedError, match="not what conntrack -L prints") as caught:
        parse(f"\n{line}\n")
    assert caught.value.line == 2


def asked(line: str, **said: object) -> Exchange:
    """A name is asked for through the node that knows the entry."""
    net = standard().change("node-1", tracked=parse(line))
    request = Connect(
        namespace=CLIENT,
        destination=ip("10.96.0.53"),
        port=53,
        protocol=Protocol.UDP,
        source_port=5000,
    )
    return connect(net.spaces, replace(request, **said))  # type: ignore[arg-type]


def states(exchange: Exchange) -> list[str]:
    return [
        step.cause.state
        for step in exchange.steps
        if isinstance(step.cause, ConntrackCause) and step.namespace == "node-1"
    ]


@pytest.mark.parametrize(
    ("seen", "state"), [("[UNREPLIED] ", "NEW"), ("", "ESTABLISHED")], ids=["unreplied", "replied"]
)
def test_a_stale_entry_decides_and_no_rule(seen: str, state: str) -> None:
    found = asked(GONE.format(left=23, seen=seen, sure=""))
    assert found.felt.result is Result.TIMEOUT
    assert states(found)[0] == state
    sent = [step for step in found.steps if step.namespace == "node-1" and step.packet_number == 1]
    assert {str(step.after.dst) for step in sent} == {"10.244.1.77"}


def test_another_socket_asks_the_rules() -> None:
    found = asked(GONE.format(left=23, seen="", sure=""), source_port=5001)
    assert found.felt.result is Result.CONNECTED
    assert states(found)[0] == "NEW"


@pytest.mark.parametrize(("pause", "result"), [(5.0, Result.TIMEOUT), (200.0, Result.CONNECTED)])
def test_an_entry_runs_out(pause: float, result: Result) -> None:
    """Whoever asks again in time keeps it; after a while without packets it is gone."""
    line = GONE.format(left=23, seen="", sure="")
    assert asked(line, earlier=1, pause_seconds=pause).felt.result is result


def test_one_that_ran_out_before_anybody_asked_is_gone() -> None:
    line = GONE.format(left=3, seen="", sure="").replace("sport=5000", "sport=5002")
    first = asked(line, earlier=1, source_port=5000, pause_seconds=10.0)
    assert first.felt.result is Result.CONNECTED
    table = standard().change("node-1", tracked=parse(line)).spaces["node-1"].tracked
    assert isinstance(table[0], TrackedConnection)


def test_a_taken_port_is_not_taken_again() -> None:
    """A connection to the outside already has the node's address with this port."""
    line = (
        "tcp 6 90 ESTABLISHED src=10.244.1.9 dst=203.0.113.10 sport=40000 dport=9100 "
        "src=203.0.113.10 dst=192.168.0.11 sport=9100 dport=40000 [ASSURED] mark=0 use=1"
    )
    net = standard().change("node-1", tracked=parse(line))
    request = Connect(namespace=CLIENT, destination=ip("203.0.113.10"), port=9100)
    found = connect(net.spaces, request).felt
    assert found.result is Result.CONNECTED
    assert str(found.source_seen) == "192.168.0.11"
    assert found.source_port_seen != 40000


@pytest.mark.parametrize(("state", "seen"), [("TIME_WAIT", "NEW"), ("ESTABLISHED", "ESTABLISHED")])
def test_a_syn_opens_anew_what_was_closed(state: str, seen: str) -> None:
    line = (
        f"tcp 6 90 {state} src=10.244.1.2 dst=10.96.0.11 sport=40000 dport=80 "
        "src=10.244.1.77 dst=10.244.1.2 sport=8080 dport=40000 [ASSURED] mark=0 use=1"
    )
    net = standard().change("node-1", tracked=parse(line))
    request = Connect(namespace=CLIENT, destination=ip("10.96.0.11"), port=80)
    found = connect(net.spaces, request)
    assert states(found)[0] == seen
    assert (found.felt.result is Result.CONNECTED) is (seen == "NEW")


@pytest.mark.parametrize(("resets", "seen"), [("client", "NEW"), ("server", "ESTABLISHED")])
def test_a_syn_opens_anew_what_its_sender_has_given_up(resets: str, seen: str) -> None:
    """nf_conntrack_tcp_packet: the last packet was a RST of the one who asks."""
    table = Conntrack()
    syn = Packet(
        src=ip("10.244.1.2"), dst=ip("10.244.2.2"), protocol=Protocol.TCP, sport=40000, dport=80,
        flags=TcpFlags.SYN,
    )  # fmt: skip
    answer = changed(
        syn, src=syn.dst, dst=syn.src, sport=80, dport=40000, flags=TcpFlags.SYN | TcpFlags.ACK
    )
    first = table.look_up(syn, 0.0)
    assert first.entry is not None
    table.confirm(first.entry)
    table.look_up(answer, 0.0)
    table.look_up(changed(syn if resets == "client" else answer, flags=TcpFlags.RST), 0.0)
    again = table.look_up(syn, 1.0)
    assert again.state.value == seen
    assert (again.entry is first.entry) is (seen == "ESTABLISHED")
