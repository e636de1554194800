"""Real manifests and real dumps load whole, without a problem."""

from __future__ import annotations

import lzma
from collections import Counter
from pathlib import Path

import pytest
import truth
import yaml

from k8stui.apiserver import apply

_SETS = Path(truth.__file__).parents[2] / "shared" / "manifests"


def _set(name: str) -> Path:
    """truth.folder would find this very folder of tests, which has the same name."""
    if not _SETS.is_dir():
        pytest.skip("the manifests of other projects are not on this machine")
    return _SETS / name


_WEB = "kubernetes-examples/web"
COUNTS = {
    f"{_WEB}/guestbook/all-in-one": {"Deployment": 5, "Service": 5},
    f"{_WEB}/guestbook/all-in-one/guestbook-all-in-one.yaml": {"Deployment": 3, "Service": 3},
    f"{_WEB}/guestbook/legacy": {"ReplicationController": 3},
    f"{_WEB}/guestbook-go": {"ReplicationController": 2, "Deployment": 1, "Service": 3},
    "example-voting-app/k8s-specifications": {"Deployment": 5, "Service": 4},
    "microservices-demo/release/kubernetes-manifests.yaml": {
        "Deployment": 12,
        "Service": 12,
        "ServiceAccount": 11,
    },
    "bookinfo/samples/bookinfo/platform/kube/bookinfo.yaml": {
        "Deployment": 6,
        "Service": 4,
        "ServiceAccount": 4,
    },
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_the_readme(name: str) -> None:
    found = apply([str(_set(name))])
    assert Counter(one.kind for one in found.objects) == COUNTS[name]
    assert not found.problems
    assert not any(one.observed for one in found.objects)


def test_guestbook_files_of_the_folder_alone() -> None:
    folder = _set("kubernetes-examples/web/guestbook")
    found = apply([str(path) for path in sorted(folder.glob("*.yaml"))])
    assert Counter(one.kind for one in found.objects) == {"Deployment": 3, "Service": 3}
    assert not found.notes


def test_overlapping_sets_name_what_repeats() -> None:
    found = apply([str(_set("kubernetes-examples/web"))])
    repeated = [note for note in found.notes if "also in" in note.message]
    others = [note.message for note in found.notes if note not in repeated]
    assert len(repeated) == 7
    (changed,) = others
    assert "redis-master: spec.selector may not change" in changed


def _dumps() -> list[Path]:
    try:
        folder = truth.folder("recordings-cluster")
    except BaseException:  # noqa: BLE001 - pytest's Skipped; the tests below then skip by name
        return []
    return sorted(p for p in folder.glob("*/dump*") if ".yaml" in p.name or ".json" in p.name)


@pytest.mark.parametrize("path", _dumps(), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_dump(path: Path, tmp_path: Path) -> None:
    file = path
    if path.suffix == ".xz":
        file = tmp_path / path.stem
        file.write_bytes(lzma.decompress(path.read_bytes()))
    found = apply([str(file)])
    assert not found.problems
    assert all(one.observed for one in found.objects)
    text = file.read_text()
    expected = text.count('\n            "kind":' if file.suffix == ".json" else "\n  kind: ")
    skipped = sum(note.count for note in found.notes if "skipped" in note.message)
    assert len(found.objects) + skipped == expected


@pytest.mark.parametrize(
    "path", [p for p in _dumps() if p.suffix == ".yaml"][:6], ids=lambda p: p.parent.name
)
def test_same_data_as_another_parser(path: Path) -> None:
    """Whatever was kept is what PyYAML's own loader reads (no odd scalars in a dump)."""
    items = yaml.load(path.read_text(), yaml.CSafeLoader)["items"]
    found = apply([str(path)])
    for one, item in zip(found.objects, items, strict=True):
        _subset(one.data, item)


def _subset(mine: object, theirs: object) -> None:
    if isinstance(mine, dict):
        for key, value in mine.items():
            _subset(value, theirs[key])  # type: ignore[index]
    elif isinstance(mine, list):
        assert len(mine) == len(theirs)  # type: ignore[arg-type]
        for a, b in zip(mine, theirs, strict=True):  # type: ignore[call-overload]
            _subset(a, b)
    elif not hasattr(theirs, "isoformat"):  # PyYAML makes dates
        assert mine == theirs
