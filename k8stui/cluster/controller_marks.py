"""What controllers write on the pods that they make: labels, hostname, subdomain.

Source: docs/facts/control-plane.md section 4. Hashes and uids are replaced by stand-ins of the same
look.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zlib import crc32

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import Object, number, table, text
from k8stui.cluster.draft import Draft
from k8stui.origin import assumed

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_HASHED = assumed("pod-template-hash and the like are random or hashes; these stand in for them")

_MADE = ("pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name",
         "apps.kubernetes.io/pod-index", "batch.kubernetes.io/", "controller-uid", "job-name",
         "pod-template-generation")  # fmt: skip


def is_made(label: str) -> bool:
    """Whether controllers write labels of that name: nobody selects by them."""
    return label.startswith(_MADE)


def is_indexed(spec: Object) -> bool:
    """Whether a Job's pods have numbers of their own."""
    return text(spec, "completionMode") == "Indexed"


def ordinals(spec: Object) -> tuple[int, int]:
    """First ordinal and number of a StatefulSet's pods."""
    return number(spec, "ordinals", "start") or 0, defaults.made_replicas("StatefulSet", spec)


def mark(draft: Draft, manifest: Manifest, index: int, digest: str) -> None:
    """Add what the controller adds to the pod: labels, hostname, subdomain.

    `index`: number of the pod from 0; `digest`: `stand_in_hash` of the template.
    """
    spec = table(manifest.data, "spec")
    match manifest.kind:
        case "Deployment":
            draft.labels["pod-template-hash"] = digest
        case "StatefulSet":
            first, _ = ordinals(spec)
            draft.labels |= {
                "apps.kubernetes.io/pod-index": str(first + index),
                "controller-revision-hash": (f"{manifest.name}-{digest}"),
                "statefulset.kubernetes.io/pod-name": draft.name,
            }
            draft.hostname = draft.name
            draft.subdomain = text(spec, "serviceName") or None
        case "DaemonSet":
            draft.labels |= {
                "controller-revision-hash": digest,
                "pod-template-generation": "1",
            }
        case "Job":
            if is_indexed(spec):
                draft.labels["batch.kubernetes.io/job-completion-index"] = str(index)
                draft.hostname = f"{manifest.name}-{index}"
            if spec.get("manualSelector") is True:
                return  # batch/job/strategy.go generateSelector writes no labels then
            uid = stand_in_uid(f"{draft.namespace}/{manifest.name}")
            draft.labels |= {
                "batch.kubernetes.io/controller-uid": uid,
                "batch.kubernetes.io/job-name": manifest.name,
                "controller-uid": uid,
                "job-name": manifest.name,
            }
        case _:
            return
    draft.decided["labels"] = _HASHED


def stand_in_hash(template: Object) -> str:
    """Look like a pod-template-hash: 32 bits in the ten digits that Kubernetes uses.

    Source: pkg/controller/controller_utils.go ComputeHash, rand.SafeEncodeString. The real hash
    is one of a Go struct and cannot be had without the API server.
    """
    written = json.dumps(template, sort_keys=True, default=str)
    return str(crc32(written.encode())).translate(_SAFE_DIGITS)


_SAFE_DIGITS = str.maketrans("0123456789", "456789bcdf")


def stand_in_uid(key: str) -> str:
    """Look like a uid: the same for the same object always."""
    from uuid import NAMESPACE_URL, uuid5  # noqa: PLC0415 - only Jobs need it

    return str(uuid5(NAMESPACE_URL, f"k8stui:{key}"))
