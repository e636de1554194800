"""From a rule's text to its statements, and from a set's to what can be looked up in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from k8stui.kernel.derived import Derived
from k8stui.kernel.nft.compatible import leaves_out
from k8stui.kernel.nft.datatypes import BY_NAME, OBJECT, Raw
from k8stui.kernel.nft.element import Found, Held
from k8stui.kernel.nft.errors import NftError, UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.expressions import EXPRESSIONS
from k8stui.kernel.nft.index import Finds, Index, of
from k8stui.kernel.nft.statement import Statement, Unknown
from k8stui.kernel.nft.statements import BEHIND, STATEMENTS
from k8stui.kernel.nft.words import Grammar, Words
from k8stui.kernel.nft_ruleset import Asked, Element, NftSet

_GRAMMAR = Grammar(EXPRESSIONS, STATEMENTS, BEHIND)


@lru_cache(maxsize=65536)
def statements(text: str) -> tuple[Statement, ...]:
    """What a rule asks and does, one after the other.

    What is not understood stays as it is, with all that comes behind it.
    """
    if leaves_out(text):
        return (
            Unknown("what iptables-nft shows and nft does not; run on the node: iptables-save"),
        )
    words = Words(text, _GRAMMAR)
    found: list[Statement] = []
    while words.ahead:
        place = words.place
        try:
            found.append(words.statement())
        except ValueError:  # NftError, and what is no number
            found.append(Unknown(words.rest(place)))
    return tuple(found)


def types_of_key(one: NftSet) -> Types:
    """Of each field of its key the type.

    Raises:
        UnknownError: one is not known.

    """
    return _types(one.key, is_typeof=one.is_typeof)


def types_of_data(one: NftSet) -> Types | None:
    """As `Words.collection` wants them."""
    if not one.data:
        return None
    if one.data == "verdict":
        return ()
    is_object = BY_NAME.get(one.data) is OBJECT  # also where the key is told by ``typeof``
    return _types(one.data.removeprefix("interval "), is_typeof=one.is_typeof and not is_object)


@lru_cache(maxsize=1024)
def _types(text: str, *, is_typeof: bool) -> Types:
    if is_typeof:
        try:
            return Words(text, _GRAMMAR).expression().types
        except ValueError as error:
            raise UnknownError(f"typeof {text}: {error}") from None
    try:
        return tuple(BY_NAME[word] for word in text.split(" . "))
    except KeyError as error:
        raise UnknownError(f"type {error.args[0]}") from None


def held(one: NftSet, element: Element) -> Held:
    """What an element says.

    Raises:
        UnknownError: it is not understood.

    """
    try:
        return read_element(element.text, types_of_key(one), types_of_data(one))
    except ValueError as error:
        raise UnknownError(f"{one.kind} {one.name}, element {element.text}: {error}") from None


@lru_cache(maxsize=65536)
def read_element(text: str, key: Types, data: Types | None) -> Held:
    """What an element says, of fields of these types.

    Raises:
        ValueError: it is not understood.

    """
    words = Words(text, _GRAMMAR)
    found = words.element(key, data)
    if words.ahead:
        raise NftError("more than an element")
    return found


class _Asking(NamedTuple):
    """An index that asks the elements themselves."""

    asked: NftSet
    elements: Asked

    def find(self, key: Sequence[Raw], /) -> Found | None:
        """What stands there."""
        element = self.elements.at(key)
        return Found(element, held(self.asked, element)) if element is not None else None


class _Partly(NamedTuple):
    """An index of what was understood: where the others stand is not known."""

    read: Index[Found]
    unread: str
    may_overlap: bool
    """A wider element may stand beside a narrower one (nft_set_pipapo.c nft_pipapo_insert)."""

    def find(self, key: Sequence[Raw], /) -> Found | None:
        """What stands there; of a map, only if no other element can lead elsewhere.

        Raises:
            UnknownError: what was not understood may stand there.

        """
        found = self.read.find(key)
        if found is not None and found.held.data is None:
            return found
        if found is None or self.may_overlap or not found.held.key:
            raise UnknownError(self.unread)
        return found


def _index(one: NftSet) -> Finds[Found]:
    found: list[Found] = []
    unread = ""
    for element in one.elements:
        try:
            found.append(Found(element, held(one, element)))
        except UnknownError as error:
            unread = unread or str(error)
    made = of(([part.spans for part in one.held.key], one) for one in found)
    if not unread:
        return made
    return _Partly(made, unread, may_overlap="interval" in one.flags and " . " in one.key)


_indexes = Derived(_index)


def index_of(one: NftSet) -> Finds[Found]:
    """What stands in a set, by its keys; made once for each set."""
    if isinstance(one.elements, Asked):
        return _Asking(one, one.elements)
    return _indexes.of(one)
