"""Two ports of one number on top of a live Service: client-side ``kubectl apply`` loses one.

A Service's ports are a list that strategic merge patches join by ``port`` alone (patchMergeKey in
k8s.io/api/core/v1 types.go), though the API server tells them apart by protocol too: what is
applied over a live object is merged by number, and one of two ports with the same number is lost
(kubernetes/kubernetes issue 39188).

Applies only where the input holds the live object beside the manifest. Does not apply to what is
created, replaced, or applied with ``--server-side``.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, number, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.manifests import Manifest

ID = "apply-merge"


def look(ground: Ground) -> Iterator[Finding]:
    live: set[tuple[str, str]] = set()
    for manifest in ground.world.manifests.objects:
        if manifest.kind != "Service":
            continue
        key = manifest.namespace or "default", manifest.name
        if manifest.observed:
            live.add(key)
        elif key in live:
            yield from _same_number(manifest, "/".join(key))


def _same_number(manifest: Manifest, key: str) -> Iterator[Finding]:
    first: dict[int | None, str] = {}
    for index, port in enumerate(array(manifest.data, "spec", "ports")):
        asked = number(port, "port")
        named = text(port, "name") or text(port, "protocol") or "TCP"
        other = first.setdefault(asked, named)
        if other != named:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {key}",
                place=manifest.place("spec", "ports", index, "port"),
                why=f"ports {other} and {named} have one number, {asked}, and kubectl apply merges "
                "the ports of a live Service by number: one of the two is lost",
                fix="kubectl apply --server-side, or kubectl replace",
            )


RULE = CheckRule(
    id=ID,
    summary="kubectl apply loses one of two ports with the same number",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
