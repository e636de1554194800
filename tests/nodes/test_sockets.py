"""Who listens where."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from nodes.clusters import ORIGIN, cluster, node, pod, port

from k8stui.because import Because
from k8stui.cluster.model import (
    Cluster,
    Container,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Pod,
    PodPhase,
)
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.nodes.network import build_network
from k8stui.origin import OriginKind

INIT = Container(name="init", ports=(port(1),), init=True, origin=ORIGIN)
SIDECAR = Container(name="side", ports=(port(9),), init=True, restartable_init=True, origin=ORIGIN)
MAIN = Container(name="main", ports=(port(80), port(53, Protocol.UDP)), origin=ORIGIN)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            pod("p", "node-1", "10.244.1.2", containers=(INIT, SIDECAR, MAIN)),
            [("side", "TCP", 9), ("main", "TCP", 80), ("main", "UDP", 53)],
        ),
        (
            pod("p", "node-1", "10.244.1.2", containers=(MAIN, MAIN)),
            [("main", "TCP", 80), ("main", "UDP", 53)],
        ),
        (
            pod("p", "node-1", "10.244.1.2", ready=False, ports=[port(80)]),
            [("main", "TCP", 80)],
        ),
        (
            pod("p", "node-1", "10.244.1.2", phase=PodPhase.PENDING, ports=[port(80)]),
            [],
        ),
        (pod("p", "node-1", "10.244.1.2"), []),
    ],
    ids=["sidecar and not init", "once", "not ready listens", "pending does not", "undeclared"],
)
def test_pod(made: Pod, expected: list[tuple[str, str, int | None]]) -> None:
    sockets = build_network(cluster([node(1)], [made]))["default/p"].sockets
    known = [(s.owner, s.protocol.name, s.port) for s in sockets if s.port is not None]
    assert known == expected
    anywhere = [s.protocol.name for s in sockets if s.port is None]
    assert anywhere == (["TCP", "UDP", "SCTP"] if made.phase is PodPhase.RUNNING else [])


def test_undeclared_is_assumed() -> None:
    made = cluster([node(1)], [pod("p", "node-1", "10.244.1.2")])
    reason = build_network(made)["default/p"].sockets[0].reason
    assert isinstance(reason, Because)
    assert reason.origin.kind is OriginKind.ASSUMED
    assert "nothing is declared" in reason.origin.reason


def on_node(
    pods: list[Pod], slices: Mapping[str, tuple[EndpointSlice, ...]] | None = None
) -> list[tuple[str, int | None]]:
    made: Cluster = cluster([node(1)], pods, slices=slices)
    return [(s.owner, s.port) for s in build_network(made)["node-1"].sockets]


def piece(service: str, number: int, address: str, pod_key: str | None) -> EndpointSlice:
    namespace, _, name = service.partition("/")
    return EndpointSlice(
        namespace=namespace,
        name=name,
        service=name,
        ports=(EndpointPort(port=number),),
        endpoints=(Endpoint(addresses=(Address.parse(address),), pod=pod_key, origin=ORIGIN),),
        origin=ORIGIN,
    )


def test_node_has_kubelet() -> None:
    assert on_node([]) == [("kubelet", 10250)]


def test_host_network_pods_listen_on_the_node() -> None:
    host = pod("h", "node-1", "192.168.0.11", host_network=True, ports=[port(9100)])
    assert on_node([host]) == [("main", 9100), ("kubelet", 10250)]


def test_undeclared_host_network_pod_listens_where_a_service_sends() -> None:
    host = pod("h", "node-1", "192.168.0.11", host_network=True)
    slices = {"default/s": (piece("default/s", 9100, "192.168.0.11", "default/h"),)}
    assert on_node([host]) == [("kubelet", 10250)]
    assert on_node([host], slices) == [("main", 9100), ("kubelet", 10250)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.168.0.11", [("kube-apiserver", 6443), ("kubelet", 10250)]),
        ("192.168.0.99", [("kubelet", 10250)]),
    ],
)
def test_api_server(address: str, expected: list[tuple[str, int]]) -> None:
    slices = {"default/kubernetes": (piece("default/kubernetes", 6443, address, None),)}
    assert on_node([], slices) == expected
