"""A Deployment's pods share a claim that one node alone can have at a time (ReadWriteOnce).

A volume of the accessMode ReadWriteOnce is attached to one node: pods on others wait for it, in
ContainerCreating ("Multi-Attach error", pkg/controller/volume/attachdetach reconciler). A rolling
update starts a new pod before the old one goes, and neither does where they come to two nodes; a
database's files are also locked on one node. An information, as some volumes (NFS, a folder of the
node) are more than their accessMode says.

Does not apply to StatefulSets, whose pods have claims of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, number, table, text, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground

ID = "single-claim"
_FIELD = "persistentVolumeClaim"
_ONCE = {"ReadWriteOnce", "ReadWriteOncePod"}


def look(ground: Ground) -> Iterator[Finding]:
    claims = ground.of_kind("PersistentVolumeClaim")
    for template in ground.templates:
        spec = table(template.manifest.data, "spec")
        if template.kind != "Deployment" or template.manifest.observed:
            continue
        replicas = number(spec, "replicas")
        rolls = text(spec, "strategy", "type") != "Recreate"
        surge = table(spec, "strategy", "rollingUpdate").get("maxSurge")
        several = replicas is not None and replicas > 1
        if not several and (replicas == 0 or not rolls or surge in (0, "0", "0%")):
            continue
        for index, volume in enumerate(array(template.spec, "volumes")):
            name = text(volume, _FIELD, "claimName")
            claim = claims.get(f"{template.namespace}/{name}")
            modes = set(texts(claim.data, "spec", "accessModes")) if claim is not None else set()
            if not modes or not modes <= _ONCE:
                continue
            at: tuple[str | int, ...] = (
                *template.path,
                "spec",
                "volumes",
                index,
                _FIELD,
                "claimName",
            )
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=template.subject,
                place=template.manifest.place(*at),
                why=f"claim {name} is {', '.join(sorted(modes))}: one node alone has its volume. "
                + (
                    f"Of the {replicas} pods those on other nodes do not start"
                    if several
                    else "A rollout that starts its new pod on another node waits for ever"
                ),
                fix="make it a StatefulSet with volumeClaimTemplates, or a claim that is "
                "ReadWriteMany"
                if several
                else "set strategy.type: Recreate",
            )


RULE = CheckRule(
    id=ID,
    summary="Pods of a Deployment share a claim of one node",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
