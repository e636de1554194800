"""Whoever watches a load learns how far it is, what is there already, and can call it off."""

from __future__ import annotations

import gc
import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import load
from k8stui.manifests.progress import Progress

DOCUMENT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{}\n---\n"
LIST = "apiVersion: v1\nitems:\n{}kind: List\n"
ITEM = "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: d{}\n"
JSON_ITEM = '{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "e{}"}}}}'
INPUTS = {
    "documents.yaml": "".join(DOCUMENT.format(n) for n in range(50)),
    "list.yaml": LIST.format("".join(ITEM.format(n) for n in range(3000))),
    "list.json": '{"apiVersion": "v1", "kind": "List", "items": [\n'
    + ",\n".join(JSON_ITEM.format(n) for n in range(50))
    + "]}",
}


@pytest.fixture(autouse=True)
def every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes between any two looks at the clock: each tick is told."""
    clock = SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setitem(load.__globals__, "time", clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in INPUTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", INPUTS)
def test_objects_come_in_while_a_file_is_read(folder: Path, name: str) -> None:
    seen: list[tuple[int, int, int]] = []
    apply([str(folder / name)], watch=lambda p: seen.append((p.done, p.total, len(p.objects))))
    size = (folder / name).stat().st_size
    assert {total for _, total, _ in seen} == {size}
    assert seen == sorted(seen)
    assert seen[-1][0] == size
    assert len({count for _, _, count in seen}) >= 50


def test_the_total_is_known_from_the_start(folder: Path) -> None:
    totals: set[int] = set()
    apply([str(folder / name) for name in INPUTS], watch=lambda p: totals.add(p.total))
    assert totals == {sum(map(len, INPUTS.values()))}


def test_a_load_can_be_called_off(folder: Path) -> None:
    def stop(progress: Progress) -> None:
        if len(progress.objects) == 10:
            raise KeyboardInterrupt

    collecting = gc.isenabled()
    gc.enable()
    try:
        with pytest.raises(KeyboardInterrupt):
            apply([str(folder)], watch=stop)
        assert gc.isenabled()
    finally:
        if not collecting:
            gc.disable()
