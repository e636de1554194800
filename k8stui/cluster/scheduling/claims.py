"""PersistentVolumeClaims: what of a pod's claims keeps it from nodes, or from all of them.

Sources: pkg/scheduler/framework/plugins/volumebinding (podHasPVCs, PreFilter, Filter; binder.go
FindPodVolumes, checkVolumeProvisions), volumezone (Filter), volumerestrictions (PreFilter),
pkg/controller/volume/persistentvolume index.go findBestMatchForClaim;
recordings-cluster/scheduling claim-missing, statefulset disks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import NOTHING, Object, array, at, labels, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.draft import Draft
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.refusal import Refusal
from k8stui.cluster.selectors import matches, node_term_matches
from k8stui.cluster.well_known import REGION, ZONE
from k8stui.manifests import Manifest
from k8stui.record import record
from k8stui.suggest import Wordbook

_UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_NODE = "node(s) didn't match PersistentVolume's node affinity"
_NONE_FREE = "node(s) didn't find available persistent volumes to bind"
_ZONE = "node(s) had no available volume zone"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_PLACES = (ZONE, REGION)


@record()
class _Claim:
    """A claim that is bound when its first pod has a node (WaitForFirstConsumer)."""

    key: str
    data: Object
    storage_class: str

    @property
    def size(self) -> int:
        return quantity.parse(at(self.data, "spec", "resources", "requests", "storage"))


class Claims:
    """The claims of an input that is all there is. A StorageClass's provisioner does its work."""

    def __init__(self, inventory: Inventory) -> None:
        self._claims = inventory.of("PersistentVolumeClaim")
        self._classes = {one.name: one.data for one in inventory.of("StorageClass").values()}
        self._volumes = {one.name: one.data for one in inventory.of("PersistentVolume").values()}
        self._free = dict(self._volumes)
        self._default = next(
            (
                name
                for name, data in self._classes.items()
                if labels(data, "metadata", "annotations").get(_DEFAULT_CLASS) == "true"
            ),
            "",
        )
        self._bound: dict[str, Object | _Claim | None] = {}
        """By claim: its volume (empty: one made for it), what it waits for, or None: unbound."""
        for key, claim in self._claims.items():
            self._bind(key, namespace_of(claim), claim.name, claim.data)

    def mounts(self, draft: Draft) -> Mounts | str:
        """What the volumes of `draft` say of nodes, or why no node can take it."""
        templates = _templates(draft)
        mounted = [
            name
            for volume in array(draft.spec, "volumes")
            if text(volume, "name") not in templates
            and (name := text(volume, "persistentVolumeClaim", "claimName"))
        ]
        for name in mounted:
            claim = self._claims.get(f"{draft.namespace}/{name}")
            if wrong := _illegal(name, None if claim is None else claim.data):
                return wrong
        wanted = [
            (f"{template}-{draft.name}", claim) for template, claim in templates.items()
        ] + list(_ephemeral(draft))
        for name, template in wanted:
            key = f"{draft.namespace}/{name}"
            if self._bound.get(key) is None:
                self._bind(key, draft.namespace, name, template)
        volumes: list[Object] = []
        waiting: list[_Claim] = []
        for name in (*mounted, *(name for name, _ in wanted)):
            found = self._bound[f"{draft.namespace}/{name}"]
            if found is None:
                return _UNBOUND
            if isinstance(found, _Claim):
                waiting.append(found)
            elif found:
                volumes.append(found)
        return Mounts(self, tuple(volumes), tuple(sorted(waiting, key=lambda claim: claim.size)))

    def is_bound(self, key: str, claim: Object) -> bool:
        """Whether a claim has a volume, or gets one when its pod has a node."""
        if key not in self._bound:
            namespace, _, name = key.partition("/")
            self._bind(key, namespace, name, claim)
        return self._bound[key] is not None

    def choose(self, waiting: tuple[_Claim, ...], node: Node) -> Mapping[str, Object] | None:
        """Volumes for claims on `node`, by claim; empty: one is made. None: there are none."""
        chosen: dict[str, Object] = {}
        for claim in waiting:
            fitting = [
                volume
                for name, volume in self._free.items()
                if _fits(volume, "", claim.data, claim.storage_class)
                and _reaches(volume, node)
                and not any(text(one, "metadata", "name") == name for one in chosen.values())
            ]
            if fitting:
                chosen[claim.key] = min(fitting, key=_size)
            elif self._provisions(claim.storage_class, node):
                chosen[claim.key] = NOTHING
            else:
                return None
        return chosen

    def take(self, waiting: tuple[_Claim, ...], node: Node) -> None:
        """Bind `waiting`, whose pod goes to `node`."""
        for key, volume in (self.choose(waiting, node) or {}).items():
            self._bound[key] = volume
            self._free.pop(text(volume, "metadata", "name"), None)

    def _bind(self, key: str, namespace: str, name: str, claim: Object) -> None:
        """Bind a claim, to the smallest volume that fits, else to one that is made for it."""
        named = text(claim, "spec", "volumeName")
        if text(claim, "status", "phase") == "Bound":
            self._bound[key] = self._free.pop(named, NOTHING)
            return
        written = at(claim, "spec", "storageClassName")
        storage_class = written if isinstance(written, str) else self._default
        found = self._classes.get(storage_class)
        waits = text(found, "volumeBindingMode") == "WaitForFirstConsumer"
        own = f"{namespace}/{name}"
        fitting = [
            volume for volume in self._free.values() if _fits(volume, own, claim, storage_class)
        ]
        reserved = [volume for volume in fitting if table(volume, "spec", "claimRef")]
        if reserved or (fitting and (named or not waits)):
            best = min(reserved or fitting, key=_size)
            del self._free[text(best, "metadata", "name")]
            self._bound[key] = best
        elif waits and not named:
            self._bound[key] = _Claim(key, claim, storage_class)
        else:
            made = not named and self._provisions(storage_class, None)
            self._bound[key] = NOTHING if made else None

    def _provisions(self, storage_class: str, node: Node | None) -> bool:
        """Whether volumes of the class are made, and for `node`."""
        found = self._classes.get(storage_class)
        if found is None or text(found, "provisioner") in ("", _NO_PROVISIONER):
            return False
        terms = array(found, "allowedTopologies")
        return (
            node is None
            or not terms
            or any(
                all(
                    node.labels.get(text(wanted, "key")) in texts(wanted, "values")
                    for wanted in array(term, "matchLabelExpressions")
                )
                for term in terms
            )
        )


