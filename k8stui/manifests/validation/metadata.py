"""metadata: names, labels and annotations of every kind.

Source: apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMeta, unversioned validation
ValidateLabels; the form of the name by kind: ValidateXName of each kind's validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from k8stui.manifests.manifest import Path
from k8stui.manifests.validation import formats
from k8stui.manifests.validation.fields import Table, table, text
from k8stui.manifests.validation.mistake import Mistake, Wrong

_LABEL_NAMES = frozenset({"Service", "Namespace", "StatefulSet"})
"""Names that become one part of a DNS name. A Service's may begin with a digit since 1.36, a
StatefulSet's has had no dots since 1.27."""
_MOST_ANNOTATION_BYTES = 256 * 1024
_LONGEST_CRON_JOB = 52
"""A Job made of it adds 11 characters to its name (batch validation validateCronJob)."""


def check_metadata(data: Table) -> Iterator[Mistake]:
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


def check_meta(metadata: Table, base: Path) -> Iterator[Mistake]:
    """Labels and annotations of an object or a template."""
    if not metadata:
        return
    if "labels" in metadata:
        yield from check_labels(metadata["labels"], (*base, "labels"))
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        path, size = (*base, "annotations"), 0
        for key, value in annotations.items():
            size += len(key) + (len(value) if isinstance(value, str) else 0)
            if wrong := formats.qualified_name(key.lower()):
                yield Mistake(
                    path,
                    Wrong.INVALID,
                    f"has the key {key!r}: it {wrong}",
                    (*path, key),
                    at_key=True,
                )
        if size > _MOST_ANNOTATION_BYTES:
            yield Mistake(path, Wrong.TOO_LONG, "may have 262144 bytes in all")


def check_labels(labels: object, path: Path) -> Iterator[Mistake]:
    """A map of labels, also one that selects."""
    if not isinstance(labels, dict):
        return
    for key, value in labels.items():
        if wrong := formats.qualified_name(key):
            yield Mistake(
                path, Wrong.INVALID, f"has the key {key!r}: it {wrong}", (*path, key), at_key=True
            )
        if isinstance(value, str) and (wrong := formats.label_value(value)):
            yield Mistake(
                path,
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
