"""What stands for "the same number as `port`" (kubernetes pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

import io
import json

import pytest

from k8stui.cluster import build
from k8stui.manifests import load

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
    manifests = load(["-"], stdin=io.BytesIO(text.encode()))
    assert not manifests.problems
    cluster = build(manifests)
    assert cluster.services["default/s"].ports[0].target_port == number
    (each,) = cluster.endpoint_slices["default/s"]
    assert [port.port for port in each.ports or ()] == [number]
