"""Every iptables-save text that was recorded, by a name for the test case."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import truth

_SAVED = re.compile(r".*\.ip6?tables(-legacy)?(\.xz)?")
_IDENTITY = re.compile(
    r"\b[A-Z2-7]{16}\b|\b[0-9a-f]{12,64}\b|\d+\.\d+\.\d+\.\d+|[0-9a-f]*(?::[0-9a-f]*)+:[0-9a-f]*|\d+"
)
"""What differs between two rules of one shape: hashes, addresses, numbers."""


def texts() -> Iterator[tuple[str, str]]:
    """(name, text) of each recording, golden state included."""
    for kind in ("recordings", "recordings-cni"):
        folder = truth.find(kind)
        if folder is None:
            continue
        for path in sorted(folder.rglob("*")):
            if _SAVED.fullmatch(path.name):
                yield f"{kind}/{path.relative_to(folder)}", read(path)
    folder = truth.find("golden-walks")
    for path in sorted(folder.glob("state-*.json")) if folder else ():
        for name, state in json.loads(path.read_text()).items():
            if "iptables-save" in state:
                text = "\n".join(state["iptables-save"]) + "\n"
                yield f"golden-walks/{path.stem}/{name}", text


def read(path: Path) -> str:
    if path.suffix == ".xz":
        return lzma.open(path, "rt").read()
    return path.read_text()


@cache
def all_texts() -> dict[str, str]:
    return dict(texts())


@cache
def rule_shapes() -> dict[str, str]:
    """Rules that differ in more than names and numbers: shape → one rule of it."""
    shapes: dict[str, str] = {}
    for text in all_texts().values():
        for line in text.split("\n"):
            if line.startswith("-A"):
                shapes.setdefault(_IDENTITY.sub("*", line), line)
    return shapes
