"""The quick look at an object says what the exact one says."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8stui.manifests import check
from k8stui.manifests.fits import fits
from k8stui.manifests.schema import KINDS
from k8stui.manifests.schema.types import MapOf, Scalar, Struct

OBJECTS: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"app": "a"}},
        "spec": {
            "nodeName": "n",
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "args": ["x"],
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "env": [{"name": "A", "value": "b"}],
                }
            ],
        },
        "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {
            "selector": {"app": "a"},
            "type": "NodePort",
            "ports": [{"port": 80, "targetPort": "http", "nodePort": 30000}],
        },
    },
    {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "s-x"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        "ports": [{"name": "", "port": 80}],
    },
]
VALUES = st.sampled_from(
    [None, True, 0, -1, 80, 70000, 1.5, "", "a", "TCP", "tcp"]
) | st.sampled_from(
    [[], {}, [1], ["a"], {"a": 1}, {"name": "a"}, [{"name": "a"}], [[]], [None], {"a": None}]
)


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """Put something else somewhere, take something away or add a field."""
    data: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(OBJECTS)))
    for _ in range(draw(st.integers(0, 2))):
        at: Any = data
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and draw(st.booleans()):
                at = at[key]
                continue
            match draw(st.sampled_from(["put", "drop", "add"])):
                case "put":
                    at[key] = copy.deepcopy(draw(VALUES))
                case "drop":
                    del at[key]
                case "add" if isinstance(at, dict):
                    at[draw(st.sampled_from(["name", "x", "ports"]))] = copy.deepcopy(draw(VALUES))
            break
    return data


@given(changed(), st.sampled_from(["Pod", "Service", "EndpointSlice"]))
def test_both_say_the_same(data: dict[str, Any], name: str) -> None:
    kind = KINDS[name]
    faults: list[check.Fault] = []
    check._record(data, kind.fields, (), faults)
    assert fits(data, kind.fields) == (not faults)


def test_maps_take_null() -> None:
    assert fits({"a": None, "b": "c"}, MapOf(Scalar("a text", (str,))))
    assert not fits({"a": 1}, MapOf(Scalar("a text", (str,))))
    assert not fits([], Struct("r", {}))
