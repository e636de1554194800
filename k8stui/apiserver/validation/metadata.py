"""metadata: names, labels and annotations of every kind.

Source: apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMeta, unversioned validation
ValidateLabels; the form of the name by kind: ValidateXName of each kind's validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from k8stui.apiserver.fields import Object, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Path

_LABEL_NAMES = frozenset({"Service", "Namespace", "StatefulSet"})
"""Names that become one part of a DNS name. A Service's may begin with a digit since 1.36, a
StatefulSet's has had no dots since 1.27."""
_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_MOST_ANNOTATION_BYTES = 256 * 1024
_LONGEST_CRON_JOB = 52
"""A Job made of it adds 11 characters to its name (batch validation validateCronJob)."""


def check_metadata(data: Object) -> Iterator[Mistake]:
    """Names, namespace, labels and annotations (api/validation ValidateObjectMeta)."""
    metadata = table(data, "metadata")
    name = text(metadata, "name")
    if name:
        yield from _name(text(data, "kind"), name)
    namespace = text(metadata, "namespace")
    if namespace and (wrong := formats.dns_label(namespace)):
        yield Mistake(
            ("metadata", "namespace"),
            Wrong.INVALID,
            f"{namespace!r} {wrong}",
            mended=formats.as_label(namespace),
        )
    yield from check_meta(metadata, ("metadata",))
    if "ownerReferences" in metadata:
        yield from _owners(metadata)
    for index, finalizer in numbered(metadata, "finalizers"):
        wrong = formats.qualified_name(finalizer)
        if wrong or ("/" not in finalizer and finalizer not in _FINALIZERS):
            message = f"{finalizer!r} " + (wrong or "has to be written as example.com/name")
            yield Mistake(("metadata", "finalizers", index), Wrong.INVALID, message)


def _owners(metadata: Object) -> Iterator[Mistake]:
    """Source: objectmeta.go validateOwnerReference, ValidateOwnerReferences."""
    controllers = 0
    for path, owner in records(metadata, "ownerReferences", ("metadata",)):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not text(owner, field):
                yield Mistake((*path, field), Wrong.INVALID, "has to be written")
        controllers += owner.get("controller") is True
    if controllers > 1:
        message = f"has {controllers} with controller: true; one is allowed"
        yield Mistake(("metadata", "ownerReferences"), Wrong.INVALID, message)


def check_meta(metadata: Object, base: Path, told: Path = ()) -> Iterator[Mistake]:
    """Labels and annotations of an object or a template.

    `told`: how the server calls the place of `metadata`, when that is not `base`.
    """
    if not metadata:
        return
    if "labels" in metadata:
        path = (*base, "labels")
        yield from check_labels(metadata["labels"], path, (*told, "labels") if told else path)
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        path, size = (*base, "annotations"), 0
        named = (*told, "annotations") if told else path
        for key, value in annotations.items():
            size += len(key) + (len(value) if isinstance(value, str) else 0)
            if wrong := formats.qualified_name(key.lower()):
                yield Mistake(
                    named,
                    Wrong.INVALID,
                    f"has the key {key!r}: it {wrong}",
                    (*path, key),
                    at_key=True,
                )
        if size > _MOST_ANNOTATION_BYTES:
            yield Mistake(named, Wrong.TOO_LONG, "may have 262144 bytes in all", path)


def check_labels(labels: object, path: Path, told: Path = ()) -> Iterator[Mistake]:
    """A map of labels, also one that selects. `told`: how the server calls `path`."""
    if not isinstance(labels, dict):
        return
    named = told or path
    for key, value in labels.items():
        if wrong := formats.qualified_name(key):
            yield Mistake(
                named, Wrong.INVALID, f"has the key {key!r}: it {wrong}", (*path, key), at_key=True
            )
        if isinstance(value, str) and (wrong := formats.label_value(value)):
            yield Mistake(
                named,
                Wrong.INVALID,
                f"has {key}: {value!r}, and a label's value {wrong}",
                (*path, key),
                mended=formats.as_label_value(value),
            )


def _name(kind: str, name: str) -> Iterator[Mistake]:
    path = ("metadata", "name")
    form: Callable[[str], str] = formats.dns_subdomain
    mend: Callable[[str], str] = formats.as_subdomain
    if kind in _LABEL_NAMES:
        form, mend = formats.dns_label, formats.as_label
    if wrong := form(name):
        shown = name if len(name) <= 60 else name[:59] + "…"
        yield Mistake(path, Wrong.INVALID, f"{shown!r} {wrong}", mended=mend(name))
    elif kind == "CronJob" and len(name) > _LONGEST_CRON_JOB:
        message = f"has {len(name)} characters; a CronJob's may have {_LONGEST_CRON_JOB}"
        yield Mistake(path, Wrong.INVALID, message)


def selects(selector: Mapping[str, object], labels: Mapping[str, object]) -> bool:
    """Whether a map of labels matches."""
    return all(labels.get(key) == value for key, value in selector.items())
