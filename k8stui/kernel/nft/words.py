"""The words of a rule, and what reads them piece by piece.

Each expression and statement reads its own words (`nft.expressions`, `nft.statements`). What may
stand within it, it asks of the `Words`: so none of them has to know the others. The grammar that
binds them (concatenations, bits, maps, sets) is here, after src/parser_bison.y.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from k8stui.kernel.nft import literal
from k8stui.kernel.nft.combined import SHIFTS, Bits, Concatenation
from k8stui.kernel.nft.datatypes import IFNAME, INTEGER, OBJECT, Datatype
from k8stui.kernel.nft.element import Held
from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft.expression import Expression, Types
from k8stui.kernel.nft.literal import Field, Literal
from k8stui.kernel.nft.lookup import Among, AnonymousSet, NamedSet
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.statement import Statement
from k8stui.kernel.nft.verdict import PLAIN, TO_A_CHAIN, Said

_WORD = re.compile(
    r'"[^"]*"|:(?=[A-Za-z])|@[\w.,/-]+|\[[0-9a-fA-F:.]+\]|==|!=|<=|>=|<<|>>|[{}(),;&|^=<>!]'
    r'|/(?=\s|$)|[^\s{}(),;&|^=<>!"@]+|\S'
)
_BITS: tuple[Mapping[str, str], ...] = (
    {"|": "|", "or": "|"},
    {"^": "^", "xor": "^"},
    {"&": "&", "and": "&"},
    {"<<": "<<", "lshift": "<<", ">>": ">>", "rshift": ">>"},
)
"""From what binds loosest to what binds most."""
_DEEPEST = 50
_TOO_DEEP = f"more than {_DEEPEST} within each other"
_FURTHER = frozenset({"timeout", "expires", "counter", "comment", "limit", "quota", "last"})


class Grammar(NamedTuple):
    """What the registries know."""

    expressions: Mapping[str, Callable[[Words], Expression]]
    """By the word that each begins with."""
    statements: Mapping[str, Callable[[Words], Statement]]
    """By the word, or the two words, that each begins with."""
    behind: Mapping[str, Callable[[Words, Expression], Statement]]
    """Those that begin with an expression, by the word behind that; empty: all others."""


class Words:
    """The words of one rule or element that are not read yet."""

    __slots__ = ("_at", "_depth", "_grammar", "_places", "_text", "_words")

    def __init__(self, text: str, grammar: Grammar) -> None:
        self._text = text
        self._grammar = grammar
        found = list(_WORD.finditer(text))
        self._words = [match[0] for match in found]
        self._places = [match.start() for match in found]
        self._at = 0
        self._depth = 0

    # One by one

    @property
    def ahead(self) -> str:
        """The next word; empty at the end."""
        return self._words[self._at] if self._at < len(self._words) else ""

    @property
    def further(self) -> str:
        """The word after that."""
        return self._words[self._at + 1] if self._at + 1 < len(self._words) else ""

    @property
    def place(self) -> int:
        """Where the next word stands, for `rest`."""
        return self._at

    def take(self) -> str:
        """The next word.

        Raises:
            NftError: there is none.

        """
        if self._at >= len(self._words):
            raise NftError("something is missing at the end")
        self._at += 1
        return self._words[self._at - 1]

    def has(self, *words: str) -> bool:
        """Take these words if they come next."""
        end = self._at + len(words)
        if tuple(self._words[self._at : end]) != words:
            return False
        self._at = end
        return True

    def expect(self, word: str) -> None:
        """Take this word.

        Raises:
            NftError: another one comes.

        """
        if not self.has(word):
            raise NftError(f"{word} is missing before {self.ahead or 'the end'}")

    def number(self, bits: int = 64) -> int:
        """A number as it is written, of so many bits at most.

        Raises:
            NftError: none.

        """
        raw = self._literal(INTEGER)
        if not isinstance(raw, Literal) or not isinstance(raw.raw, int) or raw.raw >> bits:
            raise NftError(f"not a number of {bits} bits: {raw}")
        return raw.raw

    def name(self) -> str:
        """A string, with quotes or without."""
        return self.take().strip('"')

    def go_back(self, place: int) -> None:
        """Read again from there."""
        self._at = place

    def rest(self, place: int) -> str:
        """The text from a place on; nothing is left then."""
        self._at = len(self._words)
        return self._text[self._places[place] :] if place < len(self._places) else ""

    # What stands within

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        """What is read here stands within something else.

        Raises:
            NftError: that within others, more than anybody writes.

        """
        if self._depth == _DEEPEST:
            raise NftError(_TOO_DEEP)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def statement(self) -> Statement:
        """The next statement.

        Raises:
            NftError: it is not understood.

        """
        with self._deeper():
            return self._statement()

    def _statement(self) -> Statement:
        statements = self._grammar.statements
        read = statements.get(f"{self.ahead} {self.further}") or statements.get(self.ahead)
        if read is not None:
            return read(self)
        left = self.expression()
        behind = self._grammar.behind
        return (behind.get(self.ahead) or behind[""])(self, left)

    def expression(self, expected: Types = ()) -> Expression:
        """An expression; literals in it are of the types that are expected.

        Raises:
            NftError: it is not understood.

        """
        with self._deeper():
            return self._expression(expected)

    def _expression(self, expected: Types) -> Expression:
        parts = [self._bits(0, expected[:1])]
        while self.has("."):
            parts.append(self._bits(0, expected[len(parts) : len(parts) + 1]))
        key = Concatenation(tuple(parts)) if len(parts) > 1 else parts[0]
        if self.ahead == "map" and not expected:
            raise NftError("what the map leads to is not known")
        if self.has("map"):
            return Mapped(key, self.collection(key.types, expected), expected)
        return key

    def expression_of_one(self, *candidates: Types) -> Expression:
        """An expression whose literals are of one of these types: which, they themselves tell.

        Raises:
            NftError: it is not understood.

        """
        place = self.place
        for expected in candidates[:-1]:
            try:
                return self.expression(expected)
            except NftError:
                self.go_back(place)
        return self.expression(candidates[-1])

    def object(self) -> Expression:
        """The name of a counter, limit, helper …, or a map that leads to it (nft_objref.c).

        Raises:
            NftError: it is not understood.

        """
        return self.expression((OBJECT,))

    def collection(self, key: Types, data: Types | None = None) -> Among:
        """A set or, with `data`, a map: ``{ … }`` or ``@…``; empty `data`: verdicts."""
        if self.ahead.startswith("@"):
            return NamedSet(self.take()[1:])
        self.expect("{")
        held = [self.element(key, data)]
        while self.has(","):
            if self.ahead == "}":
                break
            held.append(self.element(key, data))
        self.expect("}")
        return AnonymousSet(tuple(held))

    def element(self, key: Types, data: Types | None) -> Held:
        """An element; `data` as for `collection`."""
        fields: tuple[Field, ...] = () if self.has("*") else self.fields(key, in_set=True)
        start = self._at
        while self.ahead in _FURTHER:
            self._further()
        end = self._at
        further = self._text[self._places[start] : self._end(end - 1)] if end > start else ""
        if data is None:
            return Held(fields, None, further)
        self.expect(":")
        if not data:
            return Held(fields, self.verdict(), further)
        return Held(fields, self.fields(data), further)

    def _end(self, place: int) -> int:
        return self._places[place] + len(self._words[place])

    def _further(self) -> None:
        # Of a statement that each element carries nothing is evaluated: it only has to end.
        word = self.take()
        if word in ("timeout", "expires", "comment"):
            self.take()
            return
        while self.ahead not in (",", "}", ":", "") and self.ahead not in _FURTHER:
            self.take()

    def verdict(self) -> Said:
        """What an element of a verdict map leads to."""
        kind = self.take()
        if kind in TO_A_CHAIN:
            return Said(kind, self.name())
        if kind not in PLAIN:
            raise NftError(f"no verdict: {kind}")
        return Said(kind)

    # Literals

    def fields(self, types: Types, *, in_set: bool = False) -> tuple[Field, ...]:
        """A literal of each type, with dots between them."""
        found: list[Field] = []
        for type_ in types:
            if found:
                self.expect(".")
            found.append(self.literal(type_, in_set=in_set))
        return tuple(found)

    def literal(self, type_: Datatype, *, in_set: bool = False) -> Field:
        """One value, prefix or range; of flags all that are listed.

        Raises:
            NftError: none of this type.

        """
        found = self._literal(type_)
        while type_.is_bitmask and (self.has("|") or (not in_set and self.has(","))):
            more = self._literal(type_)
            if not isinstance(found, Literal) or not isinstance(more, Literal):
                raise NftError("a range of flags")
            assert isinstance(found.raw, int)
            assert isinstance(more.raw, int)
            found = Literal(type_, found.raw | more.raw)
        return found

    def _literal(self, type_: Datatype) -> Field:
        word = self.take()
        if word.startswith('"') and self.ahead == "-" and self.further.startswith('"'):
            word += self.take() + self.take()
        try:
            return literal.read(word, type_)
        except ValueError as error:
            raise NftError(str(error)) from None

    # Bits

    def _bits(self, level: int, expected: Types) -> Expression:
        if level == len(_BITS):
            return self._single(expected)
        left = self._bits(level + 1, expected)
        count = 0
        while operator := _BITS[level].get(self.ahead):
            self.take()
            count += 1
            if count > _DEEPEST:  # each stands within the one before
                raise NftError(_TOO_DEEP)
            counted = operator in SHIFTS
            right = self._bits(level + 1, (INTEGER,) if counted else left.types or expected)
            left = _flags(left, operator, right) or Bits(left, operator, right)
        return left

    def _single(self, expected: Types) -> Expression:
        if self.has("("):
            inner = self.expression(expected)
            self.expect(")")
            return inner
        # ``ip protocol tcp``: there it is a value, not the beginning of a field's name.
        read = self._reads_field
        # Any word is a name but those by which expressions begin.
        is_value = expected and (read is None or expected[0] not in (IFNAME, OBJECT))
        if is_value and literal.is_one(self.ahead, expected[0]):
            return self.literal(expected[0], in_set=True)
        return read(self) if read is not None else self._constant()

    @property
    def _reads_field(self) -> Callable[[Words], Expression] | None:
        known = self._grammar.expressions
        first = self.ahead.partition(",")[0]  # @nh,96,32
        return known.get(f"{first} {self.further}") or known.get(first)

    def field(self) -> Expression:
        """An expression that is no value, and is not made of others.

        Raises:
            NftError: there is none.

        """
        read = self._reads_field
        if read is None:
            raise NftError(f"not understood: {self.ahead or 'the end'}")
        with self._deeper():
            return read(self)

    def _constant(self) -> Expression:
        """A value of which nothing says the type: in a key beside what the packet has."""
        found = literal.constant(self.ahead)
        if found is None:
            raise NftError(f"not understood: {self.ahead or 'the end'}")
        self.take()
        return found


def _flags(left: Expression, operator: str, right: Expression) -> Literal | None:
    """``fin | syn`` is one value."""
    if operator != "|" or not isinstance(left, Literal) or not isinstance(right, Literal):
        return None
    if not isinstance(left.raw, int) or not isinstance(right.raw, int):
        return None
    return Literal(left.type, left.raw | right.raw)
