"""Paths → `Manifests`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import yaml

from k8stui.manifests.manifest import Manifest, Manifests
from k8stui.manifests.manifest import Path as FieldPath


@dataclass(frozen=True, slots=True)
class _Top:
    def find(self, path: FieldPath) -> tuple[int, int]:  # noqa: ARG002
        return 1, 1


def load(paths: Sequence[str], *, stdin: BinaryIO | None = None) -> Manifests:
    """Read every object of `paths` (files, folders, ``-``)."""
    objects = []
    for given in paths:
        root = Path(given)
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for file in files:
            if file.suffix not in (".yaml", ".yml", ".json") and given != "-":
                continue
            text = stdin.read() if given == "-" and stdin else file.read_bytes()
            for data in yaml.safe_load_all(text):
                if not isinstance(data, dict) or "kind" not in data:
                    continue
                for item in data["items"] if data["kind"] == "List" else [data]:
                    meta = item.get("metadata") or {}
                    objects.append(
                        Manifest(
                            api_version=item.get("apiVersion", ""),
                            kind=item["kind"],
                            name=meta.get("name", ""),
                            namespace=meta.get("namespace"),
                            data=item,
                            file=str(file),
                            observed="uid" in meta,
                            locator=_Top(),
                        )
                    )
    return Manifests(objects=tuple(objects))
