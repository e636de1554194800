"""Topology spread counts no pods of nodes that a constraint's policies leave out."""

from __future__ import annotations

import pytest
from cluster.objects import cluster

NODES = """
apiVersion: v1
kind: Node
metadata: {name: a1, labels: {zone: a, kubernetes.io/hostname: a1}}
spec: {podCIDR: 10.244.0.0/24}
---
apiVersion: v1
kind: Node
metadata: {name: a2, labels: {zone: a, kubernetes.io/hostname: a2, tier: old}}
spec: {podCIDR: 10.244.1.0/24, taints: [{key: keep, value: out, effect: NoSchedule}]}
---
apiVersion: v1
kind: Node
metadata: {name: b1, labels: {zone: b, kubernetes.io/hostname: b1}}
spec: {podCIDR: 10.244.2.0/24}
"""
POD = """
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: web, v: "{version}"}}}}
spec:
  {more}
  containers: [{{name: c, image: x}}]
"""
SPREAD = """topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule,
     labelSelector: {matchLabels: {app: web}}, POLICIES}
"""


def placed(policies: str, more: str = "") -> str | None:
    spread = SPREAD.replace("POLICIES", policies).replace("\n", "\n  ") + more
    text = NODES + POD.format(name="old-1", version=1, more="nodeName: a2")
    text += POD.format(name="old-2", version=1, more="nodeName: a2")
    text += POD.format(name="new", version=2, more=spread + "nodeSelector: {zone: a}\n")
    return cluster(text).pods["default/new"].node_name


@pytest.mark.parametrize(
    ("policies", "node"),
    [
        # The two pods on a2 count for zone a; b is no domain: the selector leaves it out.
        ("", "a1"),
        # b is a domain with nothing in it.
        ("nodeAffinityPolicy: Ignore", None),
        # a2 is left out with its pods.
        ("nodeAffinityPolicy: Ignore, nodeTaintsPolicy: Honor", "a1"),
        # The others are of another version.
        ("nodeAffinityPolicy: Ignore, matchLabelKeys: [v]", "a1"),
        # One domain of two: the fewest is 0.
        ("minDomains: 2", None),
        ("minDomains: 2, nodeTaintsPolicy: Honor", "a1"),
    ],
)
def test_policies(policies: str, node: str | None) -> None:
    assert placed(policies) == node
