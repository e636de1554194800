"""Volumes of a pod.

Source: pkg/apis/core/validation/validation.go ValidateVolumes, validateVolumeSource,
validateHostPathVolumeSource, validateConfigMapVolumeSource and so on (1.36). A volume without a
source is an emptyDir (SetDefaults_Volume).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, number, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.manifests.manifest import Path

_HOST_TYPES = (
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_MODES = range(0o1000)


def check_volumes(spec: Object, base: Path) -> Iterator[Mistake]:
    """A pod's volumes (core/validation ValidateVolumes)."""
    seen: set[str] = set()
    for path, volume in records(spec, "volumes", base):
        name = text(volume, "name")
        if not name:
            yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
        elif wrong := formats.dns_label(name):
            mended = formats.as_label(name)
            yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}", mended=mended)
        elif name in seen:
            message = f"is {name!r}, which is the name of another volume already"
            yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
        seen.add(name)
        sources = [key for key in _ORDER if volume.get(key) is not None]
        for extra in sources[1:]:
            message = f"may not stand beside {sources[0]}: a volume has one source"
            yield Mistake((*path, extra), Wrong.FORBIDDEN, message)
        if sources:
            yield from _source(sources[0], table(volume, sources[0]), (*path, sources[0]))


_ORDER = (
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
)
"""The order in which the server counts sources: all but the first are too many."""


def _source(kind: str, of: Object, path: Path) -> Iterator[Mistake]:
    match kind:
        case "hostPath":
            where = text(of, "path")
            if not where:
                yield Mistake((*path, "path"), Wrong.REQUIRED, "has to be written")
            elif ".." in where.split("/"):
                yield Mistake((*path, "path"), Wrong.INVALID, f"{where!r} may not have '..' in it")
            yield from one_of((*path, "type"), text(of, "type"), _HOST_TYPES)
        case "nfs":
            if not text(of, "server"):
                yield Mistake((*path, "server"), Wrong.REQUIRED, "has to be written")
            where = text(of, "path")
            if not where:
                yield Mistake((*path, "path"), Wrong.REQUIRED, "has to be written")
            elif not where.startswith("/"):
                yield Mistake((*path, "path"), Wrong.INVALID, f"{where!r} has to begin with '/'")
        case "secret" | "configMap":
            field = "secretName" if kind == "secret" else "name"
            if not text(of, field):
                yield Mistake((*path, field), Wrong.REQUIRED, "has to be written")
            mode = number(of, "defaultMode")
            if mode is not None and mode not in _MODES:
                message = f"is {mode}; it goes from 0 to 0777 (511)"
                yield Mistake((*path, "defaultMode"), Wrong.INVALID, message)
            yield from _items(of, path)
        case "persistentVolumeClaim":
            if not text(of, "claimName"):
                yield Mistake((*path, "claimName"), Wrong.REQUIRED, "has to be written")
        case _:
            return


def _items(of: Object, base: Path) -> Iterator[Mistake]:
    for path, item in records(of, "items", base):
        if not text(item, "key"):
            yield Mistake((*path, "key"), Wrong.REQUIRED, "has to be written")
        where = text(item, "path")
        if not where:
            yield Mistake((*path, "path"), Wrong.REQUIRED, "has to be written")
        elif wrong := formats.descending_path(where):
            yield Mistake((*path, "path"), Wrong.INVALID, f"{where!r} {wrong}")
        elif where.startswith(".."):
            message = f"{where!r} may not begin with '..'"
            yield Mistake((*path, "path"), Wrong.INVALID, message)
