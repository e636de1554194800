"""An object stands in a namespace that is a typing error away from another one of the input.

Where the namespace does not exist, the API server refuses the object; where it does, a Service does
not select the pods, and its short name does not resolve.

Applies only to namespaces of which the input has no Namespace object, and that differ by a typing
error from one that it has, that more objects stand in, or that every cluster has.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.inventory import ALWAYS_THERE
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.suggest import Wordbook

ID = "namespace-name"


def look(ground: Ground) -> Iterator[Finding]:
    made = {key.partition("/")[2] for key in ground.of_kind("Namespace")}
    sizes = ground.in_namespace
    meant = Wordbook([*made, *ALWAYS_THERE, *sizes])
    told: set[str] = set()
    for manifest in ground.world.manifests.objects:
        name = manifest.namespace
        if name is None or manifest.observed or name in made or name in ALWAYS_THERE:
            continue
        near = meant.typo(name) if name not in told else None
        if near is None or not (near in made or near in ALWAYS_THERE or sizes[near] > sizes[name]):
            continue
        told.add(name)
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"{manifest.kind} {name}/{manifest.name}",
            place=manifest.place("metadata", "namespace"),
            why=f"nothing in the input makes namespace {name}",
            fix=f"write namespace: {near}",
        )


RULE = CheckRule(
    id=ID,
    summary="A namespace's name is misspelt",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
