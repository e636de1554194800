"""Endpoints beyond the recordings: dumps without slices, laws of hints, one slice a port set."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from cluster import recorded
from cluster.objects import cluster, deployment, service
from cluster.recorded import Moment
from hypothesis import given
from hypothesis import strategies as st

from k8stui.cluster.build import build
from k8stui.cluster.hints import add_hints, hints_wanted
from k8stui.cluster.model import Endpoint, Service
from k8stui.kernel.address import Address
from k8stui.manifests import Manifests
from k8stui.origin import OriginKind, assumed

ORIGIN = assumed("test")


@pytest.mark.parametrize("moment", recorded.moments(), ids=str)
def test_dump_with_endpoints_but_no_slices(moment: Moment) -> None:
    """An old cluster's dump: its Endpoints are what was seen, address for address."""
    objects = tuple(m for m in recorded.dump(moment).objects if m.kind != "EndpointSlice")
    made = build(Manifests(objects=objects))
    for namespace, by_name in moment.json("compact")["endpoints"].items():
        for name, recorded_endpoints in by_name.items():
            key = f"{namespace}/{name}"
            if key not in made.services:
                continue
            wanted = Counter(
                (entry["ip"], port["port"], field == "addresses")
                for subset in recorded_endpoints["subsets"]
                for field in ("addresses", "notReadyAddresses")
                for entry in subset.get(field) or []
                for port in subset.get("ports") or []
            )
            found = Counter(
                (str(endpoint.addresses[0]), port.port, endpoint.ready)
                for item in made.endpoint_slices.get(key, ())
                for endpoint in item.endpoints
                for port in item.ports or ()
            )
            assert found == wanted, key


def test_one_slice_a_set_of_resolved_ports() -> None:
    other = deployment("web2").replace("app: web2", "app: web").replace("80,", "8080,")
    made = cluster(
        deployment("web", 2) + other + service("web", "ports: [{port: 80, targetPort: http}]")
    )
    slices = made.endpoint_slices["default/web"]
    assert [([p.port for p in s.ports or ()], len(s.endpoints)) for s in slices] == [
        ([80], 2),
        ([8080], 1),
    ]
    assert slices[0].origin.kind is OriginKind.DEFAULTED


def test_at_most_a_hundred_endpoints_a_slice() -> None:
    made = cluster(deployment("web", 250) + service("web"))
    sizes = [len(item.endpoints) for item in made.endpoint_slices["default/web"]]
    assert sizes == [100, 100, 50]


def test_services_of_the_same_pods_have_the_endpoints_that_each_has_alone() -> None:
    more = ("readinessGates: [{conditionType: a.b/ok}]", "subdomain: peers", "hostname: one")
    pods = deployment("web", 3, more="\n      ".join(more))
    specs = {
        "plain": "ports: [{port: 80}]",
        "like": "ports: [{port: 81, targetPort: 80}]",
        "named": "ports: [{name: http, port: 80}]",
        "elsewhere": "ports: [{port: 80, targetPort: 9}]",
        "early": "ports: [{port: 80}], publishNotReadyAddresses: true",
        "peers": "ports: [{port: 80}], clusterIP: None",
        "near": "ports: [{port: 80}], trafficDistribution: PreferSameNode, "
        "publishNotReadyAddresses: true",
    }
    texts = [
        service("web", spec).replace("name: web,", f"name: {name},") for name, spec in specs.items()
    ]
    made = cluster(pods + "".join(texts)).endpoint_slices
    alone = [
        cluster(pods + text).endpoint_slices[f"default/{name}"]
        for name, text in zip(specs, texts, strict=True)
    ]
    said = [
        [(s.ports, [replace(e, origin=ORIGIN) for e in s.endpoints]) for s in part]
        for part in (*(made[f"default/{name}"] for name in specs), *alone)
    ]
    assert said[: len(specs)] == said[len(specs) :]
    assert len({repr(one) for one in said}) == len(specs) - 1
    assert made["default/plain"][0].endpoints is made["default/like"][0].endpoints


def test_readiness_gate_nobody_sets() -> None:
    text = deployment("web", more="readinessGates: [{conditionType: example.com/ok}]")
    made = cluster(text + service("web"))
    (item,) = made.endpoint_slices["default/web"]
    assert [(e.ready, e.serving) for e in item.endpoints] == [(False, False)]


ZONES = st.lists(st.sampled_from("abc"), max_size=30)


