"""One request through the network and back: the kernel room's question and answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from fractions import Fraction

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Neighbour, Network
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import Capture, Fork, Step
from k8stui.record import record

DEFAULT_SOURCE_PORT = 40000
"""One of those that the kernel draws from (ip_local_port_range)."""

SAME_SOCKET = frozenset({Protocol.UDP, Protocol.ICMP, Protocol.ICMPV6})
"""Who asks once more does so over the same socket."""


class Result(StrEnum):
    """What the client feels, in the words of the JSON contract (docs/json.md)."""

    CONNECTED = "connected"
    DENIED = "denied"
    """It is connected, and a proxy that took the connection says no (HTTP: 403). No kernel does."""
    NOT_SERVED = "not-served"
    """It is connected, and an ingress controller, or a mesh's proxy of the client, answers with an
    error of its own (HTTP: 404, 502, 503, 504). No kernel does."""
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NO_SUCH_NAME = "no-such-name"
    UNKNOWN = "unknown"


@record(kw_only=True)
class Connect:
    """A client's connect() (TCP, SCTP) or send-and-wait (UDP, ICMP echo)."""

    namespace: str
    destination: Address
    port: int
    protocol: Protocol = Protocol.TCP
    source_port: int = DEFAULT_SOURCE_PORT
    source: Address | None = None
    """Bound source address; None: the route decides."""
    uid: int | None = None
    """As which user (and group) it asks; None: nobody knows."""
    data_bytes: int | None = None
    """TCP: what the client sends once it is connected, and gets back as much; only then is it
    answered. UDP and ping: what the datagram carries. None: nothing, and as little as usual."""
    unconnected: bool = False
    """UDP: the socket was not connected (sendto(), recvfrom()): it takes an answer from anybody,
    and hears no error (IP_RECVERR off)."""
    earlier: int = 0
    """How often the same client has asked the same before, chance having taken its first way each
    time: over the same socket (UDP, ping), or over connections that are still open (TCP, SCTP:
    each has a port of its own, see `port_of`)."""
    pause_seconds: float = 1.0
    """From the end of one of these requests to the beginning of the next."""

    formerly: Network | None = field(default=None, compare=False, repr=False)
    """What stood there at the first of the earlier requests, where it has changed since. What was
    tracked in a namespace that is still there stays."""

    def port_of(self, turn: int) -> int:
        """Source port of a request, 0 being the first.

        connect() takes every other port, as long as the first is not taken (__inet_hash_connect,
        net/ipv4/inet_hashtables.c: ports of one parity are for connect(), the others for bind()).
        """
        if self.protocol not in (Protocol.TCP, Protocol.SCTP):
            return self.source_port
        port = self.source_port + 2 * turn
        return port if port < 65536 else port - 65536 + 1024


@record(kw_only=True)
class Felt:
    """What came back to the client's socket."""

    result: Result
    errno: str | None
    """ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EPERM … ; None when connected."""
    seconds: float
    """How long the client waited: 0 under a millisecond, 3.06 for ARP, 134 for SYN time-out."""
    decided_at: str
    """Namespace in which it was decided."""
    reason: str
    """One sentence."""
    server: str | None = None
    """Namespace whose socket answered (or refused)."""
    server_address: Address | None = None
    server_port: int | None = None
    source_seen: Address | None = None
    """Client address as the server's socket saw it; None when no server was reached."""
    source_port_seen: int | None = None
    established: bool = False
    """The handshake was over: connect() had returned when what came, or did not come, was felt."""
    deciding_step: int | None = None
    """Index into Exchange.steps of the step that decided."""


@record(kw_only=True)
class Exchange:
    """All that happened for one Connect, under one outcome of every random choice."""

    steps: tuple[Step, ...]
    captures: tuple[Capture, ...]
    conntrack: Mapping[str, tuple[str, ...]]
    """Per namespace, lines as conntrack -L prints them, while the connection is open."""
    felt: Felt
    forks: tuple[Fork, ...]
    probability: Fraction
    """Product over the forks; 1 without any. With `alike`, of all that it stands for."""
    learned: Mapping[str, tuple[Neighbour, ...]] = field(default_factory=dict, compare=False)
    """Per namespace, the neighbours that it has come to know meanwhile."""
    alike: tuple[int, ...] = ()
    """Further ways of the last fork that end as this one, apart from the address that they lead to
    (`k8stui.kernel.alike`)."""


Choose = Callable[[Fork], int]
"""Decides where chance does: the fork → index of the way to take."""
