"""What `ip -j` and `bridge -j` print, as records that know their line; and their fields by type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.link import device_name

Json = Mapping[str, object]
_SHOWN = 80
"""Characters of a record that a message quotes."""

_T = TypeVar("_T")


class IprouteError(K8sTuiError, ValueError):
    """The text is not what the command prints."""

    line: int | None = None
    """1-based, where it is known."""


class Record(dict[str, object]):
    """An object of a ``-j`` output that knows where it stands."""

    line: int = 1
    """1-based."""


def load(text: str, command: str) -> tuple[Record, ...]:
    """The records of one ``-j`` output.

    Raises:
        IprouteError: not JSON, or not a list of objects.

    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise _at(
            error.lineno, f"{command}: not JSON at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise _at(1, f"{command}: brackets in brackets, hundreds deep") from None
    except ValueError:
        # sys.set_int_max_str_digits
        raise _at(1, f"{command}: a number of thousands of digits") from None
    if not isinstance(data, list):
        raise _at(1, f"{command}: a list of objects is expected")
    # ip prints an empty object where a filter left a record out.
    return tuple(one for one in _records_in(text, command) if one)


def _first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(reversed(pairs))


def _records_in(text: str, command: str) -> Iterator[Record]:
    """The elements of a list, each with the line on which it starts."""
    # What encapsulates prints its own "dst" behind the route's (ip/iproute_lwtunnel.c).
    hook = _first_of_each if '"encap"' in text else None
    decode = json.JSONDecoder(object_pairs_hook=hook).raw_decode
    at, line = text.index("[") + 1, text.count("\n", 0, text.index("[")) + 1
    while True:
        start = at
        while text[at] in " \t\r\n,":
            at += 1
        line += text.count("\n", start, at)
        if text[at] == "]":
            return
        value, end = decode(text, at)
        if not isinstance(value, dict):
            raise _at(line, f"{command}: a list of objects is expected, not {shown(value)}")
        record = Record(value)
        record.line = line
        yield record
        line += text.count("\n", at, end)
        at = end


def _at(line: int, message: str) -> IprouteError:
    error = IprouteError(message)
    error.line = line
    return error


def each(records: Iterable[Json], read: Callable[[Json], _T]) -> Iterator[_T]:
    """Read one by one; what is wrong gets to know its line."""
    for record in records:
        try:
            yield read(record)
        except IprouteError as error:
            if error.line is None and isinstance(record, Record):
                error.line = record.line
            raise


def checked(check: Callable[[str], _T], text: str) -> _T:
    """Check a text; what is wrong with it is an `IprouteError`."""
    try:
        return check(text)
    except ValueError as error:
        raise IprouteError(str(error)) from None


def address_of(record: Json, field: str) -> Address:
    """A field that is an address."""
    return checked(Address.parse, text_of(record, field))


def prefix_of(text: str) -> Prefix:
    """Read ``10.244.1.0/24``, or one address as its whole length."""
    return checked(Prefix.parse, text)


def device_of(record: Json, field: str) -> str:
    """A field that is a device's name."""
    return checked(device_name, text_of(record, field))


def shown(value: object) -> str:
    """The beginning of a value, for a message."""
    return json.dumps(value)[:_SHOWN]


def text_of(record: Json, field: str) -> str:
    """A field that has to be a text."""
    value = record.get(field)
    if not isinstance(value, str):
        wrong = "is missing" if value is None else "is no text"
        raise IprouteError(f"{field!r} {wrong} in {shown(record)}")
    return value


def word_of(record: Json, field: str, default: str) -> str:
    """A name, or a number where iproute2 knows no name for it (lib/rt_names.c)."""
    value = record.get(field, default)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise IprouteError(f"{field!r} is no name in {shown(record)}")
    return str(value)


def texts_of(record: Json, field: str) -> Sequence[str]:
    """A list of words; empty where there is none."""
    value = record.get(field)
    return [str(one) for one in value] if isinstance(value, list) else ()


def records_of(record: Json, field: str) -> Sequence[Json]:
    """A list of objects; empty where there is none."""
    value = record.get(field)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


def number_of(record: Json, field: str, default: int, largest: int) -> int:
    """A number from 0 to `largest`, or `default` where the field is missing."""
    value = record.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise IprouteError(f"{field!r} is no number from 0 to {largest} in {shown(record)}")
    return value
