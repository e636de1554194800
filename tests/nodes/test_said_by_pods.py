"""What pods, plug-ins and files beside the manifests say of the nodes themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.nodes.beside import with_dumps
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import build_world

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: tuner}
spec:
  nodeName: node-1
  hostNetwork: HOST
  containers:
    - name: sh
      image: i
      command: COMMAND
"""
CONF = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-system}
data:
  cni-conf.json: |
    {"plugins": [{"type": "flannel", "delegate": DELEGATE}, {"type": "portmap"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: hen}
spec: {nodeName: node-1, containers: [{name: hen, image: i}]}
"""


def bridge_nf(
    folder: Path, command: str, host: str = "true", said: bool | None = None
) -> tuple[bool, bool]:
    """Of the node with the pod, and of another one."""
    (folder / "pod.yaml").write_text(POD.replace("HOST", host).replace("COMMAND", command))
    options = NodeOptions(bridge_nf_call_iptables=said)
    network = build_world([str(folder)], None, options).network
    first, second = (network[f"node-{n}"].sysctls.bridge_nf_call_iptables for n in (1, 2))
    return first, second


@pytest.mark.parametrize(
    ("command", "is_on"),
    [
        ("[sysctl, -w, net.bridge.bridge-nf-call-iptables=0]", False),
        ('[sh, -c, "sysctl -w net/bridge/bridge-nf-call-iptables = 0 && sleep 9"]', False),
        ('[sh, -c, "echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables"]', False),
        ('[sh, -c, "sysctl -w net.bridge.bridge-nf-call-iptables=1"]', True),
        ('[sh, -c, "sysctl net.bridge.bridge-nf-call-iptables"]', True),
        ('[sh, -c, "sysctl -w net.bridge.bridge-nf-call-ip6tables=0"]', True),
        ('[sh, -c, "sysctl -w a=1; echo net.bridge.bridge-nf-call-iptables=0"]', True),
    ],
)
def test_a_pod_on_its_nodes_network_sets_the_nodes_sysctl(
    tmp_path: Path, command: str, is_on: bool
) -> None:
    assert bridge_nf(tmp_path, command) == (is_on, True)


def test_a_pod_with_a_network_of_its_own_sets_nothing_on_its_node(tmp_path: Path) -> None:
    command = "[sysctl, -w, net.bridge.bridge-nf-call-iptables=0]"
    assert bridge_nf(tmp_path, command, host="false") == (True, True)


def test_the_option_comes_first(tmp_path: Path) -> None:
    command = "[sysctl, -w, net.bridge.bridge-nf-call-iptables=0]"
    assert bridge_nf(tmp_path, command, said=True) == (True, True)
    assert bridge_nf(tmp_path, command, said=False) == (False, False)


@pytest.mark.parametrize(
    ("delegate", "option", "is_on"),
    [
        ('{"hairpinMode": true}', None, True),
        ('{"hairpinMode": false}', None, False),
        ('{"isDefaultGateway": true}', None, False),
        ('{"isDefaultGateway": true}', True, True),
        ('{"hairpinMode": true}', False, False),
    ],
)
def test_flannels_configuration_sets_the_hairpin_mode(
    tmp_path: Path, delegate: str, option: bool | None, is_on: bool
) -> None:
    (tmp_path / "all.yaml").write_text(CONF.replace("DELEGATE", delegate))
    world = build_world([str(tmp_path)], None, NodeOptions(hairpin=option))
    ports = [i.port for i in world.network["node-1"].interfaces if i.port is not None]
    assert [port.hairpin for port in ports] == [is_on]


def test_a_dump_named_after_a_node_is_that_nodes(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD.replace("HOST", "false").replace("COMMAND", "[sleep]"))
    (tmp_path / "node-2.iptables").write_text("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n")
    (tmp_path / "node-9.iptables").write_text("of nobody here, and no dump")
    world = build_world([str(tmp_path)])
    assert world.network.observed == ("node-2",)
    assert not world.network.has_observed_rules(world.cluster.nodes["node-1"])


def test_what_the_options_say_of_a_node_comes_before_what_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "a.iptables").touch()
    (tmp_path / "b.ipset").touch()
    folders = [str(tmp_path), "-", str(tmp_path / "no such")]
    made = with_dumps(NodeOptions(iptables={"a": "mine"}), folders, ("a", "b"))
    assert dict(made.iptables) == {"a": "mine"}
    assert dict(made.ipset) == {"b": str(tmp_path / "b.ipset")}
    assert with_dumps(NodeOptions(), folders, ("c",)) == NodeOptions()
