"""What a kustomization that is not applied here may put right is no error."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import checked

from k8stui.check import Severity

_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: meter, namespace: gauges}
spec:
  replicas: 1
  selector: {matchLabels: {app: meter}}
  template:
    metadata: {labels: {app: meter}}
    spec: {containers: [{name: c, image: x, ports: [{containerPort: 9300}]}]}
"""
_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: meter}
spec: {selector: {app: meter}, ports: [{port: 9300}]}
"""


@pytest.mark.parametrize("more", ["", _SERVICE.replace("meter", "other")])
@pytest.mark.parametrize(("beside", "severity"), [(True, "warning"), (False, "error")])
def test_a_namespace_may_come_from_the_kustomization(
    tmp_path: Path, beside: bool, severity: str, more: str
) -> None:
    (tmp_path / "deployment.yaml").write_text(_DEPLOYMENT)
    (tmp_path / "service.yaml").write_text(f"{_SERVICE}---{more}")
    if beside:
        (tmp_path / "kustomization.yaml").write_text("resources: [deployment.yaml, service.yaml]\n")
    (found,) = [f for f in checked(tmp_path) if "gauges" in f.why and f.rule == "no-endpoints"]
    assert found.severity is Severity(severity)


_ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gate}
spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: way}
spec: {parentRefs: [{name: gate, namespace: edge}]}
"""


@pytest.mark.parametrize(("beside", "rules"), [(True, []), (False, ["route-parent"])])
def test_so_may_that_of_a_gateway(tmp_path: Path, beside: bool, rules: list[str]) -> None:
    (tmp_path / "way.yaml").write_text(_ROUTE)
    if beside:
        (tmp_path / "kustomization.yaml").write_text("resources: [way.yaml]\nnamespace: edge\n")
    assert [found.rule for found in checked(tmp_path)] == rules


_RESTRICTED = """
apiVersion: v1
kind: Namespace
metadata: {name: gauges, labels: {pod-security.kubernetes.io/enforce: restricted}}
---"""


@pytest.mark.parametrize(("beside", "severity"), [(True, "warning"), (False, "error")])
def test_so_may_what_a_namespace_asks_of_its_pods(
    tmp_path: Path, beside: bool, severity: str
) -> None:
    (tmp_path / "meter.yaml").write_text(_RESTRICTED + _DEPLOYMENT)
    if beside:
        (tmp_path / "kustomization.yaml").write_text("resources: [meter.yaml]\npatches: []\n")
    (found,) = [f for f in checked(tmp_path) if f.rule == "refused-pods"]
    assert found.severity is Severity(severity)


@pytest.mark.parametrize(
    ("beside", "named", "severity"),
    [(True, "https", "warning"), (True, "metrcs", "error"), (False, "https", "error")],
)
def test_a_patch_may_bring_the_container_of_a_port(
    tmp_path: Path, beside: bool, named: str, severity: str
) -> None:
    port = "{containerPort: 9300, name: metrics}, {containerPort: 9301, name: health}"
    meter = _DEPLOYMENT.replace("{containerPort: 9300}", port).replace(", namespace: gauges", "")
    service = _SERVICE.replace("{port: 9300}", f"{{port: 9300, targetPort: {named}}}")
    (tmp_path / "meter.yaml").write_text(f"{meter}---{service}")
    if beside:
        (tmp_path / "kustomization.yaml").write_text("resources: [meter.yaml]\n")
    (found,) = checked(tmp_path)
    assert (found.rule, found.severity) == ("target-port-name", Severity(severity))


@pytest.mark.parametrize(("beside", "severity"), [(True, "warning"), (False, "error")])
def test_so_it_may_that_of_a_number(tmp_path: Path, beside: bool, severity: str) -> None:
    meter = _DEPLOYMENT.replace(", namespace: gauges", "")
    service = _SERVICE.replace("{port: 9300}", "{port: 9300, targetPort: 9310}")
    (tmp_path / "meter.yaml").write_text(f"{meter}---{service}")
    if beside:
        (tmp_path / "kustomization.yaml").write_text("resources: [meter.yaml]\n")
    (found,) = checked(tmp_path)
    assert (found.rule, found.severity) == ("target-port-number", Severity(severity))
