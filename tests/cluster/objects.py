"""Small inputs written in the test itself."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from k8stui.apiserver import apply
from k8stui.cluster import Cluster, ClusterOptions
from k8stui.cluster.build import build


def cluster(text: str, **options: Any) -> Cluster:
    """The cluster of one YAML text."""
    manifests = apply(["-"], stdin=BytesIO(text.encode()))
    assert not manifests.problems, [problem.render() for problem in manifests.problems]
    return build(manifests, ClusterOptions(**options))


def deployment(
    name: str,
    replicas: int = 1,
    kind: str = "Deployment",
    namespace: str = "default",
    more: str = "",
) -> str:
    """A workload whose pods have the label ``app: NAME``; `more` is put into the pod's spec."""
    return f"""
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: c, image: nginx, ports: [{{containerPort: 80, name: http}}]}}]
      {more}
"""


def service(name: str, spec: str = "ports: [{port: 80}]", namespace: str = "default") -> str:
    """A Service that selects ``app: NAME``."""
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, {spec}}}
"""


OBSERVED_POD = """
---
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: default
  uid: "{name}"
  resourceVersion: "1"
  labels: {{app: web, pod-template-hash: 6d4cf56db6}}
  ownerReferences:
  - {{apiVersion: apps/v1, kind: ReplicaSet, name: web-6d4cf56db6, uid: r, controller: true}}
spec: {{nodeName: {node}, containers: [{{name: c, image: nginx}}]}}
status:
  phase: Running
  hostIP: {host}
  podIP: {ip}
  conditions: [{{type: Ready, status: "True"}}]
"""
