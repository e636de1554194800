"""Of what several files define unlike nothing is certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import checked

from k8stui.check import Severity

_METER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: meter}
spec:
  selector: {matchLabels: {app: meter}}
  template:
    metadata: {labels: {app: meter}}
    spec:
      containers:
        - name: c
          image: nginx
          ports: [{containerPort: 9500}]
          volumeMounts: [{name: v, mountPath: /etc/nginx/conf.d}]
      volumes: [{name: v, configMap: {name: meter}}]
---
apiVersion: v1
kind: Service
metadata: {name: meter}
spec: {selector: {app: meter}, ports: [{port: 9400}]}
---"""
_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: meter}
data: {default.conf: "server { listen PORT; }"}
"""
_NEEDS = """
apiVersion: v1
kind: Pod
metadata: {name: mill}
spec:
  containers:
    - name: c
      image: x
      env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: meter, key: level}}}]
---"""
_GATE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gate}
spec: {gatewayClassName: c, listeners: [{name: NAME, port: 80, protocol: HTTP}]}
"""
_WAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: way}
spec: {parentRefs: [{name: gate, sectionName: one}]}
"""


@pytest.mark.parametrize(
    ("other", "severity"), [("9400", "warning"), ("9500", "error"), (None, "error")]
)
def test_an_error_is_a_warning(tmp_path: Path, other: str | None, severity: str) -> None:
    """The last one counts here; a cluster may have the other one."""
    (tmp_path / "b.yaml").write_text(_METER + _CONFIG.replace("PORT", "9500"))
    if other is not None:
        (tmp_path / "a.yaml").write_text(_CONFIG.replace("PORT", other))
    (found,) = [one for one in checked(tmp_path) if one.rule.startswith("target-port")]
    assert found.severity is Severity(severity)


@pytest.mark.parametrize(("other", "rules"), [("one", []), (None, ["route-parent"])])
def test_a_route_may_be_for_the_other_gateway(
    tmp_path: Path, other: str | None, rules: list[str]
) -> None:
    (tmp_path / "b.yaml").write_text(f"{_GATE.replace('NAME', 'two')}---{_WAY}")
    if other is not None:
        (tmp_path / "a.yaml").write_text(_GATE.replace("NAME", other))
    assert [found.rule for found in checked(tmp_path)] == rules


@pytest.mark.parametrize("other", [True, False])
def test_a_key_may_be_in_the_other_one(tmp_path: Path, *, other: bool) -> None:
    """Of a ConfigMap that two files define unlike; alone, what it lacks is told."""
    (tmp_path / "b.yaml").write_text(_NEEDS + _CONFIG.replace("PORT", "9500"))
    if other:
        (tmp_path / "a.yaml").write_text(_CONFIG.replace("default.conf", "level"))
    found = [one.rule for one in checked(tmp_path)]
    assert ("missing-object" in found) is not other
