"""Calico's VXLAN in the kernel: what goes into the tunnel, and by whose address."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.export.lab import lab_lines
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

POLICIES = Path(__file__).with_name("policies.yaml")
POOL = """---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: pods}
spec: {cidr: 10.244.0.0/16, natOutgoing: true, %sMode: Always}
"""


def world_of(place: Path, tunnel: str) -> World:
    path = place / "pool.yaml"
    path.write_text(POOL % tunnel)
    return build_world([str(POLICIES), str(path)], node_options=NodeOptions(cni="calico"))


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        pytest.param("pod/till -> pod/shelf:8080", "10.244.1.2", id="pod"),
        pytest.param("pod/till -> svc/shelf:80", "10.244.1.2", id="service"),
        pytest.param("pod/guest -> pod/till:80", "10.244.2.3", id="other-way"),
        pytest.param("node/node-1 -> pod/guest:80", "10.244.1.0", id="node"),
    ],
)
def test_vxlan(nft: Tools, tmp_path: Path, asked: str, seen: str) -> None:
    world = world_of(tmp_path, "vxlan")
    found = list(experiments(world, parse_request(world, *asked.split(" -> ")), nft))
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.trial.notes == ()
    kernel = found[0].comparison.kernel
    assert (kernel.result, kernel.source_seen) == ("connected", seen)


def test_ipip_is_not_built(nft: Tools, tmp_path: Path) -> None:
    world = world_of(tmp_path, "ipip")
    with pytest.raises(NotComparedError, match="no IPIP tunnels"):
        list(experiments(world, parse_request(world, "pod/till", "svc/shelf:80"), nft))
