"""What is said of manifests, held against what a real control plane made of them."""

from __future__ import annotations

import lzma
from io import BytesIO
from pathlib import Path

import pytest
import truth
from check.worlds import checked

from k8stui.check import Severity, check
from k8stui.check.ground import Ground
from k8stui.cluster.model import ServiceType
from k8stui.walk.world import World, build_world

REFUSING = {"service-ports", "node-port", "node-port-taken", "cluster-ip", "workload-selector"}
"""Rules about what the API server does not take."""


def dump(folder: Path) -> World:
    packed = folder / "dump.yaml.xz"
    raw = (
        lzma.decompress(packed.read_bytes())
        if packed.exists()
        else (folder / "dump.yaml").read_bytes()
    )
    return build_world(["-"], stdin=BytesIO(raw))


def sets() -> list[str]:
    found = truth.find("recordings-cluster")
    if found is None:
        return []
    return sorted(f.parent.name for f in found.glob("*/input") if f.parent.name != "rejected")


def silent(seen: World) -> set[str]:
    """Services with a selector that have no ready endpoint with a port, in the real cluster."""
    ground = Ground(seen)
    return {
        service.key
        for service in ground.services
        if service.selector is not None
        and service.type is not ServiceType.EXTERNAL_NAME
        and not any(
            endpoint.ready
            for each in seen.cluster.endpoint_slices.get(service.key, ())
            if each.ports or service.headless
            for endpoint in each.endpoints
        )
    }


@pytest.mark.parametrize("name", sets())
def test_silent_services_are_foretold(name: str) -> None:
    """Exactly; where nodes are only assumed, an information may be one too many."""
    folder = truth.folder("recordings-cluster") / name
    seen = dump(folder)
    found = [
        f
        for f in checked(folder / "input")
        if f.rule == "no-endpoints"
        or (f.rule == "target-port-name" and f.severity is Severity.ERROR)
    ]
    real = silent(seen)
    told = {f.subject.split()[1] for f in found} & seen.cluster.services.keys()
    sure = {f.subject.split()[1] for f in found if f.severity is Severity.ERROR}
    assert real <= told
    assert sure & seen.cluster.services.keys() <= real


@pytest.mark.parametrize("name", sets())
def test_nothing_is_called_refused_that_was_taken(name: str) -> None:
    folder = truth.folder("recordings-cluster") / name
    taken = {f"Service {key}" for key in dump(folder).cluster.services}
    found = [f for f in checked(folder / "input") if f.rule in REFUSING]
    assert {f.subject for f in found} & taken == set()
    assert all(f.subject.startswith("Service ") for f in found)


REJECTED = Path(__file__).parent / "rejected"


@pytest.mark.parametrize("file", sorted(REJECTED.glob("[0-9]*.yaml")), ids=lambda file: file.stem)
def test_what_was_refused_is_called_so(file: Path, tmp_path: Path) -> None:
    """``_before.yaml`` was applied first; recordings-cluster/rejected has the server's words."""
    together = tmp_path / "input"
    together.mkdir()
    for number, one in enumerate((REJECTED / "_before.yaml", file)):
        (together / f"{number}.yaml").write_text(one.read_text())
    found = [f for f in checked(together) if f.rule in REFUSING]
    assert {f.severity for f in found} == {Severity.ERROR}
    assert len({f.rule for f in found}) == 1
    assert all(f.place is not None and f.place.file.endswith("1.yaml") for f in found)


@pytest.mark.parametrize("name", sets())
def test_a_running_cluster_is_not_called_refused(name: str) -> None:
    found = check(dump(truth.folder("recordings-cluster") / name))
    assert [f for f in found if f.rule in {*REFUSING, "address-overlap"}] == []
