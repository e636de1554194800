"""What an input tells the plug-ins is judged where it is read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodes.clusters import ORIGIN, lab, port

from k8stui.cluster.build import build
from k8stui.cluster.networks.cni_configurations import cni_configuration
from k8stui.kernel.namespace import LinkKind
from k8stui.kernel.save import dump, parse
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

PODS = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n"
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70_000), st.text(max_size=12), st.just([["x"]]),
    st.sampled_from(["br7", "10.9.0.0/16", "a b", "-j", "x\ny", "ipt;ables", "::"]),
    st.lists(st.sampled_from(["!", "-s", "10.0.0.0/8", "-m", "a b", "\x1b", "--src"]), max_size=4),
)  # fmt: skip
KEYS = (
    "bridge", "isGateway", "isDefaultGateway", "ipMasq", "hairpinMode", "mtu", "ipam", "snat",
    "markMasqBit", "externalSetMarkChain", "conditionsV4", "masqAll", "backend", "ingressPolicy",
    "iptablesAdminChainName", "promiscMode", "name",
)  # fmt: skip
OPTIONS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


@given(st.sampled_from(("bridge", "ptp", "flannel")), OPTIONS, OPTIONS, OPTIONS, VALUES)
def test_whatever_is_written_there_nodes_stand(
    main: str,
    first: dict[str, object],
    second: dict[str, object],
    third: dict[str, object],
    name: object,
) -> None:
    plugins = [
        {**first, "type": main},
        {**second, "type": "portmap"},
        {**third, "type": "firewall"},
    ]
    made = cni_configuration({"name": name, "plugins": plugins}, ORIGIN)
    assert made is not None
    cluster = replace(lab({"frontend-1": [port(80, host_port=80)]}), cni_configurations=(made,))
    network = build_network(cluster, NodeOptions(cni=main))
    rules = dump(network.ruleset(cluster.nodes["node-1"], 4, "cni"))
    assert dump(parse(rules)) == rules
    assert network["node-1"].interfaces
    assert network["default/frontend-1"].interface("eth0") is not None


def listed(cni: str, **main: object) -> ClusterNetwork:
    made = cni_configuration({"name": "n", "plugins": [{**main, "type": cni}]}, ORIGIN)
    assert made is not None
    return build_network(replace(lab(), cni_configurations=(made,)), NodeOptions(cni=cni))


@pytest.mark.parametrize(
    ("types", "said"), [(["fancy"], ["fancy"]), (["loopback"], []), (["fancy", "ptp"], [])]
)
def test_a_list_that_begins_with_an_unknown_plug_in_is_told(
    types: list[str], said: list[str]
) -> None:
    made = [cni_configuration({"name": "n", "plugins": [{"type": one}]}, ORIGIN) for one in types]
    lists = tuple(one for one in made if one is not None)
    remarks = build_network(replace(lab(), cni_configurations=lists), NodeOptions()).remarks
    told = [one.text.partition(",")[0] for one in remarks if "is not modelled" in one.text]
    assert told == said


@pytest.mark.parametrize("name", ["sixteen-is-a-lot", "a:1", "..", "a/b", ""])
def test_what_the_kernel_refuses_is_no_devices_name(name: str) -> None:
    node = listed("bridge", bridge=name, isGateway=True)["node-1"]
    assert [one.name for one in node.interfaces if one.kind is LinkKind.BRIDGE] == ["cni0"]
    named = listed("bridge", bridge="fifteen-is-fine", isGateway=True)["node-1"]
    assert named.interface("fifteen-is-fine") is not None


@pytest.mark.parametrize(
    ("conditions", "before", "behind"),
    [
        (["-d", "10.0.0.9", "-m", "mark", "--mark", "1"], "-d 10.0.0.9/32 ", " -m mark --mark 1"),
        (["-d", "10.0.0.9", "-j", "ACCEPT"], "", ""),
        (["-jACCEPT"], "", ""),
        (["--jum", "ACCEPT"], "", ""),
        (["-M", "/a/program"], "", ""),
        (["--mod=/a/program", "-m", "nothing"], "", ""),
        (["-t", "filter"], "", ""),
        (["-A", "INPUT"], "", ""),
    ],
)
def test_conditions_say_when_and_not_what(conditions: list[str], before: str, behind: str) -> None:
    plugins = [{"type": "bridge"}, {"type": "portmap", "conditionsV4": conditions}]
    made = cni_configuration({"name": "n", "plugins": plugins}, ORIGIN)
    assert made is not None
    told = replace(lab({"frontend-1": [port(80, host_port=80)]}), cni_configurations=(made,))
    network = build_network(told, NodeOptions(cni="bridge"))
    lines = dump(network.ruleset(told.nodes["node-1"], 4, "cni")).splitlines()
    [rule] = [line for line in lines if line.startswith("-A CNI-HOSTPORT-DNAT")]
    said = re.fullmatch(r"-A CNI-HOSTPORT-DNAT (.*)-p tcp .* --dports 80(.*) -j CNI-DN-\w+", rule)
    assert said is not None
    assert said.groups() == (before, behind)


@pytest.mark.parametrize("cni", ["bridge", "ptp"])
def test_a_gateway_of_the_other_family_is_none(cni: str) -> None:
    ipam = {
        "subnet": "10.244.1.0/24",
        "gateway": "fd00::1",
        "routes": [{"dst": "10.9.0.0/16", "gw": "fd00::2"}, {"dst": "10.8.0.0/16"}],
    }
    network = listed(cni, isGateway=True, ipam=ipam)
    ways = {str(one.destination): str(one.gateway) for one in network["default/frontend-1"].routes}
    assert ways["10.8.0.0/16"] == "10.244.1.1"
    assert "10.9.0.0/16" not in ways
    ours = [one.address for each in network["node-1"].interfaces for one in each.addresses]
    assert {str(one) for one in ours if one.version == 6} == {"::1"}


@pytest.mark.parametrize(
    ("backend", "mtu", "inside"),
    [
        ("vxlan", 9001, 8951),
        ("vxlan", 118, 68),
        ("vxlan", 117, 1450),
        ("wireguard", 100, 1420),
        ("ipip", True, 1480),
    ],
)
def test_a_tunnel_leaves_pods_what_a_device_takes(backend: str, mtu: object, inside: int) -> None:
    told = replace(lab(), flannel={"Backend": {"Type": backend, "MTU": mtu}})
    eth0 = build_network(told)["default/frontend-1"].interface("eth0")
    assert eth0 is not None
    assert eth0.mtu_bytes == inside


def test_a_file_beside_the_manifests_and_a_config_map_are_read(tmp_path: Path) -> None:
    conf = {"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "ptp", "mtu": 1400}]}
    (tmp_path / "10-n.conflist").write_text(json.dumps(conf))
    (tmp_path / "pods.yaml").write_text(PODS)
    network = build_network(build(load([str(tmp_path)])))
    first = network.cluster.nodes["node-1"]
    assert network.plugin_of(first) == "ptp"
    eth0 = network["default/a"].interface("eth0")
    assert eth0 is not None
    assert eth0.mtu_bytes == 1400


def test_dockers_options_are_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text('{"icc": false, "userland-proxy": false}')
    (tmp_path / "pods.yaml").write_text(PODS)
    network = build_network(build(load([str(tmp_path)])), NodeOptions(cni="docker"))
    lines = dump(network.ruleset(network.cluster.nodes["node-1"], 4, "cni")).splitlines()
    assert "-A FORWARD -i docker0 -o docker0 -j DROP" in lines
    assert "-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE" in lines
