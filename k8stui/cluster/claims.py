"""PersistentVolumeClaims: which of a pod's claims keep it from being scheduled.

Sources: pkg/scheduler/framework/plugins/volumebinding (PreFilter, podHasPVCs), volumerestrictions
(PreFilter), pkg/controller/volume/persistentvolume index.go findBestMatchForClaim;
recordings-cluster/scheduling claim-missing, statefulset disks.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.draft import Draft
from k8stui.cluster.fields import Object, array, at, labels, table, text, texts
from k8stui.cluster.inventory import Inventory, namespace_of
from k8stui.cluster.selectors import matches
from k8stui.manifests import quantity

_UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"


class Claims:
    """The claims of an input that is all there is. A StorageClass's provisioner does its work."""

    def __init__(self, inventory: Inventory) -> None:
        self._claims = inventory.of("PersistentVolumeClaim")
        self._classes = inventory.of("StorageClass")
        self._free = dict(inventory.of("PersistentVolume"))
        self._default = next(
            (
                name
                for name, manifest in self._classes.items()
                if labels(manifest.data, "metadata", "annotations").get(_DEFAULT_CLASS) == "true"
            ),
            "",
        )
        self._bound: dict[str, bool] = {
            key: self._bind(namespace_of(claim), claim.name, claim.data)
            for key, claim in self._claims.items()
        }

    def refuse(self, draft: Draft) -> str:
        """Why no node can take `draft`; empty when all its claims are bound."""
        templates = _templates(draft)
        for volume in array(draft.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            own = text(volume, "name") in templates
            if name and not own and f"{draft.namespace}/{name}" not in self._claims:
                return f'persistentvolumeclaim "{name}" not found'
        wanted = [
            (f"{template}-{draft.name}", claim) for template, claim in templates.items()
        ] + list(_ephemeral(draft))
        for name, claim in wanted:
            key = f"{draft.namespace}/{name}"
            if key not in self._bound:
                self._bound[key] = self._bind(draft.namespace, name, claim)
        mounted = [
            text(volume, "persistentVolumeClaim", "claimName")
            for volume in array(draft.spec, "volumes")
            if text(volume, "name") not in templates
        ]
        names = [*filter(None, mounted), *(name for name, _ in wanted)]
        if all(self._bound[f"{draft.namespace}/{name}"] for name in names):
            return ""
        return _UNBOUND

    def _bind(self, namespace: str, name: str, claim: Object) -> bool:
        """Bind a claim, to the smallest volume that fits, else to one that is made for it."""
        if text(claim, "status", "phase") == "Bound":
            return True
        written = at(claim, "spec", "storageClassName")
        storage_class = written if isinstance(written, str) else self._default
        fitting = [
            volume
            for volume in self._free.values()
            if _fits(volume.data, namespace, name, claim, storage_class)
        ]
        if fitting:
            best = min(fitting, key=lambda volume: _size(volume.data))
            del self._free[best.name]
            return True
        found = self._classes.get(storage_class)
        return found is not None and text(found.data, "provisioner") != _NO_PROVISIONER


def _templates(draft: Draft) -> dict[str, Object]:
    """A StatefulSet's volumeClaimTemplates by name: each of its pods has a claim of its own."""
    if draft.replica is None or draft.manifest.kind != "StatefulSet":
        return {}
    found = array(draft.manifest.data, "spec", "volumeClaimTemplates")
    return {text(one, "metadata", "name"): table(one) for one in found}


def _ephemeral(draft: Draft) -> Iterator[tuple[str, Object]]:
    for volume in array(draft.spec, "volumes"):
        template = table(volume, "ephemeral", "volumeClaimTemplate")
        if template:
            yield f"{draft.name}-{text(volume, 'name')}", template


def _size(volume: Object) -> int:
    return quantity.parse(at(volume, "spec", "capacity", "storage"))


def _fits(volume: Object, namespace: str, name: str, claim: Object, storage_class: str) -> bool:
    reserved = table(volume, "spec", "claimRef")
    if reserved:
        mine = (text(reserved, "namespace"), text(reserved, "name")) == (namespace, name)
        if not mine:
            return False
    asked = table(claim, "spec")
    wanted = text(asked, "volumeName")
    if wanted and wanted != text(volume, "metadata", "name"):
        return False
    if asked.get("selector") is not None and not matches(
        asked["selector"], labels(volume, "metadata", "labels")
    ):
        return False
    return (
        text(volume, "spec", "storageClassName") == storage_class
        and set(texts(asked, "accessModes")) <= set(texts(volume, "spec", "accessModes"))
        and _size(volume) >= quantity.parse(at(asked, "resources", "requests", "storage"))
    )
