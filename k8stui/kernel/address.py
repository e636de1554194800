"""IP addresses and prefixes as small, fast values.

`ipaddress` costs 3.4 µs an object (docs/facts/speed.md section 5); a walk looks at hundreds, so
inside the project an address is a named tuple of its IP version and its integer.
"""

from __future__ import annotations

from _socket import AF_INET6, inet_ntop, inet_pton  # socket's Python part: 3 ms and 0.4 MiB more
from functools import lru_cache
from typing import NamedTuple


class Address(NamedTuple):
    """One IPv4 or IPv6 address. Sorts by version, then numerically."""

    version: int
    """4 or 6."""
    value: int
    """The address in host order, 32 or 128 bits."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``192.0.2.1`` or ``2001:db8::1``.

        Raises:
            ValueError: the text is not one IP address.

        """
        return _parse(text)

    @property
    def bits(self) -> int:
        """Width of the address: 32 or 128."""
        return 32 if self.version == 4 else 128

    @property
    def packed(self) -> bytes:
        """Network-order bytes."""
        return self.value.to_bytes(self.bits // 8, "big")

    def __str__(self) -> str:
        return _text(self)

    def with_port(self, port: int) -> str:
        """``192.0.2.1:80`` or ``[2001:db8::1]:80`` (net.JoinHostPort)."""
        return f"{self}:{port}" if self.version == 4 else f"[{self}]:{port}"


class Prefix(NamedTuple):
    """A network in CIDR form. `address` has no bits set behind `length`."""

    address: Address
    length: int

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """Read ``10.244.0.0/16``; without ``/`` it is a host prefix. Host bits are masked away.

        Raises:
            ValueError: not a prefix.

        """
        base, slash, length_text = text.partition("/")
        address = Address.parse(base)
        if slash and not (length_text.isascii() and length_text.isdigit()):
            raise ValueError(f"not a prefix length: {text!r}")
        length = int(length_text) if slash else address.bits
        if length > address.bits:
            raise ValueError(f"prefix length out of range: {text!r}")
        return cls.of(address, length)

    @classmethod
    def of(cls, address: Address, length: int) -> Prefix:
        """The network of `length` bits that `address` is in."""
        shift = address.bits - length
        return cls(Address(address.version, address.value >> shift << shift), length)

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, Address) or item.version != self.address.version:
            return False
        return (item.value ^ self.address.value) >> (item.bits - self.length) == 0

    def nth(self, n: int) -> Address:
        """The n-th address of the network, counted from its first (0); negative from its end."""
        size = 1 << (self.address.bits - self.length)
        return Address(self.address.version, self.address.value + (n if n >= 0 else size + n))

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"


_OCTETS = frozenset(map(str, range(256)))
"""As inet_pton(3) reads them: no sign, no blank, no leading zero."""


@lru_cache(maxsize=65536)
def _parse(text: str) -> Address:
    parts = text.split(".")
    if len(parts) == 4 and all(map(_OCTETS.__contains__, parts)):
        return Address(4, int.from_bytes(bytes(map(int, parts)), "big"))
    if ":" not in text:
        raise ValueError(f"not an IP address: {text!r}")
    try:
        return Address(6, int.from_bytes(inet_pton(AF_INET6, text), "big"))
    except (OSError, ValueError, UnicodeError):
        raise ValueError(f"not an IP address: {text!r}") from None


@lru_cache(maxsize=65536)
def _text(address: Address) -> str:
    if address.version == 4:
        return ".".join(map(str, address.packed))
    return inet_ntop(AF_INET6, address.packed)


def is_loopback(address: Address) -> bool:
    """127.0.0.0/8 or ::1."""
    if address.version == 4:
        return address.value >> 24 == 127
    return address.value == 1


def is_multicast(address: Address) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    if address.version == 4:
        return address.value >> 28 == 0xE
    return address.value >> 120 == 0xFF


def is_limited_broadcast(address: Address) -> bool:
    """255.255.255.255; IPv6 has none."""
    return address.version == 4 and address.value == 0xFFFFFFFF


def link_local(mac: str) -> Address:
    """The IPv6 address that a device makes of its MAC address (RFC 4291 appendix A).

    Raises:
        ValueError: not six bytes in hexadecimal.

    """
    one = bytes.fromhex(mac.replace(":", ""))
    if len(one) != 6:
        raise ValueError(f"not a MAC address: {mac}")
    identifier = bytes((one[0] ^ 2, *one[1:3], 0xFF, 0xFE, *one[3:]))
    return Address(6, 0xFE80 << 112 | int.from_bytes(identifier, "big"))


def is_link_local(address: Address) -> bool:
    """fe80::/10."""
    return address.value >> 118 == 0x3FA  # fe80::/10


def is_unique_local(address: Address) -> bool:
    """fc00::/7 (RFC 4193)."""
    return address.version == 6 and address.value >> 121 == 0x7E


def common_bits(one: Address, other: Address) -> int:
    """How many leading bits two addresses of one version have in common."""
    return one.bits - (one.value ^ other.value).bit_length()


def is_zero(address: Address) -> bool:
    """0.0.0.0 or ``::``."""
    return address.value == 0