@given(ZONES)
def test_hints_by_cpu_cover_all_endpoints_and_balance(zones: list[str]) -> None:
    """With equal zones no zone ends with over a fifth less than its share, or there are none."""
    endpoints = [
        Endpoint(addresses=(Address(4, n),), zone=zone, origin=ORIGIN)
        for n, zone in enumerate(zones)
    ]
    service_ = Service(
        namespace="default",
        name="s",
        annotations={"service.kubernetes.io/topology-mode": "Auto"},
        origin=ORIGIN,
    )
    shares = dict.fromkeys("abc", Fraction(1, 3))
    hinted = add_hints(hints_wanted(service_), endpoints, shares)
    assert [e.addresses for e in hinted] == [e.addresses for e in endpoints]
    have = Counter(zone for e in hinted for zone in e.for_zones)
    if sum(have.values()):
        assert sum(have.values()) == len(zones)
        assert min(have[zone] for zone in "abc") * 12 >= len(zones) / 3 * 10 - 12
    else:
        smallest = ceil(Fraction(len(zones), 3) / Fraction(12, 10))
        assert len(zones) < 3 or 3 * smallest > len(zones)


HANDED_OVER = {
    # (endpoints' zones, shares of CPU) → zones of the hints
    "as they are": ("aabb", {"a": (1, 2), "b": (1, 2)}, {"a": 2, "b": 2}),
    "one over": ("aaab", {"a": (1, 2), "b": (1, 2)}, {"a": 2, "b": 2}),
    "half a one is not handed over": ("aab", {"a": (1, 2), "b": (1, 2)}, {}),
    "a small zone gets what it needs at least": (
        "aaaaaaaa",
        {"a": (7, 8), "b": (1, 8)},
        {"a": 7, "b": 1},
    ),
    "a zone without workers keeps its endpoints": (
        "aabbcc",
        {"a": (1, 2), "b": (1, 2)},
        {"a": 2, "b": 2, "c": 2},
    ),
    "too few": ("a", {"a": (1, 2), "b": (1, 2)}, {}),
    "a third overloads": ("abc", {"a": (3, 5), "b": (1, 5), "c": (1, 5)}, {}),
}


@pytest.mark.parametrize("name", HANDED_OVER)
def test_hints_by_cpu(name: str) -> None:
    """Source: topologycache getAllocations, getGivingAndReceivingZones."""
    zones, parts, wanted = HANDED_OVER[name]
    endpoints = [
        Endpoint(addresses=(Address(4, n),), zone=zone, origin=ORIGIN)
        for n, zone in enumerate(zones)
    ]
    made = Service(
        namespace="default",
        name="s",
        annotations={"service.kubernetes.io/topology-mode": "Auto"},
        origin=ORIGIN,
    )
    hinted = add_hints(
        hints_wanted(made), endpoints, {zone: Fraction(*part) for zone, part in parts.items()}
    )
    assert Counter(zone for endpoint in hinted for zone in endpoint.for_zones) == wanted


def mirrored(subsets: str) -> list[tuple[list[int], list[tuple[str, bool, str | None]]]]:
    """Port numbers, and (address, ready, hostname) of each, of every slice made of Endpoints."""
    text = service("web").replace("selector: {app: web}, ", "")
    text += f"---\napiVersion: v1\nkind: Endpoints\nmetadata: {{name: web}}\nsubsets: {subsets}\n"
    return [
        (
            [port.port for port in item.ports or ()],
            [(str(e.addresses[0]), e.ready, e.hostname) for e in item.endpoints],
        )
        for item in cluster(text).endpoint_slices["default/web"]
    ]


def test_subsets_are_packed_anew() -> None:
    """Ports with the same addresses are one slice; the first writing of an address counts."""
    assert mirrored(
        "[{addresses: [{ip: 10.1.0.1, hostname: h}], ports: [{name: a, port: 80}]}, "
        "{addresses: [{ip: 10.1.0.1}, {ip: 10.1.0.2}], ports: [{name: b, port: 81}]}, "
        "{addresses: [{ip: 10.1.0.2}], ports: [{name: a, port: 80}]}]"
    ) == [([80, 81], [("10.1.0.1", True, "h"), ("10.1.0.2", True, None)])]


def test_not_ready_trumps_ready() -> None:
    assert mirrored(
        "[{addresses: [{ip: 10.1.0.1}], ports: [{port: 80}]}, "
        "{notReadyAddresses: [{ip: 10.1.0.1}], ports: [{port: 80}]}]"
    ) == [([80], [("10.1.0.1", False, None)])]


def test_subsets_without_ports_and_of_two_families() -> None:
    assert mirrored('[{addresses: [{ip: 10.1.0.1}, {ip: "fd00::1"}]}]') == [
        ([], [("10.1.0.1", True, None)]),
        ([], [("fd00::1", True, None)]),
    ]
