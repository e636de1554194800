"""ipsets, as ``ipset save`` prints them, for ``-m set --match-set``.

After ipset(8) and net/netfilter/ipset/ip_set_core.c, ip_set_hash_gen.h (mtype_test_cidrs: of
several networks that hold an address the smallest decides, ``nomatch`` ones say no).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Prefix
from k8stui.kernel.packet import Packet

_FIELDS = frozenset({"ip", "net", "port"})
"""What an element can be made of here; sets with a MAC, a mark or a device cannot be asked."""
_PORTLESS = ("bitmap:port",)
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_MEMBERS = "list:set"

_Key = tuple[object, ...]


class IpsetError(K8sTuiError, ValueError):
    """A line that ``ipset save`` does not print."""


class IpSet:
    """One set: its elements by the lengths of their networks, the smallest networks first."""

    __slots__ = ("_by_lengths", "_fields", "_has_protocol", "_members")

    def __init__(self, kind: str) -> None:
        self._fields = tuple(kind.partition(":")[2].split(","))
        self._has_protocol = kind not in _PORTLESS
        self._by_lengths: dict[tuple[int, ...], dict[_Key, bool]] = {}
        self._members: list[IpSet] = []

    def add(self, element: str, *, matches: bool = True) -> None:
        """Take in an element as printed: ``10.0.0.0/8``, ``10.0.0.1,tcp:80``.

        Raises:
            ValueError: it is none of this kind of set.

        """
        lengths: list[int] = []
        key: list[object] = []
        for name, text in zip(self._fields, element.split(","), strict=True):
            if name == "port":
                key.append(self._port(text))
            else:
                prefix = Prefix.parse(text)
                lengths.append(prefix.length)
                key.append(prefix)
        level = self._by_lengths.setdefault(tuple(lengths), {})
        level[tuple(key)] = matches
        self._by_lengths = dict(sorted(self._by_lengths.items(), reverse=True))

    def include(self, member: IpSet) -> None:
        """Take in a set, into a ``list:set``."""
        self._members.append(member)

    def contains(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Whether the packet's fields, each taken from ``src`` or ``dst``, are in the set."""
        if any(member.contains(packet, directions) for member in self._members):
            return True
        if len(directions) < len(self._fields):
            return False
        for lengths, level in self._by_lengths.items():
            found = level.get(self._key(packet, directions, lengths))
            if found is not None:
                return found
        return False

    def _key(self, packet: Packet, directions: tuple[str, ...], lengths: tuple[int, ...]) -> _Key:
        left = iter(lengths)
        key: list[object] = []
        for name, direction in zip(self._fields, directions, strict=False):
            is_source = direction == "src"
            if name == "port":
                port = packet.sport if is_source else packet.dport
                key.append((int(packet.protocol), port) if self._has_protocol else port)
            else:
                address = packet.src if is_source else packet.dst
                length = next(left)
                key.append(Prefix.of(address, length) if length <= address.bits else None)
        return tuple(key)

    def _port(self, text: str) -> object:
        if not self._has_protocol:
            return int(text)
        protocol, colon, number = text.partition(":")
        if not colon:
            return (_PROTOCOLS["tcp"], int(text))  # what ipset itself takes it for
        if protocol not in _PROTOCOLS:
            raise ValueError(f"a protocol that is not looked at: {protocol!r}")
        return (_PROTOCOLS[protocol], int(number))


def parse(text: str) -> Mapping[str, IpSet]:
    """The sets of ``ipset save`` by name. Sets of a kind that cannot be asked are left out.

    Raises:
        IpsetError: a line that ``ipset save`` does not print; it says which.

    """
    sets: dict[str, IpSet] = {}
    unknown: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in ("create", "add") or len(words) < 3:
            raise IpsetError(f"line {number}: not what ipset save prints: {line}")
        command, name, what, *options = words
        if command == "create":
            if _can_be_asked(what):
                sets[name] = IpSet(what)
            else:
                unknown.add(name)
        elif name in sets:
            _take(sets, sets[name], what, options, f"line {number}: {line}")
        elif name not in unknown:
            raise IpsetError(f"line {number}: no set was created with the name {name!r}")
    return sets


def _can_be_asked(kind: str) -> bool:
    return kind == _MEMBERS or set(kind.partition(":")[2].split(",")) <= _FIELDS


def _take(
    sets: Mapping[str, IpSet], into: IpSet, element: str, options: Iterable[str], where: str
) -> None:
    if element in sets:
        into.include(sets[element])
        return
    try:
        into.add(element, matches="nomatch" not in options)
    except ValueError as error:
        raise IpsetError(f"{where}: {error}") from None
