"""Is the check worth anything? One mistake at a time is seeded into manifests that are right.

Each must be found, as an error, on the line where it was made; the originals must stay quiet.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from check.worlds import SAMPLES, SHARED, checked

from k8stui.apiserver import apply
from k8stui.apiserver.fields import labels, table
from k8stui.check import Severity
from k8stui.manifests import Manifest

SETS = [
    SAMPLES / "guestbook",
    SAMPLES / "webapp",
    SHARED / "kubernetes-examples/web/guestbook/all-in-one/guestbook-all-in-one.yaml",
    SHARED / "kubernetes-examples/web/guestbook-go",
    SHARED / "example-voting-app/k8s-specifications",
    SHARED / "bookinfo/samples/bookinfo/platform/kube/bookinfo.yaml",
    SHARED / "microservices-demo/release/kubernetes-manifests.yaml",
]
_EVERY = {"kubernetes-manifests": 3}
"""Of a set with many alike Services every third is enough."""

Lines = list[str]
Seed = Callable[[Manifest, Lines], int]
"""Makes a mistake in the lines of the Service's file and gives its 1-based line."""


def label_typo(service: Manifest, lines: Lines) -> int:
    key, value = next(iter(labels(service.data, "spec", "selector").items()))
    at = service.place("spec", "selector", key).line
    middle = len(value) // 2
    before, mark, after = lines[at - 1].rpartition(value)
    assert mark
    lines[at - 1] = before + value[:middle] + value[middle + 1 :] + after
    return at


def _put(service: Manifest, lines: Lines, field: str, value: str) -> int:
    """Write a field of the first port: in place of what is there, or as a new line."""
    port = table(service.data, "spec", "ports", 0)
    if field in port:
        at = service.place("spec", "ports", 0, field).line
        before, mark, _ = lines[at - 1].partition(f"{field}:")
        assert mark
        lines[at - 1] = f"{before}{mark} {value}"
        return at
    spot = service.place("spec", "ports", 0, "port")
    lines.insert(spot.line, " " * (spot.column - 1) + f"{field}: {value}")
    return spot.line + 1


def target_number(service: Manifest, lines: Lines) -> int:
    return _put(service, lines, "targetPort", "54321")


def target_name(service: Manifest, lines: Lines) -> int:
    return _put(service, lines, "targetPort", "no-such-port")


def protocol(service: Manifest, lines: Lines) -> int:
    return _put(service, lines, "protocol", "UDP")


def namespace(service: Manifest, lines: Lines) -> int:
    spot = service.place("metadata", "name")
    lines.insert(spot.line, " " * (spot.column - 1) + "namespace: elsewhere")
    return spot.line + 1


SEEDS: dict[Seed, set[str]] = {
    label_typo: {"no-endpoints"},
    target_number: {"target-port-number"},
    target_name: {"target-port-name"},
    protocol: {"target-port-protocol", "target-port-name"},
    namespace: {"no-endpoints"},
}
"""With the rules that may tell."""


def _services(path: Path) -> Iterator[Manifest]:
    found = [m for m in apply([str(path)]).objects if m.kind == "Service"]
    yield from found[:: _EVERY.get(path.stem, 1)]


def _cases() -> Iterator[object]:
    for path in SETS:
        for service in _services(path) if path.exists() else ():
            for seed in SEEDS:
                name = f"{path.stem}-{service.name}-{seed.__name__}"
                yield pytest.param(path, service, seed, id=name)


def _copy(path: Path, to: Path) -> Path:
    """Give the path of a copy; `to` is a folder that is not there yet."""
    if path.is_dir():
        shutil.copytree(path, to)
        return to
    to.mkdir()
    shutil.copy(path, to)
    return to / path.name


@pytest.mark.parametrize(("path", "service", "seed"), _cases())
def test_a_seeded_mistake_is_found(
    path: Path, service: Manifest, seed: Seed, tmp_path: Path
) -> None:
    copy = _copy(path, tmp_path / "set")
    file = copy / Path(service.file).relative_to(path) if path.is_dir() else copy
    lines = file.read_text().splitlines()
    line = seed(service, lines)
    file.write_text("\n".join(lines) + "\n")
    found = [
        finding
        for finding in checked(copy)
        if finding.place is not None
        and (finding.place.file, finding.place.line) == (str(file), line)
    ]
    assert [f.severity for f in found] == [Severity.ERROR], found
    assert found[0].rule in SEEDS[seed]
    assert found[0].subject.endswith(f"/{service.name}")
    assert found[0].proof is not None
    if seed is label_typo:
        key, value = next(iter(labels(service.data, "spec", "selector").items()))
        assert found[0].fix == f"write {key}: {value} in the selector"


@pytest.mark.parametrize("path", SETS, ids=[path.stem for path in SETS])
def test_the_originals_are_quiet(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"{path.name} is not on this machine")
    assert [f for f in checked(path) if f.severity is not Severity.INFO] == []
