"""A NetworkPolicy's selector fits no pod, or no namespace, because a label is misspelt by a letter.

A policy that selects nobody protects nobody, and a rule whose peers are misspelt lets nobody in: a
pod that other policies isolate is out of reach then. Nothing says so: the API server takes any
selector.

A warning. Looks at ``spec.podSelector``, at the ``podSelector`` of peers, those with a
``namespaceSelector`` in all namespaces, and at that one. Does not apply to labels that no label of
the input is like (those pods may be elsewhere), nor to dumps. An information where a policy about
all pods of its namespace names none, and there are no pods in the default one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import labels
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.meant import policy_selectors
from k8stui.manifests import Manifest
from k8stui.order import listed
from k8stui.walk.diagnosis.selectors import written

ID = "policy-selector"
_Path = tuple[str | int, ...]


def look(ground: Ground) -> Iterator[Finding]:
    # Many policies ask for the same.
    known: dict[object, tuple[str, tuple[str, str]] | None] = {}
    for manifest in ground.of_kind("NetworkPolicy").values():
        if manifest.observed:
            continue
        own = manifest.namespace or "default"
        for path, namespace in policy_selectors(manifest.data, own):
            selector = labels(manifest.data, *path)
            carried = ground.carried(namespace)
            if path[:2] == ("spec", "podSelector"):
                yield from _elsewhere(ground, manifest, selector, path)
            if namespace is None:
                yield from _of_namespaces(ground, manifest, path[:-2])
            if not selector or not carried:
                continue
            key = namespace, *selector.items()
            if key not in known:
                known[key] = carried.misspelt(selector)
            miss = known[key]
            if miss is not None:
                yield _finding(manifest, selector, path, miss)


def _elsewhere(
    ground: Ground, manifest: Manifest, selector: Mapping[str, str], path: _Path
) -> Iterator[Finding]:
    """The pods that it was written for are in another namespace, which it is not about."""
    own = manifest.namespace or "default"
    if not selector:
        yield from _nowhere(ground, manifest, path)
        return
    spaces = set(ground.carried(None).carrying(selector))
    if own in spaces or len(spaces) != 1 or ground.has_strangers or ground.is_kustomized:
        return
    space = next(iter(spaces))
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"NetworkPolicy {own}/{manifest.name}",
        place=manifest.place(*path),
        why=f"the selector {written(selector)} fits no pod of namespace {own}, the policy's own; "
        f"those that have it are in {space}, and this policy is not about them",
        fix=f"write namespace: {space}",
    )


def _of_namespaces(ground: Ground, manifest: Manifest, peer: _Path) -> Iterator[Finding]:
    """A peer's namespaceSelector, which no namespace fits for a letter."""
    path = (*peer, "namespaceSelector", "matchLabels")
    selector = labels(manifest.data, *path)
    miss = ground.namespaces.misspelt(selector) if selector else None
    if miss is not None:
        yield _finding(manifest, selector, path, miss, "namespace")


def _nowhere(ground: Ground, manifest: Manifest, path: _Path) -> Iterator[Finding]:
    """One for all pods of a namespace, which is not written; and there are none in the default."""
    if manifest.namespace or ground.has_strangers or ground.is_kustomized:
        return
    if ground.carried("default") or not ground.carried(None):
        return
    spaces = sorted({one.namespace for one in ground.templates})
    yield Finding(
        rule=ID,
        severity=Severity.INFO,
        subject=f"NetworkPolicy default/{manifest.name}",
        place=manifest.place(*path),
        why="it is about all pods of its own namespace, which is not written: there are none in "
        f"default, and those of {listed(spaces)} are not meant by it",
        fix="write its namespace; each namespace needs a policy of its own",
    )


def _finding(
    manifest: Manifest,
    selector: Mapping[str, str],
    path: _Path,
    miss: tuple[str, tuple[str, str]],
    who: str = "pod",
) -> Finding:
    key, (meant, value) = miss
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"NetworkPolicy {manifest.namespace or 'default'}/{manifest.name}",
        place=manifest.place(*path, key),
        why=f"the selector {written(selector)} fits no {who} of the input; "
        f"some have {meant}={value}",
        fix=f"write {meant}: {value}",
    )


RULE = CheckRule(
    id=ID,
    summary="A NetworkPolicy selects nobody",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
