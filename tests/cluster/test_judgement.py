"""Policies of all tiers by the API's rules.

The verdicts are those that network-policy-api's conformance tests ask of an implementation
(conformance/tests: gress rules, priority field, integration of the tiers, named ports, inline
CIDRs), for a cluster of our own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8stui.cluster.build import build
from k8stui.cluster.judgement import Ask, Judgement, is_of_domain, same_priority
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.policy import Direction
from k8stui.kernel.packet import Protocol
from k8stui.manifests import load

Manifest = dict[str, Any]
TOWNS = ("alt", "brook", "cliff", "dune")
WAYS = {"ingress": "from", "egress": "to"}


def town(name: str) -> list[Manifest]:
    ports = [
        {"containerPort": 80, "name": "shop"},
        {"containerPort": 53, "protocol": "UDP", "name": "post"},
        {"containerPort": 9003, "protocol": "SCTP"},
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"town": name}},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "house", "namespace": name, "labels": {"of": name}},
            "spec": {"containers": [{"name": "c", "image": "c", "ports": ports}]},
        },
    ]


def of(*names: str, pods: bool = False) -> Manifest:
    labels = {"matchExpressions": [{"key": "town", "operator": "In", "values": list(names)}]}
    if not pods:
        return {"namespaces": labels}
    mine = {"matchExpressions": [{"key": "of", "operator": "In", "values": list(names)}]}
    return {"pods": {"namespaceSelector": labels, "podSelector": mine}}


def number(protocol: str, port: int) -> Manifest:
    return {protocol: {"destinationPort": {"number": port}}}


def cluster_policy(name: str, tier: str = "Admin", priority: int = 10, **spec: Any) -> Manifest:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": name},
        "spec": {"tier": tier, "priority": priority, "subject": of("alt"), **spec},
    }


def rules(*entries: tuple[str, Manifest, list[Manifest]]) -> Manifest:
    """The same rules for both ways."""
    return {
        way: [
            {"action": action, side: [peer]} | ({"protocols": ports} if ports else {})
            for action, peer, ports in entries
        ]
        for way, side in WAYS.items()
    }


def judged(tmp_path: Path, *manifests: Manifest, nodes: int = 2) -> Judgement:
    path = tmp_path / "towns.yaml"
    path.write_text(
        yaml.safe_dump_all([*(one for name in TOWNS for one in town(name)), *manifests])
    )
    loaded = load([str(path)])
    assert not loaded.problems
    return Judgement(build(loaded, ClusterOptions(nodes=nodes)))


def verdicts(judgement: Judgement, far: str, protocol: Protocol, port: int) -> set[bool | None]:
    """What is said of both ways between alt's house and another's."""
    alt, other = (judgement.cluster.pods[f"{name}/house"] for name in ("alt", far))
    peer = judgement.peer(other, None, "")
    return {
        judgement.of(Direction.INGRESS, alt, peer, Ask(port, protocol, alt)).allowed,
        judgement.of(Direction.EGRESS, alt, peer, Ask(port, protocol, other)).allowed,
    }


AT = [number("tcp", 80), number("udp", 53), number("sctp", 9003)]
ASKED = [(Protocol.TCP, 80), (Protocol.UDP, 53), (Protocol.SCTP, 9003), (Protocol.TCP, 81)]
COMBINED = rules(
    ("Accept", of("brook"), []),
    ("Deny", of("brook"), []),
    ("Pass", of("brook"), []),
    ("Deny", of("cliff"), AT),
    ("Pass", of("cliff"), AT),
    ("Accept", of("dune"), AT),
    ("Deny", of("dune"), []),
)
EXPECTED = {
    "brook": [True, True, True, True],
    "cliff": [False, False, False, True],
    "dune": [True, True, True, False],
}


@pytest.mark.parametrize("far", EXPECTED)
def test_the_first_rule_that_fits_decides(tmp_path: Path, far: str) -> None:
    judgement = judged(tmp_path, cluster_policy("all", **COMBINED))
    found = [verdicts(judgement, far, *one) for one in ASKED]
    assert found == [{one} for one in EXPECTED[far]]


@pytest.mark.parametrize("far", EXPECTED)
def test_the_baseline_tier_reads_its_rules_alike(tmp_path: Path, far: str) -> None:
    judgement = judged(tmp_path, cluster_policy("all", "Baseline", **COMBINED))
    found = [verdicts(judgement, far, *one) for one in ASKED]
    assert found == [{one} for one in EXPECTED[far]]


@pytest.mark.parametrize(("later", "allowed"), [(60, False), (40, True)])
def test_the_lower_priority_is_asked_first(tmp_path: Path, later: int, *, allowed: bool) -> None:
    judgement = judged(
        tmp_path,
        cluster_policy("keep-out", priority=50, **rules(("Deny", of("cliff", pods=True), []))),
        cluster_policy("pass", priority=later, **rules(("Pass", of("cliff", pods=True), []))),
        cluster_policy("base", "Baseline", **rules(("Accept", of("cliff", pods=True), []))),
    )
    assert verdicts(judgement, "cliff", Protocol.TCP, 80) == {allowed}


NEAR = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "near", "namespace": "alt"},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        **{
            way: [{side: [{"namespaceSelector": {"matchLabels": {"town": "cliff"}}}]}]
            for way, side in WAYS.items()
        },
    },
}
BASE = cluster_policy("base", "Baseline", **rules(("Deny", of("cliff"), [])))


@pytest.mark.parametrize(
    ("action", "own", "allowed"),
    [
        ("Deny", True, False),
        ("Accept", False, True),
        ("Pass", True, True),
        ("Pass", False, False),
    ],
)
def test_tiers_in_their_order(tmp_path: Path, action: str, *, own: bool, allowed: bool) -> None:
    admin = cluster_policy("gate", **rules((action, of("cliff"), [])))
    judgement = judged(tmp_path, admin, BASE, *([NEAR] if own else []))
    assert verdicts(judgement, "cliff", Protocol.TCP, 80) == {allowed}


def test_a_network_policy_is_never_overruled_from_below(tmp_path: Path) -> None:
    open_base = cluster_policy("base", "Baseline", **rules(("Accept", of("dune"), [])))
    judgement = judged(tmp_path, NEAR, open_base)
    assert verdicts(judgement, "dune", Protocol.TCP, 80) == {False}


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        ({"portNumber": {"port": 80, "protocol": "TCP"}}, [False, True, True, True]),
        ({"portNumber": {"port": 80}}, [False, True, True, True]),
        ({"portRange": {"start": 50, "end": 60, "protocol": "UDP"}}, [True, False, True, True]),
        ({"namedPort": "shop"}, [False, True, True, True]),
        ({"namedPort": "post"}, [True, False, True, True]),
        ({"namedPort": "attic"}, [True, True, True, True]),
    ],
)
def test_ports_of_the_first_version(tmp_path: Path, port: Manifest, allowed: list[bool]) -> None:
    spec: Manifest = {
        way: [{"action": "Deny", side: [of("brook")], "ports": [port]}]
        for way, side in WAYS.items()
    }
    admin = cluster_policy("gate", **spec)
    admin |= {"kind": "AdminNetworkPolicy", "apiVersion": "policy.networking.k8s.io/v1alpha1"}
    del admin["spec"]["tier"]
    judgement = judged(tmp_path, admin)
    assert [verdicts(judgement, "brook", *one) for one in ASKED] == [{one} for one in allowed]


def egress(judgement: Judgement, address: str) -> bool | None:
    from k8stui.kernel.address import Address

    alt = judgement.cluster.pods["alt/house"]
    peer = judgement.peer_at(Address.parse(address))
    return judgement.of(Direction.EGRESS, alt, peer, Ask(80, Protocol.TCP, None)).allowed


def test_networks_and_nodes_are_met_by_their_addresses(tmp_path: Path) -> None:
    to = [{"networks": ["203.0.113.0/24", "2001:db8::/32"]}, {"nodes": {}}]
    judgement = judged(tmp_path, cluster_policy("out", egress=[{"action": "Deny", "to": to}]))
    assert egress(judgement, "203.0.113.9") is False
    assert egress(judgement, "2001:db8::1") is False
    assert egress(judgement, "198.51.100.9") is True
    node = next(iter(judgement.cluster.nodes.values()))
    assert egress(judgement, str(node.addresses[0])) is False


def test_a_domain_name_decides_only_where_it_matters(tmp_path: Path) -> None:
    names = {"action": "Accept", "to": [{"domainNames": ["*.example.org"]}]}
    rest = {"action": "Deny", "to": [{"networks": ["198.51.100.0/24"]}]}
    judgement = judged(tmp_path, cluster_policy("out", egress=[names, rest]))
    assert egress(judgement, "203.0.113.9") is True
    assert egress(judgement, "198.51.100.9") is None
    for name in TOWNS:
        pod = judgement.cluster.pods[f"{name}/house"]
        assert egress(judgement, str(pod.addresses[0])) is True


@pytest.mark.parametrize(
    ("name", "domain", "fits"),
    [
        ("a.example.org", "*.example.org", True),
        ("b.a.example.org", "*.example.org.", True),
        ("example.org", "*.example.org", False),
        ("myexample.org", "*.example.org", False),
        ("Example.org.", "example.org", True),
        ("a.example.org", "example.org", False),
    ],
)
def test_domain_names(name: str, domain: str, *, fits: bool) -> None:
    assert is_of_domain(name, domain) is fits


def test_one_priority_for_two_is_found(tmp_path: Path) -> None:
    gates = [cluster_policy(name, **rules(("Deny", of("dune"), []))) for name in ("a", "b")]
    judgement = judged(tmp_path, *gates, BASE)
    found = list(same_priority(judgement.cluster.cluster_policies))
    assert [[one.name for one in group] for group in found] == [["a", "b"]]


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["Accept", "Deny", "Pass"]),
        st.builds(of, st.sampled_from(TOWNS), st.sampled_from(TOWNS), pods=st.booleans()),
        st.lists(st.sampled_from(AT), max_size=2),
    ),
    max_size=3,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(admin=ENTRIES, base=ENTRIES, own=st.booleans(), far=st.sampled_from(TOWNS))
def test_laws_of_the_tiers(
    tmp_path: Path,
    admin: list[tuple[str, Manifest, list[Manifest]]],
    base: list[tuple[str, Manifest, list[Manifest]]],
    far: str,
    *,
    own: bool,
) -> None:
    more = [NEAR] if own else []
    bottom = cluster_policy("base", "Baseline", **rules(*base))
    gate = cluster_policy("gate", priority=20, **rules(*admin))
    everybody = of(*TOWNS)

    def said(*gates: Manifest) -> list[set[bool | None]]:
        judgement = judged(tmp_path, *gates, bottom, *more)
        return [verdicts(judgement, far, *one) for one in ASKED]

    # Pass for everybody before it takes the Admin tier out; behind it, it changes nothing.
    passing = rules(("Pass", everybody, []))
    assert said(gate, cluster_policy("first", priority=1, **passing)) == said()
    assert said(gate, cluster_policy("last", priority=99, **passing)) == said(gate)
    for action, verdict in (("Accept", True), ("Deny", False)):
        first = cluster_policy("first", priority=1, **rules((action, everybody, [])))
        assert said(gate, first) == [{verdict}] * len(ASKED)
