"""Packed input files."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import packed

SERVICE = b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_packed_file_is_read_named_and_in_a_folder(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"dump.yaml{suffix}"
    path.write_bytes(PACKERS[suffix](SERVICE))
    for given in (path, tmp_path):
        found = apply([str(given)])
        assert not found.problems
        assert [(one.kind, one.name) for one in found.objects] == [("Service", "web")]
        assert found.objects[0].place("spec", "ports", 0, "port").line == 4


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("keep", [0, 5, 40], ids=["empty", "head", "cut"])
def test_a_damaged_one_is_told(suffix: str, keep: int, tmp_path: Path) -> None:
    path = tmp_path / f"dump.yaml{suffix}"
    path.write_bytes(PACKERS[suffix](SERVICE)[:keep])
    found = apply([str(path)])
    assert not found.objects
    assert found.problems or any("empty" in note.message for note in found.notes)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_does_not_unfold(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "LIMIT", 1000)
    path = tmp_path / f"dump.yaml{suffix}"
    path.write_bytes(PACKERS[suffix](b"#" * 100_000))
    assert "holds more than 1,000 bytes" in apply([str(path)]).problems[0].message


def test_what_has_no_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a device, not a file" in apply(["/dev/zero"]).problems[0].message
    with open("/dev/zero", "rb") as endless:  # noqa: PTH123
        assert "a device, not a file" in apply(["-"], stdin=endless).problems[0].message
    assert not apply(["/dev/null"]).problems
    monkeypatch.setattr(packed, "LIMIT", 1000)
    assert "holds more" in apply(["-"], stdin=io.BytesIO(b"#" * 1001)).problems[0].message
    assert not apply(["-"], stdin=io.BytesIO(b"#" * 1000)).problems
