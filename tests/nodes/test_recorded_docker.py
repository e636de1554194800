"""Truth: docker0 and Docker's rules, against every case of Docker in recordings-cni."""

from __future__ import annotations

from dataclasses import replace

import pytest
import truth
from nodes.clusters import cluster, node, pod, port
from nodes.plugin_cases import Case, cases
from nodes.recorded import (
    devices,
    fdb,
    recorded_devices,
    recorded_fdb,
    recorded_localnet,
    recorded_routes,
    routes,
)
from nodes.test_recorded_plugins import case_id, printed

from k8stui.cluster.model import Cluster
from k8stui.kernel.namespace import LinkKind
from k8stui.kernel.save import dump
from k8stui.nodes.network import build_network, node_ruleset
from k8stui.nodes.options import NodeOptions

DOCKER = NodeOptions(cni="docker")
FIRST_SETUPS = NodeOptions(cni="docker0")
CASES = cases(with_file="containers.json")
STATES = {
    "node-1.0-containers": (),
    "node-1.1-container": ("frontend-1",),
    "node-1.2-containers": ("frontend-1", "frontend-2"),
    "node-1.3-containers-one-published": ("frontend-1", "frontend-2", "web"),
    "node-2": ("frontend-3",),
}


@pytest.mark.parametrize("case", CASES, ids=case_id)
@pytest.mark.parametrize("state", STATES)
def test_node(case: Case, state: str) -> None:
    made = case.docker(*STATES[state])
    network = build_network(made, DOCKER)
    name = state.partition(".")[0]
    ours, expected = network[name], case.json(f"{state}.json")
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])
    assert fdb(ours) == recorded_fdb(expected)
    rules = dump(network.ruleset(made.nodes[name], 4, "cni"))
    assert printed(rules) == printed(case.text(f"{state}.iptables") or "")
    localnet = [name for name, is_on in ours.sysctls.route_localnet.items() if is_on]
    assert len(localnet) - localnet.count("all") == len(recorded_localnet(expected))


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case in CASES for name in case.containers], ids=case_id
)
def test_pod(case: Case, name: str) -> None:
    recorded = case.containers[name]
    expected = case.json(f"{recorded['node']}.{name}.json")
    ours = case.network[f"default/{name}"]
    assert devices(ours) == recorded_devices(expected)
    assert routes(ours) == recorded_routes(expected["ip -j route show table all"])
    eth0 = ours.interface("eth0")
    assert eth0 is not None
    assert eth0.mac == recorded["mac"]


@pytest.mark.parametrize("release", ["1.9", "1.13"])
@pytest.mark.parametrize("state", ["node-1.2-containers", "node-1.3-containers-one-published"])
def test_older_releases(release: str, state: str) -> None:
    folder = truth.folder("recordings-cni") / f"docker-{release}-recreated"
    made = docker(*STATES[state])
    options = NodeOptions(cni=f"docker-{release}")
    ours = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", options))
    assert printed(ours) == printed(truth.read(folder / f"{state}.iptables") or "")


def docker(*names: str) -> Cluster:
    where = {"frontend-1": 2, "frontend-2": 3, "web": 4}
    pods = [
        pod(
            name,
            "node-1",
            f"10.244.1.{where[name]}",
            ports=[port(80, host_port=8080)] if name == "web" else (),
        )
        for name in names
    ]
    return cluster((node(1), node(2)), pods)


def test_since_28_chains_of_its_own_stand_for_what_was_in_forward() -> None:
    made = docker("frontend-1", "web")
    ours = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", NodeOptions(cni="docker-28")))
    lines = [line for line in ours.splitlines() if line.startswith("-A")]
    assert lines[:2] == [
        "-A PREROUTING -d 10.244.1.2/32 ! -i docker0 -j DROP",
        "-A PREROUTING -d 10.244.1.4/32 ! -i docker0 -j DROP",
    ]
    assert [line for line in lines if line.startswith("-A DOCKER ")] == [
        "-A DOCKER -d 10.244.1.4/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A DOCKER ! -i docker0 -o docker0 -j DROP",
        "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.4:80",
    ]


@pytest.mark.parametrize(
    ("runtime", "isolates"),
    [("docker://1.9.1", 0), ("docker://1.13.1~cs1", 1), ("docker://1." + "9" * 5000, 1)],
)
def test_the_release_is_the_nodes_own(runtime: str, isolates: int) -> None:
    made = docker("frontend-1", "web")
    nodes = {name: replace(one, runtime=runtime) for name, one in made.nodes.items()}
    made = replace(made, nodes=nodes)
    ours = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", DOCKER))
    assert ours.count("-A FORWARD -j DOCKER-ISOLATION\n") == isolates


def test_names_are_dockers() -> None:
    ours = build_network(docker("frontend-1", "frontend-2", "web"), FIRST_SETUPS)["node-1"]
    bridge = ours.interface("docker0")
    assert bridge is not None
    assert bridge.mac.startswith("02:42:")
    ports = [device for device in ours.interfaces if device.master == "docker0"]
    assert [len(device.name) for device in ports] == [len("vethdf9d15a")] * 3
    assert all(device.kind is LinkKind.VETH for device in ports)


def test_in_the_first_set_ups_rules_are_none_but_the_masquerade() -> None:
    made = docker("frontend-1", "web")
    lines = dump(node_ruleset(made, made.nodes["node-1"], 4, "cni", FIRST_SETUPS)).splitlines()
    masquerade = (
        '-A POSTROUTING ! -d 10.0.0.0/8 -m comment --comment "kubelet: SNAT outbound cluster '
        'traffic" -m addrtype ! --dst-type LOCAL -j MASQUERADE'
    )
    assert [line for line in lines if line.startswith("-A")] == [masquerade]


@pytest.mark.parametrize("options", [DOCKER, FIRST_SETUPS])
def test_docker_proxy_holds_the_published_port(options: NodeOptions) -> None:
    sockets = build_network(docker("web"), options)["node-1"].sockets
    assert [s.port for s in sockets if s.owner == "docker-proxy"] == [8080]
