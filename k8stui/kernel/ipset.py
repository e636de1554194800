"""ipsets, as ``ipset save`` or ``ipset list`` print them, for ``-m set --match-set``.

After ipset(8) and net/netfilter/ipset/ip_set_core.c, ip_set_hash_gen.h (mtype_test_cidrs: of
several networks that hold an address the smallest decides, ``nomatch`` ones say no).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise, takewhile

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.packet import Packet

BITMAP_OF_PORTS, LIST_OF_SETS = "bitmap:port", "list:set"
_KINDS = frozenset({
    "bitmap:ip", BITMAP_OF_PORTS, LIST_OF_SETS,
    "hash:ip", "hash:ip,port", "hash:ip,port,ip", "hash:ip,port,net",
    "hash:net", "hash:net,net", "hash:net,port", "hash:net,port,net",
})  # fmt: skip
"""What can be asked here: of all kinds those without a MAC, a mark or a device."""
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_LAST_PORT = 0xFFFF
_NAMES = {number: name for name, number in _PROTOCOLS.items()}
_WITH_PLAIN_PORTS = (_PROTOCOLS["tcp"], _PROTOCOLS["udp"])
"""Whose ports a bitmap of ports knows (ip_set_bitmap_port.c ip_set_get_ip_port)."""

_Key = tuple[object, ...]


class IpsetError(K8sTuiError, ValueError):
    """A line that ``ipset save`` does not print."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.args[0]}"


class IpSet:
    """One set: its elements by the lengths of their networks, the smallest networks first."""

    __slots__ = (
        "_by_lengths", "_fields", "_has_protocol", "_header", "_length", "kind", "members"
    )  # fmt: skip

    def __init__(self, kind: str, length: int | None = None, header: str = "") -> None:
        """`length`: of ``netmask``, by which addresses are cut before they are compared.

        `header`: the options that it was created with, as printed.
        """
        self.kind, self._header = kind, header
        self._length = length
        self._fields = tuple(kind.partition(":")[2].split(","))
        self._has_protocol = kind != BITMAP_OF_PORTS
        self._by_lengths: dict[tuple[int, ...], dict[_Key, bool]] = {}
        self.members: dict[str, IpSet] = {}
        """Of a ``list:set``, by name."""

    @classmethod
    def of(cls, kind: str, elements: Mapping[Prefix, bool], header: str = "") -> IpSet:
        """A set of addresses or networks (``hash:ip``, ``hash:net``); False: ``nomatch``."""
        made = cls(kind, header=header)
        for prefix, matches in elements.items():
            made._by_lengths.setdefault((prefix.length,), {})[prefix,] = matches
        made._by_lengths = dict(sorted(made._by_lengths.items(), reverse=True))
        return made

    def save_lines(self, name: str) -> Iterator[str]:
        """What ``ipset save`` prints of the set, ``initval`` left out."""
        yield f"create {name} {self.kind} {self._header}".rstrip()
        timeout = " timeout 0" if "timeout" in self._header.split() else ""
        for element, matches in self.elements():
            yield f"add {name} {element}{timeout}{'' if matches else ' nomatch'}"
        for member in self.members:
            yield f"add {name} {member}{timeout}"

    def elements(self) -> Iterator[tuple[str, bool]]:
        """Its elements as printed; False: ``nomatch``. Members of a list are not among them."""
        for level in self._by_lengths.values():
            for key, matches in level.items():
                yield ",".join(_printed(part) for part in key), matches

    @property
    def version(self) -> int | None:
        """The IP version of its addresses; None: it is of no family (NFPROTO_UNSPEC)."""
        if self.kind in (BITMAP_OF_PORTS, LIST_OF_SETS):
            return None
        return 6 if "inet6" in self._header.split() else 4

    @property
    def has_networks(self) -> bool:
        """Whether an element has a network where the kind says address (``netmask``)."""
        return any(
            name == "ip" and isinstance(part, Prefix) and not _is_whole(part)
            for level in self._by_lengths.values()
            for key in level
            for name, part in zip(self._fields, key, strict=True)
        )

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
                prefix = self._cut(Prefix.parse(text))
                if prefix.address.version != self.version:
                    raise ValueError(f"of another family: {text!r}")
                lengths.append(prefix.length)
                key.append(prefix)
        level = self._by_lengths.get(tuple(lengths))
        if level is None:
            level = self._by_lengths[tuple(lengths)] = {}
            self._by_lengths = dict(sorted(self._by_lengths.items(), reverse=True))
        level[tuple(key)] = matches

    def include(self, name: str, member: IpSet) -> None:
        """Take in a set, into a ``list:set``."""
        self.members[name] = member

    @property
    def of_addresses(self) -> bool:
        """Whether nothing but one address is looked up in it."""
        lists = self.kind == LIST_OF_SETS
        plain = lists or self._fields in (("ip",), ("net",))
        return plain and all(one.of_addresses for one in self.members.values())

    def has(self, address: Address) -> bool:
        """Whether an address is in a set `of_addresses`."""
        if any(member.has(address) for member in self.members.values()):
            return True
        for (length,), level in self._by_lengths.items():
            found = level.get((Prefix.of(address, length),)) if length <= address.bits else None
            if found is not None:
                return found
        return False

    def contains(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Whether the packet's fields, each taken from ``src`` or ``dst``, are in the set."""
        if any(member.contains(packet, directions) for member in self.members.values()):
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
                protocol = int(packet.protocol)
                if self._has_protocol:
                    key.append((protocol, port))
                else:
                    key.append(port if protocol in _WITH_PLAIN_PORTS else None)
            else:
                address = packet.src if is_source else packet.dst
                length = next(left)
                key.append(Prefix.of(address, length) if length <= address.bits else None)
        return tuple(key)

    def _cut(self, prefix: Prefix) -> Prefix:
        if self._length is None or self._length >= prefix.length:
            return prefix
        return Prefix.of(prefix.address, self._length)

    def _port(self, text: str) -> object:
        if not self._has_protocol:
            return _port_number(text)
        protocol, colon, number = text.partition(":")
        if not colon:
            return (_PROTOCOLS["tcp"], _port_number(text))  # what ipset itself takes it for
        if protocol not in _PROTOCOLS:
            raise ValueError(f"a protocol that is not looked at: {protocol!r}")
        return (_PROTOCOLS[protocol], _port_number(number))


def _port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _LAST_PORT):
        raise ValueError(f"not a port: {text!r}")
    return int(text)


