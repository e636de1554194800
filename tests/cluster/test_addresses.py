"""Addresses and ports: stable, free of collisions, in the band, and what is written wins."""

from __future__ import annotations

import pytest
from cluster.objects import OBSERVED_POD, cluster, deployment, service
from hypothesis import given
from hypothesis import strategies as st

from k8stui.cluster.addresses import RangeIsFullError, ServiceAllocator, dynamic_band, pod_range
from k8stui.cluster.model import PodPhase, Service, ServicePort, ServiceType
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import OriginKind, assumed

ORIGIN = assumed("test")
CIDR = Prefix.parse("10.96.0.0/12")


def a_service(name: str, kind: ServiceType = ServiceType.NODE_PORT) -> Service:
    port = ServicePort(port=80, target_port=80, origin=ORIGIN)
    return Service(namespace="default", name=name, type=kind, ports=(port,), origin=ORIGIN)


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.96.0.0/12", "10.96.1.1", "10.111.255.254"),
        ("10.0.0.0/24", "10.0.0.17", "10.0.0.254"),
        ("10.0.0.0/28", "10.0.0.1", "10.0.0.14"),
        ("10.0.0.0/16", "10.0.1.1", "10.0.255.254"),
        ("fd00:10:96::/112", "fd00:10:96::101", "fd00:10:96::ffff"),
    ],
)
def test_dynamic_band(cidr: str, first: str, last: str) -> None:
    prefix = Prefix.parse(cidr)
    band = dynamic_band(prefix)
    assert (str(prefix.nth(band[0])), str(prefix.nth(band[-1]))) == (first, last)


NAMES = st.lists(st.text("abcdefgh-", min_size=1, max_size=12), unique=True, max_size=40)


@given(NAMES)
def test_allocated_are_distinct_and_in_band(names: list[str]) -> None:
    services = [a_service(name) for name in names]
    allocator = ServiceAllocator(services, {4: CIDR})
    done = [allocator.complete(item) for item in services]
    addresses = [item.cluster_ips[0] for item in done]
    ports = [item.ports[0].node_port for item in done]
    assert len(set(addresses)) == len(set(ports)) == len(names)
    low, high = Address.parse("10.96.1.1"), Address.parse("10.111.255.254")
    assert all(low <= address <= high for address in addresses)
    assert all(30086 <= (port or 0) <= 32767 for port in ports)


@given(NAMES, st.text("xyz", min_size=1, max_size=4))
def test_a_new_service_renumbers_nobody(names: list[str], new: str) -> None:
    """The law holds up to hash collisions, which 40 names in a million addresses do not have."""
    before = [a_service(name, ServiceType.CLUSTER_IP) for name in names]
    after = [a_service(new, ServiceType.CLUSTER_IP), *before]
    first = ServiceAllocator(before, {4: CIDR})
    second = ServiceAllocator(after, {4: CIDR})
    second.complete(after[0])
    assert [first.complete(s).cluster_ips for s in before] == [
        second.complete(s).cluster_ips for s in before
    ]


def test_a_full_band_is_used_to_the_last_address() -> None:
    cidr = Prefix.parse("10.0.0.0/29")
    services = [a_service(f"s{n}", ServiceType.CLUSTER_IP) for n in range(5)]
    allocator = ServiceAllocator(services, {4: cidr})
    found = {allocator.complete(item).cluster_ips[0] for item in services}
    assert found == {cidr.nth(n) for n in range(2, 7)}  # the first is default/kubernetes'
    with pytest.raises(RangeIsFullError, match="failed to allocate a serviceIP: range is full"):
        allocator.complete(a_service("late", ServiceType.CLUSTER_IP))


def test_a_service_for_which_no_address_is_left_is_refused() -> None:
    range_of_five = (
        "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
        "networking: {serviceSubnet: 10.0.0.0/29}\n---\n"
    )
    made = cluster(range_of_five + "".join(service(f"s{n}") for n in range(7)))
    assert [key for key in made.services if key != "default/kubernetes"] == [
        f"default/s{n}" for n in range(5)
    ]
    assert [remark.text for remark in made.remarks] == [
        f"Service default/s{n} is refused: failed to allocate a serviceIP: range is full"
        for n in (5, 6)
    ]


def test_node_ports_run_out() -> None:
    allocator = ServiceAllocator((), {4: CIDR}, range(30000, 30003))
    ports = {allocator.complete(a_service(f"s{n}")).ports[0].node_port for n in range(3)}
    assert ports == set(range(30000, 30003))
    with pytest.raises(RangeIsFullError, match="nodePort"):
        allocator.complete(a_service("late"))


