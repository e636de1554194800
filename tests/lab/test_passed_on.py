"""Processes that pass on: a small one of the lab's own makes the second connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.export.lab import lab_lines
from k8stui.kernel import simulate
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

DUAL = Path(__file__).with_name("dual-stack.yaml")
CASES = Path(__file__).with_name("cases.yaml")
USERSPACE = ClusterOptions(proxy_mode="userspace")
DOCKER = """\
apiVersion: v1
kind: Pod
metadata: {name: mill}
spec: {containers: [{name: main, image: mill, ports: [{containerPort: 9000, hostPort: 8088}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shut}
spec:
  containers:
    - {name: main, image: shut, ports: [{containerPort: 9001, hostPort: 8089, protocol: UDP}]}
---
apiVersion: v1
kind: Pod
metadata: {name: baker}
spec: {containers: [{name: main, image: baker, args: ["sleep", "9"]}]}
"""
BOTH = """\
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDRs: [10.244.1.0/24, "fd00:10:244:1::/64"]}
status:
  addresses:
    - {type: InternalIP, address: 192.168.0.11}
    - {type: InternalIP, address: "fd00:192:168::11"}
"""
SIX = """\
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDRs: ["fd00:10:244:1::/64"]}
status: {addresses: [{type: InternalIP, address: "fd00:192:168::11"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mill, labels: {app: mill}}
spec: {containers: [{name: main, image: mill, ports: [{containerPort: 9000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: mill}
spec: {selector: {app: mill}, ports: [{port: 80, targetPort: 9000}]}
"""


def agree(
    world: World,
    tools: Tools,
    source: str,
    destination: str,
    result: str,
    *,
    source_port: int | None = None,
    data_bytes: int | None = None,
    again_after: float | None = None,
) -> None:
    request = parse_request(
        world, source, destination, source_port=source_port, data_bytes=data_bytes
    )
    if again_after is not None:
        request = again(request, 2, again_after)
    found = list(experiments(world, request, tools, every=True))
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.comparison.kernel.result == result
    told = list(walks(world, request))
    assert sum(one.probability for one in found) == 1
    for one, trace in zip(found, told, strict=False):
        assert one.comparison.kernel.errno == trace.outcome.errno
        seen = trace.outcome.source_seen_by_server if result == "connected" else None
        assert one.comparison.kernel.source_seen == (str(seen) if seen else None)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("pod/client", "svc/redis-leader:6379"),
        ("outside", "node/node-1:30080"),
        ("deploy/redis-leader", "svc/redis-leader:6379"),
        ("node/node-1", "localhost:30080"),
        ("pod/client", "pod/frontend-1:80"),
    ],
)
def test_userspace(nft: Tools, source: str, destination: str) -> None:
    world = build_world([], cluster_options=USERSPACE)
    agree(world, nft, source, destination, "connected")


def test_a_device_without_an_address_redirects_to_what_it_has_made_of_its_mac(
    nft: Tools, tmp_path: Path
) -> None:
    """Calico's ends of pods' cables have no IPv6 address of their own."""
    file = tmp_path / "six.yaml"
    file.write_text(SIX)
    world = build_world([str(file)], USERSPACE, NodeOptions(cni="calico"))
    agree(world, nft, "pod/mill", "svc/mill:80", "connected")


def test_tables_without_a_rule_track_nothing(nft: Tools) -> None:
    """In userspace mode the second family has the chains only."""
    world = build_world([str(DUAL)], USERSPACE, NodeOptions(cni="ptp"))
    request = parse_request(world, "pod/web-1", "[2001:db8::8]:53/udp")
    (one,) = experiments(world, request, nft)
    assert not one.trial.exchange.conntrack
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        ("pod/web", "svc/dns:53", "connected"),
        ("outside", "node/node-1:30053/udp", "connected"),
        ("pod/web", "svc/empty:80", "refused"),
        ("outside", "node/node-1:30084", "refused"),
    ],
)
def test_userspace_services(nft: Tools, source: str, destination: str, result: str) -> None:
    """Without an endpoint, or with one that refuses, the client's connection is reset."""
    world = build_world([str(CASES)], cluster_options=USERSPACE)
    agree(world, nft, source, destination, result)


@pytest.mark.parametrize("source_port", [None, 1024])
@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        ("pod/baker", "192.168.0.11:8088", "connected"),
        ("outside", "192.168.0.11:8088", "connected"),
        ("node/node-1", "192.168.0.11:8088", "connected"),
        ("pod/baker", "192.168.0.11:8089/udp", "timeout"),
        ("outside", "192.168.0.11:8089/udp", "connected"),
    ],
)
def test_docker_proxy(
    nft: Tools,
    tmp_path: Path,
    *,
    source: str,
    destination: str,
    result: str,
    source_port: int | None,
) -> None:
    """It takes what comes from the bridge or over lo; from elsewhere the rules do it.

    To a datagram it answers from the bridge's address, which the client did not ask; the error
    quotes the answer, which says the client's port.
    """
    file = tmp_path / "pods.yaml"
    file.write_text(DOCKER)
    options = NodeOptions(cni="docker0")
    world = build_world([str(file)], ClusterOptions(nodes=1), options)
    agree(world, nft, source, destination, result, source_port=source_port)


@pytest.mark.parametrize("size", [9, 3000])
@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        ("pod/web", "svc/local:80", "connected"),
        ("pod/dns", "svc/hosted:80", "connected"),
        ("outside", "node/node-1:30080", "connected"),
        ("pod/web", "svc/closed:80", "refused"),
        ("pod/web", "svc/dns:53", "connected"),
    ],
)
def test_data_goes_by_both_connections(
    nft: Tools, *, source: str, destination: str, result: str, size: int
) -> None:
    """Whoever passes on reads it when it has its own connection; else it closes, unread."""
    world = build_world([str(CASES)], cluster_options=USERSPACE)
    agree(world, nft, source, destination, result, data_bytes=size)


@pytest.mark.parametrize(
    ("cni", "way", "result"),
    [
        ("docker0", "8088", "connected"),
        ("docker0", "8089/udp", "timeout"),
        ("docker-28", "8089/udp", "connected"),
    ],
)
def test_docker_proxy_carries_data(
    nft: Tools, tmp_path: Path, cni: str, way: str, result: str
) -> None:
    """Since 28.0 its answers come from the address that was asked."""
    file = tmp_path / "pods.yaml"
    file.write_text(DOCKER)
    world = build_world([str(file)], ClusterOptions(nodes=1), NodeOptions(cni=cni))
    agree(world, nft, "pod/baker", f"192.168.0.11:{way}", result, data_bytes=700)


@pytest.mark.parametrize("pause", [0.05, 0.3])
@pytest.mark.parametrize(
    ("source", "destination"),
    [("pod/web", "svc/dns:53"), ("outside", "node/node-1:30053/udp"), ("pod/web", "svc/local:80")],
)
def test_who_asks_again_is_passed_on_again(
    nft: Tools, source: str, destination: str, pause: float
) -> None:
    """By the next one's turn; a client's datagrams by one socket within 0.25 s."""
    world = build_world([str(CASES)], cluster_options=USERSPACE)
    agree(world, nft, source, destination, "connected", again_after=pause)


def test_nobody_knows_anybody(nft: Tools) -> None:
    """Each of both connections asks for its own neighbours, the second for those that are new."""
    world = build_world([], cluster_options=USERSPACE)
    request = parse_request(world, "outside", "node/node-1:30080")
    cold = experiments(world, request, nft, every=True, cold=True)
    assert next(cold).comparison.agrees
    to_itself = parse_request(world, "deploy/redis-leader", "svc/redis-leader:6379")
    for times in (0, 2):
        (one,) = experiments(world, again(to_itself, times, 0.0), nft, cold=True)
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


def test_nobody_knows_who_is_never_answered(nft: Tools, tmp_path: Path) -> None:
    """A datagram that nobody answers makes nobody ask for its sender's node.

    IPv6's question comes from a link-local address, and teaches no other one.
    """
    file = tmp_path / "six.yaml"
    elsewhere = SIX.partition("---")[0].replace("name: a", "name: b").replace("::11", "::12")
    deaf = SIX.replace("port: 80,", "port: 80, protocol: UDP, nodePort: 30080,")
    deaf = deaf.replace("{selector", "{type: NodePort, selector").replace(
        "{con", "{nodeName: a, con"
    )
    file.write_text(f"{deaf}---\n{elsewhere.replace('244:1', '244:2')}")
    world = build_world([str(file)], USERSPACE, NodeOptions(cni="kube-router"))
    request = parse_request(world, "pod/mill", "[fd00:192:168::12]:30080/udp")
    (one,) = experiments(world, request, nft, cold=True)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == "timeout"


def test_fragments_that_nobody_puts_together_before_the_rules(nft: Tools, tmp_path: Path) -> None:
    """Without conntrack IPv6's are put together behind INPUT: a trace says too little of them."""
    file = tmp_path / "six.yaml"
    file.write_text(SIX.rpartition("---")[0])
    world = build_world([str(file)], USERSPACE, NodeOptions(cni="docker-28"))
    request = parse_request(world, "pod/mill", "[fd00:192:168::11]/icmp", data_bytes=3000)
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))


def test_docker_proxy_goes_on_by_ipv4(nft: Tools, tmp_path: Path) -> None:
    """Whoever asks by IPv6, the container has none."""
    file = tmp_path / "pods.yaml"
    file.write_text(f"{BOTH}---\n{DOCKER}")
    world = build_world([str(file)], None, NodeOptions(cni="docker-17.06"))
    agree(world, nft, "pod/baker", "[fd00:192:168::11]:8088", "connected")


def test_an_answer_that_is_asked_again_has_no_end(
    nft: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks from the node port itself is answered there, which is kube-proxy once more."""
    monkeypatch.setattr(simulate, "MAX_EVENTS", 1000)
    file = tmp_path / "echo.yaml"
    file.write_text(ECHO)
    world = build_world([str(file)], cluster_options=USERSPACE)
    request = parse_request(world, "node/node-1", "127.0.0.1:30053/udp", source_port=30053)
    with pytest.raises(NotComparedError, match="circle for ever"):
        list(experiments(world, request, nft))


ECHO = """\
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {type: NodePort, selector: {app: echo}, ports: [{port: 53, protocol: UDP, nodePort: 30053}]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo, labels: {app: echo}}
spec: {containers: [{name: main, image: echo, ports: [{containerPort: 53, protocol: UDP}]}]}
"""
