"""Who answers ARP outside: whoever a packet from there would be delivered to.

As the kernel does, seen with ``k8stui lab`` (arp_process asks the routes of what comes in).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

SET = """\
apiVersion: v1
kind: Service
metadata: {{name: far}}
spec: {{ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: far-1, labels: {{kubernetes.io/service-name: far}}}}
addressType: IPv4
ports: [{{port: 8080}}]
endpoints: [{{addresses: ["{address}"]}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: asks}}
spec: {{containers: [{{name: c, image: c}}]}}
"""


@pytest.mark.parametrize("address", ["203.0.113.77", "203.0.113.10", "198.51.100.7", "8.8.8.8"])
def test_public_endpoints_by_hand_answer(address: str, tmp_path: Path) -> None:
    file = tmp_path / "set.yaml"
    file.write_text(SET.format(address=address))
    world = build_world([str(file)], ClusterOptions(), NodeOptions())
    trace = walk(world, parse_request(world, "pod/asks", "svc/far"))
    assert trace.outcome.result is Result.CONNECTED
