"""addrtype, physdev, rpfilter, mac, iprange, owner: where a packet comes from and goes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.matches.base import MatchGrammar, Option, Test, bang, one_by_one, opaque
from k8stui.kernel.matches.header import Side, device_matches
from k8stui.kernel.packet import Packet

_ADDRESS_TYPES = (
    "UNSPEC",
    "UNICAST",
    "LOCAL",
    "BROADCAST",
    "ANYCAST",
    "MULTICAST",
    "BLACKHOLE",
    "UNREACHABLE",
    "PROHIBIT",
    "THROW",
    "NAT",
    "XRESOLVE",
)
"""In printed order (libxt_addrtype.c rtn_names)."""


class AddressTypeTest(NamedTuple):
    """``--src-type``, ``--dst-type`` (xt_addrtype.c addrtype_mt_v1)."""

    side: Side
    types: frozenset[str]
    negated: bool = False
    limit: str = ""
    """``in`` or ``out``: look up on that device only."""

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        device = None
        if self.limit:
            device = context.in_device if self.limit == "in" else context.out_device
        kind = context.address_type(self.side.address(packet), device)
        return (kind in self.types) is not self.negated

    def __str__(self) -> str:
        types = ",".join(kind for kind in _ADDRESS_TYPES if kind in self.types)
        name = "src" if self.side is Side.SOURCE else "dst"
        return f"{bang(self.negated)}--{name}-type {types}"


class LimitInterface(NamedTuple):
    """``--limit-iface-in`` or ``-out``: no condition of its own, narrows the address types'."""

    which: str

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return True

    def __str__(self) -> str:
        return f"--limit-iface-{self.which}"


def _address_type(options: Sequence[Option]) -> tuple[Test, ...]:
    limits = {option.name.rpartition("-")[2] for option in options if "iface" in option.name}
    if len(limits) > 1:
        raise ValueError("--limit-iface-in and --limit-iface-out exclude each other")
    limit = "".join(limits)
    tests: list[Test] = []
    for name, side in (("--src-type", Side.SOURCE), ("--dst-type", Side.DESTINATION)):
        for option in options:
            if option.name == name:
                types = frozenset(option.values[0].upper().split(","))
                if not types <= set(_ADDRESS_TYPES):
                    raise ValueError(f"not an address type: {option.values[0]}")
                tests.append(AddressTypeTest(side, types, option.negated, limit))
    return (*tests, *(LimitInterface(which) for which in limits))


class BridgePortTest(NamedTuple):
    """The options of ``-m physdev`` (xt_physdev.c physdev_mt).

    A packet that is not bridged has no ports: only negations hold. Where the frame is bridged
    but the outgoing port is not known, ``--physdev-out`` fails even when negated.
    """

    option: str
    pattern: str = ""
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> BridgePortTest:
        return cls(option.name, "".join(option.values), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        entered, leaves = context.physical_in, context.physical_out
        if entered is None and leaves is None:
            return self.negated
        if self.option == "--physdev-is-in":
            hit = entered is not None
        elif self.option == "--physdev-in":
            if entered is None:
                return True
            hit = device_matches(self.pattern, entered)
        elif self.option == "--physdev-out":
            if leaves is None:
                return False
            hit = device_matches(self.pattern, leaves)
        else:  # --physdev-is-out, --physdev-is-bridged
            hit = leaves is not None
        return hit is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}{self.option}" + (f" {self.pattern}" if self.pattern else "")


class ReversePathTest(NamedTuple):
    """``-m rpfilter``: whether the way back leads out of the device that the packet came in by."""

    loose: bool = False
    valid_mark: bool = False
    accept_local: bool = False
    inverted: bool = False

    @classmethod
    def build(cls, options: Sequence[Option]) -> tuple[Test, ...]:
        names = {option.name for option in options}
        return (
            cls(
                "--loose" in names,
                "--validmark" in names,
                "--accept-local" in names,
                "--invert" in names,
            ),
        )

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:
        if context.reverse_path is None:
            return None
        leads_back = context.reverse_path(
            packet, loose=self.loose, mark=self.valid_mark, accept_local=self.accept_local
        )
        return leads_back is not self.inverted

    def __str__(self) -> str:
        flags = (
            ("--loose", self.loose),
            ("--validmark", self.valid_mark),
            ("--accept-local", self.accept_local),
            ("--invert", self.inverted),
        )
        return " ".join(name for name, given in flags if given)


