"""Which key of a ConfigMap or a Secret was meant by one that it does not have."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import table
from k8stui.manifests import Manifest
from k8stui.suggest import is_same_thing, is_typo

_FIELDS = ("data", "stringData", "binaryData")


def meant_key(held: Manifest, key: str) -> str:
    """The key that is the same but for a slip, or for its letters' case and its dashes.

    Or the only one that there is. Empty: it has that key, or several and none that is like it: then
    somebody may put it in. What a dump shows
    stands there as it is.
    """
    if held.observed or any(key in table(held.data, field) for field in _FIELDS):
        return ""
    keys = [*_keys(held)]
    return next((one for one in keys if _is_meant(key, one)), keys[0] if len(keys) == 1 else "")


def _is_meant(key: str, one: str) -> bool:
    written, known = _words(key), _words(one)
    return written == known or is_typo(key, one) or is_same_thing(written, known)


def _words(key: str) -> str:
    return key.lower().replace("_", "-").replace(".", "-")


def _keys(held: Manifest) -> Iterator[str]:
    for field in _FIELDS:
        yield from table(held.data, field)
