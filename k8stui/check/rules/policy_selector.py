"""A NetworkPolicy's selector fits no pod, because a label in it is misspelt by a letter.

A policy that selects nobody protects nobody, and a rule whose peers are misspelt lets nobody in: a
pod that other policies isolate is out of reach then. Nothing says so: the API server takes any
selector.

A warning. Looks at ``spec.podSelector`` and at the ``podSelector`` of peers, those with a
``namespaceSelector`` in all namespaces. Does not apply to labels that no label of the input is like
(those pods may be elsewhere), nor to dumps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import Object, array, labels, table
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.meant import misspelt
from k8stui.manifests import Manifest
from k8stui.walk.diagnosis.selectors import written

ID = "policy-selector"
_Path = tuple[str | int, ...]
_SIDES = (("ingress", "from"), ("egress", "to"))


def look(ground: Ground) -> Iterator[Finding]:
    for manifest in ground.of_kind("NetworkPolicy").values():
        if manifest.observed:
            continue
        own = manifest.namespace or "default"
        for path, namespace in _selectors(manifest.data, own):
            selector = labels(manifest.data, *path)
            carried = ground.labels_in(namespace)
            miss = misspelt(selector, carried) if selector and carried else None
            if miss is not None:
                yield _finding(manifest, selector, path, miss)


def _finding(
    manifest: Manifest,
    selector: Mapping[str, str],
    path: _Path,
    miss: tuple[str, tuple[str, str]],
) -> Finding:
    key, (meant, value) = miss
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"NetworkPolicy {manifest.namespace or 'default'}/{manifest.name}",
        place=manifest.place(*path, key),
        why=f"the selector {written(selector)} fits no pod of the input; some have {meant}={value}",
        fix=f"write {meant}: {value}",
    )


def _selectors(policy: Object, own: str) -> Iterator[tuple[_Path, str | None]]:
    """Paths of ``matchLabels``, and the namespace whose pods they choose from; None: of any."""
    yield ("spec", "podSelector", "matchLabels"), own
    for side, field in _SIDES:
        for index, rule in enumerate(array(policy, "spec", side)):
            for which, peer in enumerate(array(rule, field)):
                path = ("spec", side, index, field, which, "podSelector", "matchLabels")
                yield path, None if "namespaceSelector" in table(peer) else own


RULE = CheckRule(
    id=ID,
    summary="A NetworkPolicy selects nobody",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
