"""Plain YAML scalars as kubectl reads them: go-yaml v2's resolver, then sigs.k8s.io/yaml to JSON.

Source: go-yaml v2 ``resolve.go`` (resolveTable, resolveMap, resolve) and the measured table in
docs/facts/speed.md section 2, "YAML semantics". PyYAML's own resolver is YAML 1.1 of another taste
(``12:30:45`` is a number there) and is not used.
"""

from __future__ import annotations

import base64
import re
from decimal import Decimal


def _cased(*words: str) -> list[str]:
    """Each word in the three ways that count: ``yes``, ``Yes``, ``YES``."""
    return [form for word in words for form in (word, word.capitalize(), word.upper())]


_WORDS: dict[str, object] = {
    **dict.fromkeys(["y", "Y", *_cased("yes", "true", "on")], True),
    **dict.fromkeys(["n", "N", *_cased("no", "false", "off")], False),
    **dict.fromkeys(["", "~", *_cased("null")]),
}
_HINTS = frozenset("+-.0123456789yYnNtTfFoO~")
"""A scalar that starts otherwise (and is not empty) is a string (resolveTable)."""
_NOT_JSON = frozenset(
    [".nan", ".NaN", ".NAN"]
    + [sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")]
)
_INTEGER = re.compile(
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST = 100
"""Letters of a scalar that may come again."""
_MOST = 10_000
"""Scalars that are remembered at a time."""
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}


class ScalarError(ValueError):
    """A scalar that has no JSON value: ``.inf``, ``.NaN``, a broken ``!!binary``."""


def resolve(text: str) -> object:
    """Value of a plain (unquoted, untagged) scalar: str, int, float, bool or None.

    Raises:
        ScalarError: kubectl refuses it too (no JSON value).

    """
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_JSON:
        raise ScalarError(f"{text} has no value in JSON")
    first = text[0]
    if first == ".":
        return _float(text, text)
    if first in "+-0123456789":
        plain = text.replace("_", "")
        return _integer(plain, text) if plain else text
    return text


class Resolved(dict[str, object]):
    """Text of a plain scalar → its value; what was resolved is remembered for a while.

    Raises ScalarError as `resolve` does.
    """

    def __missing__(self, text: str) -> object:
        value = resolve(text)
        if len(text) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[text] = value
        return value


def is_string(text: str) -> bool:
    """Whether a plain scalar of this text is this very string."""
    try:
        return resolve(text) == text and text != ""
    except ScalarError:
        return False


def tagged(tag: str, text: str) -> object:
    """Value of a scalar with an explicit tag. Unknown tags make strings, never objects.

    Raises:
        ScalarError: the text does not fit the tag.

    """
    short = tag.removeprefix("tag:yaml.org,2002:")
    if short == "binary":
        try:
            return base64.b64decode(text, validate=False).decode(errors="replace")
        except ValueError:  # binascii.Error is one, text beyond ASCII another
            raise ScalarError("!!binary content is not base64") from None
    if short in ("int", "float", "bool", "null", "timestamp"):
        value = resolve(text)
        if short in ("int", "float", "bool") and (
            isinstance(value, str) or value is None or isinstance(value, bool) != (short == "bool")
        ):
            raise ScalarError(f"{text!r} is no !!{short}")
        return None if short == "null" else text if short == "timestamp" else value
    return text


def key_text(value: object) -> str | None:
    """Write a resolved map key as sigs.k8s.io/yaml does; None where JSON has no such key."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _integer(plain: str, text: str) -> object:
    match = _INTEGER.fullmatch(plain)
    if match is None or match.lastgroup is None:
        return _float(plain, text)
    digits = match[match.lastgroup]
    if len(digits) > 70:  # beyond 64 bits in any base; also bounds int()'s own work
        return _float(plain, text)
    value = int(digits, _BASES[match.lastgroup]) * (-1 if plain[0] == "-" else 1)
    # int64, else uint64 (no sign allowed there), else a float.
    if -(2**63) <= value < 2**63 or (plain[0] not in "+-" and 0 <= value < 2**64):
        return value
    return _float(plain, text)


def _float(plain: str, text: str) -> object:
    if not _FLOAT.fullmatch(plain):
        return text
    value = float(plain)
    if value in (float("inf"), float("-inf")):
        return text  # strconv.ParseFloat: out of range, so it stays a string
    # encoding/json writes an integral float without a fraction below 1e21, in shortest digits.
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value
