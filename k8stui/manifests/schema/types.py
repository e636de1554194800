"""What a field of an object may hold: the words that the tables are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from k8stui.record import record


@record()
class Scalar:
    """A scalar of one of the API's types."""

    words: str
    """How a message calls it: "a number"."""
    types: tuple[type, ...]
    low: int | None = None
    high: int | None = None
    private: bool = False
    """People write into it what they like, passwords too: quoted on request only (`secrecy`)."""


@record()
class OneOf:
    """A string out of a closed set."""

    values: tuple[str, ...]
    fills: bool = False
    """The empty text is filled in as if nothing was written: the Go type is no pointer
    (core/v1 defaults.go)."""


@record()
class ListOf:
    """A list of one type."""

    item: Type


@record()
class MapOf:
    """Free keys, scalars of one type: labels, annotations."""

    value: Scalar


@record()
class Struct:
    """An object with named fields; `name` is how a message calls it."""

    name: str
    fields: Mapping[str, Type] = field(hash=False)
    required: tuple[str, ...] = ()


@record()
class Anything:
    """A known name whose value is not looked at; it may hold anything, passwords too."""


Type = Scalar | OneOf | ListOf | MapOf | Struct | Anything

ANY = Anything()
STRING = Scalar("a text", (str,))
INTEGER = Scalar("a whole number", (int,))
BOOLEAN = Scalar("true or false", (bool,))
COUNT = Scalar("a whole number from 0", (int,), 0)
PORT = Scalar("a port number from 1 to 65535", (int,), 1, 65535)
PORT_OR_NAME = Scalar("a port number from 1 to 65535 or a port's name", (int, str), 1, 65535)
QUANTITY = Scalar("a quantity such as 500m or 1Gi", (str, int, float))
NUMBER_OR_TEXT = Scalar("a whole number or a text", (int, str))
FREE = Scalar("a text", (str,), private=True)
STRINGS = MapOf(STRING)
TEXTS = ListOf(STRING)
WORDS = ListOf(FREE)
"""A command line."""
PROTOCOLS = ("TCP", "UDP", "SCTP")
PROTOCOL = OneOf(PROTOCOLS, fills=True)


def struct(
    name: str, text: str = "", *, required: str = "", unread: str = "", **typed: Type
) -> Struct:
    """`text`: fields that are strings; `unread`: those whose value is not looked at."""
    fields: dict[str, Type] = dict.fromkeys(unread.split(), ANY)
    fields |= dict.fromkeys(text.split(), STRING) | typed
    return Struct(name, fields, tuple(required.split()))
