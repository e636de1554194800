"""What a lab is to be made of, as plain data: it goes to the lab's process as JSON.

Commands are lists of words; names of devices are generated or have been judged harmless
(`k8stui.lab.planning.naming`).
"""

from __future__ import annotations

from typing import TypedDict

from k8stui.record import record

FD = "{fd:%d}"
"""A word that stands for the file of the namespace with that index."""

NOWHERE = ""
"""Name of the namespace in which cables end that lead to nothing that is built. Not looked at."""


ICMP_ERRORS = {1: frozenset({3, 4, 5, 11, 12}), 58: frozenset(range(128))}
"""Types of ICMP and ICMPv6 that quote a packet (RFC 792, RFC 4443 2.1)."""


class ProcFile(TypedDict):
    """One file under /proc/sys."""

    path: str
    value: str
    needed: bool
    """Whether the lab is wrong without it; else an old kernel may lack it."""


class Onward(TypedDict):
    """Whom a process connects to for somebody whom it has taken."""

    address: str
    port: int
    source_port: int
    patience_seconds: float


class Listener(TypedDict):
    """A socket that a server holds open."""

    protocol: int
    """IANA number."""
    version: int
    """4 or 6."""
    address: str
    """Empty: any."""
    port: int
    answers_as_asked: bool
    stands_for: bool
    """Whether its host has not got the address, and answers for somebody else."""
    passes_on: bool
    """Whether it is a process that makes a connection of its own, to one of `onward`."""
    onward: list[list[Onward] | None]
    """For each time that it is asked: one after the other, until one answers; None: by the socket
    that it has got."""


class Space(TypedDict):
    """One network namespace."""

    name: str
    """As the walk calls it."""
    settings: list[ProcFile]
    """Before any device is there."""
    links: list[list[str]]
    """``ip`` commands that make devices; of all namespaces before anything else."""
    ip: list[list[str]]
    """``ip`` commands after that, in order."""
    ip6: list[list[str]]
    """The same for ``ip -6``."""
    device_settings: list[ProcFile]
    bridge: list[list[str]]
    """``bridge`` commands."""
    sets: dict[str, str]
    """By name: what ``ipset restore`` reads, before any rule; members of a list before it."""
    rules: dict[str, str]
    """By IP version: what iptables-restore reads."""
    nft: str
    """What ``nft -f`` reads; empty: there are no tables of nftables' own."""
    listeners: list[Listener]
    devices: dict[str, str]
    """Real name → name in the walk, of devices that are called otherwise here."""
    vxlan_ports: list[int]
    """UDP ports by which VXLAN is known, on the wire between two nodes too."""


class ClientPlan(TypedDict):
    """The client."""

    space: int
    protocol: int
    version: int
    source: str
    """Bound address; empty: the kernel chooses."""
    source_port: int
    destination: str
    port: int
    patience_seconds: float
    hears_at_once: bool
    """TCP: whether an error comes from another machine, when connect() has let go of the socket.
    All namespaces of a lab are one machine."""
    unconnected: bool
    """UDP: sendto() without connect()."""
    data_bytes: int
    """TCP: what is sent once it is connected, and is answered with as much; a datagram's length.
    -1: nothing, and as little as usual."""
    earlier: list[int]
    """Ports from which the same was asked before; nobody looks then."""
    earlier_patience_seconds: list[float]
    """How long each of these is waited for."""
    pause_seconds: float
    """Behind each of these."""
    tries: int
    """How often to ask, each time from another port, and only to count; 0: once, and to look."""


class Tools(TypedDict):
    """Absolute paths of the programs that build the lab."""

    ip: str
    bridge: str
    ipset: str
    """Empty: not installed."""
    nft: str
    """Empty: not installed."""
    restore: dict[str, str]
    """By IP version: iptables-restore and ip6tables-restore."""
    tells_rules: bool
    """Whether the rules that these load can be traced (`k8stui.lab.inside.trace`)."""


class Plan(TypedDict):
    """A whole lab with its one question."""

    spaces: list[Space]
    asker: ClientPlan
    tools: Tools


@record(kw_only=True)
class Sight:
    """A packet on one device, as either side shows it. Fields as in `k8stui.kernel.packet`."""

    namespace: str = ""
    device: str = ""
    incoming: bool = False
    time_ns: int = 0
    """Since the epoch; of the walk 0. A bridge hands a frame up with the time of its port."""
    arp: bool = False
    src: str
    dst: str
    protocol: int
    sport: int = 0
    dport: int = 0
    ttl: int
    smac: str = ""
    dmac: str = ""
    flags: int = 0
    """Of TCP; PSH where there is data."""
    sequence: int = 0
    """Of TCP, as it is on the wire; of the walk 0: numbers are drawn."""
    icmp_type: int = 0
    icmp_code: int = 0
    vni: int | None = None
    """None: no VXLAN packet."""
    length: int = 0
    """Of the IP packet, in bytes, as its header says; 0 for ARP."""
    dont_fragment: bool = True
    """IPv4's DF; IPv6 has none: true."""
    mss: int = 0
    """Of a SYN or SYN-ACK: the largest segment that it asks for; else 0."""
    mtu: int = 0
    """What an ICMP error says that fits; else 0."""
    inner: Sight | None = None

    @property
    def is_error(self) -> bool:
        """Whether it is an ICMP error."""
        return not self.arp and self.icmp_type in ICMP_ERRORS.get(self.protocol, ())


class Met(TypedDict):
    """A rule that a packet met; of a policy that dropped it the number is 0."""

    chain: str
    number: int
    """1-based place in the chain, as it was loaded."""
    text: str


class Passed(TypedDict):
    """A packet in a built-in chain."""

    space: str
    table: str
    chain: str
    device: str
    """Where the packet is about to leave by; else where it came from."""
    mark: int
    header: Sight
    """As it got there; `time_ns`: when that was told. Without MAC addresses."""
    met: list[Met]


class Served(TypedDict):
    """What a server's socket saw."""

    space: str
    address: str
    port: int
    """Whom the client reached."""
    source: str
    source_port: int


class Counted(TypedDict):
    """How often it ended in one way."""

    errno: str
    space: str
    address: str
    port: int
    times: int


class Seen(TypedDict):
    """What the kernel did."""

    errno: str
    """Of the client's socket; empty: it was answered, or nothing came."""
    answered: bool
    seconds: float
    served: list[Served]
    frames: list[Sight]
    """Namespace by namespace, in the order in which each saw them."""
    left_out: list[str]
    """Rules and settings that this kernel has not got."""
    build_seconds: float
    earlier_seconds: float
    """From the beginning of the first earlier request to that of the last."""
    conntrack: dict[str, list[str]]
    """By namespace: the lines of /proc/net/nf_conntrack when all was said, while it is open."""
    passed: dict[str, list[Passed]]
    """By namespace: which rules packets met, in time; only of those whose rules can tell."""
    counted: list[Counted]
    """Of a request that was asked many times; nothing else is looked at then."""


class Failure(TypedDict):
    """Why there is no lab."""

    impossible: str
