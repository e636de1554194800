"""``dnat to``, ``snat to`` (nft_nat.c; src/statement.c nat_stmt_print)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.nft.datatypes import INET_SERVICE, IPV4_ADDR, IPV6_ADDR, Datatype
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.literal import Field, Literal, Network, Range
from k8stui.kernel.nft.literal import read as literal
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words
from k8stui.kernel.verdict import Dnat, Netmap, Snat

FLAGS = ("random", "fully-random", "persistent")
_FAMILIES = {"ip": IPV4_ADDR, "ip6": IPV6_ADDR}


class Ports(NamedTuple):
    """``:80``, ``:80-90``, ``:tcp dport map { … }``."""

    of: Expression

    def between(self, passage: Passage) -> tuple[int, int]:
        """First and last."""
        (field,) = fields_of(self.of, passage)
        return port_range(field)

    def __str__(self) -> str:
        return f":{self.of}"


def fields_of(of: Expression, passage: Passage) -> tuple[Field, ...]:
    """What is written, here or in the map that is asked."""
    if isinstance(of, Mapped):
        return of.fields(passage)
    if isinstance(of, Field):
        return (of,)
    value = of.value(passage)
    values = value if type(value) is tuple else (value,)
    return tuple(
        Literal(type_, raw)  # type: ignore[arg-type]
        for type_, raw in zip(of.types, values, strict=True)
    )


def port_range(field: Field) -> tuple[int, int]:
    """First and last port."""
    if isinstance(field, Range) and isinstance(field.first, int) and isinstance(field.last, int):
        return field.first, field.last
    if isinstance(field, Literal) and isinstance(field.raw, int):
        return field.raw, field.raw
    raise UnknownError(str(field))


class Nat(NamedTuple):
    """To which address, which port, or both."""

    kind: str
    family: str = ""
    prefix: bool = False
    address: Expression | None = None
    """Or, of a map, address and port."""
    ports: Ports | None = None
    flags: tuple[str, ...] = ()

    def do(self, passage: Passage, /) -> None:
        fields = fields_of(self.address, passage) if self.address is not None else ()
        ports = self.ports.between(passage) if self.ports is not None else None
        if len(fields) == 2:
            ports = port_range(fields[1])
        addresses = None
        if fields:
            if isinstance(fields[0], Network):
                passage.end(Netmap(fields[0].prefix))
            addresses = _addresses(fields[0])
            if addresses[0].version != passage.version:
                raise UnknownError(str(self))
        drawn = "random" in self.flags or "fully-random" in self.flags
        persistent = "persistent" in self.flags
        if self.kind == "dnat":
            if drawn and ports is not None and ports[0] != ports[1]:
                raise UnknownError(f"{self}: it draws the port")
            passage.end(Dnat(addresses, ports, random=drawn, persistent=persistent))
        passage.end(
            Snat(
                addresses,
                ports,
                random="random" in self.flags,
                persistent=persistent,
                random_fully="fully-random" in self.flags,
            )
        )

    @property
    def _leads_to_both(self) -> bool:
        return self.address is not None and len(self.address.types) == 2

    def sent(self) -> str:
        """As nft reads it: of addresses with ports it has to be told."""
        if not self._leads_to_both:
            return str(self)
        return self._written(" addr . port")

    def __str__(self) -> str:
        return self._written(" prefix" if self.prefix else "")

    def _written(self, further: str) -> str:
        family = f" {self.family}" if self.family else ""
        address = "" if self.address is None else str(self.address)
        if self.ports is not None and isinstance(self.address, Literal | Range):
            address = _in_brackets(address)
        flags = f" {','.join(self.flags)}" if self.flags else ""
        return f"{self.kind}{family}{further} to {address}{self.ports or ''}{flags}"


def _in_brackets(address: str) -> str:
    """As an IPv6 address, or each end of a range, stands before a port."""
    return "-".join(f"[{end}]" for end in address.split("-")) if ":" in address else address


def _addresses(field: Field) -> tuple[Address, Address]:
    if isinstance(field, Range):
        first, last = field.first, field.last
    elif isinstance(field, Literal):
        first = last = field.raw
    else:
        raise UnknownError(str(field))
    if not isinstance(first, Address) or not isinstance(last, Address):
        raise UnknownError(str(field))
    return first, last


def flags(words: Words) -> tuple[str, ...]:
    """``random,persistent`` at the end."""
    found = []
    while words.ahead in FLAGS:
        found.append(words.take())
        words.has(",")
    return tuple(sorted(found, key=FLAGS.index))


def ports(words: Words) -> Ports | None:
    """``:80`` if it comes next."""
    if not words.ahead.startswith(":"):
        return None
    if words.has(":"):
        return Ports(words.expression((INET_SERVICE,)))
    return Ports(_literal(words.take()[1:], INET_SERVICE))


def _literal(text: str, type_: Datatype) -> Field:
    try:
        return literal(text, type_)
    except ValueError as error:
        raise NftError(str(error)) from None


def _read(words: Words) -> Nat:
    kind = words.take()
    family = words.take() if words.ahead in _FAMILIES else ""
    both = words.has("addr", ".", "port")
    prefix = words.has("prefix")
    words.expect("to")
    found = ports(words)
    if found is not None:
        return Nat(kind, family, prefix, None, found, flags(words))
    address, found = _address(words, family, both=both)
    return Nat(kind, family, prefix, address, found or ports(words), flags(words))


def _address(words: Words, family: str, *, both: bool) -> tuple[Expression, Ports | None]:
    word = words.ahead
    if word.startswith("["):
        words.take()
        if not words.ahead.startswith("-["):
            return _literal(word, IPV6_ADDR), None
        last, _, port = words.take()[2:].partition("]")
        to = Ports(_literal(port[1:], INET_SERVICE)) if port else None
        return _literal(f"{word[1:-1]}-{last}", IPV6_ADDR), to
    if word[:1].isdecimal() and "." in word:
        words.take()
        host, colon, port = word.partition(":")
        return _literal(host, IPV4_ADDR), (Ports(_literal(port, INET_SERVICE)) if colon else None)
    if ":" in word:
        words.take()
        return _literal(word, IPV6_ADDR), None
    return _map(words, family, both=both), None


def _map(words: Words, family: str, *, both: bool) -> Expression:
    """A map, of which only its elements tell whether it has ports too."""
    types = [_FAMILIES[family]] if family else [IPV4_ADDR, IPV6_ADDR]
    expected: list[Types] = [(type_, INET_SERVICE) for type_ in types]
    return words.expression_of_one(*expected, *(() if both else ((type_,) for type_ in types)))


def _said(said: Json, say: Say) -> str:
    family = f" {said['family']}" if "family" in said else ""
    prefix = " prefix" if "prefix" in say.several(said.get("type_flags", ())) else ""
    address = say(said["addr"]).replace('"-"', "-").strip('"') if "addr" in said else ""
    port = f":{say(said['port'])}" if "port" in said else ""
    if port and "map" not in address:
        address = _in_brackets(address)
    flags = ",".join(flag for flag in say.several(said.get("flags", ())) if flag in FLAGS)
    return f"{say.word}{family}{prefix} to {address}{port} {flags}".rstrip()


GRAMMAR = {"dnat": _read, "snat": _read}
JSON: Mapping[str, Spoken] = {"dnat": _said, "snat": _said}
