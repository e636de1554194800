"""What the request box offers can be asked: no suggestion that then fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.tui.candidates import destinations, sources
from k8stui.tui.request import understood
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world

SPACES = """\
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: shop, labels: {app: till}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: bank, labels: {app: till}}
spec:
  hostNetwork: true
  containers: [{name: c, image: i, ports: [{containerPort: 53, protocol: UDP}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: stuck, namespace: bank}
spec: {nodeSelector: {disk: none}, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: bank}
spec: {containers: [{name: c, image: i}]}
status: {phase: Succeeded}
---
apiVersion: v1
kind: Service
metadata: {name: till, namespace: bank}
spec: {type: NodePort, selector: {app: till}, ports: [{port: 53, protocol: UDP, nodePort: 30053}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: shop}
spec: {clusterIP: None, selector: {app: till}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: away, namespace: shop}
spec: {type: ExternalName, externalName: example.com, ports: [{port: 443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: none, namespace: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: none}}
  template: {metadata: {labels: {app: none}}, spec: {containers: [{name: c, image: i}]}}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "all.yaml").write_text(SPACES)
    return build_world([str(tmp_path)])


@pytest.mark.parametrize("namespace", ["default", "shop", "bank"])
def test_every_source_and_destination_that_is_offered_is_understood(
    world: World, namespace: str
) -> None:
    refused = []
    for source, destination in [
        *((one, "10.96.0.1:443") for one in sources(world.cluster, namespace)),
        *(("node/node-1", one) for one in destinations(world.cluster, namespace)),
    ]:
        try:
            understood(world, source, destination, namespace)
        except RequestError as error:
            refused.append((source, destination, error.render()))
    assert refused == []
