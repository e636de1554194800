"""What objects say of each other in their text: who names whom, and by which selector.

Nothing of this decides about packets, so the cluster's model does not hold it; the graph does.
Names of Secrets are read, never what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

Path = tuple[str | int, ...]

_PATHS: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
_TEMPLATE = ("spec", "template")
_REFERENCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "configMap": ("ConfigMap", ("name",)),
    "configMapRef": ("ConfigMap", ("name",)),
    "configMapKeyRef": ("ConfigMap", ("name",)),
    "secret": ("Secret", ("secretName", "name")),
    "secretRef": ("Secret", ("name",)),
    "secretKeyRef": ("Secret", ("name",)),
    "persistentVolumeClaim": ("PersistentVolumeClaim", ("claimName",)),
}
"""Fields of volumes and of containers' env that name an object, its kind, and where its name is."""
_INSIDE = frozenset({"env", "envFrom", "valueFrom", "projected", "sources"})


@record()
class Mention:
    """One object names another of its own namespace."""

    kind: str
    name: str
    path: Path
    """Where the name is written."""


def template_path(kind: str) -> tuple[str, ...]:
    """Where the pod template (metadata and spec) of a kind stands; empty for a Pod."""
    return _PATHS.get(kind, _TEMPLATE)


def mentions(manifest: Manifest) -> Iterator[Mention]:
    """Everything that `manifest` names: Services of an Ingress, what its pods read, its target."""
    if manifest.kind == "Ingress":
        for path, name_path in ingress_backends(manifest):
            name = text(manifest.data, *path, *name_path)
            yield Mention("Service", name, (*path, *name_path))
    elif manifest.kind == "HorizontalPodAutoscaler":
        target = ("spec", "scaleTargetRef")
        kind, name = (text(manifest.data, *target, field) for field in ("kind", "name"))
        if name:
            yield Mention(kind, name, (*target, "name"))
    else:
        base = (*template_path(manifest.kind), "spec")
        spec = table(manifest.data, *base)
        for field in ("volumes", "containers", "initContainers"):
            yield from _referred(spec.get(field), (*base, field))
        for index, one in enumerate(array(spec, "imagePullSecrets")):
            if text(one, "name"):
                yield Mention("Secret", text(one, "name"), (*base, "imagePullSecrets", index))


INGRESS_CLASS = "kubernetes.io/ingress.class"
"""The annotation by which an Ingress named its class before networking.k8s.io/v1."""


def class_of_ingress(manifest: Manifest) -> str:
    """The class that it names, in its spec or by the annotation; empty: none."""
    annotated = text(manifest.data, "metadata", "annotations", INGRESS_CLASS)
    return text(manifest.data, "spec", "ingressClassName") or annotated


def ingress_backends(manifest: Manifest) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each backend of an Ingress that names a Service: its path, and the name's below that.

    networking.k8s.io/v1 has ``service.name``, the versions before ``serviceName``.
    """
    paths: list[Path] = [
        ("spec", field)
        for field in ("defaultBackend", "backend")
        if table(manifest.data, "spec", field)
    ]
    for rule_index, rule in enumerate(array(manifest.data, "spec", "rules")):
        for path_index, _ in enumerate(array(rule, "http", "paths")):
            paths.append(("spec", "rules", rule_index, "http", "paths", path_index, "backend"))
    for path in paths:
        for name_path in (("service", "name"), ("serviceName",)):
            if text(manifest.data, *path, *name_path):
                yield path, name_path
                break


def selector_of(manifest: Manifest) -> object:
    """The LabelSelector by which a NetworkPolicy picks pods; None of any other object.

    Source: networking/v1 NetworkPolicySpec.podSelector.
    """
    return at(manifest.data, "spec", "podSelector") if manifest.kind == "NetworkPolicy" else None


def _referred(value: object, path: Path) -> Iterator[Mention]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _referred(one, (*path, index))
    elif isinstance(value, dict):
        for field, inner in value.items():
            kind, names = _REFERENCES.get(field, ("", ()))
            if isinstance(inner, dict):
                yield from _named(kind, names, inner, (*path, field))
            if field in _INSIDE:
                yield from _referred(inner, (*path, field))


def _named(kind: str, names: tuple[str, ...], inner: Object, path: Path) -> Iterator[Mention]:
    for name in names:
        if text(inner, name):
            yield Mention(kind, text(inner, name), (*path, name))
            return
