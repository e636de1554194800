"""Who is the client? Addresses and TTLs of docs/facts/outcomes.md, "outside → node-1"."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.walk.clients import Arrival, arrivals, service_named
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world, sample

BROKEN = sample("broken")
SEEN = [
    # entry, policy, result, seen, client's own, TTL at the pod
    ("node-1", "Cluster", "connected", "192.168.0.11", False, 61),
    ("node-2", "Cluster", "connected", "10.244.2.1", False, 62),
    ("node-1", "Local", "timeout", None, False, None),
    ("node-2", "Local", "connected", "203.0.113.10", True, 62),
]


def row(each: Arrival) -> tuple[object, ...]:
    seen = str(each.source_seen) if each.source_seen else None
    return each.entry, each.policy, each.result.value, seen, each.is_client, each.ttl


@pytest.mark.parametrize("name", ["source-address-lost", "local-policy-no-pod-here"])
def test_one_pod_on_node_2(name: str) -> None:
    world = build_world([str(BROKEN / name)])
    (key,) = (k for k in world.cluster.services if k != "default/kubernetes")
    found = list(arrivals(world, key))
    assert [row(each) for each in found] == SEEN
    current = "Local" if name.startswith("local") else "Cluster"
    assert {each.policy for each in found if each.is_set} == {current}


def test_branches_that_look_alike_are_one_line() -> None:
    found = list(arrivals(build_world([]), "default/frontend"))
    assert [each.probability for each in found] == [
        Fraction(1, 3), Fraction(2, 3), Fraction(1, 3), Fraction(2, 3), Fraction(1), Fraction(1),
    ]  # fmt: skip
    assert found[1].servers == ("default/frontend-1", "default/frontend-3")
    assert all(each.result is Result.CONNECTED for each in found)


def test_a_load_balancers_address_is_an_entry(tmp_path: Path) -> None:
    text = (BROKEN / "source-address-lost" / "shop.yaml").read_text()
    text = text.replace("type: NodePort", "type: LoadBalancer")
    status = "status: {loadBalancer: {ingress: [{ip: 198.51.100.9}]}}\n"
    (tmp_path / "shop.yaml").write_text(text + status)
    found = list(arrivals(build_world([str(tmp_path)]), "default/shop"))
    entries = {each.entry for each in found}
    assert entries == {"node-1", "node-2", "198.51.100.9"}
    assert {each.destination for each in found if each.entry == "198.51.100.9"} == {
        "198.51.100.9:80"
    }


def test_only_so_many_nodes() -> None:
    found = arrivals(build_world([]), "default/frontend", nodes=1)
    assert {each.entry for each in found} == {"node-1"}


def test_nobody_outside_can_ask_a_cluster_ip() -> None:
    with pytest.raises(RequestError, match="nobody outside can ask it"):
        list(arrivals(build_world([]), "default/redis-leader"))


@pytest.fixture(scope="module")
def guestbook() -> World:
    return build_world([])


@pytest.mark.parametrize(
    "text",
    [
        "svc/frontend",
        "service/frontend",
        "frontend",
        "svc/frontend.default",
        "svc/default/frontend",
    ],
)
def test_spellings(guestbook: World, text: str) -> None:
    assert service_named(guestbook.cluster, text, "default").key == "default/frontend"


@pytest.mark.parametrize("text", ["pod/client", "svc/nobody"])
def test_not_a_service(guestbook: World, text: str) -> None:
    with pytest.raises(RequestError):
        service_named(guestbook.cluster, text, "default")
