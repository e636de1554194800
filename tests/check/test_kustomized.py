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
