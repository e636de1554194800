"""What a pod needs from objects beside it before the kubelet starts it."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.apiserver.validation.unfinished import is_placeholder
from k8stui.check.template import Template
from k8stui.record import record

Path = tuple[str | int, ...]
_PARTS = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "name"))
_VOLUMES = (
    ("configMap", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
)


@record()
class Need:
    """An object that has to be there, or one key in it."""

    kind: str
    name: str
    path: Path
    """Where its name stands in the manifest."""
    key: str = ""
    """The key that is asked for; empty: the object alone."""
    key_path: Path = ()


def needs(template: Template) -> Iterator[Need]:
    """All of them but those that are ``optional``, or whose name is to be filled in."""
    return (need for need in _all(template) if not is_placeholder(need.name))


def _all(template: Template) -> Iterator[Need]:
    at = (*template.path, "spec")
    account = text(template.spec, "serviceAccountName")
    if account:
        yield Need("ServiceAccount", account, (*at, "serviceAccountName"))
    for index, volume in enumerate(array(template.spec, "volumes")):
        yield from _of_volume(volume, (*at, "volumes", index))
    for container in template.containers():
        for index, one in enumerate(array(container.data, "envFrom")):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                yield from _named(one, field, kind, "name", (*container.path, "envFrom", index))
        for index, one in enumerate(array(container.data, "env")):
            source: Path = (*container.path, "env", index, "valueFrom")
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                yield from _key(table(one, "valueFrom"), field, kind, source)


def _of_volume(volume: object, path: Path) -> Iterator[Need]:
    for field, kind, name in _VOLUMES:
        yield from _named(volume, field, kind, name, path)
        yield from _items(volume, field, kind, name, path)
    for index, source in enumerate(array(volume, "projected", "sources")):
        for field, kind, name in _PARTS:
            part = (*path, "projected", "sources", index)
            yield from _named(source, field, kind, name, part)
            yield from _items(source, field, kind, name, part)


def _named(entry: object, field: str, kind: str, name: str, path: Path) -> Iterator[Need]:
    found = table(entry, field)
    if text(found, name) and found.get("optional") is not True:
        yield Need(kind, text(found, name), (*path, field, name))


def _items(entry: object, field: str, kind: str, name: str, path: Path) -> Iterator[Need]:
    """Keys of a volume: the kubelet does not mount it without each of them."""
    found = table(entry, field)
    if not text(found, name) or found.get("optional") is True:
        return
    for index, item in enumerate(array(found, "items")):
        key_path = (*path, field, "items", index, "key")
        yield Need(kind, text(found, name), (*path, field, name), text(item, "key"), key_path)


def _key(source: Object, field: str, kind: str, path: Path) -> Iterator[Need]:
    found = table(source, field)
    if text(found, "name") and found.get("optional") is not True:
        place = (*path, field, "name")
        yield Need(kind, text(found, "name"), place, text(found, "key"), (*path, field, "key"))
