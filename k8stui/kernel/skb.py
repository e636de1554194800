"""A packet on its way: the header, and what the kernel remembers beside it (struct sk_buff)."""

from __future__ import annotations

from k8stui.kernel.conntrack import CtState, Entry
from k8stui.kernel.header import changed, first_fragment
from k8stui.kernel.packet import Packet
from k8stui.kernel.routing import Decision
from k8stui.kernel.step import Direction

REQUEST = 1
REPLY = 2
"""ARP operations (RFC 826). An ARP frame is a `Packet` whose `icmp_type` holds the operation, with
the sender's protocol and hardware address in `src` and `smac`, the target's in `dst` and `dmac`."""


class Skb:
    """One packet under way in one namespace. Mutable, unlike the header it carries."""

    __slots__ = (
        "arp",
        "ct_reply",
        "ct_state",
        "decided",
        "decision",
        "device",
        "direction",
        "entered",
        "entry",
        "fragment_bytes",
        "number",
        "packet",
        "physical_in",
        "prerouted",
    )

    def __init__(self, packet: Packet, number: int, direction: Direction) -> None:
        self.packet = packet
        self.number = number
        """Which packet of the exchange."""
        self.direction = direction
        self.arp = False
        self.decided: int | None = None
        """For an error or RST: the step that it tells of."""
        self.device: str | None = None
        """Device that it came in by."""
        self.entered: str | None = None
        """IP6CB(skb)->iif, where it is not `device`: what a bridge has routed after DNAT counts as
        come in by the device that it will leave by (ip6_rcv_core: the device of skb_dst)."""
        self.decision: Decision | None = None
        """skb_dst: where routing sends it."""
        self.fragment_bytes = 0
        """Of a datagram that was put together here: its longest fragment (frag_max_size). Of one
        that is sent here: what its socket has cut it for. 0: neither. -1: it was put together on
        a bridge, which the IP layer does not remember (ip_rcv_core clears IPCB)."""
        self.entry: Entry | None = None
        self.ct_state: CtState | None = None
        """None: conntrack has not seen it."""
        self.ct_reply = False
        self.physical_in: str | None = None
        """nf_bridge: the bridge port that it came in by, while br_netfilter looks after it."""
        self.prerouted = False
        """IP PREROUTING was passed on the bridge and must not be passed again (ip_sabotage_in)."""

    def put_together(self) -> None:
        """Wait for all fragments (ip_defrag, nf_ct_frag6_gather)."""
        packet = self.packet
        if packet.whole_bytes:
            self.fragment_bytes = packet.length_bytes
            self.packet = changed(packet, length_bytes=packet.whole_bytes, whole_bytes=0)

    def cut(self, mtu_bytes: int, *, always: bool = False) -> None:
        """Send what was put together in fragments that are no longer than they were.

        `always`: though it would fit as one (ip6_fragment, asked by a bridge).
        """
        longest = min(mtu_bytes, self.fragment_bytes) if self.fragment_bytes > 0 else mtu_bytes
        if always or self.packet.length_bytes > longest:
            self.packet = first_fragment(self.packet, longest)
        self.fragment_bytes = 0

    def crossed(self) -> Skb:
        """The packet as another namespace gets it: the header only, no mark (skb_scrub_packet)."""
        other = self._bare()
        if self.packet.mark:
            other.packet = changed(self.packet, mark=0)
        return other

    def tunnelled(self, packet: Packet) -> Skb:
        """What goes into a tunnel, or comes out of it: another packet, with the same news."""
        other = Skb(packet, self.number, self.direction)
        other.decided = self.decided
        return other

    def _bare(self) -> Skb:
        other = Skb(self.packet, self.number, self.direction)
        other.arp = self.arp
        other.decided = self.decided
        return other

    def copied(self) -> Skb:
        """A copy for one more port of a flood."""
        other = self._bare()
        other.entry = self.entry
        other.ct_state = self.ct_state
        other.ct_reply = self.ct_reply
        other.physical_in = self.physical_in
        other.prerouted = self.prerouted
        other.fragment_bytes = self.fragment_bytes
        return other

    @property
    def is_asked(self) -> bool:
        """Whether the client sends it."""
        return self.direction is Direction.FORWARD

    @property
    def back(self) -> Direction:
        """The direction of whatever answers this packet."""
        return Direction.REPLY if self.direction is Direction.FORWARD else Direction.FORWARD