def _printed(part: object) -> str:
    if isinstance(part, Prefix):
        return str(part.address if _is_whole(part) else part)
    if isinstance(part, tuple):
        protocol, number = part
        return f"{_NAMES[protocol]}:{number}"
    return str(part)


def _is_whole(prefix: Prefix) -> bool:
    return prefix.length == prefix.address.bits


def _unheard(line: int, text: str) -> None:
    """Nobody asks what is not understood."""


def parse(text: str, doubt: Callable[[int, str], None] = _unheard) -> Mapping[str, IpSet]:
    """The sets of ``ipset save`` or ``ipset list`` by name, each where it is understood as a whole.

    A set of a kind that cannot be asked, or with one element that is not understood, is left out,
    and so is a list that has it: a rule that asks for it cannot be evaluated. `doubt` hears the
    line of each such element, once a set, and what follows.

    Raises:
        IpsetError: a line that ``ipset save`` does not print; it says which.

    """
    sets: dict[str, IpSet] = {}
    unknown: set[str] = set()
    for number, line in _saved(text):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in ("create", "add") or len(words) < 3:
            raise IpsetError(number, f"not what ipset save prints: {line}")
        command, name, what, *options = words
        if command == "create":
            created = _created(what, options)
            if created is None:
                unknown.add(name)
            else:
                sets[name] = created
        elif name in unknown:
            continue
        elif name not in sets:
            raise IpsetError(number, f"no set was created with the name {name!r}")
        elif what in unknown or not _takes(sets, sets[name], what, options):
            del sets[name]
            unknown.add(name)
            doubt(number, f"element {what} is not understood: what set {name} holds is not known")
    return sets


def _saved(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; those of ``ipset list`` as ``ipset save`` prints the same.

    libipset's print_set (lib/session.c list_create, list_adt): a name, a kind, a header, then the
    members. What has no members (``-terse``) is a set of which nothing is known.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line]
    is_list = any(line.startswith("Name: ") for _, line in lines)
    name, kind, header, members = "", "", "", False
    for number, line in lines:
        label, colon, value = line.partition(":")
        if not is_list:
            yield number, line
        elif label == "Name" and colon:
            if name and not members:
                yield number, f"create {name} unknown"
            name, members = value.strip(), False
        elif members and line.strip():
            yield number, f"add {name} {line}"
        elif label == "Type":
            kind = value.strip()
        elif label == "Header":
            header = value.strip()
        elif label == "Members":
            members = True
            yield number, f"create {name} {kind} {header}"
    if name and not members:
        yield lines[-1][0], f"create {name} unknown"


def _created(kind: str, options: list[str]) -> IpSet | None:
    given = dict(pairwise(options))
    if kind not in _KINDS:
        return None
    try:
        length = int(given["netmask"]) if "netmask" in given else None
        if "bitmask" in given:
            length = _length_of(Address.parse(given["bitmask"]))
    except ValueError:
        return None
    # Printed last, and random (ipset(8)); what stands before says of which family the set is.
    return IpSet(kind, length, " ".join(takewhile(lambda word: word != "initval", options)))


def _length_of(mask: Address) -> int:
    ones = mask.value.bit_count()
    if mask.value != (1 << mask.bits) - (1 << (mask.bits - ones)):
        raise ValueError(f"a mask with holes: {mask}")
    return ones


def _takes(sets: Mapping[str, IpSet], into: IpSet, element: str, options: Iterable[str]) -> bool:
    """Put an element in; whether it is understood."""
    if element in sets:
        into.include(element, sets[element])
        return True
    try:
        # A comment is anybody's sentence, and stands last (ipset(8)).
        said = takewhile(lambda word: word != "comment", options)
        into.add(element, matches="nomatch" not in said)
    except ValueError:
        return False
    return True
