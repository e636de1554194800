"""An object is written in a version of its API that servers no longer have.

``kubectl apply`` against a server of that release or a newer one ends in ``no matches for kind``
(the deprecation guide of the Kubernetes documentation). The walks show the object all the same.

A warning and no error: which release the server is, the input does not say. Does not apply to a
dump: its server has the version.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.validation.kept import dropped_since
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.manifests.schema import KINDS

ID = "removed-version"


def look(ground: Ground) -> Iterator[Finding]:
    for manifest in ground.world.manifests.objects:
        since = None if manifest.observed else dropped_since(manifest)
        if since is not None:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"{manifest.kind} {manifest.name}",
                place=manifest.place("apiVersion"),
                why=f"{manifest.api_version} was removed in Kubernetes {since}: newer servers "
                "refuse the object",
                fix=f"write apiVersion: {KINDS[manifest.kind].versions[0]}",
            )


RULE = CheckRule(
    id=ID,
    summary="A version of the API that servers no longer have",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