def test_a_pod_for_which_its_node_has_no_address_stays_pending() -> None:
    small = (
        "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspec: {podCIDR: 10.244.1.0/29}\n---\n"
    )
    made = cluster(small + deployment("web", 7))
    *running, sixth, seventh = made.pods.values()
    assert [str(pod.addresses[0]) for pod in running] == [f"10.244.1.{n}" for n in range(2, 7)]
    for pod in (sixth, seventh):
        assert (pod.node_name, pod.addresses, pod.phase, pod.ready) == (
            "n1",
            (),
            PodPhase.PENDING,
            False,
        )
        assert pod.pending_reason == ("no IP addresses available in 10.244.1.0/29, the range of n1")


def test_written_address_is_nobody_elses() -> None:
    free = cluster(service("web")).services["default/web"].cluster_ips[0]
    other = service("other", f"clusterIP: {free}, ports: [{{port: 80}}]")
    both = cluster(service("web") + other)
    assert both.services["default/other"].cluster_ips == (free,)
    assert both.services["default/web"].cluster_ips != (free,)
    assert both.services["default/other"].origins["cluster_ips"].kind is OriginKind.DECLARED
    assert both.services["default/web"].origins["cluster_ips"].kind is OriginKind.ASSUMED


def test_same_port_number_shares_its_node_port() -> None:
    spec = (
        "type: NodePort, ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}, "
        "{name: c, port: 80}]"
    )
    first, second, third = cluster(service("dns", spec)).services["default/dns"].ports
    assert first.node_port == second.node_port != third.node_port


@pytest.mark.parametrize(
    ("cidr", "index", "expected"),
    [
        ("10.244.0.0/16", 1, "10.244.1.0/24"),
        ("10.244.0.0/16", 12, "10.244.12.0/24"),
        ("10.0.0.0/26", 3, "10.0.0.12/30"),
        ("fd00:10:244::/56", 2, "fd00:10:244:2::/64"),
    ],
)
def test_pod_range(cidr: str, index: int, expected: str) -> None:
    assert str(pod_range(Prefix.parse(cidr), index)) == expected


def test_assumed_nodes_and_pods() -> None:
    made = cluster(deployment("web", 3))
    assert [(n.name, str(n.addresses[0]), str(n.pod_cidrs[0])) for n in made.nodes.values()] == [
        ("node-1", "192.168.0.11", "10.244.1.0/24"),
        ("node-2", "192.168.0.12", "10.244.2.0/24"),
    ]
    assert [(p.name, p.node_name, str(p.addresses[0])) for p in made.pods.values()] == [
        ("web-1", "node-1", "10.244.1.2"),
        ("web-2", "node-2", "10.244.2.2"),
        ("web-3", "node-1", "10.244.1.3"),
    ]
    assert len(cluster(deployment("web", 3), nodes=5).nodes) == 5


def test_more_pods_than_two_nodes_hold() -> None:
    made = cluster(deployment("web", 450))
    assert len(made.nodes) == 5
    assert all(pod.addresses for pod in made.pods.values())
    assert len({pod.addresses for pod in made.pods.values()}) == 450


def test_nodes_seen_through_pods() -> None:
    """A dump of pods alone: their nodes are real, with what the pods tell of them."""
    made = cluster(
        OBSERVED_POD.format(
            name="web-6d4cf56db6-abcde", node="w7", host="172.16.0.7", ip="10.42.7.9"
        )
    )
    (node,) = made.nodes.values()
    assert (node.name, str(node.addresses[0]), str(node.pod_cidrs[0])) == (
        "w7",
        "172.16.0.7",
        "10.42.7.0/24",
    )
    assert node.origin.kind is OriginKind.ASSUMED
    (pod,) = made.pods.values()
    assert pod.owner == ("Deployment", "web")
    assert pod.origins["addresses"].kind is OriginKind.OBSERVED
    (workload,) = made.workloads
    assert (workload.kind, workload.name, workload.pods) == ("Deployment", "web", (pod.key,))


def test_new_pod_beside_a_dump_takes_no_address_in_use() -> None:
    made = cluster(
        OBSERVED_POD.format(
            name="web-6d4cf56db6-abcde", node="w1", host="172.16.0.1", ip="10.42.1.2"
        )
        + deployment("extra", 2)
    )
    addresses = [str(a) for pod in made.pods.values() for a in pod.addresses]
    assert addresses == ["10.42.1.2", "10.42.1.3", "10.42.1.4"]


def test_kubernetes_service_only_for_plain_manifests() -> None:
    assert "default/kubernetes" in cluster(deployment("web")).services
    node = "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\n"
    assert "default/kubernetes" not in cluster(deployment("web") + node).services
    assert (
        "default/kubernetes"
        not in cluster(
            OBSERVED_POD.format(name="p", node="w", host="172.16.0.1", ip="10.42.1.2")
        ).services
    )


def test_ranges_around_what_is_seen() -> None:
    node = """
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDR: 10.1.20.0/24}
"""
    made = cluster(node + service("web", "clusterIP: 10.43.7.1, ports: [{port: 80}]"))
    assert (str(made.pod_cidr), str(made.service_cidr)) == ("10.1.0.0/16", "10.43.0.0/16")
    assert made.origins["pod_cidr"].kind is OriginKind.ASSUMED