class MacTest(NamedTuple):
    """``-m mac --mac-source``: the sender on this link."""

    mac: str
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> MacTest:
        return cls(option.values[0], option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool:
        if not packet.smac or context.in_device is None:
            return False  # xt_mac.c: no link-layer header, no match either way
        return (packet.smac == self.mac.lower()) is not self.negated

    def __str__(self) -> str:
        return f"{bang(self.negated)}--mac-source {self.mac}"


class RangeTest(NamedTuple):
    """``-m iprange --src-range A-B``, ``--dst-range``."""

    side: Side
    first: Address
    last: Address
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> RangeTest:
        first, dash, last = option.values[0].partition("-")
        side = Side.SOURCE if option.name == "--src-range" else Side.DESTINATION
        return cls(
            side, Address.parse(first), Address.parse(last if dash else first), option.negated
        )

    def holds(self, packet: Packet, context: PacketContext) -> bool:  # noqa: ARG002
        return (self.first <= self.side.address(packet) <= self.last) is not self.negated

    def __str__(self) -> str:
        name = "src" if self.side is Side.SOURCE else "dst"
        return f"{bang(self.negated)}--{name}-range {self.first}-{self.last}"


class OwnerTest(NamedTuple):
    """``-m owner --uid-owner``, ``--gid-owner`` (xt_owner.c): the socket that sends."""

    option: str
    first: int
    last: int
    negated: bool = False

    @classmethod
    def build(cls, option: Option) -> OwnerTest:
        first, dash, last = option.values[0].partition("-")
        return cls(option.name, int(first), int(last if dash else first), option.negated)

    def holds(self, packet: Packet, context: PacketContext) -> bool | None:  # noqa: ARG002
        if context.in_device is not None:
            return self.negated  # forwarded: there is no socket
        owner = context.socket_uid if self.option == "--uid-owner" else context.socket_gid
        return None if owner is None else (self.first <= owner <= self.last) is not self.negated

    def __str__(self) -> str:
        last = "" if self.last == self.first else f"-{self.last}"
        return f"{bang(self.negated)}{self.option} {self.first}{last}"


_PHYSDEV = (
    "--physdev-is-in",
    "--physdev-in",
    "--physdev-is-out",
    "--physdev-out",
    "--physdev-is-bridged",
)

GRAMMARS = {
    "addrtype": MatchGrammar(
        arity={"--src-type": 1, "--dst-type": 1, "--limit-iface-in": 0, "--limit-iface-out": 0},
        build=_address_type,
    ),
    "physdev": MatchGrammar(
        arity={name: 0 if "-is-" in name else 1 for name in _PHYSDEV},
        build=one_by_one(dict.fromkeys(_PHYSDEV, BridgePortTest.build)),
    ),
    "rpfilter": MatchGrammar(
        arity=dict.fromkeys(("--loose", "--validmark", "--accept-local", "--invert"), 0),
        build=ReversePathTest.build,
    ),
    "mac": MatchGrammar(
        arity={"--mac-source": 1}, build=one_by_one({"--mac-source": MacTest.build})
    ),
    "iprange": MatchGrammar(
        arity={"--src-range": 1, "--dst-range": 1},
        build=one_by_one({"--src-range": RangeTest.build, "--dst-range": RangeTest.build}),
    ),
    "owner": MatchGrammar(
        arity={"--uid-owner": 1, "--gid-owner": 1, "--socket-exists": 0},
        build=one_by_one(
            {
                "--socket-exists": opaque,
                "--uid-owner": OwnerTest.build,
                "--gid-owner": OwnerTest.build,
            }
        ),
    ),
}
