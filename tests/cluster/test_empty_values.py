"""What an API server fills in though something is written: 0 and the empty text.

Source: kubernetes pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

import io
import json

import pytest

from k8stui.apiserver import apply
from k8stui.cluster.build import build

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"app": "a"}},
    "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
}


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize(
    ("written", "number"),
    [({}, 80), ({"targetPort": 0}, 80), ({"targetPort": ""}, 80), ({"targetPort": 81}, 81)],
    ids=["absent", "zero", "empty", "other"],
)
def test_target_port(written: dict[str, object], number: int, form: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"selector": {"app": "a"}, "ports": [{"port": 80, **written}]},
    }
    # A document in flow style is YAML, and JSON only where nothing stands before it.
    lead = "---\n" if form == "yaml" else ""
    text = "".join(f"{lead}{json.dumps(one)}\n" for one in (POD, service))
    manifests = apply(["-"], stdin=io.BytesIO(text.encode()))
    assert not manifests.problems
    cluster = build(manifests)
    assert cluster.services["default/s"].ports[0].target_port == number
    (each,) = cluster.endpoint_slices["default/s"]
    assert [port.port for port in each.ports or ()] == [number]


EMPTY = """
apiVersion: v1
kind: Service
metadata: {name: s, namespace: "", annotations: null}
spec:
  selector: {app: a}
  type: ""
  clusterIP: ""
  sessionAffinity: ""
  externalTrafficPolicy: ""
  internalTrafficPolicy: null
  ipFamilyPolicy:
  ipFamilies: []
  externalIPs: []
  loadBalancerIP: ""
  healthCheckNodePort: 0
  ports:
  - {port: 80, protocol: "", name: "", nodePort: 0, targetPort: null}
---
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: a}}
spec:
  restartPolicy: ""
  dnsPolicy: ""
  nodeName: ""
  nodeSelector: {}
  tolerations: []
  affinity: {}
  containers:
  - name: c
    image: i
    imagePullPolicy: ""
    env: []
    resources: {}
    ports: [{containerPort: 80, protocol: "", hostPort: 0, name: ""}]
"""


def test_empty_values_are_as_good_as_none() -> None:
    manifests = apply(["-"], stdin=io.BytesIO(EMPTY.encode()))
    assert not manifests.problems
    cluster = build(manifests)
    service = cluster.services["default/s"]
    assert (service.type.value, service.session_affinity) == ("ClusterIP", "None")
    assert (service.ports[0].protocol.name, service.ports[0].target_port) == ("TCP", 80)
    assert service.ports[0].node_port is None
    (endpoint,) = cluster.endpoint_slices["default/s"][0].endpoints
    assert endpoint.pod == "default/p"


@pytest.mark.parametrize("field", ["internalTrafficPolicy", "ipFamilyPolicy"])
def test_an_empty_pointer_is_no_default(field: str) -> None:
    text = EMPTY.replace(f"{field}: null", f'{field}: ""').replace(f"{field}:\n", f'{field}: ""\n')
    (problem,) = apply(["-"], stdin=io.BytesIO(text.encode())).problems
    assert field in problem.message
