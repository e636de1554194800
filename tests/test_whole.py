"""Digits without an end, and digits of other scripts, where somebody writes a number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from k8stui.check import check
from k8stui.errors import K8sTuiError
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.policy.calico.rule import protocol_named
from k8stui.nodes.sidecars import rulesets, sidecar
from k8stui.nodes.state.parsing import parse_interfaces, parse_policy_rules, parse_routes
from k8stui.order import natural
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world
from k8stui.whole import whole

NUMBERS = {"too many": "9" * 5000, "Arabic": "٣٤", "raised": "²"}
WRITTEN = """
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  initContainers:
  - {{name: w, image: busybox, command: [sh, -c, "until nc -z db {0}; do sleep 1; done"]}}
  - {{name: x, image: busybox, command: [sh, -c, "wait-for-it.sh db:{0}"]}}
  - {{name: linkerd-init, image: "cr.l5d.io/linkerd/proxy-init:v2", args: [--proxy-uid, "{0}"]}}
  containers:
  - {{name: g, image: "ghost:{0}"}}
  - {{name: e, image: "elasticsearch:{0}"}}
  - {{name: m, image: "mysql:{0}", args: ["--skip-host-cache"]}}
  - {{name: s, image: minio/minio, args: [server, --address, ":{0}"]}}
  - {{name: k, image: "quay.io/keycloak/keycloak:{0}", args: [start-dev, "--http-port={0}"]}}
  - name: i
    image: registry.k8s.io/ingress-nginx/controller:v1.9.0
    args: [--tcp-services-configmap=default/tcp]
---
apiVersion: v1
kind: Pod
metadata: {{name: big}}
spec:
  containers:
  - {{name: p, image: "grafana/grafana:{0}", resources: {{requests: {{cpu: "{0}"}}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: tcp}}
data: {{"{0}": "default/db:80"}}
---
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{selector: {{a: b}}, ports: [{{port: 80}}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly}}
spec:
  schedule: "{0} */{0} * * *"
  jobTemplate: {{spec: {{template: {{spec: {{containers: [{{name: c, image: c}}]}}}}}}}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: p}}
spec: {{selector: {{matchLabels: {{a: b}}}}, portLevelMtls: {{"{0}": {{mode: STRICT}}}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: kube-proxy, namespace: kube-system}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      containers:
      - name: c
        image: registry.k8s.io/kube-proxy:v1.30.0
        command: [kube-proxy, "--iptables-masquerade-bit={0}"]
"""


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_that_is_none_is_no_number(number: str, tmp_path: Path) -> None:
    assert whole(number) is None
    (tmp_path / "a.yaml").write_text(WRITTEN.format(number))
    world = build_world([str(tmp_path)], node_options=NodeOptions())
    assert list(check(world))
    for to in (f"db{number}:{number}", f"svc/db:{number}", "svc/db:80"):
        with suppress(K8sTuiError):
            walk(world, parse_request(world, "outside", to))
    assert f"-p {number}" in str(protocol_named(number))
    linkerd = sidecar(world.cluster.pods["default/web"])
    assert linkerd is not None
    assert rulesets(linkerd)
    assert natural(f"web-{number}") > natural("web-1")


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS.keys())
@pytest.mark.parametrize(
    ("read", "text"),
    [
        (parse_interfaces, "1: eth0@if2: <UP> mtu {0}"),
        (parse_interfaces, "{0}: eth0@if{0}: <UP> mtu 1500"),
        (parse_interfaces, "1: eth0: <UP>\n    inet 10.0.0.1/{0}"),
        (parse_interfaces, "1: eth0: <UP>\n    link/ether {0} link-netnsid {0}"),
        (parse_routes, "10.0.0.0/8 dev eth0 metric {0} mtu {0}"),
        (parse_policy_rules, "{0}: from all lookup main"),
    ],
)
def test_what_ip_never_prints_is_read_or_refused(
    read: Callable[[str, str], object], text: str, number: str
) -> None:
    with suppress(K8sTuiError):
        assert read(text.format(number), "ip.txt")
