"""eBPF programs on a node's devices, and plug-ins that move packets by them: never guessed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import truth

from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import Interface, LinkKind
from k8stui.nodes.cni.ebpf import usual_programs
from k8stui.nodes.errors import UnmodelledModeError
from k8stui.nodes.state.programs import parse_programs, with_programs
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

_LISTED = """[{"xdp":[{"devname":"eth1","ifindex":3,"mode":"driver","id":41}],
"tc":[{"devname":"lxc4","ifindex":9,"kind":"tcx/ingress","name":"cil_from_container","prog_id":7},
{"devname":"wl1","ifindex":11,"kind":"clsact/egress","name":"cali_tc_preambl","id":8}],
"flow_dissector":[],"netfilter":[]}]"""


def device(name: str) -> Interface:
    return Interface(name=name, kind=LinkKind.VETH)


def test_programs_by_device() -> None:
    seen = parse_programs(_LISTED)
    found = {
        one.name: one for one in with_programs(map(device, ("eth1", "lxc4", "wl1", "x")), seen)
    }
    assert found["eth1"].program_in == "(xdp)"
    assert (found["lxc4"].program_in, found["lxc4"].program_out) == ("cil_from_container", "")
    assert (found["wl1"].program_in, found["wl1"].program_out) == ("", "cali_tc_preambl")
    assert found["x"] == device("x")


def test_without_a_list_the_devices_names_tell() -> None:
    known = {one.name: one for one in usual_programs([device("cilium_host"), device("lxcab12")])}
    assert "cil_from_container" in known["lxcab12"].program_in
    assert not next(iter(usual_programs([device("lxcab12")]))).program_in


@pytest.mark.parametrize("kind", ["tcx/ingress", "clsact/ingress"])
def test_a_walk_ends_at_the_program(tmp_path: Path, kind: str) -> None:
    source = truth.folder("real-nodes") / "kindnet"
    (tmp_path / "nodes").mkdir()
    shutil.copy(source / "cluster.yaml", tmp_path)
    for file in (source / "nodes").glob("*.txt*"):
        plain = file.name.removesuffix(".xz")
        text = truth.read(file.with_name(plain)) or ""
        listed = f'[{{"xdp":[],"tc":[{{"devname":"eth0","kind":"{kind}","name":"watch"}}]}}]'
        (tmp_path / "nodes" / plain).write_text(f"{text}@ node bpftool -j net show\n{listed}\n")
    made = build_world([str(tmp_path)])
    found = walk(made, parse_request(made, "outside", "node/kind-worker:10250"))
    assert found.outcome.result is Result.UNKNOWN
    assert found.outcome.decided_at == "kind-worker"
    assert "eBPF program watch on eth0" in found.steps[-1].text
    inside = walk(made, parse_request(made, "node/kind-worker", "localhost:10250"))
    assert inside.outcome.result is Result.CONNECTED


_APP = """\
apiVersion: v1
kind: Service
metadata: {name: loom}
spec: {type: NodePort, selector: {app: loom}, ports: [{port: 70, nodePort: 30070}]}
---
apiVersion: v1
kind: Pod
metadata: {name: loom-a, labels: {app: loom}}
spec: {containers: [{name: main, image: x, ports: [{containerPort: 70}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: weaver}
spec: {containers: [{name: main, image: x}]}
---
"""
_CILIUM = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {kube-proxy-replacement: "%s", enable-bpf-masquerade: "true", routing-mode: tunnel}
"""
_OVN = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ovnkube-node, namespace: ovn-kubernetes}
spec:
  selector: {matchLabels: {app: ovnkube-node}}
  template:
    metadata: {labels: {app: ovnkube-node}}
    spec:
      hostNetwork: true
      containers: [{name: ovnkube-controller, image: "ghcr.io/ovn-kubernetes/ovn-kube-u:1"}]
"""


def made_of(folder: Path, plugin: str) -> World:
    file = folder / "all.yaml"
    file.write_text(_APP + plugin)
    return build_world([str(file)])


def ask(made: World, source: str, destination: str) -> Trace:
    return walk(made, parse_request(made, source, destination))


@pytest.mark.parametrize("value", ["true", "strict"])
def test_what_cilium_replaces_is_named_and_not_walked(tmp_path: Path, value: str) -> None:
    made = made_of(tmp_path, _CILIUM % value)
    asked = [(one, "svc/loom:70") for one in ("pod/weaver", "node/node-1")]
    for source, destination in (*asked, ("outside", "node/node-1:30070")):
        outcome = ask(made, source, destination).outcome
        assert outcome.result is Result.UNKNOWN
        assert "Cilium (eBPF) in kube-proxy's place" in outcome.reason
        assert outcome.origin is not None
    said = "\n".join(note.render() for note in made.notes)
    assert "kube-proxy's work, the masquerade, the way between pods and policies" in said
    with pytest.raises(UnmodelledModeError, match="in kube-proxy's place"):
        made.network.ruleset(made.cluster.nodes["node-1"], 4, "kube-proxy")


def test_beside_cilium_kube_proxy_may_stay(tmp_path: Path) -> None:
    made = made_of(tmp_path, _CILIUM % "false")
    assert ask(made, "outside", "node/node-1:30070").outcome.result is Result.CONNECTED


def test_an_option_says_otherwise(tmp_path: Path) -> None:
    from k8stui.cluster.options import ClusterOptions

    file = tmp_path / "all.yaml"
    file.write_text(_APP + _CILIUM % "true")
    made = build_world([str(file)], ClusterOptions(proxy_mode="iptables"))
    assert ask(made, "pod/weaver", "svc/loom:70").outcome.result is Result.CONNECTED


_NETWORK_OF_OVN = """
---
apiVersion: k8s.ovn.org/v1
kind: UserDefinedNetwork
metadata: {name: blue}
"""


@pytest.mark.parametrize("plugin", [_OVN, _NETWORK_OF_OVN], ids=["DaemonSet", "unknown kind"])
def test_ovn_kubernetes_does_all_of_it(tmp_path: Path, plugin: str) -> None:
    made = made_of(tmp_path, plugin)
    outcome = ask(made, "pod/weaver", "svc/loom:70").outcome
    assert outcome.result is Result.UNKNOWN
    assert "OVN-Kubernetes (Open vSwitch) in kube-proxy's place" in outcome.reason
