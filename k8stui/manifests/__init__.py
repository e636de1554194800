"""Text to Kubernetes objects. Every field knows its file and line; bad input becomes a Problem.

Nothing in this room imports another one of the project; what stands on the ground floor it may.
"""

from __future__ import annotations

from k8stui.manifests.embedded import embedded
from k8stui.manifests.load import load
from k8stui.manifests.manifest import FieldPlace, Manifest, Manifests
from k8stui.manifests.problem import Doubt, Note, Problem
from k8stui.origin import Origin, OriginKind, Place

__all__ = [
    "Doubt",
    "FieldPlace",
    "Manifest",
    "Manifests",
    "Note",
    "Origin",
    "OriginKind",
    "Place",
    "Problem",
    "embedded",
    "load",
]
