"""What a rule can ask without ``-m``: addresses, devices, protocol (iptables(8), PARAMETERS)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import Option, bang
from k8stui.kernel.packet import Packet

PROTOCOL_NUMBERS = {
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "ipv4": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ospf": 89,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "mh": 135,
    "ipv6-mh": 135,
    "udplite": 136,
}
"""Names that iptables-save prints (libxtables xtables_chain_protos, /etc/protocols)."""


class Network(NamedTuple):
    """An address under a mask, which iptables does not require to be contiguous."""

    version: int
    value: int
    mask: int

    @classmethod
    def parse(cls, text: str) -> Network:
        """Read ``A``, ``A/24`` or ``A/255.255.0.255``; host bits are masked away.

        Raises:
            ValueError: anything else, a host name included.

        """
        base, slash, mask_text = text.partition("/")
        address = Address.parse(base)
        full = (1 << address.bits) - 1
        if not slash:
            mask = full
        elif mask_text.isascii() and mask_text.isdigit():
            length = int(mask_text)
            if length > address.bits:
                raise ValueError(f"prefix length out of range: {text}")
            mask = full ^ (full >> length)
        else:
            mask = Address.parse(mask_text).value
        return cls(address.version, address.value & mask, mask)

    def has(self, address: Address) -> bool:
        """Whether the address lies in the network."""
        return address.version == self.version and address.value & self.mask == self.value

    def __str__(self) -> str:
        base = Address(self.version, self.value)
        full = (1 << base.bits) - 1
        length = self.mask.bit_count()
        if self.mask == full ^ (full >> length):
            return f"{base}/{length}"
        return f"{base}/{Address(self.version, self.mask)}"


class Side(Enum):
    """Which end of the packet an option looks at."""

    SOURCE = "s"
    DESTINATION = "d"

    def address(self, packet: Packet) -> Address:
        return packet.src if self is Side.SOURCE else packet.dst


class AddressTest(NamedTuple):
    """``-s`` or ``-d``. Of several networks (a rule as written, not as saved) any one will do."""

    side: Side
    networks: tuple[Network, ...]
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> AddressTest:
        networks = tuple(Network.parse(text) for text in option.values[0].split(","))
        if option.negated and len(networks) > 1:
            raise ValueError("! is not allowed with several addresses")
        return cls(Side(option.name[1]), networks, option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        address = packet.src if self.side is Side.SOURCE else packet.dst
        return any(network.has(address) for network in self.networks) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}-{self.side.value} {','.join(map(str, self.networks))}"


def device_matches(pattern: str, device: str | None) -> bool:
    """Whether a device is called so; a trailing ``+`` stands for any rest.

    No device at all has the empty name (x_tables.h, ifname_compare_aligned and nulldevname).
    """
    if pattern.endswith("+"):
        return (device or "").startswith(pattern[:-1])
    return device == pattern


class DeviceTest(NamedTuple):
    """``-i`` or ``-o``. Where the hook has no such device only the negation holds."""

    incoming: bool
    pattern: str
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> DeviceTest:
        return cls(option.name == "-i", option.values[0], option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:  # noqa: ARG002
        device = context.in_device if self.incoming else context.out_device
        stranger = context.stranger
        if stranger and self.pattern in stranger.patterns and device in stranger.invented:
            return None
        return device_matches(self.pattern, device) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}-{'i' if self.incoming else 'o'} {self.pattern}"


class ProtocolTest(NamedTuple):
    """``-p``. Keeps the name or number as written."""

    name: str
    number: int
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> ProtocolTest:
        name = option.values[0].lower()
        number = int(name) if name.isascii() and name.isdigit() else PROTOCOL_NUMBERS.get(name)
        if number is None:
            raise ValueError(f"not a protocol: {name}")
        return cls(name, number, option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return (packet.protocol == self.number) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}-p {self.name}"


class FragmentTest(NamedTuple):
    """``-f``: second and further fragments. Packets here are never fragments."""

    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> FragmentTest:
        return cls(option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}-f"
