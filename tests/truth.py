"""Where the recordings of the real programs are, for every test of truth.

An environment variable can point elsewhere, so that further recordings of the same layout are
judged without touching the code; then comes the copy in tests/, then the shared folder beside the
checkout. What is absent is skipped by name.
"""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import pytest

_VARIABLES = {
    "recordings": "K8STUI_RECORDINGS",
    "recordings-cni": "K8STUI_RECORDINGS_CNI",
    "recordings-cluster": "K8STUI_RECORDINGS_CLUSTER",
    "recordings-policy": "K8STUI_RECORDINGS_POLICY",
    "recordings-agents": "K8STUI_RECORDINGS_AGENTS",
    "golden-walks": "K8STUI_GOLDEN_WALKS",
    "packet-flow": "K8STUI_PACKET_FLOW",
    "real-nodes": "K8STUI_REAL_NODES",
}
_TESTS = Path(__file__).parent
_SHARED = _TESTS.parent.parent / "shared"


def find(name: str) -> Path | None:
    """The folder of one kind of recordings, or None when this machine has none."""
    variable = _VARIABLES.get(name)
    if variable and os.environ.get(variable):
        return Path(os.environ[variable])
    # Only recordings have copies in tests/: tests/manifests holds the tests of that room.
    folders = (_TESTS / name, _SHARED / name) if variable else (_SHARED / name,)
    return next((folder for folder in folders if folder.is_dir()), None)


def folder(name: str) -> Path:
    """As `find`; skips the calling test, by name, where there is none."""
    found = find(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def read(path: Path) -> str | None:
    """The text of a recording, packed (``.xz`` behind its name) or not; None without one."""
    if path.exists():
        return path.read_text()
    packed = path.with_name(f"{path.name}.xz")
    return lzma.decompress(packed.read_bytes()).decode() if packed.exists() else None
