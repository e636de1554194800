"""What looks like a digit and is none (``²``), or is one of another script (``٣``), in a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.check.check import check
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

CLUSTER = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - name: shop
        image: shop
        args: [--port, "{written}", --bind, "0.0.0.0"]
        env: [{{name: PORT, value: "{written}"}}, {{name: HOST, value: "0.0.0.0"}}]
        ports: [{{containerPort: 80, hostPort: 8000}}]
---
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80}}]}}
"""


@pytest.mark.parametrize("written", ["²", "٣", "३०००", "①", "9" * 5000])
def test_it_is_read_as_something_or_not_at_all(tmp_path: Path, written: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(CLUSTER.format(written=written), encoding="utf-8")
    world = build_world([str(path)])
    list(check(world, [str(path)]))
    request = parse_request(world, "node/node-1", "svc/shop:80")
    assert walk(world, request).outcome.result == "connected"


FIELDS = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  strategy: {{rollingUpdate: {{maxUnavailable: {share}}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      dnsConfig: {{options: [{{name: ndots, value: {number}}}]}}
      containers:
      - name: shop
        image: shop
        ports: [{{containerPort: 80, hostPort: 8000}}]
        readinessProbe: {{httpGet: {{port: {port}}}}}
"""


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "0" * 5000])
@pytest.mark.parametrize("field", ["share", "number", "port"])
def test_a_number_as_text_ends_nothing(tmp_path: Path, field: str, number: str) -> None:
    """Python reads no more than 4,300 digits (`sys.set_int_max_str_digits`)."""
    values = {"share": "25%", "number": '"2"', "port": "80"}
    values[field] = f'"{number}%"' if field == "share" else f'"{number}"'
    path = tmp_path / "shop.yaml"
    path.write_text(FIELDS.format(**values), encoding="utf-8")
    list(check(build_world([str(path)]), [str(path)]))
