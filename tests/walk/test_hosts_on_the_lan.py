"""Hosts on the nodes' own network that are no nodes answer as public addresses do: assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

DATABASE = """
apiVersion: v1
kind: Service
metadata: {name: archive}
spec: {ports: [{port: 3306}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: archive-a, labels: {kubernetes.io/service-name: archive}}
addressType: IPv4
ports: [{port: 3306}]
endpoints: [{addresses: [192.168.0.77]}]
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec:
  type: LoadBalancer
  selector: {app: front}
  ports: [{port: 80, targetPort: 8080}]
status: {loadBalancer: {ingress: [{ip: 192.168.0.240}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: front, labels: {app: front}}
spec:
  nodeName: node-2
  containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  nodeName: node-1
  containers: [{name: c, image: x}]
"""


@pytest.fixture
def asked(tmp_path: Path, request: pytest.FixtureRequest) -> Outcome:
    (tmp_path / "all.yaml").write_text(DATABASE)
    world = build_world([str(tmp_path)])
    source, destination = request.param
    return walk(world, parse_request(world, source, destination)).outcome


@pytest.mark.parametrize(
    "asked",
    [
        ("pod/caller", "svc/archive"),
        ("node/node-2", "svc/archive"),
        ("pod/caller", "192.168.0.99:22"),
        ("node/node-1", "192.168.0.99:53/udp"),
    ],
    indirect=True,
)
def test_a_host(asked: Outcome) -> None:
    assert asked.result is Result.CONNECTED
    assert asked.server_pod is None
    assert asked.origin is not None
    assert asked.origin.kind is OriginKind.ASSUMED


@pytest.mark.parametrize("source", ["pod/caller", "node/node-2"])
@pytest.mark.parametrize(
    ("address", "is_reached"),
    [
        ("192.168.0.1", True),  # the router gives way
        ("10.70.3.9", True),
        ("172.20.0.5", True),
        ("10.244.9.9", False),  # a pod that is gone
    ],
)
def test_a_private_address_in_endpoints(
    tmp_path: Path, source: str, address: str, is_reached: bool
) -> None:
    (tmp_path / "all.yaml").write_text(DATABASE.replace("192.168.0.77", address))
    world = build_world([str(tmp_path)])
    asked = walk(world, parse_request(world, source, "svc/archive")).outcome
    assert (asked.result is Result.CONNECTED) == is_reached
    if is_reached:
        assert asked.origin is not None
        assert asked.origin.kind is OriginKind.ASSUMED


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (("pod/caller", "node/node-2:80"), Result.REFUSED),
        (("outside", "192.168.0.240:80"), Result.CONNECTED),
        (("node/node-1", "192.168.0.240:81"), Result.UNREACHABLE),
        (("pod/caller", "192.168.0.1:80"), Result.REFUSED),
    ],
    indirect=["asked"],
)
def test_what_is_the_clusters_is_no_host(asked: Outcome, result: Result) -> None:
    assert asked.result is result
    assert asked.server_pod == ("default/front" if result is Result.CONNECTED else None)
