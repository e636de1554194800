"""Values as they are written: one, a prefix, a range, a beginning of names, flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.nft import index
from k8stui.kernel.nft.datatypes import (
    IFNAME,
    INTEGER,
    IPV4_ADDR,
    IPV6_ADDR,
    Datatype,
    Raw,
    hexadecimal,
)
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.index import Span


class Literal(NamedTuple):
    """One value."""

    type: Datatype
    raw: Raw

    @property
    def types(self) -> tuple[Datatype, ...]:
        return (self.type,)

    @property
    def spans(self) -> Sequence[Span]:
        return index.exactly(self.raw)

    def value(self, _: object, /) -> Raw:
        return self.raw

    def __str__(self) -> str:
        return self.type.write(self.raw)


class Beginning(NamedTuple):
    """``"veth*"``: all names that begin so."""

    type: Datatype
    text: str

    @property
    def types(self) -> tuple[Datatype, ...]:
        return (self.type,)

    @property
    def spans(self) -> Sequence[Span]:
        return index.beginning(self.text)

    def value(self, _: object, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f'"{self.text}*"'


class Network(NamedTuple):
    """``10.0.0.0/8``."""

    type: Datatype
    prefix: Prefix

    @property
    def types(self) -> tuple[Datatype, ...]:
        return (self.type,)

    @property
    def spans(self) -> Sequence[Span]:
        address, length = self.prefix
        bits = address.bits - length
        return ((bits, address.value >> bits),)

    def value(self, _: object, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return str(self.prefix)


class Range(NamedTuple):
    """``1000-2000``."""

    type: Datatype
    first: Raw
    last: Raw

    @property
    def types(self) -> tuple[Datatype, ...]:
        return (self.type,)

    @property
    def spans(self) -> Sequence[Span]:
        first, last = (
            one.value if isinstance(one, Address) else one for one in (self.first, self.last)
        )
        if isinstance(first, str) or isinstance(last, str):
            raise UnknownError(str(self))
        return index.between(first, last)

    def value(self, _: object, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        write = self.type.write_end or self.type.write
        return f"{write(self.first)}-{write(self.last)}"


class Leading(NamedTuple):
    """``0x12340000/16``: all numbers whose first bits are these."""

    type: Datatype
    raw: int
    length: int

    @property
    def types(self) -> tuple[Datatype, ...]:
        return (self.type,)

    @property
    def spans(self) -> Sequence[Span]:
        bits = self.type.bits - self.length
        return ((bits, self.raw >> bits),)

    def value(self, _: object, /) -> Raw:
        raise UnknownError(str(self))

    def __str__(self) -> str:
        return f"{self.type.write(self.raw)}/{self.length}"


Field = Literal | Beginning | Network | Range | Leading
"""What a key says of one of its fields."""


class Fields(NamedTuple):
    """Several, one for each part of a concatenation: ``10.96.0.1 . tcp . 80``."""

    parts: tuple[Field, ...]

    @property
    def types(self) -> tuple[Datatype, ...]:
        return tuple(part.type for part in self.parts)

    def value(self, passage: object, /) -> tuple[Raw, ...]:
        return tuple(part.value(passage) for part in self.parts)

    def __str__(self) -> str:
        return " . ".join(map(str, self.parts))


def constant(word: str) -> Literal | None:
    """What a value seems to be whose type nothing tells."""
    if word.startswith('"'):
        return Literal(IFNAME, word.strip('"'))
    types = (hexadecimal(32) if word.startswith("0x") else INTEGER, IPV4_ADDR, IPV6_ADDR)
    return next((Literal(one, one.read(word)) for one in types if is_one(word, one)), None)


def read(word: str, type_: Datatype) -> Field:
    """A value, prefix or range, as it is written.

    Raises:
        ValueError: none of this type.

    """
    first, between, last = word.strip('"').partition('"-"')
    if between:
        return Range(type_, type_.read(first), type_.read(last))
    text = word.strip('"')
    if word.startswith("["):
        text = word[1:-1]
    if text.endswith("*") and text[:-1] and type_.name == "ifname":
        if text.endswith("\\*"):
            return Literal(type_, text)
        return Beginning(type_, text[:-1])
    if type_.name in ("ipv4_addr", "ipv6_addr"):
        return _address(text, type_)
    try:
        return Literal(type_, type_.read(text))
    except ValueError:
        if not type_.bits:
            raise
        first, slash, length = text.partition("/")
        if slash and length.isdecimal() and len(length) < 4 and int(length) <= type_.bits:
            return _leading(type_.read(first), type_, int(length))
        first, dash, last = text.partition("-")
        if not dash:
            raise
        return Range(type_, type_.read(first), type_.read(last))


def _leading(raw: Raw, type_: Datatype, length: int) -> Leading:
    if not isinstance(raw, int):
        raise ValueError(f"no number: {raw}")  # noqa: TRY004 - of what is read
    return Leading(type_, raw, length)


def _address(text: str, type_: Datatype) -> Field:
    first, dash, last = text.partition("-")
    if dash:
        return Range(type_, type_.read(first), type_.read(last))
    host, slash, _ = text.partition("/")
    address = type_.read(host)
    assert isinstance(address, Address)
    if slash:
        prefix = Prefix.parse(text)
        if prefix.length < address.bits:
            return Network(type_, prefix)
    return Literal(type_, address)


def is_one(word: str, type_: Datatype) -> bool:
    """Whether it can be read."""
    try:
        read(word, type_)
    except ValueError:
        return False
    return bool(word)
