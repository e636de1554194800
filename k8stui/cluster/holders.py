"""The ConfigMaps and Secrets of an input: which object, or which key of it, was meant.

Names alone are looked at, and no values. What is not there may be in the cluster already, so only
what is much like something of the input counts, or was written for nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from k8stui.apiserver.fields import array, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.apiserver.validation.unfinished import is_placeholder
from k8stui.cluster.model import Pod
from k8stui.kernel.derived import Derived
from k8stui.manifests import Manifest
from k8stui.manifests.schema.secrets import OF_VAULT
from k8stui.suggest import Wordbook, is_same_thing, things

KINDS = ("ConfigMap", "Secret")
ACCOUNT = "ServiceAccount"
_FIELDS = ("data", "stringData", "binaryData")
_BEGUN = 4
"""Letters at the beginning that make one name a shorter form of the other."""


class Holders:
    """Asked for what pods need and do not find."""

    def __init__(
        self, inventory: Inventory, pods: Mapping[str, Pod], *, as_written: bool = True
    ) -> None:
        """`as_written`: no kustomization may put the objects into another namespace."""
        self._as_written = as_written
        self._pods = pods
        self._objects: dict[tuple[str, str], dict[str, Manifest]] = {}
        for kind in (*KINDS, ACCOUNT):
            for key, one in inventory.of(kind).items():
                namespace, _, name = key.partition("/")
                self._objects.setdefault((kind, namespace), {})[name] = one
        self._made = frozenset(_made(inventory))
        self._names: dict[tuple[str, str], _Names] = {}
        self._found: dict[tuple[str, str, str, str], str] = {}

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self._objects.get((kind, namespace), {}).get(name)

    def is_made(self, kind: str, namespace: str, name: str) -> bool:
        """Whether something of the input makes the object in the cluster: cert-manager, a vault."""
        return kind == "Secret" and (namespace, name) in self._made

    def elsewhere(self, kind: str, namespace: str, name: str) -> str:
        """The one other namespace that has an object of that name; empty: none, or several."""
        made = self.is_made(kind, namespace, name)
        there = self._spaces.get((kind, name), ()) if self._as_written and not made else ()
        return there[0] if len(there) == 1 and there[0] != namespace else ""

    @cached_property
    def _spaces(self) -> Mapping[tuple[str, str], Sequence[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for (kind, namespace), held in self._objects.items():
            for name in held:
                found.setdefault((kind, name), []).append(namespace)
        return found

    def meant(self, kind: str, namespace: str, name: str, key: str = "") -> str:
        """The object that a name is a slip of, or the one that nobody else asks for and that fits.

        It fits with the key that is asked for, or with a name that begins alike. Empty: none, and
        for a name that is to be filled in.
        """
        if is_placeholder(name) or self.is_made(kind, namespace, name):
            return ""
        asked = kind, namespace, name, key
        if asked not in self._found:
            space = kind, namespace
            if space not in self._names:
                there = self._objects.get(space, {})
                # Who else runs as an account need not be a pod of the input.
                used = there if kind == ACCOUNT else self._used.get(space, ())
                self._names[space] = _Names(there, used)
            self._found[asked] = self._names[space].meant(name, key)
        return self._found[asked]

    @cached_property
    def _used(self) -> Mapping[tuple[str, str], Collection[str]]:
        """Names that pods ask for, by kind and namespace."""
        found: dict[tuple[str, str], set[str]] = {}
        for pod in self._pods.values():
            for container in pod.containers:
                for kind, name, _ in container.needs:
                    found.setdefault((kind, pod.namespace), set()).add(name)
        return found


def _made(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Namespace and name of each Secret that something of the input makes."""
    for kind, *path in _MAKERS:
        for one in inventory.of(kind).values():
            yield namespace_of(one), text(one.data, *path) or one.name
    for one in inventory.of("SecretProviderClass").values():
        for each in array(one.data, "spec", "secretObjects"):
            yield namespace_of(one), text(each, "secretName")


_MAKERS = (
    ("Certificate", "spec", "secretName"),
    ("ExternalSecret", "spec", "target", "name"),
    ("SealedSecret", "spec", "template", "metadata", "name"),
    ("OnePasswordItem", "metadata", "name"),
    *((kind, "spec", "destination", "name") for kind in OF_VAULT),
)
"""Kinds that make a Secret, and where its name stands; where it does not, it is their own."""


class _Names:
    """The objects of one kind in a namespace, found again without a look at each."""

    def __init__(self, there: Mapping[str, Manifest], used: Collection[str]) -> None:
        self._book = Wordbook(there)
        self._holding: dict[str, list[str]] = {}
        """By a key, those that nobody asks for; what a dump shows is there for somebody."""
        self._begun: dict[str, list[str]] = {}
        """And by the letters at their beginning."""
        for name, held in there.items():
            if name in used or held.observed:
                continue
            for key in dict.fromkeys(key_names(held)):
                self._holding.setdefault(key, []).append(name)
            for letters in range(min(_BEGUN, len(name)) + 1):
                self._begun.setdefault(name[:letters], []).append(name)

    def meant(self, name: str, key: str) -> str:
        """As `Holders.meant` has it."""
        near = next(iter(self._book.typos(name)), "")
        free = self._holding.get(key, ()) if key else self._begun.get(name[:_BEGUN], ())
        return near or (free[0] if len(free) == 1 else "")


def has_key(held: Manifest, key: str) -> bool:
    """Whether a ConfigMap or Secret has a key."""
    return any(key in table(held.data, field) for field in _FIELDS)


def meant_key(held: Manifest, key: str) -> str:
    """The key that is the same but for a slip, or for its letters' case and its dashes.

    Or the only one that there is. Empty: it has that key, or several and none that is like it: then
    somebody may put it in. What a dump shows stands there as it is.
    """
    if held.observed or has_key(held, key):
        return ""
    return _known.of(held).meant(key)


_FILLED = re.compile(r"inject|service-account|reflector|generat|replicat|sealed", re.IGNORECASE)
"""Annotations, labels and types of objects that somebody else puts keys into."""


def wanting(held: Manifest, key: str) -> str:
    """What an object has in place of a key that it lacks: the one that is meant, else all of them.

    Empty: it has the key, or no keys at all, or somebody fills it in.
    """
    if meant := meant_key(held, key):
        return meant
    has = list(islice(key_names(held), _SHOWN + 1))
    if held.observed or has_key(held, key) or not has:
        return ""
    metadata = table(held.data, "metadata")
    said = (*table(metadata, "annotations"), *table(metadata, "labels"), text(held.data, "type"))
    if any(map(_FILLED.search, said)):
        return ""
    shown = " or ".join(has[:_SHOWN])
    return f"{shown} or others" if len(has) > _SHOWN else shown


_SHOWN = 3


class _Keys:
    """The keys of one object, found again without a look at each."""

    def __init__(self, held: Manifest) -> None:
        self._places = {key: place for place, key in enumerate(dict.fromkeys(key_names(held)))}
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


def key_names(held: Manifest) -> Iterator[str]:
    """The keys of a ConfigMap or Secret, no values."""
    for field in _FIELDS:
        yield from table(held.data, field)
