"""Topology hints on endpoints: which zones and nodes should use them.

Sources: staging/src/k8s.io/endpointslice/trafficdist and topologycache (overload threshold 20 %);
docs/facts/control-plane.md section 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import Object
from k8stui.cluster.model import Endpoint, Node, Service

_ANNOTATIONS = (
    "service.kubernetes.io/topology-aware-hints",
    "service.kubernetes.io/topology-mode",
)
"""The older one wins over the newer one."""
_EXCLUDED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_OVERLOAD = 0.2
_HALF = 0.5


def cpu_by_zone(
    nodes: Mapping[str, Node], allocatable: Mapping[str, Object]
) -> dict[str, Fraction]:
    """Each zone's share of the CPU of all ready workers; empty when one of them hides it."""
    total: Counter[str] = Counter()
    for name, node in nodes.items():
        if not node.ready or any(label in node.labels for label in _EXCLUDED):
            continue
        cpu = quantity.parse(allocatable.get(name, {}).get("cpu"))
        if not node.zone or not cpu:
            return {}
        total[node.zone] += cpu
    whole = sum(total.values())
    return {zone: Fraction(cpu, whole) for zone, cpu in sorted(total.items())}


def hints_wanted(service: Service) -> str:
    """``Auto`` by annotation, else its trafficDistribution; empty: no hints."""
    mode = next((service.annotations[a] for a in _ANNOTATIONS if a in service.annotations), "")
    return "Auto" if mode in ("Auto", "auto") else service.traffic_distribution or ""


def add_hints(
    wanted: str, endpoints: Sequence[Endpoint], shares: Mapping[str, Fraction]
) -> list[Endpoint]:
    """The endpoints of one address family with the hints that are `wanted`."""
    match wanted:
        case "Auto":
            return _by_cpu(endpoints, shares)
        case "PreferClose" | "PreferSameZone":
            return [_near(endpoint, node=False) for endpoint in endpoints]
        case "PreferSameNode":
            return [_near(endpoint, node=True) for endpoint in endpoints]
        case _:
            return list(endpoints)


def _near(endpoint: Endpoint, *, node: bool) -> Endpoint:
    if not endpoint.ready:
        return endpoint
    return replace(
        endpoint,
        for_zones=(endpoint.zone,) if endpoint.zone else (),
        for_nodes=(endpoint.node_name,) if node and endpoint.node_name else (),
    )


def _by_cpu(endpoints: Sequence[Endpoint], shares: Mapping[str, Fraction]) -> list[Endpoint]:
    ready = [endpoint for endpoint in endpoints if endpoint.ready]
    # Floating point as the controller has it: where it rounds up, one endpoint more is needed.
    desired = {zone: float(share) * len(ready) for zone, share in shares.items()}
    least = {zone: ceil(wish * (1 / (1 + _OVERLOAD))) for zone, wish in desired.items()}
    if (
        not 2 <= len(shares) <= len(ready)
        or sum(least.values()) > len(ready)
        or any(not endpoint.zone for endpoint in ready)
    ):
        return list(endpoints)
    targets = {zone: max(wish, least[zone]) for zone, wish in desired.items()}
    zones = _hand_over([endpoint.zone or "" for endpoint in ready], targets)
    hinted = iter(zones)
    return [
        replace(endpoint, for_zones=(next(hinted),)) if endpoint.ready else endpoint
        for endpoint in endpoints
    ]


def _hand_over(zones: list[str], targets: Mapping[str, float]) -> list[str]:
    """Start with each endpoint's own zone, then let the fullest zone give to the neediest.

    A zone without CPU (of control-plane nodes alone) neither gives nor takes. The controller hands
    over arbitrary endpoints; here the last ones of the giving zone (getGivingAndReceivingZones).
    """
    have = Counter(zones)
    gives = {zone: have[zone] - target for zone, target in targets.items() if have[zone] > target}
    takes = {zone: target - have[zone] for zone, target in targets.items() if have[zone] < target}
    while gives and takes:
        giver = max(gives, key=lambda zone: gives[zone])
        taker = max(takes, key=lambda zone: takes[zone])
        if max(gives[giver], takes[taker]) < 1 or min(gives[giver], takes[taker]) < _HALF:
            break
        last = len(zones) - 1 - zones[::-1].index(giver)
        zones[last] = taker
        gives[giver] -= 1
        takes[taker] -= 1
    return zones
