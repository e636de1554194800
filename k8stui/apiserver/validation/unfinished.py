"""Objects that are not meant to be applied as they stand: somebody completes or chooses first.

A patch holds a part of an object; a kustomization or ``kubectl patch`` merges it into the whole
one. A placeholder stands where a value is to be filled in (sed, envsubst, a reader of the docs).
Alternatives of one object stand side by side in a folder, in files of their own. None is a mistake
of the object that a server will get, which is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from k8stui.apiserver.fields import array, at, table, text
from k8stui.apiserver.validation.mistake import Mistake
from k8stui.manifests.manifest import Manifest

_WORKLOADS = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"})
_PLACEHOLDER = re.compile(
    r"\$\{?[A-Za-z_]\w*\}?|\$\([A-Za-z_]\w*\)|\{\{[^{}]*\}\}|<[^<>]+>|__[A-Z][A-Z0-9_]*__|@[A-Za-z_]\w*@|%[A-Za-z_]\w*%"
    r"|(?<![A-Za-z0-9])_*[A-Z][A-Z0-9]+(?:_[A-Z0-9]{2,})+_*(?![a-z])"
)
"""``${NAME}``, ``{{name}}``, ``<your domain>``, ``@NAME@``, ``MY_DOMAIN``, ``__HOST__``."""


def unfinished(one: Manifest, found: Sequence[Mistake]) -> str:
    """Why the object is none that is meant to be applied as it stands; empty where it is.

    `found`: what the server has against it.
    """
    if not found:
        return ""
    if _is_part(one):
        return "a part of an object (a patch)"
    if all(mistake.alternative for mistake in found):
        return f"an alternative of one that stands in another file ({found[0].message})"
    if all(_is_placeholder(one, mistake) for mistake in found):
        return "a template, its placeholders are to be filled in"
    return ""


def is_filled_in(one: Manifest, mistake: Mistake) -> bool:
    """Whether somebody fills in the value that the server refuses; not in a name or a label."""
    return "metadata" not in mistake.path and _is_placeholder(one, mistake)


def _is_part(one: Manifest) -> bool:
    """Whether it lacks an image, and a selector or labels: whoever forgets one writes the other."""
    if one.kind not in _WORKLOADS:
        return False
    spec = table(one.data, "spec")
    containers = array(spec, "template", "spec", "containers")
    without_image = not containers or not all(text(each, "image") for each in containers)
    return without_image and not (
        table(spec, "selector") and table(spec, "template", "metadata", "labels")
    )


def _is_placeholder(one: Manifest, mistake: Mistake) -> bool:
    value = at(one.data, *(mistake.at or mistake.path))
    return isinstance(value, str) and is_placeholder(value)


def is_placeholder(value: str) -> bool:
    """Whether a part of it stands for something that is to be filled in."""
    return _PLACEHOLDER.search(value) is not None
