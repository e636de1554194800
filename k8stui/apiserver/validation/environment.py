"""A container's environment.

Source: pkg/apis/core/validation/validation.go ValidateEnv, validateEnvVarValueFrom,
validateObjectFieldSelector, validateContainerResourceFieldSelector, ValidateEnvFrom (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.manifests.manifest import Path

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_RESOURCES = tuple(
    f"{kind}.{name}"
    for kind in ("limits", "requests")
    for name in ("cpu", "memory", "ephemeral-storage")
)


def check_environment(container: Object, base: Path) -> Iterator[Mistake]:
    """`env` and `envFrom` of one container (core/validation ValidateEnv, ValidateEnvFrom)."""
    for path, entry in records(container, "env", base):
        name = text(entry, "name")
        if entry.get("name") == "":
            yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
        yield from _name(name, (*path, "name"))
        if isinstance(entry.get("valueFrom"), dict):
            yield from _source(entry, table(entry, "valueFrom"), (*path, "valueFrom"))
    whole = (*base, "envFrom")
    for path, entry in records(container, "envFrom", base):
        yield from _name(text(entry, "prefix"), (*path, "prefix"))
        sources = [s for s in ("configMapRef", "secretRef") if isinstance(entry.get(s), dict)]
        if not sources:
            message = "needs configMapRef or secretRef in each entry"
            yield Mistake(whole, Wrong.INVALID, message, path)
        elif len(sources) > 1:
            message = "may have configMapRef or secretRef in an entry, not both"
            yield Mistake(whole, Wrong.INVALID, message, path)
        for source in sources:
            yield from _reference(table(entry, source), (*path, source), Wrong.REQUIRED)


def _name(name: str, path: Path) -> Iterator[Mistake]:
    if any(not " " <= letter <= "~" or letter == "=" for letter in name):
        message = f"{name!r} may only have printable ASCII characters other than '='"
        yield Mistake(path, Wrong.INVALID, message)


def _source(entry: Object, given: Object, path: Path) -> Iterator[Mistake]:
    sources = [source for source in _SOURCES if given.get(source) is not None]
    if not sources:
        yield Mistake(path, Wrong.INVALID, f"needs one of {', '.join(_SOURCES[:4])}")
    elif text(entry, "value"):
        yield Mistake(path, Wrong.INVALID, "may not stand beside value")
    elif len(sources) > 1:
        yield Mistake(path, Wrong.INVALID, f"may have {sources[0]} or {sources[1]}, not both")
    for source in sources:
        of, where = table(given, source), (*path, source)
        if source == "fieldRef":
            yield from _field(text(of, "fieldPath"), (*where, "fieldPath"))
        elif source == "resourceFieldRef":
            resource = text(of, "resource")
            if not resource:
                yield Mistake((*where, "resource"), Wrong.REQUIRED, "has to be written")
            elif not resource.startswith(("requests.hugepages-", "limits.hugepages-")):
                yield from one_of((*where, "resource"), resource, _RESOURCES)
        elif source != "fileKeyRef":
            yield from _reference(of, where, Wrong.INVALID)
            key = text(of, "key")
            if not key:
                yield Mistake((*where, "key"), Wrong.REQUIRED, "has to be written")
            elif wrong := formats.configuration_key(key):
                yield Mistake((*where, "key"), Wrong.INVALID, f"{key!r} {wrong}")


def _field(field: str, path: Path) -> Iterator[Mistake]:
    if not field:
        yield Mistake(path, Wrong.REQUIRED, "has to be written")
    elif field.partition("[")[0] not in ("metadata.labels", "metadata.annotations"):
        if field not in _FIELDS:
            # Paths that no pod field has do not even convert; the others are not for env.
            known = field.startswith(("metadata.", "spec.", "status."))
            wrong = Wrong.UNSUPPORTED if known and field in _CONVERTED else Wrong.INVALID
            message = f"is {field!r}; it is one of {', '.join(_FIELDS)}, "
            message += "metadata.labels['KEY'], metadata.annotations['KEY']"
            yield Mistake(path, wrong, message)
    elif "[" not in field:
        message = f"is {field!r}; one key of it is written as {field}['KEY']"
        yield Mistake(path, Wrong.UNSUPPORTED, message)


_CONVERTED = frozenset({"spec.restartPolicy", "spec.schedulerName", "status.phase"})
"""Selectable fields of a pod that no variable may have (ConvertDownwardAPIFieldLabel)."""


def _reference(of: Object, where: Path, missing: Wrong) -> Iterator[Mistake]:
    name = text(of, "name")
    if not name:
        yield Mistake((*where, "name"), missing, "has to be written")
    elif wrong := formats.dns_subdomain(name):
        mended = formats.as_subdomain(name)
        yield Mistake((*where, "name"), Wrong.INVALID, f"{name!r} {wrong}", mended=mended)
