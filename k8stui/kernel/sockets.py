"""Local delivery: listeners that answer, closed ports, and ICMP that comes in.

After net/ipv4/tcp_ipv4.c (tcp_v4_rcv), udp.c (__udp4_lib_rcv), icmp.c (icmp_rcv).
"""

from __future__ import annotations

from k8stui.kernel import multipath
from k8stui.kernel.address import Address, is_loopback
from k8stui.kernel.client import Client, Server, keeps_mtu
from k8stui.kernel.conntrack import is_icmp_error
from k8stui.kernel.fib import Ports
from k8stui.kernel.header import MSS_HEADERS_BYTES, changed, mss_of, segment_back
from k8stui.kernel.host import Host
from k8stui.kernel.icmp import (
    ECHO_REPLY,
    ECHO_REQUEST,
    PORT_UNREACHABLE,
    PROTOCOL_UNREACHABLE,
    reset_for,
    send_error,
)
from k8stui.kernel.namespace import Socket
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.routing import Fate
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import SocketCause, StepKind

_SYN_ACK_BYTES = {4: 60, 6: 80}
_SEGMENT_BYTES = {4: 52, 6: 72}
_UDP_BYTES = {4: 28, 6: 48}


class SocketTable:
    """All sockets of a walk: the one client, and the listeners of every namespace."""

    __slots__ = ("_asked", "_read", "client")

    def __init__(self) -> None:
        self.client: Client | None = None
        self._read: dict[tuple[Address, int, Address, int], Skb] = {}
        """First data by connection, as long as it may have to be answered again."""
        self._asked: dict[tuple[Address, int, Address, int], int] = {}
        """Length of the longest packet that the MSS of a connection's SYN asks for."""

    # TCP.

    def tcp(self, host: Host, skb: Skb) -> None:
        """A segment for this namespace."""
        packet = skb.packet
        client = self.client
        if client is not None and client.owns(host, packet):
            client.segment(skb)
            return
        if _is_broadcast(skb):
            host.simulation.journal.loss(
                host.name, skb, "TCP does not look at what was sent to a broadcast address"
            )
            return
        key = (packet.dst, packet.dport, packet.src, packet.sport)
        flags = packet.flags
        if flags & TcpFlags.RST:
            if host.connections.pop(key, None) is not None:
                host.simulation.journal.loss(
                    host.name, skb, "RST: the half-open connection is given up"
                )
            return
        if key in host.connections and not flags & TcpFlags.SYN:
            if not host.connections[key]:
                host.connections[key] = True
                host.simulation.journal.step(
                    host.name, skb, StepKind.DELIVER, "ACK: the server's accept() returns"
                )
            if flags & TcpFlags.PSH:
                host.simulation.journal.step(
                    host.name, skb, StepKind.DELIVER, "the first data is read"
                )
                self._read[key] = skb
                self._echo(host, skb)
            return
        if flags & TcpFlags.SYN and not flags & TcpFlags.ACK:
            listener = self._listener(host, packet)
            self._reached(host, packet)
            if listener is not None:
                host.connections[key] = False
                self._asked[key] = packet.mss_bytes + MSS_HEADERS_BYTES[packet.src.version]
                self._deliver(host, skb, listener)
                answer = segment_back(
                    packet,
                    host.namespace.sysctls.ip_default_ttl,
                    TcpFlags.SYN | TcpFlags.ACK,
                    _SYN_ACK_BYTES[packet.src.version],
                    mss_of(_mtu(host, packet), packet.src.version),
                )
                self._answer(host, skb, answer)
                return
            self._nobody(host, skb)
        else:
            host.simulation.journal.loss(
                host.name,
                skb,
                f"no socket waits for {packet.src.with_port(packet.sport)}: answered with RST",
                cause=SocketCause(socket=None),
            )
        self._answer(host, skb, reset_for(packet, host.namespace.sysctls.ip_default_ttl))

    def _echo(self, host: Host, skb: Skb, mtu_bytes: int = 0) -> None:
        """The server answers the first data with as much."""
        packet, client = skb.packet, self.client
        if client is None:
            return
        whole = _SEGMENT_BYTES[packet.src.version] + (client.data_bytes or 0)
        asked = self._asked[packet.dst, packet.dport, packet.src, packet.sport]
        fits = min(_mtu(host, packet), asked, mtu_bytes or whole)
        ttl = host.namespace.sysctls.ip_default_ttl
        answer = segment_back(packet, ttl, TcpFlags.ACK | TcpFlags.PSH, min(whole, fits))
        self._answer(host, skb, answer)

    def _too_big(self, host: Host, skb: Skb) -> bool:
        """The server hears that its answer was too big, and sends it in smaller pieces."""
        inner = skb.packet.inner
        if inner is None or not skb.packet.mtu_bytes:
            return False
        read = self._read.pop((inner.src, inner.sport, inner.dst, inner.dport), None)
        if read is None or read.device is None or skb.packet.mtu_bytes >= inner.length_bytes:
            return False
        what = f"segments of at most {skb.packet.mtu_bytes} bytes from now on"
        host.simulation.journal.step(host.name, skb, StepKind.DELIVER, what)
        self._echo(host, read, skb.packet.mtu_bytes)
        return True

    # UDP and SCTP.

    def udp(self, host: Host, skb: Skb) -> None:
        """A datagram for this namespace."""
        if self._asked_here(host, skb):
            return
        packet = skb.packet
        listener = self._listener(host, packet)
        version = packet.src.version
        if listener is None:
            client = self.client
            if client is not None and host is client.host and packet.dport == client.port:
                asked = client.remote.with_port(client.remote_port)
                host.simulation.journal.loss(
                    host.name,
                    skb,
                    f"the connected socket hears only {asked}",
                    cause=SocketCause(socket=None),
                )
            else:
                self._nobody(host, skb)
            if _is_broadcast(skb):
                return
            send_error(host, skb, *PORT_UNREACHABLE[version])
            return
        self._deliver(host, skb, listener)
        if not listener.answers:
            return
        bound = packet.dst if listener.answers_as_asked else listener.address
        ports = Ports(Protocol.UDP, packet.dport, packet.sport)
        way = multipath.outgoing(host, packet.src, bound, ports=ports)
        if way.fate is Fate.ERROR or way.source is None:
            return
        seen = packet.src.with_port(packet.sport)
        answer = Packet(
            src=way.source,
            dst=packet.src,
            protocol=Protocol.UDP,
            sport=packet.dport,
            dport=packet.sport,
            ttl=host.namespace.sysctls.ip_default_ttl,
            # It says whom it saw, in four bytes more than that takes.
            length_bytes=_UDP_BYTES[version] + len(seen) + 4,
        )
        self._answer(host, skb, answer)

    def sctp(self, host: Host, skb: Skb) -> None:
        """An INIT is answered where SCTP is listened for; else nothing speaks the protocol."""
        if self._asked_here(host, skb):
            return
        packet = skb.packet
        listener = self._listener(host, packet)
        if listener is None:
            self._nobody(host, skb)
            send_error(host, skb, *PROTOCOL_UNREACHABLE[packet.src.version])
            return
        self._deliver(host, skb, listener)
        answer = changed(
            packet,
            src=packet.dst,
            dst=packet.src,
            sport=packet.dport,
            dport=packet.sport,
            ttl=host.namespace.sysctls.ip_default_ttl,
            mark=0,
            smac="",
            dmac="",
        )
        self._answer(host, skb, answer)

    # ICMP.

    def icmp(self, host: Host, skb: Skb) -> None:
        """An ICMP message for this namespace."""
        packet = skb.packet
        client = self.client
        version = packet.src.version
        if is_icmp_error(packet):
            asked = packet.inner.dst if packet.inner is not None else None
            told = packet.mtu_bytes
            if asked is not None and told and not keeps_mtu(host, asked, told):
                # ipv4_update_pmtu, ip6_update_pmtu
                host.learn_path_mtu(asked, told)
            if (client is None or not client.hears(host, skb)) and not self._too_big(host, skb):
                host.simulation.journal.step(
                    host.name,
                    skb,
                    StepKind.DELIVER,
                    f"ICMP {packet.icmp_type}/{packet.icmp_code}: no socket asks for it",
                )
            return
        if packet.icmp_type == ECHO_REQUEST[version][1]:
            if _is_broadcast(skb):
                # icmp_echo_ignore_broadcasts 1
                host.simulation.journal.loss(host.name, skb, "an echo request to all is ignored")
                return
            self._reached(host, packet)
            step = host.simulation.journal.step(
                host.name, skb, StepKind.DELIVER, "echo request: the kernel answers"
            )
            self._decided(host, step)
            answer = changed(
                packet,
                src=packet.dst,
                dst=packet.src,
                icmp_type=ECHO_REPLY[version][1],
                ttl=host.namespace.sysctls.ip_default_ttl,
                mark=0,
                smac="",
                dmac="",
                dont_fragment=version == 6,
            )
            self._answer(host, skb, answer)
        elif client is not None and client.owns(host, packet):
            client.answer(skb)

    # Shared.

    def _asked_here(self, host: Host, skb: Skb) -> bool:
        """Whether it is the answer that the client waits for; else this namespace is the server."""
        client = self.client
        if client is not None and client.owns(host, skb.packet):
            client.answer(skb)
            return True
        self._reached(host, skb.packet)
        return False

    def _listener(self, host: Host, packet: Packet) -> Socket | None:
        # Who listens on every port still cannot have the one that the client holds.
        client = self.client
        is_held = client is not None and host is client.host and packet.dport == client.port
        ports = (packet.dport,) if is_held else (None, packet.dport)
        for socket in host.namespace.sockets:
            if (
                socket.protocol is packet.protocol
                and socket.port in ports
                and socket.address in (None, packet.dst)
                and socket.version in (None, packet.dst.version)
                and packet.dst not in socket.but_not
                and not (packet.dport in socket.not_on_loopback and is_loopback(packet.dst))
                and packet.dport not in socket.but_not_ports
            ):
                return socket
        return None

    def _reached(self, host: Host, packet: Packet) -> None:
        client = self.client
        if client is not None and client.server is None:
            client.server = Server(
                namespace=host.name,
                address=packet.dst,
                port=packet.dport,
                source=packet.src,
                source_port=packet.sport,
            )

    def _deliver(self, host: Host, skb: Skb, socket: Socket) -> None:
        where = skb.packet.dst.with_port(skb.packet.dport)
        who = f", {socket.owner}" if socket.owner else ""
        step = host.simulation.journal.step(
            host.name,
            skb,
            StepKind.DELIVER,
            f"delivered to {where}{who}",
            cause=SocketCause(socket=socket),
        )
        self._decided(host, step)

    def _decided(self, host: Host, step: int) -> None:
        server = self.client.server if self.client else None
        if server is not None and server.step is None and server.namespace == host.name:
            server.step = step

    def _nobody(self, host: Host, skb: Skb) -> None:
        packet = skb.packet
        host.simulation.journal.step(
            host.name,
            skb,
            StepKind.DELIVER,
            f"nothing listens on {packet.dst.with_port(packet.dport)}/"
            f"{packet.protocol.name.lower()}",
            cause=SocketCause(socket=None),
        )

    def _answer(self, host: Host, skb: Skb, answer: Packet) -> None:
        way = multipath.outgoing(host, answer.dst, answer.src, ports=Ports.of(answer))
        sent = Skb(answer, host.simulation.journal.number(), skb.back)
        sent.decided = host.simulation.journal.last()
        if way.fate is Fate.ERROR:
            host.simulation.journal.loss(
                host.name, sent, f"no route back to {answer.dst}", cause=None
            )
            return
        sent.decision = way
        host.simulation.stack.local_out(host, sent)


def _mtu(host: Host, asked: Packet) -> int:
    """MTU of the way by which an answer leaves."""
    ports = Ports(asked.protocol, asked.dport, asked.sport)
    way = multipath.outgoing(host, asked.src, asked.dst, ports=ports)
    return host.path_mtu(asked.src, host.mtu(way))


def _is_broadcast(skb: Skb) -> bool:
    return skb.decision is not None and skb.decision.fate is Fate.BROADCAST
