"""Text to Kubernetes objects. Every field knows its file and line; bad input becomes a Problem.

Nothing in this room imports another room of the project.
"""

from __future__ import annotations

from k8stui.manifests.embedded import embedded
from k8stui.manifests.load import load
from k8stui.manifests.manifest import FieldPlace, Manifest, Manifests
from k8stui.manifests.origin import Origin, OriginKind, Place
from k8stui.manifests.problem import Doubt, Note, Problem

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
