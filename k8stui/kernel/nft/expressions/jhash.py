"""A number hashed out of fields: ``jhash ip saddr mod 2``, ``symhash mod 2`` (nft_hash.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.address import Address
from k8stui.kernel.address_hash import jhash
from k8stui.kernel.nft.chance import outcome
from k8stui.kernel.nft.datatypes import INTEGER, Datatype, Value, fields_of
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json, Say, Spoken
from k8stui.kernel.nft.words import Words


class Hash(NamedTuple):
    """A number below `most`, and `offset`.

    ``jhash`` with its seed is worked out as the kernel does. Without, the kernel draws a seed when
    the rule is made, and ``symhash`` takes a secret one: as likely each.
    """

    of: Expression | None
    """None: ``symhash``, of the addresses and ports."""
    most: int
    seed: int | None = None
    offset: int = 0

    @property
    def types(self) -> Types:
        return (INTEGER,)

    @property
    def numbers(self) -> range | None:
        """Those that are drawn from."""
        if self.of is not None and self.seed is not None:
            return None
        return range(self.offset, self.offset + self.most)

    def value(self, passage: Passage, /) -> Value:
        if self.of is None or self.seed is None:
            return outcome(self, passage, lambda number: number)
        fields = fields_of(self.of.value(passage))
        if len(fields) == 1 and not isinstance(fields[0], Address):
            raise UnknownError(str(self))  # a length of its own, which no word fills
        key = b"".join(map(_register, self.of.types, fields))
        return (jhash(key, self.seed) * self.most >> 32) + self.offset

    def __str__(self) -> str:
        kind = f"jhash {self.of}" if self.of is not None else "symhash"
        seed = f" seed {self.seed:#x}" if self.seed is not None else ""
        offset = f" offset {self.offset}" if self.offset else ""
        return f"{kind} mod {self.most}{seed}{offset}"


def _register(type_: Datatype, field: object) -> bytes:
    """How the kernel holds a field: network order, filled up to words of four bytes."""
    if isinstance(field, Address):
        return field.packed
    if not isinstance(field, int) or type_.bits not in (8, 16):
        raise UnknownError(f"jhash of {type_.name}")
    return field.to_bytes(type_.bits // 8).ljust(4, b"\0")


def _jhash(words: Words) -> Hash:
    words.expect("jhash")
    return _numbered(words, words.expression())


def _symhash(words: Words) -> Hash:
    words.expect("symhash")
    return _numbered(words, None)


def _numbered(words: Words, of: Expression | None) -> Hash:
    words.expect("mod")
    most = words.number(32)
    if not most:
        raise NftError("mod 0")
    seed = words.number(32) if words.has("seed") else None
    return Hash(of, most, seed, words.number(32) if words.has("offset") else 0)


GRAMMAR = {"jhash": _jhash, "symhash": _symhash}


def _said(said: Json, say: Say) -> str:
    seed = f" seed {said['seed']}" if "seed" in said else ""
    of = f"{say.word} {say(said['expr'])}" if "expr" in said else say.word
    return f"{of} mod {said['mod']}{seed} offset {said.get('offset', 0)}"


JSON: Mapping[str, Spoken] = {"jhash": _said, "symhash": _said}
