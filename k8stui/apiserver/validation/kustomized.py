"""What a kustomization puts into the objects of a folder, which leave it out on purpose.

Labels and selectors (LabelTransformer), and the name of a Namespace (NamespaceTransformer): by the
kustomization of the folder itself, or by one beside it that names the folder (``../manager``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache

from k8stui.manifests.foreign import KUSTOMIZATIONS
from k8stui.manifests.manifest import Manifest
from k8stui.origin import is_file

_LABELS = re.compile(r"^commonLabels:|includeSelectors: true", re.MULTILINE)
"""Fields that write into selectors too (the LabelTransformer's default field specs)."""
_NAMESPACE = re.compile(r"^namespace:", re.MULTILINE)


def is_labelled(one: Manifest) -> bool:
    """Whether a kustomization gives the object its labels and selector."""
    return _has(one, _LABELS)


def is_renamed(one: Manifest) -> bool:
    """Whether a kustomization gives a Namespace its name."""
    return one.kind == "Namespace" and _has(one, _NAMESPACE)


def _has(one: Manifest, field: re.Pattern[str]) -> bool:
    if not is_file(one.file):
        return False
    return any(field.search(text) for text in _kustomizations(os.path.dirname(one.file)))  # noqa: PTH120 - pathlib: 3 ms


@cache
def _kustomizations(folder: str) -> tuple[str, ...]:
    """The texts of those that take in what is in a folder."""
    own = _text(folder)
    if own is None:
        return ()
    parent, name = os.path.split(os.path.abspath(folder))  # noqa: PTH100
    return (own, *_beside(parent, name))


def _beside(parent: str, name: str) -> Iterator[str]:
    try:
        others = sorted(os.listdir(parent))  # noqa: PTH208
    except OSError:
        return
    for other in others:
        text = _text(os.path.join(parent, other)) if other != name else None  # noqa: PTH118
        if text is not None and re.search(rf"\.\./{re.escape(name)}/?\s", text):
            yield text


@cache
def _text(folder: str) -> str | None:
    for name in KUSTOMIZATIONS:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                return file.read(100_000)
        except (OSError, UnicodeDecodeError):
            continue
    return None
