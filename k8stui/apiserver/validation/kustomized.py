"""Whether a kustomization puts the labels and selectors into what its folder leaves out."""

from __future__ import annotations

import os
from functools import cache

from k8stui.manifests.manifest import Manifest
from k8stui.origin import is_file

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LABELLERS = ("commonLabels:", "includeSelectors: true")
"""Fields that write into selectors too (kustomize, the LabelTransformer's default field specs)."""


def is_labelled(one: Manifest) -> bool:
    """Whether the kustomization of its folder gives the object its labels and selector."""
    return is_file(one.file) and _labels(os.path.dirname(one.file))  # noqa: PTH120 - pathlib: 3 ms


@cache
def _labels(folder: str) -> bool:
    for name in _NAMES:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                text = file.read(100_000)
        except (OSError, UnicodeDecodeError):
            continue
        return any(field in text for field in _LABELLERS)
    return False
