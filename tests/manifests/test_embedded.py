"""Documents inside ConfigMaps: kube-proxy's, kubeadm's, flannel's."""

from __future__ import annotations

import io
import json

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import Manifest
from k8stui.manifests.embedded import embedded

PROXY = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: kube-proxy
  namespace: kube-system
data:
  config.conf: |-

    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: ""
    iptables:
      masqueradeAll: false
"""
FLANNEL = """\
kind: ConfigMap
apiVersion: v1
metadata:
  name: kube-flannel-cfg
data:
  net-conf.json: |
    {
      "Network": "10.244.0.0/16",
      "Backend": {
        "Type": "vxlan"
      }
    }
"""


def read(text: str) -> Manifest:
    found = apply(["-"], stdin=io.BytesIO(text.encode()))
    assert not found.problems
    return found.objects[-1]


def test_proxy_configuration_with_places_in_the_outer_file() -> None:
    (inner,) = embedded(read(PROXY), "config.conf")
    assert (inner.kind, inner.name) == ("KubeProxyConfiguration", "config.conf")
    assert inner.data["iptables"] == {"masqueradeAll": False}
    place = inner.place("iptables", "masqueradeAll")
    assert (place.file, place.line, place.column) == ("-", 13, 7)


def test_in_a_list_item() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- " + PROXY.replace("\n", "\n  ")
    (inner,) = embedded(read(text), "config.conf")
    assert (inner.place("mode").line, inner.place("mode").column) == (14, 7)


def test_flannel_is_no_object_and_comes_all_the_same() -> None:
    (inner,) = embedded(read(FLANNEL), "net-conf.json")
    assert (inner.kind, inner.name) == ("", "net-conf.json")
    assert inner.data["Network"] == "10.244.0.0/16"
    place = inner.place("Backend", "Type")
    assert (place.line, place.column) == (10, 9)


def test_in_a_json_dump_the_place_is_the_key() -> None:
    data = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-flannel-cfg"},
        "data": {"net-conf.json": '{"Network": "10.0.0.0/8"}'},
    }
    (inner,) = embedded(read(json.dumps(data, indent=1)), "net-conf.json")
    assert inner.place("Network").line == 8
    assert inner.data == {"Network": "10.0.0.0/8"}


@pytest.mark.parametrize("key", ["none", "config.conf"])
def test_absent(key: str) -> None:
    config = read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n")
    assert embedded(config, key) == ()


def test_mistakes_inside_are_problems_of_the_outer_file() -> None:
    text = PROXY.replace("mode: ", "mode:").replace("false", "'false'")
    found = apply(["-"], stdin=io.BytesIO(text.encode()))
    lines = [(p.line, p.column) for p in found.problems]
    assert lines
    assert lines[0][0] in (11, 13)
    assert embedded(found.objects[0], "config.conf") == ()