class Unbindable:
    """Claims that wait for ever in an input that need not be all.

    Their class is but misspelt, or it is one of volumes that somebody writes, and those of the
    input do not do for all claims (one volume is for one claim). Else claims are taken to be bound,
    as clusters have classes that no manifest shows.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._claims = inventory.of("PersistentVolumeClaim")
        self._classes = {one.name for one in inventory.of("StorageClass").values()}
        self._unmade = {
            one.name
            for one in inventory.of("StorageClass").values()
            if text(one.data, "provisioner") == _NO_PROVISIONER
        }
        self._book = Wordbook(self._classes)
        # On nodes that are assumed, a volume's nodeAffinity says nothing of where it can be.
        known = inventory.of("PersistentVolume") if inventory.of("Node") else {}
        volumes = [one.data for one in known.values()]
        self._volumes = {text(one, "metadata", "name"): one for one in volumes}
        claims = [table(one, "spec", "claimRef") for one in volumes]
        keys = [f"{text(one, 'namespace')}/{text(one, 'name')}" for one in claims]
        self._reserved = dict(zip(keys, volumes, strict=True))
        self._written: dict[str, list[Manifest]] = {}
        """PersistentVolumes by their class, where nobody makes more of it."""
        for one in inventory.of("PersistentVolume").values():
            name = text(one.data, "spec", "storageClassName")
            made = inventory.of("StorageClass").get(f"default/{name}")
            # A CSI driver brings a class, which makes more of them.
            unmade = made is None and at(one.data, "spec", "csi") is None
            if unmade or (made and text(made.data, "provisioner") == _NO_PROVISIONER):
                self._written.setdefault(name, []).append(one)
        self._binding = Claims(inventory) if self._written else None

    def _bound(self, draft: Draft) -> Iterator[Object]:
        """Volumes of the input that the pod's claims name, or that are reserved for them."""
        for volume in array(draft.spec, "volumes"):
            key = f"{draft.namespace}/{text(volume, 'persistentVolumeClaim', 'claimName')}"
            claim = self._claims.get(key)
            named = text(claim.data, "spec", "volumeName") if claim is not None else ""
            found = self._volumes.get(named) or self._reserved.get(key)
            if claim is not None and found is not None:
                yield found

    def mounts(self, draft: Draft) -> Mounts | str | None:
        """Why no node can take `draft`, or the volumes that its claims are bound to for certain.

        None: its claims are taken to be bound, to volumes that any node reaches.
        """
        bound = tuple(self._bound(draft))
        if bound:
            return Mounts(None, bound, ())
        if not self._classes and not self._written:
            return None
        claims = [
            (f"{name}-{draft.name}", claim, draft.manifest.origin("spec", "volumeClaimTemplates"))
            for name, claim in _templates(draft).items()
        ]
        claims += [
            (name, claim, draft.manifest.origin(*draft.spec_path, "volumes"))
            for name, claim in _ephemeral(draft)
        ]
        for volume in array(draft.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            claim = self._claims.get(f"{draft.namespace}/{name}")
            if claim is not None and not claim.observed:
                at_class = claim.origin("spec", "storageClassName")
                claims.append((name, claim.data, at_class))
        for name, claim_of, origin in claims:
            spec = table(claim_of, "spec")
            wanted = text(spec, "storageClassName")
            if why := self._without_volume(f"{draft.namespace}/{name}", claim_of):
                draft.decided["claims"] = origin
                return f"{_UNBOUND} ({name} {why})"
            near = None if wanted in self._classes else self._book.typo(wanted)
            if near is not None and not text(spec, "volumeName"):
                draft.decided["claims"] = origin
                return f"{_UNBOUND} ({name} asks for StorageClass {wanted}; there is {near})"
        return None

    def _without_volume(self, key: str, claim: Object) -> str:
        """Why none of the written volumes of its class is the claim's; empty: one is, or may be."""
        spec = table(claim, "spec")
        written = at(spec, "storageClassName")
        volumes = self._written.get(written, ()) if isinstance(written, str) else ()
        if written in self._unmade and not volumes and not text(spec, "volumeName"):
            return (
                f"finds no volume: StorageClass {written} makes none ({_NO_PROVISIONER}), and the "
                "input has no PersistentVolume of it"
            )
        if not volumes or self._binding is None or text(spec, "volumeName"):
            return ""
        if self._binding.is_bound(key, claim):
            return ""
        asked = quantity.parse(at(spec, "resources", "requests", "storage"))
        modes = set(texts(spec, "accessModes"))
        for one in volumes:
            if not modes <= set(texts(one.data, "spec", "accessModes")):
                has = ", ".join(texts(one.data, "spec", "accessModes"))
                return f"asks for {', '.join(sorted(modes))}; PersistentVolume {one.name} has {has}"
            if _size(one.data) < asked:
                has = text(one.data, "spec", "capacity", "storage")
                wants = at(spec, "resources", "requests", "storage")
                return f"asks for {wants}; PersistentVolume {one.name} has {has}"
        names = ", ".join(one.name for one in volumes[:3])
        is_one = len(volumes) == 1
        return (
            f"finds no volume: PersistentVolume{'' if is_one else 's'} {names} "
            f"{'is' if is_one else 'are'} others', one volume is for one claim"
        )


@record()
class Mounts:
    """The volumes of one pod, as they bear on where it can go."""

    claims: Claims | None
    """None: nothing is left to be bound."""
    volumes: tuple[Object, ...]
    waiting: tuple[_Claim, ...]

    @property
    def are_free(self) -> bool:
        """Whether they say nothing of nodes."""
        return not (self.volumes or self.waiting)

    def refuse(self, node: Node) -> Refusal | None:
        """Why the pod's volumes keep it from `node`. No preemption would help."""
        reasons = []
        if not all(_reaches(volume, node) for volume in self.volumes):
            reasons.append(_NODE)
        left = self.waiting and self.claims is not None
        if left and self.claims is not None and self.claims.choose(self.waiting, node) is None:
            reasons.append(_NONE_FREE)
        if not reasons and not all(_shares_place(volume, node) for volume in self.volumes):
            reasons.append(_ZONE)
        return Refusal(tuple(reasons), final=True) if reasons else None

    def take(self, node: Node) -> None:
        """The pod goes to `node`."""
        if self.claims is not None:
            self.claims.take(self.waiting, node)


def _illegal(name: str, claim: Object | None) -> str:
    if claim is None:
        return f'persistentvolumeclaim "{name}" not found'
    if text(claim, "status", "phase") == "Lost":
        volume = text(claim, "spec", "volumeName")
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if text(claim, "metadata", "deletionTimestamp"):
        return f'persistentvolumeclaim "{name}" is being deleted'
    return ""


def _reaches(volume: Object, node: Node) -> bool:
    terms = array(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
    return not terms or any(node_term_matches(term, node) for term in terms)


def _shares_place(volume: Object, node: Node) -> bool:
    """Zones of a volume's labels are separated by ``__``. A node without a place takes all."""
    if not any(key in node.labels for key in _PLACES):
        return True
    written = labels(volume, "metadata", "labels")
    return all(
        node.labels.get(key) in written[key].split("__") for key in _PLACES if key in written
    )


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


def _fits(volume: Object, own: str, claim: Object, storage_class: str) -> bool:
    """`own`: the claim's NAMESPACE/NAME, for which a volume may be reserved."""
    reserved = table(volume, "spec", "claimRef")
    if reserved and f"{text(reserved, 'namespace')}/{text(reserved, 'name')}" != own:
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
