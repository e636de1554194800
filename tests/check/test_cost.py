"""What a check of many Services costs is counted, not timed; seconds are in benchmarks/check.py."""

from __future__ import annotations

import shlex
from io import BytesIO

from k8stui.check import check
from k8stui.walk.world import World, build_world


def an_input(services: int, wrong_every: int) -> World:
    text = "".join(
        f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: s{n}, namespace: n{n % 7}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: s{n}}}}}
  template:
    metadata: {{labels: {{app: s{n}}}}}
    spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: s{n}, namespace: n{n % 7}}}
spec:
  selector: {{app: s{n}{"-typo" if n % wrong_every == 0 else ""}}}
  ports: [{{port: 80}}]
"""
        for n in range(services)
    )
    return build_world(["-"], stdin=BytesIO(text.encode()))


def test_all_findings_ask_from_one_node() -> None:
    """Each further node would have all Services' rules made once more."""
    world = an_input(210, wrong_every=5)
    nodes = set()
    for finding in check(world, ["-"]):
        assert finding.rule == "no-endpoints"
        assert finding.proof is not None
        words = shlex.split(finding.proof.command)
        key = words[words.index("--from") + 1].removeprefix("pod/")
        nodes.add(world.cluster.pods[key].node_name)
    assert nodes == {"node-1"}


def test_every_wrong_one_is_found_and_walked() -> None:
    found = check(an_input(200, wrong_every=10), ["-"])
    assert [f.proof.result.value for f in found if f.proof] == ["refused"] * 20
