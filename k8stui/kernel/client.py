"""The socket that asks: what it sends, what it waits for, and what it feels.

After net/ipv4/tcp_input.c, tcp_ipv4.c (tcp_v4_err), udp.c (__udp4_lib_err) and
docs/facts/outcomes.md, sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from math import inf

from k8stui.kernel import multipath
from k8stui.kernel.address import Address, is_multicast
from k8stui.kernel.exchange import Result
from k8stui.kernel.fib import LOOPBACK, Ports
from k8stui.kernel.header import ECHO, HEADER_BYTES, MSS_HEADERS_BYTES, changed, mss_of
from k8stui.kernel.host import Host
from k8stui.kernel.icmp import ECHO_REQUEST, errno_of
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.routing import Decision
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Direction, Step, StepKind
from k8stui.record import record

_SYN_BYTES = 40
_SEGMENT_BYTES = 32
D_SACK_BYTES = 12
"""Option of an ACK that says what came twice (D-SACK, RFC 2883): a SYN-ACK repeats the SYN."""
_RTO_SECONDS = 0.2
"""When the first data is sent again on a way that is quick (TCP_RTO_MIN)."""
FIRST_SECONDS = 0.5
"""A SYN is sent again after a second (TCP_TIMEOUT_INIT)."""

Speak = Callable[[Sequence[Step]], int | None]
"""Says of a handshake, by its steps, how many bytes of data follow; None: none do."""

_EIGHT = 8
"""Header of UDP, and of an echo request."""
_DATAGRAM_BYTES = 13
"""UDP header and five bytes of question."""
_ECHO_BYTES = 64
_INIT_BYTES = 60

RESULTS = {
    "ECONNREFUSED": Result.REFUSED,
    "ECONNRESET": Result.REFUSED,
    "ETIMEDOUT": Result.TIMEOUT,
}
"""Every other errno means that the destination cannot be reached."""


def result_of(errno: str) -> Result:
    """What a client calls an errno; any other than the known ones is unreachable."""
    return RESULTS.get(errno, Result.UNREACHABLE)


class Phase(Enum):
    """Where the client stands."""

    WAITING = "waiting"
    TALKING = "talking"
    """connect() has returned; the first data is under way."""
    DONE = "done"


@record(frozen=False)
class Server:
    """Who answered, and whom it saw."""

    namespace: str
    address: Address
    port: int
    source: Address
    source_port: int
    step: int | None = None
    """Where it was delivered."""


def keeps_mtu(host: Host, destination: Address, told_bytes: int) -> bool:
    """Whether a host learns nothing of being told an MTU of the way to an address of its own.

    Those are behind lo, wherever NAT sends what is for them. IPv4 has exceptions for those of lo
    alone (__mkroute_output keeps nothing of RTN_LOCAL by another device's route); IPv6 has, of less
    than the device takes that has the address, which is the device of its route in table local
    (rt6_insert_exception, fib6_mtu). Nor does it by a route whose MTU is locked (ip_mtu_locked;
    rt6_update_expires asks dst_metric_locked).
    """
    route = host.routing.look_up(destination).route
    if route is not None and route.mtu_locked:
        return True
    if not host.routing.is_local(destination):
        return False
    if destination.version == 4:
        return route is None or route.device != LOOPBACK
    own = (
        device.mtu_bytes
        for device in host.namespace.interfaces
        if any(one.address == destination for one in device.addresses)
    )
    return told_bytes >= next(own, inf)


@record(kw_only=True)
class _PutAside:
    """An error that did not end the connection when it came."""

    errno: str
    what: str
    skb: Skb
    step: int


class Client:
    """A TCP, SCTP or connected UDP socket, or a ping, with one question."""

    __slots__ = (
        "_is_own_server",
        "address",
        "asks_again",
        "data_bytes",
        "decided_at",
        "deciding_step",
        "errno",
        "established_at",
        "host",
        "late_errno",
        "mtu_bytes",
        "own_mtu_bytes",
        "pending",
        "phase",
        "port",
        "protocol",
        "put_aside",
        "reason",
        "remote",
        "remote_port",
        "result",
        "seconds",
        "server",
        "speak",
        "unconnected",
    )

    def __init__(
        self,
        host: Host,
        protocol: Protocol,
        *,
        address: Address,
        port: int,
        remote: Address,
        remote_port: int,
        own_mtu_bytes: int,
        data_bytes: int | None = None,
        speak: Speak | None = None,
        unconnected: bool = False,
    ) -> None:
        self.host = host
        self.protocol = protocol
        self.address = address
        self.port = port
        self.remote = remote
        self.remote_port = remote_port
        self.data_bytes = data_bytes
        self.speak = speak
        self.unconnected = unconnected
        self.pending: str | None = None
        """An errno that came when nobody waited for it (sk_err): the next call fails with it."""
        self._is_own_server = False
        """Whether its SYN came back to itself."""
        self.asks_again = False
        """Whether what became of the first SYN may not become of the next one."""
        self.put_aside: _PutAside | None = None
        """The error that TCP fails with when it gives up, for want of another (sk_err_soft)."""
        self.mtu_bytes = 0
        """What fits into one segment, its headers counted: known with the SYN-ACK."""
        self.own_mtu_bytes = own_mtu_bytes
        """What the client's own device takes: the MSS that it offers."""
        self.established_at: int | None = None
        """The step at which connect() returned, where data was to follow."""
        self.late_errno = "ETIMEDOUT"
        """How an open connection ends of which nothing comes back (sk_err_soft)."""
        self.phase = Phase.WAITING
        self.result = Result.TIMEOUT
        self.errno: str | None = None
        self.reason = ""
        self.decided_at = host.name
        self.deciding_step: int | None = None
        self.seconds = 0.0
        self.server: Server | None = None

    def feel(
        self,
        result: Result,
        errno: str | None,
        decided_at: str,
        reason: str,
        step: int | None,
    ) -> None:
        """The socket hears what became of its question; only the first time counts."""
        if self.phase is Phase.DONE:
            return
        self.phase = Phase.DONE
        self.result = result
        self.errno = errno
        self.decided_at = decided_at
        self.reason = reason
        self.deciding_step = step
        now = self.host.simulation.events.now
        self.seconds = round(now, 2) if now >= 0.01 else 0.0

    def hear_pending(self, errno: str) -> None:
        """Fail with what a request before left behind (sock_alloc_send_pskb, sock_error)."""
        journal = self.host.simulation.journal
        probe = Skb(self.question(), journal.number(), Direction.FORWARD)
        text = f"send() fails with {errno}: that answer to the request before came too late for it"
        step = journal.step(self.host.name, probe, StepKind.DROP, text)
        self.feel(result_of(errno), errno, self.host.name, text, step)

    def ask(self, decision: Decision) -> str | None:
        """Send the question (again); the errno of a send that fails."""
        packet = self.question()
        skb = Skb(packet, self.host.simulation.journal.number(), Direction.FORWARD)
        skb.decision = decision
        if packet.length_bytes > self.own_mtu_bytes:
            skb.fragment_bytes = self.own_mtu_bytes
        return self.host.simulation.stack.local_out(self.host, skb)

    def question(self) -> Packet:
        """The first packet: SYN, datagram, INIT or echo request."""
        version = self.remote.version
        header = HEADER_BYTES[version]
        size = {
            Protocol.TCP: _SYN_BYTES,
            Protocol.UDP: _DATAGRAM_BYTES,
            Protocol.SCTP: _INIT_BYTES,
        }.get(self.protocol, _ECHO_BYTES)
        is_tcp = self.protocol is Protocol.TCP
        if self.data_bytes is not None and self.protocol is not Protocol.SCTP and not is_tcp:
            size = _EIGHT + self.data_bytes
        is_echo = self.protocol in ECHO
        return Packet(
            src=self.address,
            dst=self.remote,
            protocol=self.protocol,
            sport=self.port,
            dport=0 if is_echo else self.remote_port,
            # IP_MULTICAST_TTL and IPV6_MULTICAST_HOPS are 1 unless a program says otherwise.
            ttl=1 if is_multicast(self.remote) else self.host.namespace.sysctls.ip_default_ttl,
            flags=TcpFlags.SYN if is_tcp else TcpFlags(0),
            mss_bytes=mss_of(self.own_mtu_bytes, version) if is_tcp else 0,
            icmp_type=ECHO_REQUEST[version][1] if is_echo else 0,
            length_bytes=header + size,
            # What the own device does not take is sent in fragments; only what fits may not be cut
            # on the way (ip_make_skb, IP_PMTUDISC_WANT).
            dont_fragment=version == 6 or header + size <= self.own_mtu_bytes,
        )

    def owns(self, host: Host, packet: Packet) -> bool:
        """Whether a packet is for this socket (compute_score, net/ipv4/udp.c)."""
        if self.unconnected and packet.protocol is Protocol.UDP:
            is_mine = host is self.host and packet.dst == self.address
            return is_mine and self.protocol is Protocol.UDP and packet.dport == self.port
        return (
            host is self.host
            and packet.protocol is self.protocol
            and packet.dst == self.address
            and packet.src == self.remote
            and (
                (packet.dport == self.port and packet.sport == self.remote_port)
                if self.protocol not in ECHO
                else packet.sport == self.port
            )
        )

    def segment(self, skb: Skb) -> None:
        """A TCP segment for this socket comes in (tcp_rcv_synsent_state_process)."""
        packet = skb.packet
        journal = self.host.simulation.journal
        if self.phase is Phase.DONE:
            return
        if packet.flags & TcpFlags.RST:
            is_open = self.phase is Phase.TALKING
            errno = "ECONNRESET" if is_open else "ECONNREFUSED"
            call = "the connection ends" if is_open else "connect() fails"
            step = journal.step(self.host.name, skb, StepKind.DELIVER, f"RST: {call} with {errno}")
            sender = packet.src.with_port(packet.sport)
            self._refused(errno, f"RST from {sender}", skb, step)
        elif self.phase is Phase.TALKING:
            if packet.flags & TcpFlags.PSH:
                step = journal.step(
                    self.host.name, skb, StepKind.DELIVER, "the answer to the first data"
                )
                self._connected(f"connected to {packet.src.with_port(packet.sport)}", step)
        elif packet.flags & TcpFlags.SYN and not packet.flags & TcpFlags.ACK:
            # tcp_rcv_synsent_state_process: a simultaneous open, here with itself.
            text = "a SYN of its own comes in: the socket opens a connection with itself"
            journal.step(self.host.name, skb, StepKind.DELIVER, text)
            self._is_own_server = True
            self._send(TcpFlags.SYN | TcpFlags.ACK, 0)
        elif packet.flags & TcpFlags.SYN:
            step = journal.step(
                self.host.name, skb, StepKind.DELIVER, "SYN-ACK: connect() returns, connected"
            )
            if self.data_bytes is None and self.speak is not None:
                self.data_bytes = self.speak(journal.steps)
            if self.data_bytes is None:
                self._connected(f"connected to {packet.src.with_port(packet.sport)}", step)
                self._send(TcpFlags.ACK, 0)
                return
            self.phase = Phase.TALKING
            self.established_at = step
            offered = packet.mss_bytes + MSS_HEADERS_BYTES[packet.src.version]
            self.mtu_bytes = min(self.own_mtu_bytes, offered)
            self._send(TcpFlags.ACK, 0)
            speak = partial(self._send, TcpFlags.ACK | TcpFlags.PSH, self.data_bytes)
            events = self.host.simulation.events
            events.after_syscall(speak)
            events.timer(_RTO_SECONDS, self._look_at_path)

    def _look_at_path(self) -> None:
        """Send the data again where somebody has found out meanwhile that it was too big.

        Nobody has told the socket, as of what a tunnel sends: this host sends less
        (tcp_current_mss), another one says so the next time.
        """
        hosts = self.host.simulation.hosts.values()
        known = [mtu for one in hosts for mtu in one.path_mtus.values()]
        if self.phase is Phase.TALKING and min(known, default=self.mtu_bytes) < self.mtu_bytes:
            self.mtu_bytes = self.host.path_mtu(self.remote, self.mtu_bytes)
            self._send(TcpFlags.ACK | TcpFlags.PSH, self.data_bytes or 0)

    def _send(self, flags: TcpFlags, data_bytes: int) -> None:
        whole = HEADER_BYTES[self.remote.version] + _SEGMENT_BYTES + data_bytes
        asks = bool(flags & TcpFlags.SYN)
        if asks:
            whole += _SYN_BYTES - _SEGMENT_BYTES
        elif self._is_own_server and not data_bytes:
            whole += D_SACK_BYTES
        packet = changed(
            self.question(),
            flags=flags,
            **({} if asks else {"mss_bytes": 0}),
            length_bytes=min(whole, self.mtu_bytes) if data_bytes else whole,
        )
        skb = Skb(packet, self.host.simulation.journal.number(), Direction.FORWARD)
        ports = Ports.of(packet)
        skb.decision = multipath.outgoing(self.host, packet.dst, packet.src, ports=ports)
        self.host.simulation.stack.local_out(self.host, skb)

    def answer(self, skb: Skb) -> None:
        """The answer to a datagram or a ping comes in."""
        packet = skb.packet
        who = packet.src.with_port(packet.sport) if packet.dport else str(packet.src)
        if packet.protocol is Protocol.UDP and packet.src != self.remote:
            who += f" instead of {self.remote}, which an unconnected socket does not mind,"
        step = self.host.simulation.journal.step(
            self.host.name, skb, StepKind.DELIVER, f"the answer of {who} reaches the client"
        )
        self._connected(f"answered by {who}", step)

    def _connected(self, reason: str, step: int) -> None:
        # The listener decided; what reaches the client only brings the news.
        server = self.server
        if server is None or server.step is None:
            self.feel(Result.CONNECTED, None, self.host.name, reason, step)
        else:
            self.feel(Result.CONNECTED, None, server.namespace, reason, server.step)

    def hears(self, host: Host, skb: Skb) -> bool:
        """An ICMP error comes in; whether it quotes a packet of this socket."""
        inner = skb.packet.inner
        if (
            inner is None
            or host is not self.host
            or inner.protocol is not self.protocol
            or inner.src != self.address
            or inner.sport != self.port
            or inner.dst != self.remote
            or (inner.dport != self.remote_port and self.protocol not in ECHO)
        ):
            return False
        self._error(skb)
        return True

    def _error(self, skb: Skb) -> None:
        packet = skb.packet
        kind, code = packet.icmp_type, packet.icmp_code
        errno = errno_of(self.protocol, packet.src.version, kind, code)
        what = f"ICMP {kind}/{code} from {packet.src}"
        journal = self.host.simulation.journal
        if self.phase is Phase.TALKING:
            # tcp_v4_err: an open connection minds no error but the one that tells the path's MTU.
            keeps = keeps_mtu(self.host, self.remote, packet.mtu_bytes)
            if packet.mtu_bytes and packet.mtu_bytes < self.mtu_bytes and not keeps:
                self.mtu_bytes = packet.mtu_bytes
                text = f"{what}: segments of at most {packet.mtu_bytes} bytes from now on"
                journal.step(self.host.name, skb, StepKind.DELIVER, text)
                self._send(TcpFlags.ACK | TcpFlags.PSH, self.data_bytes or 0)
            else:
                text = f"{what}: an open connection does not mind"
                journal.step(self.host.name, skb, StepKind.DELIVER, text)
                if not packet.mtu_bytes:
                    self.late_errno = errno or self.late_errno
            return
        if errno and self._is_held():
            # tcp_v6_err: connect() still holds the socket (sock_owned_by_user), for what happens
            # on one machine happens while it sends the first SYN. The error is put aside, and the
            # SYN sent again. Of IPv4 poll(2) tells all the same (ip_icmp_error).
            text = f"{what}: connect() holds the socket still, the error is put aside"
            step = journal.step(self.host.name, skb, StepKind.DELIVER, text)
            self.asks_again = True
            self.put_aside = _PutAside(errno=errno, what=what, skb=skb, step=step)
            return
        if self.unconnected:
            # __udp4_lib_err: without IP_RECVERR only a connected socket is told.
            errno = None
        if errno is None or self.phase is Phase.DONE:
            feels = "the socket feels nothing" if errno is None else "the client knows already"
            journal.step(self.host.name, skb, StepKind.DELIVER, f"{what}: {feels}")
            self.pending = errno
            return
        step = journal.step(self.host.name, skb, StepKind.DELIVER, f"{what}: {errno}")
        self._refused(errno, what, skb, step)

    def _is_held(self) -> bool:
        """Whether connect() has not returned yet when an error comes in."""
        simulation, mine = self.host.simulation, self.host.namespace
        if (
            self.protocol is not Protocol.TCP
            or self.remote.version != 6
            or simulation.events.now > FIRST_SECONDS
        ):
            return False
        been = {capture.namespace for capture in simulation.journal.captures}
        return all(simulation.hosts[name].namespace.shares_kernel(mine) for name in been)

    def give_up(self) -> bool:
        """Whether there is an error that was put aside: it is told at last (tcp_write_err)."""
        aside = self.put_aside
        if aside is None:
            return False
        what = f"{aside.what}, put aside until the last SYN was lost"
        self._refused(aside.errno, what, aside.skb, aside.step)
        return True

    def _refused(self, errno: str, what: str, skb: Skb, step: int) -> None:
        # The message only brings the news: the step that it tells of decided.
        decided = step if skb.decided is None else skb.decided
        place = self.host.simulation.journal.steps[decided]
        self.feel(result_of(errno), errno, place.namespace, f"{place.text}; {what}", decided)
