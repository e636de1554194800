"""What is done to a cluster, one object at a time: applied, changed, scaled, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from k8stui.apiserver.fields import table
from k8stui.apiserver.inventory import WORKLOADS, namespace_of
from k8stui.errors import K8sTuiError
from k8stui.manifests import Manifest
from k8stui.manifests.schema import KINDS
from k8stui.record import record
from k8stui.suggest import nearest
from k8stui.walk.kinds import api_kind

_SCALED = WORKLOADS - {"DaemonSet", "Job"}


class Verb(StrEnum):
    """What happens to the object."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@record()
class Change:
    """One object is applied or deleted."""

    verb: Verb
    manifest: Manifest
    """As it is from now on; for a deletion as it was."""
    words: str = ""
    """What is changed, where the manifest alone does not tell: ``replicas 1 → 3``."""

    @property
    def subject(self) -> str:
        return subject(self.manifest)


class ChangeError(K8sTuiError):
    """A change that means nothing here."""


Key = tuple[str, str, str]
"""(kind, namespace, name); the namespace is empty for an object without one."""


def key_of(manifest: Manifest) -> Key:
    """What the API server tells an object from others by."""
    kind = KINDS.get(manifest.kind)
    namespaced = kind is None or kind.namespaced
    return manifest.kind, namespace_of(manifest) if namespaced else "", manifest.name


def subject(manifest: Manifest) -> str:
    """``Service default/mysql``; ``Namespace shop``."""
    kind, namespace, name = key_of(manifest)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def parse_change(text: str, there: Sequence[Manifest], namespace: str) -> list[Change]:
    """Understand ``delete KIND/NAME`` and ``scale KIND/NAME REPLICAS``, as kubectl has them.

    `there`: the objects of this moment; `namespace`: of names without one (``KIND/NAMESPACE/NAME``
    has its own). With a Namespace go all objects in it.

    Raises:
        ChangeError: it is neither, or there is no such object.

    """
    verb, _, rest = text.strip().partition(" ")
    words = rest.split()
    if verb == "delete" and len(words) == 1:
        found = _find(words[0], there, namespace)
        inside = [one for one in there if found.kind == "Namespace" and _is_in(one, found.name)]
        return [Change(Verb.DELETED, one) for one in (*reversed(inside), found)]
    if verb == "scale" and len(words) == 2:
        found = _find(words[0], there, namespace)
        return [_scaled(found, words[1].removeprefix("--replicas=").removeprefix("replicas="))]
    said = f"{text!r} is neither `delete KIND/NAME` nor `scale KIND/NAME REPLICAS`"
    raise ChangeError(said)


def possible(there: Sequence[Manifest]) -> Iterator[str]:
    """What can be done to the objects that are there, as `parse_change` understands it.

    Scaling to nothing, to one less, to one more and to twice as many; any other number can be
    written too.
    """
    for one in there:
        kind, namespace, name = key_of(one)
        if kind not in KINDS:
            continue
        place = f"{namespace}/{name}" if namespace else name
        if kind in _SCALED:
            count = replicas(one)
            for wanted in sorted({0, max(count - 1, 0), count + 1, count * 2} - {count}):
                yield f"scale {kind}/{place} {wanted}"
        yield f"delete {kind}/{place}"


def replicas(one: Manifest) -> int:
    """How many pods a workload is to have; 1 where it does not say."""
    count = table(one.data, "spec").get("replicas", 1)
    return count if isinstance(count, int) else 1


def _scaled(found: Manifest, count: str) -> Change:
    if found.kind not in _SCALED:
        said = f"{subject(found)} has no replicas to scale"
        raise ChangeError(said)
    if not (count.isascii() and count.isdigit() and len(count) <= 6):
        said = f"scale takes a whole number of replicas, not {count!r}"
        raise ChangeError(said)
    spec = table(found.data, "spec")
    before = spec.get("replicas", 1)
    data = {**found.data, "spec": {**spec, "replicas": int(count)}}
    return Change(Verb.CHANGED, replace(found, data=data), f"replicas {before} → {count}")


def _is_in(one: Manifest, namespace: str) -> bool:
    return key_of(one)[1] == namespace


def _find(text: str, there: Sequence[Manifest], namespace: str) -> Manifest:
    word, _, name = text.partition("/")
    kind = api_kind(word) or next((k for k in KINDS if k.lower() == word.lower()), "")
    if "/" in name:
        namespace, _, name = name.partition("/")
    for one in reversed(there):
        if one.kind == kind and one.name == name and key_of(one)[1] in ("", namespace):
            return one
    names = [f"{word}/{one.name}" for one in there if one.kind == kind]
    near = nearest(text, names)
    hint = f"; did you mean {near}?" if near else f"; there is {', '.join(names)}" if names else ""
    said = f"there is no {text} in namespace {namespace}{hint}"
    raise ChangeError(said)
