"""Truth: node-cache's rules, against recordings-agents/nodelocaldns; and walks to the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import truth
from nodes.clusters import ORIGIN, cluster, node, pod

from k8stui.cluster.model import Container, Pod
from k8stui.kernel.exchange import Result
from k8stui.kernel.save import dump
from k8stui.nodes.network import build_network
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world


def cases() -> list[Path]:
    found = truth.find("recordings-agents")
    return sorted((found / "nodelocaldns").iterdir()) if found else []


def daemon(*words: str) -> Pod:
    container = Container(
        name="node-cache",
        image="registry.k8s.io/dns/k8s-dns-node-cache:1.26.7",
        spoken=words,
        origin=ORIGIN,
    )
    return replace(pod("cache", "node-1", host_network=True), containers=(container,))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_its_rules_are_to_the_byte(case: Path) -> None:
    words = (case / "args").read_text().split()
    made = cluster((node(1, "192.168.0.11", "fd00::11"),), (daemon(*words),))
    network = build_network(made)
    for version, name in ((4, "iptables"), (6, "ip6tables")):
        ours = dump(network.ruleset(made.nodes["node-1"], version, "node-local-dns"))
        assert ours.strip() == (truth.read(case / name) or "").strip()
    assert not any(one.name == "nodelocaldns" for one in network["node-1"].interfaces)


def test_told_to_leave_the_tables_alone_it_writes_nothing() -> None:
    made = cluster(
        (node(1, "192.168.0.11"),), (daemon("-localip", "169.254.20.10", "-setupiptables=false"),)
    )
    network = build_network(made)
    assert dump(network.ruleset(made.nodes["node-1"], 4, "node-local-dns")) == ""
    assert "nodelocaldns" in {one.name for one in network["node-1"].interfaces}


@pytest.mark.parametrize(
    "words",
    [
        ("-p", "9" * 5000),
        ("-p", "70000", "-health-port", "65536"),
        ("-interfacename", "a\nb c"),
        ("-interfacename", "x" * 16),
    ],
)
def test_what_is_no_port_and_no_device_is_not_used(words: tuple[str, ...]) -> None:
    """Such a text of the input gets into no rule, no socket and no namespace."""

    def stands(*more: str) -> object:
        made = cluster((node(1, "192.168.0.11"),), (daemon("-localip", "169.254.20.10", *more),))
        network = build_network(made)
        here = network["node-1"]
        devices = [one.name for one in here.interfaces]
        ports = [one.port for one in here.sockets if one.owner == "node-cache"]
        return devices, ports, dump(network.ruleset(made.nodes["node-1"], 4, "node-local-dns"))

    assert stands(*words) == stands()


_OBJECTS = """\
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]
---
apiVersion: v1
kind: Pod
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  nodeName: node-2
  containers: [{name: coredns, image: coredns, ports: [{containerPort: 53, protocol: UDP}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: asker}
spec: {nodeName: node-1, containers: [{name: main, image: x}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: node-local-dns}}
  template:
    metadata: {labels: {k8s-app: node-local-dns}}
    spec:
      hostNetwork: true
      dnsPolicy: Default
      containers:
      - name: node-cache
        image: registry.k8s.io/dns/k8s-dns-node-cache:1.26.7
        args: [-localip, "169.254.20.10,10.96.0.10", -conf, /etc/Corefile]
        ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53}, {containerPort: 9253}]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    file = tmp_path_factory.mktemp("dns") / "all.yaml"
    file.write_text(_OBJECTS)
    return build_world([str(file)])


@pytest.mark.parametrize("asked", ["169.254.20.10:53/udp", "svc/kube-dns.kube-system:53/udp"])
def test_the_nodes_own_cache_answers(made: World, asked: str) -> None:
    """Both its own address and the ClusterIP, which no DNAT takes."""
    found = walk(made, parse_request(made, "pod/asker", asked))
    assert found.outcome.result is Result.CONNECTED
    assert found.outcome.decided_at == "node-1"
    assert str(found.outcome.server_address) in {"169.254.20.10", "10.96.0.10"}
    assert any("NOTRACK" in step.text or "tracked" in step.text for step in found.steps)


def test_it_listens_at_its_own_addresses_alone(made: World) -> None:
    found = walk(made, parse_request(made, "outside", "node/node-1:53"))
    assert found.outcome.result is Result.REFUSED
    metrics = walk(made, parse_request(made, "outside", "node/node-1:9253"))
    assert metrics.outcome.result is Result.CONNECTED
