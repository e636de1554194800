"""The ConfigMaps and Secrets of an input: which object, or which key of it, was meant.

Names alone are looked at, and no values. What is not there may be in the cluster already, so only
what is much like something of the input counts, or was written for nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from k8stui.apiserver.fields import table
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.model import Pod
from k8stui.kernel.derived import Derived
from k8stui.manifests import Manifest
from k8stui.suggest import Wordbook, is_same_thing, is_typo, things

KINDS = ("ConfigMap", "Secret")
_FIELDS = ("data", "stringData", "binaryData")
_BEGUN = 4
"""Letters at the beginning that make one name a shorter form of the other."""


class Holders:
    """Asked for what pods need and do not find."""

    def __init__(self, inventory: Inventory, pods: Mapping[str, Pod]) -> None:
        self._pods = pods
        self._objects: dict[tuple[str, str], dict[str, Manifest]] = {}
        for kind in KINDS:
            for key, one in inventory.of(kind).items():
                namespace, _, name = key.partition("/")
                self._objects.setdefault((kind, namespace), {})[name] = one
        self._found: dict[tuple[str, str, str, str], str] = {}

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self._objects.get((kind, namespace), {}).get(name)

    def meant(self, kind: str, namespace: str, name: str, key: str = "") -> str:
        """The object that a name is a slip of, or the one that nobody else asks for and that fits.

        It fits with the key that is asked for, or with a name that begins alike. Empty: none.
        """
        asked = kind, namespace, name, key
        if asked not in self._found:
            there = self._objects.get((kind, namespace), {})
            self._found[asked] = next(
                (one for one in there if is_typo(name, one)), ""
            ) or self._left(there, asked)
        return self._found[asked]

    def _left(self, there: Mapping[str, Manifest], asked: tuple[str, str, str, str]) -> str:
        kind, namespace, name, key = asked
        used: Collection[str] = self._used.get((kind, namespace), ())
        free = [
            one
            for one, held in there.items()
            if one not in used
            and not held.observed
            and (key in _keys(held) if key else one.startswith(name[:_BEGUN]))
        ]
        return free[0] if len(free) == 1 else ""

    @cached_property
    def _used(self) -> Mapping[tuple[str, str], Collection[str]]:
        """Names that pods ask for, by kind and namespace."""
        found: dict[tuple[str, str], set[str]] = {}
        for pod in self._pods.values():
            for container in pod.containers:
                for kind, name, _ in container.needs:
                    found.setdefault((kind, pod.namespace), set()).add(name)
        return found


def meant_key(held: Manifest, key: str) -> str:
    """The key that is the same but for a slip, or for its letters' case and its dashes.

    Or the only one that there is. Empty: it has that key, or several and none that is like it: then
    somebody may put it in. What a dump shows stands there as it is.
    """
    if held.observed or any(key in table(held.data, field) for field in _FIELDS):
        return ""
    return _known.of(held).meant(key)


class _Keys:
    """The keys of one object, found again without a look at each."""

    def __init__(self, held: Manifest) -> None:
        self._places = {key: place for place, key in enumerate(dict.fromkeys(_keys(held)))}
        self._book = Wordbook(self._places)
        self._called: dict[str, list[str]] = {}
        for key in self._places:
            for word in (_words(key), *things(_words(key))):
                self._called.setdefault(word, []).append(key)

    def meant(self, key: str) -> str:
        """As `meant_key` has it; the object has no such key."""
        written = _words(key)
        found = [
            one
            for word in (written, *things(written))
            for one in self._called.get(word, ())
            if _words(one) == written or is_same_thing(written, _words(one))
        ]
        if found:
            return min(found, key=self._places.__getitem__)
        if near := self._book.nearest(key):
            return near
        return next(iter(self._places)) if len(self._places) == 1 else ""


_known: Derived[Manifest, _Keys] = Derived(_Keys)


def _words(key: str) -> str:
    return key.lower().replace("_", "-").replace(".", "-")


def _keys(held: Manifest) -> Iterator[str]:
    for field in _FIELDS:
        yield from table(held.data, field)
