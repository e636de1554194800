"""One mistake as the API server sees it: which field, and what kind of wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

from k8stui.apiserver.validation import formats
from k8stui.manifests.manifest import Path
from k8stui.record import record


class Wrong(StrEnum):
    """The server's kinds of mistakes (apimachinery/pkg/util/validation/field/errors.go)."""

    REQUIRED = "Required value"
    INVALID = "Invalid value"
    UNSUPPORTED = "Unsupported value"
    DUPLICATE = "Duplicate value"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "Not found"
    TOO_LONG = "Too long"
    TOO_MANY = "Too many"


@record()
class Mistake:
    """Something for which the server refuses an object, by the field that it would name."""

    path: Path
    """The field that the server names."""
    wrong: Wrong
    message: str
    """What a person reads behind the field's name: "is 'http', as that of spec.ports[0]"."""
    at: Path = ()
    """Where it is written, when that is not `path`: the one label of a map."""
    at_key: bool = False
    """The key is wrong, not its value."""
    mended: str = ""
    """What was probably meant, to be written in place of the value."""
    hint: str = ""
    placeholder: bool = False
    """The value is to be filled in by somebody (``MEMORY_LIMIT``, ``{{cpu}}m``)."""
    since: str = ""
    """The first release whose servers mind it; older ones take the object."""
    alternative: bool = False
    """Who has it already is a variant of the same object, in another file."""


Check = Callable[[Mapping[str, object]], Iterator[Mistake]]
"""Takes an object's data."""


def one_of(path: Path, word: str, allowed: Sequence[str], at: Path = ()) -> Iterator[Mistake]:
    """A mistake when `word` is written and not of a closed set."""
    if word and word not in allowed:
        message = f"is {word!r}; it is one of {', '.join(allowed)}"
        mended = next((one for one in allowed if one.lower() == word.lower()), "")
        yield Mistake(path, Wrong.UNSUPPORTED, message, at, mended=mended)


def one_range(
    path: Path, written: str, example: str = "10.0.0.0/8", at: Path = ()
) -> Iterator[Mistake]:
    """A mistake when `written` is no range of addresses (IsValidCIDRForLegacyField).

    Bits behind its length are one since StrictIPCIDRValidation is on by default, and so are
    IPv4-mapped addresses.
    """
    if not formats.is_cidr(written):
        yield Mistake(path, Wrong.INVALID, f"{written!r} is no range such as {example}", at)
    elif network := formats.unmapped(written):
        message = f"{written!r} is an IPv4 range, written as one of IPv6"
        yield Mistake(path, Wrong.INVALID, message, at, mended=network, since="1.36")
    elif network := formats.network_of(written):
        message = f"{written!r} has bits behind its length: servers before 1.36 read {network}"
        yield Mistake(path, Wrong.INVALID, message, at, mended=network, since="1.36")


def not_negative(of: Mapping[str, object], names: Sequence[str], base: Path) -> Iterator[Mistake]:
    """Numbers that may be 0, but not less."""
    for name in names:
        value = of.get(name)
        if value.__class__ is int and value < 0:
            yield Mistake((*base, name), Wrong.INVALID, f"is {value}; 0 is the least")
